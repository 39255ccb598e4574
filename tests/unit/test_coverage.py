"""Exact coverages from outlines, and the land that settles with neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from geo.adjacency import Borders, borders_of, settle
from geo.coverage import area_only, dissolve, faces, owners, planar, shared_segments
from geo.errors import InputError
from geo.strips import divide, long_axis

NO_LINES = np.array([], dtype=object)


def array(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def test_faces_of_overlapping_outlines_tile_their_union() -> None:
    squares = array(box(0, 0, 2, 2), box(1, 1, 3, 3))
    found = faces(shapely.boundary(squares))
    assert sorted(shapely.area(found)) == pytest.approx([1, 3, 3])
    assert shapely.coverage_is_valid(found)


def test_a_loose_end_leaves_no_trace() -> None:
    found = faces([box(0, 0, 2, 2).exterior, LineString([(1, -1), (1, 1)])])
    assert len(found) == 1


def test_lines_that_nearly_meet_are_joined() -> None:
    """A line that ends a billionth of a metre short still divides."""
    assert len(faces([box(0, 0, 2, 2).exterior, LineString([(1, 1e-9), (1, 2 - 1e-9)])])) == 2


def test_the_first_area_owns_an_overlap_and_a_gap_has_no_owner() -> None:
    areas = array(box(0, 0, 2, 2), box(1, 0, 3, 2))
    found = faces(shapely.boundary([*areas, box(0, 0, 5, 2)]))
    owner = owners(found, areas)
    assert {round(f.centroid.x, 1): int(o) for f, o in zip(found, owner, strict=True)} == {
        0.5: 0,
        1.5: 0,
        2.5: 1,
        4.0: -1,
    }


def test_no_areas_own_nothing() -> None:
    assert owners(array(box(0, 0, 1, 1)), NO_LINES).tolist() == [-1]


def test_dissolve_unites_by_label_and_leaves_out_the_rest() -> None:
    found = array(box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1), box(9, 0, 10, 1))
    united = dissolve(found, np.array([1, 1, 0, -1]), 2)
    assert shapely.equals(united, array(box(2, 0, 3, 1), box(0, 0, 2, 1))).all()


def test_neighbours_share_segments_not_points() -> None:
    """::

    2 3
    0 1
    """
    found = array(box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 1, 2), box(1, 1, 2, 2))
    pairs, segments = shared_segments(found)
    assert sorted(map(tuple, pairs.tolist())) == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert np.hypot(*(segments[:, 2:] - segments[:, :2]).T) == pytest.approx([1] * 4)


@pytest.mark.parametrize(
    ("shift", "blocked"), [(0.0, True), (0.4, True), (0.6, False)], ids=["on it", "near", "beyond reach"]
)
def test_a_border_lies_on_a_barrier_within_reach(shift: float, blocked: bool) -> None:
    found = array(box(0, 0, 10, 10), box(10, 0, 20, 10))
    borders = borders_of(found, array(LineString([(10 + shift, -5), (10 + shift, 15)])))
    assert borders.table().to_dict("list") == {"a": [0], "b": [1], "shared_m": [10.0], "barrier": [blocked]}


def test_the_outline_of_a_barrier_polygon_is_the_barrier() -> None:
    found = array(box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10))
    borders = borders_of(found, array(MultiPolygon([box(10, -5, 20, 15)])))
    assert borders.table()["barrier"].to_list() == [True, True]


def settled(pairs: list[tuple[int, int]], lengths: list[float], land: list[bool]) -> list[int]:
    length = np.array(lengths, dtype=float)
    return settle(Borders(np.array(pairs, dtype=int).reshape(-1, 2), length, length), np.array(land)).tolist()


@pytest.mark.parametrize(
    ("lengths", "expected"), [([3, 2], 0), ([2, 3], 2), ([2, 2], 0)], ids=["left", "right", "tie"]
)
def test_land_joins_across_its_longest_border(lengths: list[float], expected: int) -> None:
    """Regions 0 1 2 in a row, 1 is land."""
    assert settled([(0, 1), (1, 2)], lengths, [False, True, False]) == [0, expected, 2]


def test_land_in_a_row_settles_by_way_of_land() -> None:
    assert settled([(0, 1), (1, 2), (2, 3)], [1, 5, 5], [False, True, True, True]) == [0, 0, 0, 0]


def test_land_that_meets_nobody_stays() -> None:
    assert settled([(1, 2)], [1], [False, True, True, True]) == [0, 1, 1, 3]


@given(st.data())
def test_settling_joins_only_what_touches(data: st.DataObject) -> None:
    """In any graph: who is not land keeps its number, land with a way to one has one, groups are connected."""
    count = data.draw(st.integers(1, 12))
    every = [(a, b) for a in range(count) for b in range(a + 1, count)]
    pairs = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    lengths = data.draw(st.lists(st.sampled_from([1, 2, 3]), min_size=len(pairs), max_size=len(pairs)))
    land = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    label = settled(pairs, lengths, land)
    for region in range(count):
        if not land[region]:
            assert label[region] == region
        group = {r for r in range(count) if label[r] == label[region]}
        assert reachable(region, [p for p in pairs if set(p) <= group]) == group
        met = {r for r in reachable(region, pairs) if not land[r]}
        assert not met or not land[label[region]]


def reachable(start: int, pairs: list[tuple[int, int]]) -> set[int]:
    seen = {start}
    while more := {x for pair in pairs if seen & set(pair) for x in pair} - seen:
        seen |= more
    return seen


@given(st.integers(1, 9), st.integers(-89, 90), st.floats(1.5, 20))
def test_strips_of_a_rectangle_are_equal_and_in_order(count: int, turn: int, length: float) -> None:
    land = shapely.affinity.rotate(box(0, 0, 10 * length, 10), turn)
    strips = divide(land, count, land)
    assert shapely.area(strips) == pytest.approx([land.area / count] * count)
    axis = np.radians(turn)
    along = shapely.get_coordinates(shapely.centroid(strips)) @ [np.cos(axis), np.sin(axis)]
    assert (np.diff(along) > 0).all()


def test_strips_share_the_guide_and_cover_the_land() -> None:
    land, footprint = box(-50, -10, 30, 10), Polygon([(0, 0), (20, 0), (20, 6), (10, 6), (10, 2), (0, 2)])
    strips = divide(land, 4, footprint)
    assert shapely.area(shapely.intersection(strips, footprint)) == pytest.approx([20] * 4)
    assert shapely.area(strips).sum() == pytest.approx(land.area)


@pytest.mark.parametrize("tilt", [-1e-9, 0, 1e-9])
def test_an_upright_axis_points_north_whatever_rounding_says(tilt: float) -> None:
    upright = shapely.affinity.rotate(box(0, 0, 2, 10), tilt, use_radians=True)
    assert long_axis(upright) == pytest.approx(np.pi / 2)


def test_collections_are_reduced_to_their_polygons() -> None:
    mixed = GeometryCollection([box(0, 0, 1, 1), LineString([(1, 1), (2, 2)]), Point(5, 5)])
    reduced = area_only(array(mixed, box(0, 0, 2, 2)))
    assert shapely.equals(reduced, array(box(0, 0, 1, 1), box(0, 0, 2, 2))).all()


def test_planar_names_the_first_fault() -> None:
    with pytest.raises(InputError, match="Street at position 1 "):
        planar([Point(0, 0), Point(), None], "Street")
    assert not shapely.has_z(planar([Point(0, 0, 9)], "Street")).any()
