"""Cells of small communities that can be checked by eye. Coordinates are metres from `ORIGIN`."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geo.cells import CellSet, make_cells
from geo.errors import CoordinateError, InputError

ORIGIN = (354_000.0, 3_505_000.0)
CRS = 4549
SQUARE = box(0, 0, 100, 100)
FOUR = [Point(25, 25), Point(75, 25), Point(25, 75), Point(75, 75)]


def moved(shape: shapely.Geometry) -> shapely.Geometry:
    return affinity.translate(shape, *ORIGIN)


def ledger(
    shapes: Sequence[shapely.Geometry], households: Sequence[int] = (), entrances: Sequence[int] = ()
) -> gpd.GeoDataFrame:
    """Return buildings with keys 10, 11, ... in the order given."""
    return gpd.GeoDataFrame(
        {
            "building": np.arange(10, 10 + len(shapes)),
            "households": np.array(households or [20] * len(shapes), dtype=int),
            "entrances": np.array(entrances or [1] * len(shapes), dtype=int),
        },
        geometry=[moved(shape) for shape in shapes],
        crs=CRS,
    )


def cells_of(
    community: shapely.Geometry,
    buildings: gpd.GeoDataFrame,
    streets: Sequence[shapely.Geometry] = (),
    barriers: Sequence[shapely.Geometry] = (),
) -> CellSet:
    """Make cells and check what holds for all: an exact tiling by polygons, with the borders listed."""
    area = moved(community)
    made = make_cells(area, buildings, [*map(moved, streets)], [*map(moved, barriers)])
    check_tiling(made, area)
    return made


def check_tiling(made: CellSet, area: shapely.Geometry) -> None:
    shapes = made.cells.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert (made.cells.geom_type == "Polygon").all()
    assert shapely.area(shapes).sum() == pytest.approx(area.area, rel=1e-6)
    assert shapely.union_all(shapes).symmetric_difference(area).area <= 1e-6 * area.area
    check_borders(made)


def check_borders(made: CellSet) -> None:
    """The borders listed are those found the slow way, to within what rounding to the grid may move."""
    shapes, borders = made.cells.geometry.to_numpy(), made.borders
    assert (borders["a"] < borders["b"]).all()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    length = shapely.length(shapely.intersection(shapely.boundary(shapes[a]), shapely.boundary(shapes[b])))
    expected = pd.Series(length, index=pd.MultiIndex.from_arrays([a, b]))
    listed = borders.set_index(["a", "b"])["shared_m"]
    assert listed.index.is_unique
    pd.testing.assert_series_equal(
        listed, expected[expected > 0].sort_index(), check_names=False, check_index_type=False
    )


def at(made: CellSet, x: float, y: float) -> int:
    """Return the row of the cell at a point."""
    (row,) = np.flatnonzero(made.cells.contains(moved(Point(x, y))))
    return int(row)


def neighbours(made: CellSet) -> set[tuple[object, object]]:
    """Return pairs of building keys that a grid may join, ``None`` for land."""
    free = made.borders[~made.borders["barrier"]]
    key = [None if pd.isna(k) else int(k) for k in made.cells["building"]]
    return {(key[a], key[b]) for a, b in zip(free["a"], free["b"], strict=True)}


def keys(made: CellSet) -> list[int | None]:
    return [None if pd.isna(key) else int(key) for key in made.cells["building"]]


@pytest.mark.parametrize("half", [0.0, 8.0], ids=["points", "footprints"])
def test_four_buildings_share_a_square_equally(half: float) -> None:
    """::

    12 13
    10 11
    """
    shapes = [p.buffer(half, cap_style="square") if half else p for p in FOUR]
    made = cells_of(SQUARE, ledger(shapes))
    assert keys(made) == [10, 11, 12, 13]
    assert made.cells.area.to_numpy() == pytest.approx([2500] * 4, rel=1e-3)
    assert made.cells.crs == CRS
    assert isinstance(made.cells.index, pd.RangeIndex)
    assert [str(t) for t in made.cells.dtypes[:3]] == ["Int64"] * 3
    assert made.cells[["entrance", "entrances"]].isna().all(axis=None)
    assert {(10, 11), (10, 12), (11, 13), (12, 13)} <= neighbours(made)


def test_points_and_footprints_mix() -> None:
    made = cells_of(SQUARE, ledger([FOUR[0], FOUR[1].buffer(10), FOUR[2], box(60, 60, 95, 95)]))
    for row, shape in enumerate([FOUR[0], FOUR[1], FOUR[2], box(62, 62, 93, 93)]):
        assert made.cells.geometry[row].covers(moved(shape))


def test_cells_follow_streets() -> None:
    """Two buildings 10 m apart with the street nearer to one: the street parts them."""
    made = cells_of(
        SQUARE, ledger([Point(45, 50), Point(55, 50)]), streets=[LineString([(52, -9), (52, 109)])]
    )
    assert made.cells.area.to_numpy() == pytest.approx([5200, 4800])
    assert neighbours(made) == {(10, 11)}


def test_cells_have_no_spikes() -> None:
    """Cells that end on one slanting street meet it in the same vertices: nothing is left between."""
    made = cells_of(SQUARE, ledger([*FOUR, Point(50, 20)]), streets=[LineString([(-7, 41), (107, 59.3)])])
    assert shapely.minimum_clearance(made.cells.geometry).min() > 0.01


def test_a_street_that_ends_inside_cuts_nothing() -> None:
    made = cells_of(SQUARE, ledger([Point(50, 50)]), streets=[LineString([(50, -5), (50, 50)])])
    assert keys(made) == [10]


def test_a_building_across_a_street_counts_where_its_inner_point_lies() -> None:
    made = cells_of(
        SQUARE, ledger([box(30, 40, 58, 60), Point(80, 50)]), streets=[LineString([(50, -5), (50, 105)])]
    )
    assert made.cells.area.to_numpy() == pytest.approx([5000, 5000])


def test_an_enclosure_without_buildings_joins_across_its_longest_border() -> None:
    """The empty west is bordered by 10 over 30 m, by 11 over 70 m."""
    streets = [LineString([(40, -5), (40, 105)]), LineString([(40, 30), (105, 30)])]
    made = cells_of(SQUARE, ledger([Point(70, 15), Point(70, 65)]), streets)
    assert keys(made) == [10, 11]
    assert at(made, 20, 50) == 1


def test_empty_enclosures_in_a_row_reach_the_only_building() -> None:
    streets = [LineString([(x, -5), (x, 105)]) for x in range(10, 100, 10)]
    made = cells_of(SQUARE, ledger([Point(45, 50)]), streets)
    assert keys(made) == [10]


@pytest.mark.parametrize(
    "barrier",
    [LineString([(50, -5), (50, 105)]), LineString([(50, 0), (50, 40), (55, 50), (50, 100)])],
    ids=["straight", "bent"],
)
def test_a_barrier_line_parts_neighbours(barrier: LineString) -> None:
    made = cells_of(SQUARE, ledger(FOUR), barriers=[barrier])
    assert neighbours(made) == {(10, 12), (11, 13)}
    assert made.borders["barrier"].sum() >= 2


def test_a_barrier_along_a_street_is_a_barrier() -> None:
    """The same line drawn twice, 30 cm apart: no cell lies between, nobody passes."""
    made = cells_of(
        SQUARE,
        ledger(FOUR),
        streets=[LineString([(50.3, -5), (50.3, 105)])],
        barriers=[LineString([(50, -5), (50, 105)])],
    )
    assert keys(made) == [10, 11, 12, 13]
    assert neighbours(made) == {(10, 12), (11, 13)}


def test_land_behind_a_barrier_joins_across_it() -> None:
    """Nobody lives there: it needs no grid of its own."""
    made = cells_of(SQUARE, ledger([Point(20, 50)]), barriers=[LineString([(50, -5), (50, 105)])])
    assert keys(made) == [10]


def test_land_between_two_barriers_joins_one_side_and_still_parts_both() -> None:
    walls = [LineString([(x, -5), (x, 105)]) for x in (40, 60)]
    made = cells_of(
        SQUARE,
        ledger([Point(20, 50), Point(80, 50)]),
        streets=[LineString([(35, 50), (65, 50)])],
        barriers=walls,
    )
    assert keys(made) == [10, 11]
    assert sorted(made.cells.area) == pytest.approx([4000, 6000])
    assert neighbours(made) == set()


def test_a_river_parts_its_banks_and_joins_one_of_them_whole() -> None:
    """A river from west to east; the street bridges it and joins nothing across it."""
    made = cells_of(
        SQUARE,
        ledger(FOUR),
        streets=[LineString([(60, -5), (60, 105)])],
        barriers=[box(-10, 45, 110, 55)],
    )
    assert keys(made) == [10, 11, 12, 13]
    assert made.cells.area.sum() == pytest.approx(10000)
    assert neighbours(made) == {(10, 11), (12, 13)}


def test_cells_that_meet_beyond_the_end_of_a_barrier_stay_neighbours() -> None:
    """The barrier lies on 60 of the 100 m between the two; a street leads around its end."""
    made = cells_of(
        SQUARE,
        ledger([Point(25, 50), Point(75, 50)]),
        streets=[LineString([(50, 60), (50, 105)])],
        barriers=[LineString([(50, -5), (50, 60)])],
    )
    assert neighbours(made) == {(10, 11)}
    assert made.borders["shared_m"].to_list() == pytest.approx([100])


@pytest.mark.parametrize(
    ("shapes", "shared"),
    [
        ([Point(50, 50)] * 4, SQUARE),
        ([box(40, 45, 60, 55)] * 4, box(40, 45, 60, 55)),
        ([box(40, 45, 60, 55), Point(45, 50), Point(50, 50), Point(55, 50)], box(40, 45, 60, 55)),
    ],
    ids=["points", "outlines", "points within an outline"],
)
def test_buildings_on_one_place_divide_its_land(
    shapes: list[shapely.Geometry], shared: shapely.Geometry
) -> None:
    made = cells_of(SQUARE, ledger(shapes))
    assert keys(made) == [10, 11, 12, 13]
    shares = made.cells.intersection(moved(shared)).area.to_numpy()
    assert shares == pytest.approx([shared.area / 4] * 4, rel=0.1)


def test_a_tower_keeps_its_outline_and_the_podium_the_rest() -> None:
    podium, tower = box(20, 20, 80, 80), box(40, 40, 60, 60)
    made = cells_of(SQUARE, ledger([podium, tower]))
    assert made.cells.geometry[1].symmetric_difference(moved(tower)).area < 10
    assert made.cells.geometry[0].covers(moved(box(20, 20, 39, 80)))


def test_footprints_that_overlap_in_part_leave_no_overlap() -> None:
    made = cells_of(SQUARE, ledger([box(20, 20, 60, 60), box(50, 30, 90, 70), box(45, 15, 70, 45)]))
    assert keys(made) == [10, 11, 12]


@pytest.mark.parametrize("x", [19.8, 20.0, 20.2, 20.39, 20.41, 20.6])
def test_a_point_at_the_edge_of_an_outline_keeps_land(x: float) -> None:
    made = cells_of(SQUARE, ledger([box(20, 20, 60, 60), Point(x, 40), Point(90, 90)]))
    assert keys(made) == [10, 11, 12]


def test_a_building_reaching_over_the_edge_is_clipped() -> None:
    made = cells_of(SQUARE, ledger([box(-40, 40, 60, 60), Point(80, 50)]))
    assert keys(made) == [10, 11]


def test_a_building_in_two_parts_has_one_cell() -> None:
    parts = MultiPolygon([box(5, 40, 15, 60), box(85, 40, 95, 60)])
    made = cells_of(SQUARE, ledger([parts, box(40, 5, 60, 95)]))
    assert keys(made) == [10, 11]


def test_an_outline_that_crosses_itself_is_mended() -> None:
    bow = Polygon([(20, 20), (40, 40), (40, 20), (20, 40)])
    assert keys(cells_of(SQUARE, ledger([bow, Point(80, 80)]))) == [10, 11]


def test_an_outline_without_area_counts_as_a_point() -> None:
    flat = Polygon([(20, 20), (40, 20), (30, 20)])
    assert at(cells_of(SQUARE, ledger([flat, Point(80, 80)])), 30, 20) == 0


@pytest.mark.parametrize("turn", [-60, 0, 30, 90])
def test_a_tower_of_600_households_is_split_by_entrance(turn: float) -> None:
    """Entrances count from west to east, or from south to north; each has an equal part of the tower."""
    tower = affinity.rotate(box(20, 44, 80, 56), turn, (50, 50))
    made = cells_of(SQUARE, ledger([tower, Point(5, 95)], [600, 400], [3, 1]))
    assert keys(made) == [10, 10, 10, 11]
    assert made.cells["entrance"].to_list() == [1, 2, 3, pd.NA]
    assert made.cells["entrances"].to_list() == [3, 3, 3, pd.NA]
    shares = made.cells.intersection(moved(tower)).area.to_numpy()
    assert shares == pytest.approx([240, 240, 240, 0], abs=12)
    axis = np.radians(turn)
    along = np.array([np.cos(axis), np.sin(axis)]) @ shapely.get_coordinates(made.cells.centroid[:3]).T
    assert (np.diff(along) > 15).all()


def test_a_tower_given_as_a_point_is_split_too() -> None:
    made = cells_of(box(0, 0, 120, 40), ledger([Point(60, 20)], [600], [4]))
    assert made.cells.area.to_numpy() == pytest.approx([1200] * 4)
    assert made.cells.centroid.x.is_monotonic_increasing


@pytest.mark.parametrize(("households", "entrances"), [(330, 4), (600, 1), (0, 4)])
def test_a_building_within_the_band_or_with_one_entrance_stays_whole(households: int, entrances: int) -> None:
    made = cells_of(SQUARE, ledger([Point(50, 50)], [households], [entrances]))
    assert made.cells["building"].to_list() == [10]
    assert made.cells["entrance"].isna().all()


def test_towers_on_one_point_divide_by_entrance() -> None:
    made = cells_of(SQUARE, ledger([Point(50, 50)] * 2, [600, 20], [2, 1]))
    assert made.cells["building"].to_list() == [10, 10, 11]
    assert made.cells["entrance"].to_list() == [1, 2, pd.NA]
    assert made.cells.area.to_numpy() == pytest.approx([10000 / 3] * 3)


def test_a_community_with_no_building_is_land() -> None:
    made = cells_of(SQUARE, ledger([]), streets=[LineString([(50, -5), (50, 105)])])
    assert keys(made) == [None]
    assert made.borders.empty


def test_a_community_with_no_building_is_one_cell_for_all_its_barriers() -> None:
    made = cells_of(SQUARE, ledger([]), barriers=[LineString([(50, -5), (50, 105)])])
    assert keys(made) == [None]


def test_every_part_and_island_is_tiled() -> None:
    """Two parts and an island in a lake; nobody lives on the second part."""
    lake = box(0, 0, 100, 100).difference(box(30, 30, 70, 70))
    community = MultiPolygon([lake, box(40, 40, 60, 60), box(200, 0, 250, 50)])
    made = cells_of(community, ledger([Point(10, 10), Point(45, 50), Point(55, 50)]))
    assert keys(made) == [10, 11, 12, None]
    assert neighbours(made) == {(11, 12)}


def test_parts_that_meet_in_a_point_are_not_neighbours() -> None:
    made = cells_of(
        MultiPolygon([box(0, 0, 50, 50), box(50, 50, 100, 100)]), ledger([Point(25, 25), Point(75, 75)])
    )
    assert made.borders.empty


def test_order_of_rows_and_lines_does_not_matter() -> None:
    shapes = [*FOUR, box(40, 40, 60, 60), box(50, 50, 90, 90), Point(25, 25)]
    streets = [LineString([(33, -5), (35, 105)]), LineString([(-5, 61), (105, 64)])]
    rows = ledger(shapes, [400, *[20] * 6], [2, *[1] * 6])
    made = cells_of(SQUARE, rows, streets)
    again = cells_of(SQUARE, rows.iloc[::-1], streets[::-1])
    assert made.cells.geom_equals(again.cells).all()
    pd.testing.assert_frame_equal(made.borders, again.borders)
    pd.testing.assert_frame_equal(made.cells.drop(columns="geometry"), again.cells.drop(columns="geometry"))


def test_heights_are_dropped() -> None:
    made = cells_of(SQUARE, ledger([Point(20, 20, 5), Point(80, 80, 7)]))
    assert not made.cells.has_z.any()


@pytest.mark.parametrize(
    ("community", "fault"),
    [
        (Polygon(), "missing, empty"),
        (Polygon([(0, 0), (10, 0), (20, 0)]), "no area"),
        (box(0, 0, 100, 0.01), "no area"),
        (Polygon([(0, 0), (10, 0), (np.inf, 10)]), "not finite"),
        (LineString([(0, 0), (1, 1)]), "LineString"),
    ],
)
def test_a_community_that_cannot_be_tiled_is_refused(community: shapely.Geometry, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        make_cells(community, ledger([]), [], [])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"building": 10}, "Building 10 appears more than once"),
        ({"entrances": 0}, "Building 11 has fewer than one entrance"),
        ({"households": -1}, "Building 11 has no count of households"),
        ({"geometry": moved(Point(150, 50))}, "Building 11 lies outside"),
        ({"geometry": moved(LineString([(1, 1), (2, 2)]))}, "Building 11 is neither"),
        ({"geometry": Point()}, "Building at position 1 has a geometry that is missing"),
        ({"geometry": None}, "Building at position 1 has a geometry that is missing"),
    ],
)
def test_a_building_that_cannot_be_placed_or_counted_is_refused(
    change: dict[str, object], fault: str
) -> None:
    rows = ledger([Point(50, 50), Point(60, 50)])
    for column, value in change.items():
        rows.loc[1, column] = value
    with pytest.raises(InputError, match=fault):
        make_cells(moved(SQUARE), rows, [], [])


def test_a_building_just_outside_is_drawn_in() -> None:
    """Rounding between coordinate systems moves a building on the edge out of its community."""
    assert keys(cells_of(SQUARE, ledger([Point(-0.5, 50), Point(100, 100)]))) == [10, 11]


def test_degrees_are_refused() -> None:
    rows = ledger([Point(50, 50)]).to_crs(4490)
    with pytest.raises(CoordinateError, match="degrees"):
        make_cells(box(118, 31, 119, 32), rows, [], [])


def test_a_line_without_finite_coordinates_is_refused() -> None:
    with pytest.raises(InputError, match="Street at position 0"):
        make_cells(moved(SQUARE), ledger([]), [LineString([(0, 0), (np.inf, 1)])], [])


def test_more_entrances_than_there_is_land_for_are_refused() -> None:
    with pytest.raises(InputError, match="Building 10 has no land left"):
        make_cells(moved(box(0, 0, 0.1, 0.1)), ledger([Point(0.05, 0.05)], [9999], [12000]), [], [])
