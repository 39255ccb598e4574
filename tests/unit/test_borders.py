"""Borders near many points are those that shapely measures."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import borders
from geo.borders import Borders

values = st.floats(-50, 150, allow_nan=False).map(lambda value: round(value, 3))
spots = st.tuples(values, values)
rings = st.lists(spots, min_size=3, max_size=8, unique=True)


def areas_of(corners):
    hulls = [shapely.convex_hull(shapely.multipoints(ring)) for ring in corners]
    return np.array([hull for hull in hulls if hull.geom_type == "Polygon"], dtype=object)


def measured(areas, points, reach):
    away = shapely.distance(shapely.boundary(areas)[None, :], shapely.points(points)[:, None])
    return {(n, m): away[n, m] for n in range(len(points)) for m in range(len(areas)) if away[n, m] <= reach}


@settings(max_examples=150, deadline=None)
@given(
    corners=st.lists(rings, max_size=5),
    points=st.lists(spots, min_size=1, max_size=10),
    reach=st.floats(0.01, 200),
)
def test_the_borders_within_reach_are_those_that_are_measured(corners, points, reach):
    areas = areas_of(corners)
    found = Borders(areas, reach).near(np.array(points))
    told = dict(zip(zip(found.point.tolist(), found.area.tolist(), strict=True), found.away, strict=True))
    assert len(told) == len(found.point)
    real = measured(areas, np.array(points), reach)
    for key in told.keys() ^ real.keys():  # rounding decides only at the reach itself
        assert {**told, **real}[key] == pytest.approx(reach, abs=1e-9)
    for key in told.keys() & real.keys():
        assert told[key] == pytest.approx(real[key], abs=1e-9)
    rows = list(zip(found.point, np.round(found.away, 6), found.area, strict=True))
    assert rows == sorted(rows)


def test_holes_and_parts_have_borders():
    ring = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
    whole = shapely.union_all([ring, shapely.box(200, 0, 210, 10)])
    found = Borders(np.array([whole], dtype=object), 5.0).near(np.array([[50, 43], [205, 12], [20, 20]]))
    assert found.point.tolist() == [0, 1]
    assert found.away.tolist() == [3.0, 2.0]


def test_many_edges_at_once_are_measured_in_parts(monkeypatch):
    areas = np.array(
        [
            shapely.box(10.0 * (n % 10), 10.0 * (n // 10), 10.0 * (n % 10 + 1), 10.0 * (n // 10 + 1))
            for n in range(100)
        ]
    )
    points = np.random.default_rng(1).uniform(0, 100, (200, 2))
    whole = Borders(areas, 3.0).near(points)
    monkeypatch.setattr(borders, "_AT_ONCE", 50)
    parts = Borders(areas, 3.0).near(points)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_a_long_edge_askew_takes_little_room():
    triangle = shapely.Polygon([(0, 0), (100_000, 99_000), (0, 1)])
    listed = Borders(np.array([triangle], dtype=object), 15.0)
    assert len(listed._edge) < 500_000
    assert listed.near(np.array([[50_000.0, 49_500.0]])).away[0] < 1.0
