"""What holds for the cells of any community: exact tiling, one cell a building, no way past a barrier."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from shapely.ops import split

from geo.adjacency import BARRIER_M
from geo.cells import CellSet, make_cells
from geo.enclosures import Memo

ORIGIN = np.array([354_000.0, 3_505_000.0])
SIZE = 200.0
BAND = 330

coordinate = st.floats(0, SIZE).map(lambda v: round(v, 3))
spot = st.tuples(coordinate, coordinate)


@dataclass(frozen=True)
class Case:
    community: Polygon | MultiPolygon
    buildings: gpd.GeoDataFrame
    streets: list[LineString]
    barriers: list[LineString]


@st.composite
def communities(draw: st.DrawFn) -> Polygon | MultiPolygon:
    """One to three turned rectangles, united: with notches, holes and islands as they fall; maybe a hole."""
    parts = [draw(rectangles(20, 150)) for _ in range(draw(st.integers(1, 3)))]
    area = shapely.union_all(parts)
    if draw(st.booleans()):
        area = area.difference(affinity.scale(parts[0], 0.4, 0.4))
    return area


@st.composite
def rectangles(draw: st.DrawFn, least: float, most: float) -> Polygon:
    x, y = draw(spot)
    width, height = (draw(st.floats(least, most)) for _ in range(2))
    return affinity.rotate(
        box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), draw(st.integers(0, 89))
    )


def points_beside(shape: shapely.Geometry) -> st.SearchStrategy[Point]:
    """Points at or within a metre of a shape's first corner, where plots are hardest to tell apart."""
    x, y = shapely.get_coordinates(shape)[0]
    return st.builds(lambda dx, dy: Point(x + dx, y + dy), st.floats(-1, 1), st.floats(-1, 1))


@st.composite
def lines(draw: st.DrawFn) -> LineString:
    """A straight line across everything, so that it has two sides."""
    x, y = draw(spot)
    angle = draw(st.floats(0, np.pi))
    reach = 4 * SIZE * np.array([np.cos(angle), np.sin(angle)])
    return LineString(np.array([(x, y), (x, y)]) + np.array([-reach, reach]))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    community = draw(communities())
    drawn = draw(st.lists(st.one_of(spot.map(Point), rectangles(1, 40)), max_size=14))
    if drawn:
        drawn += draw(st.lists(st.sampled_from(drawn), max_size=5))
        drawn += draw(st.lists(st.sampled_from(drawn).flatmap(points_beside), max_size=5))
    shapes = [shape for shape in drawn if community.covers(shapely.point_on_surface(shape))]
    count = len(shapes)
    numbers = st.lists(st.sampled_from([0, 40, 600]), min_size=count, max_size=count)
    entrances = st.lists(st.integers(1, 4), min_size=count, max_size=count)
    buildings = gpd.GeoDataFrame(
        {
            "building": draw(st.permutations(range(count))),
            "households": np.array(draw(numbers), dtype=int),
            "entrances": np.array(draw(entrances), dtype=int),
        },
        geometry=gpd.GeoSeries(shapes).translate(*ORIGIN),
        crs=4549,
    )
    streets, barriers = (draw(st.lists(lines(), max_size=3)) for _ in range(2))
    moved = [affinity.translate(line, *ORIGIN) for line in [*streets, *barriers]]
    return Case(
        affinity.translate(community, *ORIGIN), buildings, moved[: len(streets)], moved[len(streets) :]
    )


@st.composite
def edits(draw: st.DrawFn, case: Case) -> Case:
    """The same place later: buildings gone, moved and recounted, streets and barriers gone or new."""
    count = len(case.buildings)
    stay = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    rows = case.buildings.loc[stay]
    counts = draw(st.lists(st.sampled_from([0, 600]), min_size=len(rows), max_size=len(rows)))
    way = draw(st.sampled_from([(0.0, 0.0), (3.0, 0.0), (-1.0, 9.0)]))
    shapes = rows.geometry.translate(*way)
    inside = shapes.representative_point().within(case.community)
    rows = rows.assign(households=np.array(counts, dtype=int)).set_geometry(
        shapes.where(inside, rows.geometry)
    )
    new = [affinity.translate(line, *ORIGIN) for line in draw(st.lists(lines(), max_size=1))]
    return Case(case.community, rows, case.streets[:1] + new, case.barriers[1:])


