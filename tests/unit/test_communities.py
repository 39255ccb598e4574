"""Communities drawn from their buildings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from geo.cells import make_cells
from geo.communities import PLACE_M, derive_communities
from geo.coverage import GRID_M
from geo.errors import InputError

ORIGIN = np.array([354_000.0, 3_505_000.0])


def derived(places: list[tuple[float, float, int]], radius_m: float = 100.0) -> dict[int, shapely.Geometry]:
    """Return communities in metres from the origin, from x, y and community."""
    table = np.array(places, dtype=float).reshape(-1, 3)
    areas = derive_communities(table[:, :2] + ORIGIN, table[:, 2].astype(int), radius_m=radius_m)
    return {key: shapely.affinity.translate(area, *-ORIGIN) for key, area in areas.items()}


def test_one_building_is_surrounded() -> None:
    (area,) = derived([(0, 0, 7)]).values()
    assert area.area == pytest.approx(np.pi * 100**2, rel=0.02)
    assert area.covers(Point(99, 0))
    assert not area.covers(Point(101, 0))


def test_neighbours_meet_half_way() -> None:
    areas = derived([(0, 0, 1), (40, 0, 2)])
    assert list(areas) == [1, 2]
    assert areas[1].bounds[2] == pytest.approx(20, abs=1e-4)
    assert shapely.coverage_is_valid([*areas.values()])


def test_a_community_of_scattered_buildings_has_parts() -> None:
    areas = derived([(0, 0, 1), (500, 0, 1), (500, 60, 1)])
    assert isinstance(areas[1], MultiPolygon)
    assert len(areas[1].geoms) == 2


def test_interleaved_communities_each_keep_their_buildings() -> None:
    """::

    2 1 2
    1 2 1
    """
    places = [(x * 30, y * 30, 1 + (x + y) % 2) for x in range(3) for y in range(2)]
    areas = derived(places)
    for x, y, community in places:
        assert areas[community].covers(Point(x, y))
        assert not areas[3 - community].covers(Point(x, y))


@pytest.mark.parametrize("sharing", [2, 3, 5, 7, 12])
def test_communities_on_one_point_divide_the_land_around_it(sharing: int) -> None:
    areas = derived([(0, 0, community) for community in range(sharing)])
    disc = shapely.union_all([*areas.values()]).area
    assert [area.area for area in areas.values()] == pytest.approx([disc / sharing] * sharing, rel=0.01)
    assert all(area.distance(Point(0, 0)) <= PLACE_M for area in areas.values())


def test_buildings_of_one_community_on_one_point_change_nothing() -> None:
    assert derived([(0, 0, 1)] * 3)[1].equals(derived([(0, 0, 1)])[1])


def test_the_radius_bounds_the_land() -> None:
    areas = derived([(0, 0, 1), (1000, 0, 1)], radius_m=30)
    assert areas[1].area == pytest.approx(2 * np.pi * 30**2, rel=0.02)


def test_no_buildings_make_no_communities() -> None:
    assert derived([]) == {}


def test_cells_tile_a_derived_community() -> None:
    points = np.array([(0, 0), (0, 0), (30, 5), (30, 5), (400, 0)]) + ORIGIN
    area = derive_communities(points, np.array([1, 2, 1, 1, 1]))[1]
    buildings = gpd.GeoDataFrame(
        {"building": [10, 11, 12, 13], "households": 20, "entrances": 1},
        geometry=shapely.points(points[[0, 2, 3, 4]]),
    )
    made = make_cells(area, buildings, [], [])
    assert made.cells["building"].to_list() == [10, 11, 12, 13]
    assert made.cells.area.sum() == pytest.approx(area.area, rel=1e-6)


number = st.integers(0, 300).map(float)
place = st.tuples(number, number, st.integers(1, 4))


@settings(max_examples=60)
@given(st.lists(place, min_size=1, max_size=40))
def test_derived_communities_tile_the_land_around_buildings(places: list[tuple[float, float, int]]) -> None:
    areas = derived(places)
    shapes = np.array([*areas.values()], dtype=object)
    assert sorted(areas) == sorted({community for *_, community in places})
    assert all(isinstance(area, Polygon | MultiPolygon) and area.is_valid for area in shapes)
    union = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(union.area, rel=1e-6)
    discs = shapely.union_all(shapely.buffer([Point(x, y) for x, y, _ in places], 100))
    assert union.symmetric_difference(discs).area <= 1e-3 * discs.area
    assert all(areas[community].distance(Point(x, y)) <= PLACE_M for x, y, community in places)
    assert shapely.coverage_is_valid(derive_in_place(places), gap_width=0.0)


def derive_in_place(places: list[tuple[float, float, int]]) -> np.ndarray:
    """Return the communities where they are: shifting them would round their shared vertices apart."""
    table = np.array(places)
    return np.array([*derive_communities(table[:, :2] + ORIGIN, table[:, 2].astype(int)).values()])


def test_order_does_not_matter() -> None:
    places = [(0, 0, 1), (0, 0, 2), (30, 5, 1), (60, 5, 2), (60, 70, 3)]
    forth, back = derived(places), derived(places[::-1])
    assert all(forth[key].equals_exact(back[key], GRID_M) for key in forth)


@pytest.mark.parametrize(
    ("points", "community", "radius_m"),
    [
        ([[np.nan, 0]], [1], 100),
        ([[np.inf, 0]], [1], 100),
        ([[0, 0], [1, 1]], [1], 100),
        ([0, 0], [1], 100),
        ([[0, 0]], [1], 0),
        ([[0, 0]], [1], np.nan),
        ([[0, 0]], [1], np.inf),
    ],
)
def test_what_cannot_be_drawn_is_refused(points: list[object], community: list[int], radius_m: float) -> None:
    with pytest.raises(InputError):
        derive_communities(np.array(points, dtype=float), np.array(community), radius_m=radius_m)
