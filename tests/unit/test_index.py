"""The point index: covers, the boundary rule, torn borders, distances."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import metric_srid
from geo.errors import InputError
from geo.index import GAP_DEGREES, PointIndex

VILLAGES = Path(__file__).parents[1] / "data" / "villages" / "taipei_villages.geojson"
SRID = 4549


def squares(*columns, codes=None):
    """Squares of 0.01 degrees in a row, named a, b, c ... from the west."""
    shapes = [shapely.box(118 + 0.01 * i, 31.0, 118 + 0.01 * (i + 1), 31.01) for i in columns]
    return PointIndex(codes or [chr(ord("a") + i) for i in columns], shapes, SRID)


def named(index, *points):
    return [index.codes[p] if p >= 0 else None for p in index.cover(points)]


def tessellation():
    """Codes and shapes of real villages."""
    features = json.loads(VILLAGES.read_text(encoding="utf-8"))["features"]
    codes = [feature["properties"]["VILLCODE"] for feature in features]
    return codes, np.array([shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features])


@pytest.fixture(scope="module")
def villages():
    codes, shapes = tessellation()
    return PointIndex(codes, shapes, metric_srid(121.5, 25.0)), dict(zip(codes, shapes, strict=True))


def test_inside_border_and_outside():
    index = squares(0, 1, 2)
    assert named(index, (118.005, 31.005), (118.015, 31.005)) == ["a", "b"]
    assert named(index, (118.01, 31.005), (118.02, 31.01)) == ["a", "b"]
    assert named(index, (117.99, 31.005), (118.005, 31.02)) == [None, None]


def test_the_smallest_code_wins_whatever_the_order_given():
    assert named(squares(0, 1, codes=["z", "k"]), (118.01, 31.005)) == ["k"]


def test_a_point_where_four_areas_meet():
    corners = [(1, 1), (0, 0), (0, 1), (1, 0)]
    shapes = [shapely.box(118 + x, 31 + y, 119 + x, 32 + y) for x, y in corners]
    assert named(PointIndex(["d", "c", "b", "a"], shapes, SRID), (119.0, 32.0)) == ["a"]


def test_a_gap_of_rounding_is_border_and_a_real_one_is_not():
    for gap, expected in ((GAP_DEGREES, "a"), (5e-7, None)):
        east = shapely.box(118.01 + gap, 31.0, 118.02, 31.01)
        index = PointIndex(["b", "a"], [shapely.box(118, 31, 118.01, 31.01), east], SRID)
        assert named(index, (118.01 + gap / 2, 31.005)) == [expected]


def test_a_hole_is_outside_and_its_filling_inside():
    ring = shapely.box(118, 31, 118.03, 31.03).difference(shapely.box(118.01, 31.01, 118.02, 31.02))
    assert named(PointIndex(["a"], [ring], SRID), (118.015, 31.015)) == [None]
    both = PointIndex(["a", "b"], [ring, shapely.box(118.01, 31.01, 118.02, 31.02)], SRID)
    assert named(both, (118.015, 31.015), (118.01, 31.015)) == ["b", "a"]


def test_areas_in_several_parts():
    parts = shapely.MultiPolygon(
        [shapely.box(118, 31, 118.01, 31.01), shapely.box(118.02, 31, 118.03, 31.01)]
    )
    index = PointIndex(["a", "b"], [parts, shapely.box(118.01, 31, 118.02, 31.01)], SRID)
    assert named(index, (118.005, 31.005), (118.015, 31.005), (118.025, 31.005)) == ["a", "b", "a"]


def test_no_areas_at_all():
    index = PointIndex([], [], SRID)
    assert index.cover([(118, 31)]).tolist() == [-1]
    assert index.near(118, 31, 1000) == []
    assert index.outside_m(118, 31) == float("inf")


def test_a_code_that_comes_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        squares(0, 1, codes=["a", "a"])


def test_lengths_are_metres():
    index = squares(0, 1)
    assert index.border_m(118.001, 31.005, 0) == pytest.approx(95.5, abs=0.5)  # of longitude at 31 N
    near = index.near(118.009, 31.005, 200)
    assert [(index.codes[n.position], round(n.distance_m, -1)) for n in near] == [("a", 0), ("b", 100)]
    assert index.outside_m(117.999, 31.005) == pytest.approx(95.5, abs=0.5)
    assert index.outside_m(118.01, 41.01) == pytest.approx(1_110_000, rel=0.01)
    assert index.near(-60, -31, 1e9) == []


def test_equally_near_areas_come_by_code():
    near = squares(0, 1).near(118.01, 31.02, 2000)
    assert [n.position for n in near] == [0, 1]
    assert near[0].distance_m == pytest.approx(near[1].distance_m)


def test_one_by_one_and_in_bulk_agree(villages):
    index, _ = villages
    points = np.random.default_rng(7).uniform((121.45, 24.96), (121.67, 25.21), (300, 2))
    assert [int(index.cover([point])[0]) for point in points] == index.cover(points).tolist()


def test_every_vertex_of_a_real_tessellation_goes_to_its_smallest_neighbour(villages):
    index, shapes = villages
    vertices = np.unique(shapely.get_coordinates(list(shapes.values())), axis=0)
    found = index.cover(vertices)
    assert (found >= 0).all()
    points = shapely.points(vertices)
    for code in sorted(shapes, reverse=True):
        touched = shapely.covers(shapes[code], points)
        assert (np.array(index.codes)[found[touched]] <= code).all()


@given(st.floats(117.99, 118.04), st.floats(30.99, 31.02))
def test_what_it_says_is_what_covers_says(lon, lat):
    index = squares(0, 1, 2)
    point = shapely.Point(lon, lat)
    covering = [
        c
        for i, c in enumerate("abc")
        if shapely.box(118 + 0.01 * i, 31, 118 + 0.01 * (i + 1), 31.01).covers(point)
    ]
    (found,) = named(index, (lon, lat))
    if covering:
        assert found == covering[0]
    elif found:
        assert index.outside_m(lon, lat) < 0.02
