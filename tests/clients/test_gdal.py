"""GDAL's own drivers read the layers: OGC API - Features and vector tiles."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod

from geo.crs import WEB_MERCATOR, to_metric
from geo.tiling import span
from tests import town
from tests.clients.conftest import CODE, GRIDS, PASSWORD, Site

SMALL_PAGES = {"PAGE_SIZE": 100}
_ELLIPSOID = Geod(ellps="WGS84")


def grids(site: Site, **options: object) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(f"OAPIF:{site.ogc}", layer="grids", **options)


def areas(frame: gpd.GeoDataFrame) -> dict[str, float]:
    found = (abs(_ELLIPSOID.geometry_area_perimeter(shape)[0]) for shape in frame.geometry)
    return dict(zip(frame["code"], found, strict=True))


def test_the_layers_are_listed(site):
    assert pyogrio.list_drivers()["OAPIF"] == "r"
    listed = {name for name, _ in pyogrio.list_layers(f"OAPIF:{site.ogc}")}
    assert {"grids", "communities", "buildings", "sites"} <= listed
    assert "cases" not in listed


@pytest.mark.parametrize("options", [{}, SMALL_PAGES], ids=["one page", "pages of 100"])
def test_all_grids_come_with_the_areas_postgis_has(site, options):
    found = grids(site, **options)
    assert len(found) == GRIDS
    assert found["code"].is_unique
    stored, told = site.areas(), areas(found)
    assert told.keys() == stored.keys()
    for code, area in stored.items():
        assert told[code] == pytest.approx(area, rel=1e-4)


def test_fields_keep_their_types_and_chinese_its_characters(site):
    found = grids(site)
    assert np.issubdtype(found["target"].dtype, np.number)
    assert str(found["valid_from"].dtype).startswith("datetime64")
    assert set(found["community"]) == {"富民社区", "安居社区"}


def test_a_box_is_asked_of_the_server(site):
    found = grids(site, bbox=(118.5, 31.7, 118.505, 31.705))
    assert list(found["code"]) == [town.grid_code(1)]


@pytest.mark.parametrize(
    ("where", "count"),
    [("households > 640", 8), ("community = '安居社区'", 2), ("community = '安居社区' AND target = 1", 0)],
)
def test_an_attribute_filter_gives_what_sql_gives(site, where, count):
    assert len(grids(site, where=where)) == count


def test_a_feature_is_read_in_a_metric_system(site):
    uri = "http://www.opengis.net/def/crs/EPSG/0/4549"
    found = pyogrio.read_dataframe(f"OAPIF:{site.ogc}", layer="grids", CRS=uri)
    assert found.crs.to_epsg() == 4549
    assert found.to_crs(4326).total_bounds == pytest.approx(grids(site).total_bounds, abs=1e-6)


def test_the_district_stays_named_on_every_page(site):
    found = pyogrio.read_dataframe(f"OAPIF:{site.ogc}?district={CODE}", layer="grids", **SMALL_PAGES)
    assert len(found) == GRIDS


def test_a_role_sees_its_properties_by_its_token(site):
    asked = Request(  # noqa: S310
        f"{site.address}/api/v1/session",
        json.dumps({"name": "ana", "password": PASSWORD}).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(asked) as answer:  # noqa: S310
        token = json.load(answer)["token"]
    public = pyogrio.read_dataframe(f"OAPIF:{site.ogc}", layer="buildings")
    assert "households" not in public
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token})
    try:
        found = pyogrio.read_dataframe(f"OAPIF:{site.ogc}", layer="buildings")
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})
    assert set(found["households"]) == {40}


def test_a_tile_is_read_with_its_grids(site):
    shape = shapely.box(118.5, 31.7, 118.505, 31.705)
    west, north, *_ = span([shapely.bounds(to_metric([shape], WEB_MERCATOR))[0]], 14)[0].tolist()
    address = f"MVT:/vsicurl/{site.address}/tiles/grids/14/{west}/{north}.mvt"
    found = pyogrio.read_dataframe(address, layer="grids", X=west, Y=north, Z=14)
    assert town.grid_code(1) in set(found["code"])
    assert found.crs.to_epsg() == 3857
