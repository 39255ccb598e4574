"""The index's table of cells: what it answers at once is what asking every area exactly would give."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.celltable import OUTSIDE, CellTable
from geo.crs import from_metric, metric_srid, to_metric
from geo.index import GAP_DEGREES, PointIndex
from tests.covering import probes
from tests.unit.test_index import tessellation

SRID = 4548  # central meridian 117 E
SLACK = 2.0 * GAP_DEGREES


@st.composite
def districts(draw):
    """Areas as plans have them: quadrilaterals with common corners, torn, missing, merged, far away or on top."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns, rows = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    step = 10.0 ** draw(st.floats(-6.0, -1.0))
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    lattice = np.stack([x, y], axis=-1) + rng.uniform(-0.3, 0.3, (rows + 1, columns + 1, 2))
    lattice = lattice * step + (draw(st.floats(74.0, 134.0)), draw(st.floats(-40.0, 50.0)))
    tear = min(draw(st.sampled_from([0.0, 1e-9, 4e-8, 3e-7])), 0.05 * step)
    corners = ((0, 0), (0, 1), (1, 1), (1, 0))
    areas = [
        shapely.Polygon([lattice[r + up, c + right] + rng.normal(0.0, tear, 2) for up, right in corners])
        for r in range(rows)
        for c in range(columns)
    ]
    rng.shuffle(areas)
    if draw(st.booleans()) and len(areas) > 2:
        areas = areas[2:]
    if draw(st.booleans()) and len(areas) > 3:
        areas = [shapely.union(areas[0], areas[1]), shapely.union(areas[2], areas[3]), *areas[4:]]
    if draw(st.booleans()):
        areas.append(shapely.affinity.scale(areas[0], 0.5, 0.5))  # on top of another
    if draw(st.booleans()):
        areas.append(shapely.affinity.translate(areas[-1], 300.0 * step, -200.0 * step))
    if draw(st.booleans()):
        areas += [
            shapely.Polygon(),
            shapely.Polygon(np.repeat(shapely.get_coordinates(areas[0])[:2], 2, axis=0)),
        ]
    return np.array(areas, dtype=object)


def exactly(shapes, points):
    """Ask every area about every point."""
    asked = shapely.points(points)
    covers = shapely.covers(shapes[:, None], asked)
    torn = shapely.dwithin(shapes[:, None], asked, GAP_DEGREES)
    first = np.where(covers.any(axis=0), covers.argmax(axis=0), torn.argmax(axis=0))
    return np.where((covers | torn).any(axis=0), first, -1)


def beside_cells(shapes, seed):
    """Points on the last and first number of neighbouring cells, and at their corners."""
    table = CellTable(shapes, slack=SLACK)
    west, south, east, north = shapely.total_bounds(shapes)
    rng = np.random.default_rng(seed)
    points = []
    for lon, lat in rng.uniform((west, south), (east, north), (6, 2)).tolist():
        lons = edge(lambda value, lat=lat: table.cell(value, lat), lon, east)
        lats = edge(lambda value, lon=lon: table.cell(lon, value), lat, north)
        points += [(x, y) for x in (lon, *lons) for y in (lat, *lats)]
    return np.array(points)


def edge(cell, low, high):
    """Return the two neighbouring numbers between which the cell of the first ends."""
    first = cell(low)
    while np.nextafter(low, high) < high:
        middle = low + (high - low) / 2.0
        low, high = (middle, high) if cell(middle) == first else (low, middle)
    return low, high


def index_of(shapes, **options):
    west, south, *_ = shapely.total_bounds(shapes)
    codes = [f"{n:04}" for n in range(len(shapes))]
    return PointIndex(codes, shapes, metric_srid(west, south), **options)


@given(districts(), st.integers(0, 2**32 - 1))
def test_it_says_what_every_area_asked_exactly_would(shapes, seed):
    index = index_of(shapes)
    beyond = shapely.total_bounds(shapes)[[0, 3]] + ((-1e-7, 0.0), (-5e-7, 5e-7), (-1.0, 1.0))
    points = np.concatenate([probes(shapes, 200, seed=seed), beside_cells(shapes, seed), beyond])
    found = index.cover(points)
    np.testing.assert_array_equal(found, exactly(shapes, points))
    assert [index.find(lon, lat) for lon, lat in points.tolist()] == found.tolist()


@given(districts(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 15.0, 400.0]))
def test_no_border_is_near_what_is_deep(shapes, seed, near_border_m):
    index = index_of(shapes, near_border_m=near_border_m)
    west, south, east, north = shapely.total_bounds(shapes)
    anywhere = np.random.default_rng(seed).uniform((west, south), (east, north), (500, 2))
    points = np.concatenate([anywhere, probes(shapes, 100, seed=seed), beside_cells(shapes, seed)])
    deep = index.deep(points)
    assert [index.is_deep(lon, lat) for lon, lat in points.tolist()] == deep.tolist()
    srid = metric_srid(west, south)
    borders = shapely.union_all(shapely.boundary(to_metric(shapes, srid)))
    assert (shapely.distance(borders, to_metric(shapely.points(points[deep]), srid)) >= near_border_m).all()


