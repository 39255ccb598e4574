"""OGC API - Features, Part 2: a test for each abstract test of the class crs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geo.systems import CRS84
from tests import town
from tests.api.test_ogc_core import LAYER_NAMES, OGC, ids

EPSG = "http://www.opengis.net/def/crs/EPSG/0/{}"
NUMBERS = [4326, 3857, 4490, 4547, 4548, 4549]
GRIDS = f"{OGC}/collections/grids/items"


def shapes(answer) -> list[shapely.Geometry]:
    drawn = [feature["geometry"] for feature in answer.json()["features"] if feature["geometry"]]
    return [shapely.from_geojson(json.dumps(geometry)) for geometry in drawn]


# /conf/crs/crs-uri, fc-md-crs-list, fc-md-storageCrs, fc-md-storageCrs-valid-value


def test_collections_name_their_systems(client):
    found = client.get(f"{OGC}/collections").json()
    for one in found["collections"]:
        assert one["crs"] == found["crs"] == [CRS84.uri, *map(EPSG.format, NUMBERS)]
        assert one["storageCrs"] in one["crs"]


# /conf/crs/fc-crs-definition, crs-action, ogc-crs-header, geojson


@pytest.mark.parametrize("name", LAYER_NAMES)
@pytest.mark.parametrize("number", NUMBERS)
def test_coordinates_come_as_the_system_orders_its_axes(client, name, number):
    path = f"{OGC}/collections/{name}/items"
    plain = client.get(path)
    told = client.get(path, params={"crs": EPSG.format(number)})
    assert told.headers["content-crs"] == f"<{EPSG.format(number)}>"
    assert ids(told.json()) == ids(plain.json())
    # The order of axes is the definition's here; CGCS2000 is taken as equal to WGS 84.
    moved = Transformer.from_crs("OGC:CRS84", 4326 if number == 4490 else number)
    for before, after in zip(shapes(plain), shapes(told), strict=True):
        xy = shapely.get_coordinates(before)
        expected = np.column_stack(moved.transform(xy[:, 0], xy[:, 1]))
        tolerance = 1e-6 if number in (4326, 4490) else 0.02
        assert np.abs(shapely.get_coordinates(after) - expected).max(initial=0) < tolerance


# /conf/crs/default-crs


def test_longitude_comes_first_where_no_system_is_named(client):
    plain, named = client.get(GRIDS), client.get(GRIDS, params={"crs": CRS84.uri})
    assert plain.headers["content-crs"] == named.headers["content-crs"] == f"<{CRS84.uri}>"
    assert plain.json()["features"] == named.json()["features"]
    assert shapes(plain)[0].bounds == pytest.approx((118.50, 31.70, 118.51, 31.71))


def test_one_feature_comes_in_a_system_too(client):
    path = f"{GRIDS}/{town.grid_code(1)}"
    answer = client.get(path, params={"crs": EPSG.format(4326)})
    assert answer.headers["content-crs"] == f"<{EPSG.format(4326)}>"
    assert shapely.from_geojson(json.dumps(answer.json()["geometry"])).bounds[0] == pytest.approx(31.70)
    assert client.get(path, params={"crs": EPSG.format(4527)}).status_code == 400


# /conf/crs/fc-bbox-crs-definition, fc-bbox-crs-action, bbox-crs-default


@pytest.mark.parametrize("number", NUMBERS)
def test_a_box_is_read_in_its_system(client, number):
    moved = Transformer.from_crs("OGC:CRS84", 4326 if number == 4490 else number)
    corners = np.array([moved.transform(lon, lat) for lon in (118.521, 118.529) for lat in (31.701, 31.709)])
    bbox = ",".join(map(repr, [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]))
    found = client.get(GRIDS, params={"bbox": bbox, "bbox-crs": EPSG.format(number)})
    assert ids(found.json()) == [town.grid_code(3)]
    # Written as GDAL and QGIS do for the default too
    default = client.get(GRIDS, params={"bbox": "118.521,31.701,118.529,31.709", "bbox-crs": CRS84.uri})
    assert ids(default.json()) == [town.grid_code(3)]


@pytest.mark.parametrize(
    ("bbox", "number"),
    [
        ("118.521,31.701,118.529,31.709", 4326),  # longitude first: out of range
        ("1e9,1e9,2e9,2e9", 4549),
        ("nan,1,2,3", 4549),
        ("5,5,1,1", 3857),
        ("1e300,1e300,1.1e300,1.1e300", 3857),
    ],
)
def test_a_box_that_cannot_be_of_its_system_is_400(client, bbox, number):
    answer = client.get(GRIDS, params={"bbox": bbox, "bbox-crs": EPSG.format(number)})
    assert answer.status_code == 400, answer.text


# /conf/crs/fc-crs-valid-value, fc-bbox-crs-valid-value


@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
@pytest.mark.parametrize(
    "system", ["", "x", "EPSG:1", "gcj02", EPSG.format(4527), EPSG.format("4326x"), "http://x/"]
)
def test_an_unknown_system_is_400(client, parameter, system):
    assert client.get(GRIDS, params={parameter: system}).status_code == 400


def test_a_filter_is_read_in_its_system(client):
    moved = Transformer.from_crs("OGC:CRS84", 4549)
    north, east = moved.transform(118.525, 31.705)
    question = {"filter": f"S_INTERSECTS(geometry, POINT({north} {east}))", "filter-crs": EPSG.format(4549)}
    assert ids(client.get(GRIDS, params=question).json()) == [town.grid_code(3)]
