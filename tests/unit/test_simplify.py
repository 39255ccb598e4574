"""Levels of a coverage: nothing tears, overlaps or vanishes, whatever the scale."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geo.crs import WEB_MERCATOR, to_metric
from geo.simplify import FINEST, label_points, levels
from geo.tiling import BUFFER, EXTENT, WORLD_M, origin, span, unit_m, within
from tests import mosaic

EAST, NORTH = 13_191_000.0, 3_713_000.0


def units(shapes: np.ndarray, zoom: int) -> np.ndarray:
    """Coordinates in units of a zoom, from the north-western corner of the world."""
    x, y = shapely.get_coordinates(shapes).T
    return np.column_stack([x + WORLD_M / 2, WORLD_M / 2 - y]) / unit_m(zoom)


def there(shapes: list[shapely.Geometry]) -> np.ndarray:
    return shapely.transform(np.array(shapes, object), lambda xy: xy + np.array([EAST, NORTH]))


def check_level(before: np.ndarray, zoom: int, shapes: np.ndarray) -> None:
    assert len(shapes) == len(before)
    assert shapely.is_valid(shapes).all()
    assert (shapely.area(shapes) > 0).all()
    assert shapely.coverage_is_valid(shapes)
    assert np.abs(units(shapes, zoom) - np.rint(units(shapes, zoom))).max() < 1e-4
    whole, drawn = shapely.union_all(before), shapely.union_all(shapes)
    # What is left out is small: triangles half a pixel wide, and areas of one unit in others' place.
    near = 40 * unit_m(zoom)
    assert whole.hausdorff_distance(drawn) < near
    assert shapely.hausdorff_distance(before, shapes).max() < near


@st.composite
def tilings(draw: st.DrawFn) -> np.ndarray:
    """Voronoi cells of random places, of any size down to less than a unit of the coarsest level."""
    size = draw(st.sampled_from([3.0, 60.0, 900.0, 20_000.0]))
    places = draw(
        st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=25, unique=True)
    )
    points = shapely.MultiPoint(np.array(places) * size / 1000)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(0, 0, size, size)))
    cut = shapely.intersection(cells, box(-size, -size, 2 * size, 2 * size))
    return there(cut)


@given(tilings(), st.integers(6, FINEST))
@settings(max_examples=60)
def test_every_level_is_a_coverage_of_the_same_land(tiling: np.ndarray, first: int) -> None:
    found = list(levels(tiling, first))
    assert [level.zoom for level in found] == list(range(FINEST, first - 1, -1))
    for zoom, shapes in found:
        check_level(tiling, zoom, shapes)


def test_levels_get_simpler_and_follow_wavy_borders() -> None:
    grids = np.asarray(to_metric(mosaic.areas(12, wiggles=40).geometry.to_numpy(), WEB_MERCATOR))
    found = dict(levels(grids, 8))
    vertices = [int(shapely.get_num_coordinates(found[zoom]).sum()) for zoom in range(FINEST, 7, -1)]
    assert vertices == sorted(vertices, reverse=True)
    assert vertices[0] > 0.95 * shapely.get_num_coordinates(grids).sum()
    assert vertices[-1] < vertices[0] / 10
    for zoom, shapes in found.items():
        check_level(grids, zoom, shapes)


def test_borders_without_the_neighbours_vertices_are_brought_together() -> None:
    """The south of the east square has a vertex its neighbours lack, 4 cm off the straight line."""
    west = box(0, 0, 100, 100)
    east = Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100.04, 51)])
    shapes = there([west, east])
    assert not shapely.coverage_is_valid(shapes, gap_width=0.1)
    for _, drawn in levels(shapes, 12):
        assert shapely.coverage_is_valid(drawn)
        assert not shapely.get_num_interior_rings(shapely.union_all(drawn))
        assert shapely.area(drawn) == pytest.approx([10_000, 10_000], rel=0.1)


def test_land_that_two_have_is_drawn_as_the_firsts() -> None:
    shapes = [box(0, 0, 60, 60), box(40, 0, 100, 60), box(45, 10, 55, 20)]
    (level,) = levels(there(shapes), FINEST)
    assert shapely.coverage_is_valid(level.shapes)
    assert shapely.area(level.shapes) == pytest.approx([3600, 2400, unit_m(FINEST) ** 2], rel=0.02)


def test_a_gap_stays_and_a_hole_is_held_by_what_is_in_it() -> None:
    frame = box(0, 0, 300, 300).difference(box(100, 100, 200, 200))
    shapes = [frame, box(100, 100, 150, 200)]
    for zoom, drawn in levels(there(shapes), 12):
        assert shapely.area(drawn) == pytest.approx([80_000, 5_000], rel=0.2), zoom
        assert shapely.area(shapely.union_all(drawn)) == pytest.approx(85_000, rel=0.05)


def test_a_label_stands_in_the_widest_part() -> None:
    spoon = Polygon([(0, 0), (100, 0), (100, 40), (60, 40), (60, 2), (0, 2)])
    apart = MultiPolygon([box(0, 0, 5, 5), box(50, 50, 90, 90)])
    first, second = label_points(np.array([spoon, apart], object))
    assert spoon.buffer(-15).contains(first)
    assert second.distance(shapely.Point(70, 70)) < 3


def test_tiles_of_a_box() -> None:
    zoom = 14
    west, north = origin(13_600, 6_600, zoom)
    side = WORLD_M / 2**zoom
    inner = (west + 0.3 * side, north - 0.7 * side, west + 0.4 * side, north - 0.6 * side)
    assert span([inner], zoom).tolist() == [[13_600, 6_600, 13_600, 6_600]]
    edge = BUFFER / EXTENT / 2 * side
    beside = (west + edge, north - 0.7 * side, west + 0.4 * side, north - 0.6 * side)
    assert span([beside], zoom).tolist() == [[13_599, 6_600, 13_600, 6_600]]
    assert span([beside], zoom, buffer=0).tolist() == [[13_600, 6_600, 13_600, 6_600]]
    world = (-WORLD_M, -WORLD_M, WORLD_M, WORLD_M)
    assert span([world], 2).tolist() == [[0, 0, 3, 3]]


@pytest.mark.parametrize(
    ("x", "y", "zoom", "expected"),
    [
        (0, 0, 0, True),
        (1, 0, 0, False),
        (3, 3, 2, True),
        (4, 3, 2, False),
        (0, 0, 25, False),
        (-1, 0, 3, False),
    ],
)
def test_tiles_there_are(x: int, y: int, zoom: int, expected: bool) -> None:
    assert within(x, y, zoom) is expected