@given(districts(), st.integers(0, 2**32 - 1))
def test_no_border_touches_a_cell_that_it_does_not_mark(shapes, seed):
    table = CellTable(shapes, slack=SLACK)
    borders = probes(shapes, 500, seed=seed)[100:400]
    cells = table.cells(borders)
    assert (cells != OUTSIDE).all()
    assert table.touched.ravel()[cells].all()


def test_points_far_from_borders_are_known_to_be_deep():
    shapes = np.array([shapely.box(118 + 0.01 * i, 31.0, 118.01 + 0.01 * i, 31.01) for i in range(4)])
    index = index_of(shapes, near_border_m=15.0)
    inside = [(118.005, 31.005), (118.0008, 31.005), (118.0352, 31.0092)]  # 76 m from a border at the least
    assert index.deep(inside).tolist() == [True, True, True]
    assert index.deep([(118.00005, 31.005), (118.02, 31.005), (118.005, 31.02)]).tolist() == [False] * 3


def test_long_edges_bend_when_they_are_projected():
    small = [shapely.box(x, 31.4, x + 1e-4, 31.4001) for x in np.linspace(117.1, 118.9, 1600)]
    index = index_of(np.array([shapely.box(117.0, 31.0, 119.0, 32.0), *small]), near_border_m=1.0)
    ends = to_metric(shapely.points([(117.0, 31.0), (119.0, 31.0)]), SRID)
    middle = from_metric(
        [shapely.line_interpolate_point(shapely.LineString(ends), 0.5, normalized=True)], SRID
    )[0]
    assert middle.y > 31.003  # 400 m from the edge that is straight in degrees
    assert index.border_m(middle.x, middle.y, 0) < 0.001
    assert not index.is_deep(middle.x, middle.y)
    assert index.is_deep(middle.x, 31.02)


def test_most_of_a_district_is_answered_by_the_table():
    shapes = np.array(
        [
            shapely.box(118 + 0.01 * x, 31 + 0.01 * y, 118.01 + 0.01 * x, 31.01 + 0.01 * y)
            for x in range(20)
            for y in range(20)
        ]
    )
    assert CellTable(shapes, slack=SLACK).touched.mean() < 0.1


def test_bounds_without_size():
    line = shapely.Polygon([(118.0, 31.0), (118.0, 31.01), (118.0, 31.0)])
    point = shapely.Polygon([(118.0, 31.02)] * 4)
    index = index_of(np.array([line, point]))
    asked = [(118.0, 31.005), (118.0, 31.02), (118.0, 31.015), (118.001, 31.005)]
    assert index.cover(asked).tolist() == [0, 1, -1, -1]


def test_only_areas_without_shape():
    index = PointIndex(["a", "b"], [shapely.Polygon(), shapely.MultiPolygon()], 4549, near_border_m=15.0)
    assert index.cover([(118.0, 31.0)]).tolist() == [index.find(118.0, 31.0)] == [-1]
    assert not index.is_deep(118.0, 31.0)


def test_a_border_of_very_many_vertices_is_worked_through_in_parts(monkeypatch):
    angles = np.linspace(0.0, 2.0 * np.pi, 4000, endpoint=False)
    radius = np.where(np.arange(4000) % 2, 0.05, 0.01)[:, None]
    star = np.array(
        [shapely.Polygon((118.0, 31.0) + radius * np.column_stack([np.cos(angles), np.sin(angles)]))]
    )
    whole = CellTable(star, slack=SLACK).touched
    monkeypatch.setattr("geo.celltable._AT_ONCE", 100)
    np.testing.assert_array_equal(CellTable(star, slack=SLACK).touched, whole)


@pytest.mark.parametrize("at", [(float("inf"), 31.0), (118.0, float("-inf")), (181.0, 31.0), (-1e300, 1e300)])
def test_what_is_not_on_the_table_is_outside(at):
    shapes = np.array([shapely.box(118.0, 31.0, 118.01, 31.01)])
    assert CellTable(shapes, slack=SLACK).cell(*at) == OUTSIDE
    assert CellTable(shapes, slack=SLACK).cells(np.array([at])).tolist() == [OUTSIDE]


def test_no_polygon_is_prepared():
    """Threads that ask a polygon prepared, but not asked before, crash now and then: GEOS makes its index twice."""
    _, shapes = tessellation()
    index = index_of(shapes, near_border_m=15.0)
    points = probes(shapes, 500, seed=1)
    index.cover(points)
    for lon, lat in points.tolist():
        index.find(lon, lat)
    assert not shapely.is_prepared(shapes).any()
