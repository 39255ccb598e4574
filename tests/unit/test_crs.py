"""Coordinate systems, against published vectors and by round trips."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs
from geo.errors import CoordinateError

VECTORS = Path(__file__).parents[1] / "data" / "coords" / "coord_vectors.csv"


@pytest.fixture(scope="module")
def vectors():
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 146
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0] if name != "kind"}


def pair(vectors, x, y):
    return np.column_stack([vectors[x], vectors[y]])


@pytest.mark.parametrize(("name", "x", "y"), [("gcj02", "gcj_lon", "gcj_lat"), ("bd09", "bd_lon", "bd_lat")])
def test_obfuscated_systems_agree_with_the_vectors(vectors, name, x, y):
    wgs = pair(vectors, "wgs_lon", "wgs_lat")
    given_ = pair(vectors, x, y)
    np.testing.assert_allclose(crs.from_wgs84(wgs, name), given_, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_obfuscated_systems_come_back(vectors, name):
    wgs = pair(vectors, "wgs_lon", "wgs_lat")
    moved = crs.from_wgs84(wgs, name)
    back = crs.to_wgs84(moved, name)
    np.testing.assert_allclose(back, wgs, rtol=0, atol=1e-9)
    np.testing.assert_allclose(crs.from_wgs84(back, name), moved, rtol=0, atol=1e-9)


@given(st.floats(0, 0.0075), st.floats(5, 50), st.booleans(), st.sampled_from(["gcj02", "bd09"]))
def test_beyond_the_edge_of_the_offset_a_place_has_an_origin_that_maps_to_it(beyond, along, east, name):
    place = [137.8347 + beyond, along] if east else [75 + along, 55.8271 + beyond / 4]
    back = crs.to_wgs84([place], name)
    np.testing.assert_allclose(crs.from_wgs84(back, name), [place], rtol=0, atol=1e-9)


@pytest.mark.parametrize("zone", [4547, 4548, 4549])
def test_projected_zones_agree_with_the_vectors(vectors, zone):
    wgs = pair(vectors, "wgs_lon", "wgs_lat")
    given_ = pair(vectors, f"e{zone}", f"n{zone}")
    known = np.isfinite(given_).all(axis=1) & (np.abs(wgs[:, 0] - (114 + 3 * (zone - 4547))) < 3)
    assert known.any()
    np.testing.assert_allclose(crs.from_wgs84(wgs[known], f"EPSG:{zone}"), given_[known], rtol=0, atol=1e-3)
    np.testing.assert_allclose(crs.to_wgs84(given_[known], f"EPSG:{zone}"), wgs[known], rtol=0, atol=1e-8)


@given(st.floats(73.5, 135), st.floats(18, 53.5), st.sampled_from(["gcj02", "bd09", "wgs84", "cgcs2000"]))
def test_any_point_in_china_comes_back(lon, lat, name):
    back = crs.to_wgs84(crs.from_wgs84([[lon, lat]], name), name)
    np.testing.assert_allclose(back, [[lon, lat]], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("WGS84", "EPSG:4326"),
        ("wgs-84", "EPSG:4326"),
        ("CGCS_2000", "EPSG:4490"),
        ("GCJ-02", "gcj02"),
        ("bd09", "bd09"),
        ("epsg:4549", "EPSG:4549"),
        ("4549", "EPSG:4549"),
    ],
)
def test_one_name_for_each_system(written, name):
    assert crs.normalise(written) == name


@pytest.mark.parametrize("written", ["", "mars", "EPSG:3857", "EPSG:4555", "EPSG:99999", "4326; DROP"])
def test_unknown_systems_are_refused(written):
    with pytest.raises(CoordinateError, match="Unknown"):
        crs.normalise(written)


@pytest.mark.parametrize(
    ("xy", "name"),
    [
        ((float("nan"), 31), "wgs84"),
        ((118, float("inf")), "wgs84"),
        ((31.7, 118.5), "wgs84"),
        ((181, 0), "gcj02"),
        ((118.5, 2e7), "EPSG:4549"),
    ],
)
def test_points_out_of_range_are_refused(xy, name):
    with pytest.raises(CoordinateError):
        crs.to_wgs84([xy], name)


@pytest.mark.parametrize(
    ("place", "srid"),
    [
        ((118.5, 31.7), 4549),
        ((118.4, 31.7), 4548),
        ((121.5, 25.0), 4549),
        ((9.5, 47.2), 32632),
        ((-70.6, -33.4), 32719),
    ],
)
def test_the_metric_system_of_a_place(place, srid):
    assert crs.metric_srid(*place) == srid


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_anywhere_on_earth_a_place_comes_back(name):
    lon, lat = np.meshgrid(np.linspace(-179, 179, 180), np.linspace(-89, 89, 90))
    places = np.column_stack([lon.ravel(), lat.ravel()])
    again = crs.to_wgs84(crs.from_wgs84(places, name), name)
    assert np.abs(again - places).max() < 1e-9


def test_no_metric_system_at_the_pole():
    with pytest.raises(CoordinateError):
        crs.metric_srid(0, 89)


def test_geometries_come_back_and_lose_their_height():
    shape = shapely.box(118.5, 31.7, 118.51, 31.71)
    metric = crs.to_metric([shape, shapely.Point(118.5, 31.7, 9)], 4549)
    assert shapely.area(metric[0]) == pytest.approx(1.05e6, rel=0.01)
    assert not shapely.has_z(metric[1])
    back = crs.from_metric(metric, 4549)
    assert shapely.equals_exact(back[0], shape, 1e-9)
    moved = shapely.transform(shape, lambda xy: crs.to_wgs84(xy, "gcj02"))
    assert (
        300
        < shapely.distance(crs.to_metric([shape], 4549)[0].centroid, crs.to_metric([moved], 4549)[0].centroid)
        < 800
    )