def sides(made: CellSet, case: Case) -> np.ndarray:
    """Return on which side of each barrier the building of each cell lies: 0 or 1, -1 where it lies on both alike."""
    side = np.full((len(made.cells), len(case.barriers)), -1)
    shape = case.buildings.set_index("building").geometry
    everywhere = affinity.translate(box(-SIZE, -SIZE, 2 * SIZE, 2 * SIZE), *ORIGIN)
    for column, line in enumerate(case.barriers):
        halves = shapely.get_parts(split(everywhere, line))
        for row, (key, cell) in enumerate(zip(made.cells["building"], made.cells.geometry, strict=True)):
            if pd.isna(key):
                continue
            at = shape[key]
            anchor = at.buffer(BARRIER_M) if at.geom_type == "Point" else cell.intersection(at)
            areas = np.sort(shapely.area(shapely.intersection(anchor, halves)))
            if areas[0] < 0.4 * areas[1]:
                side[row, column] = np.argmax(shapely.area(shapely.intersection(anchor, halves)))
    return side


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_cells_of_any_community(case: Case) -> None:
    made = make_cells(case.community, case.buildings, case.streets, case.barriers, entrance_band=BAND)
    shapes = made.cells.geometry.to_numpy()

    assert shapely.coverage_is_valid(shapes)
    assert (made.cells.geom_type == "Polygon").all()
    area = case.community.area
    assert abs(shapely.area(shapes).sum() - area) <= 1e-6 * area
    assert shapely.union_all(shapes).symmetric_difference(case.community).area <= 1e-6 * area

    assert made.cells.to_crs(4326).is_valid.all(), "a spike that does not outlive being stored in degrees"

    rows = case.buildings
    expected = rows["entrances"].where(rows["households"] > BAND, 1).set_axis(rows["building"]).sort_index()
    counted = made.cells["building"].dropna().value_counts().sort_index()
    assert counted.to_dict() == expected.to_dict()
    by_entrance = made.cells.dropna(subset="entrances").groupby("building")
    for _, numbers in by_entrance["entrance"]:
        assert numbers.to_list() == list(range(1, len(numbers) + 1))

    free = made.borders[~made.borders["barrier"]]
    this, other = (sides(made, case)[free[end]] for end in ("a", "b"))
    assert ((this == other) | (this < 0) | (other < 0)).all(), "two cells are neighbours across a barrier"

    land = made.cells["building"].isna().to_numpy()
    joined = land[made.borders["a"]] | land[made.borders["b"]]
    assert not joined.any(), "land without buildings has a neighbour it could have joined"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_order_does_not_matter(case: Case) -> None:
    made = make_cells(case.community, case.buildings, case.streets, case.barriers)
    again = make_cells(case.community, case.buildings[::-1], case.streets[::-1], case.barriers[::-1])
    assert made.cells.geom_equals(again.cells).all()
    pd.testing.assert_frame_equal(made.borders, again.borders)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.data())
def test_what_is_remembered_changes_nothing(case: Case, data: st.DataObject) -> None:
    before = Memo()
    make_cells(case.community, case.buildings, case.streets, case.barriers, memo=before)
    edited = data.draw(edits(case))
    ground = (edited.community, edited.buildings, edited.streets, edited.barriers)
    after, scratch = Memo(before.used), Memo()
    made = make_cells(*ground, memo=after)
    again = make_cells(*ground, memo=scratch)
    assert made.cells.geometry.to_wkb().equals(again.cells.geometry.to_wkb())
    pd.testing.assert_frame_equal(pd.DataFrame(made.cells), pd.DataFrame(again.cells))
    pd.testing.assert_frame_equal(made.borders, again.borders)
    assert after.used == scratch.used
