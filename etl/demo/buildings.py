"""What stands on the blocks: estates of slabs and towers, houses along the streets, and public buildings."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import Polygon

from etl.demo.layout import BLOCK_M2, Layout
from etl.demo.shapes import BAR, CROSS, STEPPED, lattice, street_rows
from etl.demo.size import TOWER_ENTRANCES, Size
from geo.coverage import Geometries

Floats = npt.NDArray[np.float64]

OCCUPANCY = 0.8
"""Households a dwelling, over the whole district."""

EDGE_M = 5.0
"""Nothing is built nearer to the edge of the district."""

HOUSE, UNFINISHED, TOWER = "沿街住宅", "在建住宅", "超高层住宅"


@dataclass(frozen=True)
class Pattern:
    """A kind of building that comes in rows; ranges are (lowest, highest)."""

    kind: str
    template: Floats
    size_m: tuple[float, float]
    pitch_m: tuple[float, float]
    floors: tuple[int, int]
    entrances: tuple[int, int]
    a_floor: int
    """Dwellings on a floor of one entrance; 0 where nobody lives."""


ESTATES = (
    Pattern("多层住宅", STEPPED, (46.0, 13.0), (53.0, 27.0), (5, 6), (3, 4), 2),
    Pattern("小高层住宅", STEPPED, (38.0, 15.0), (48.0, 36.0), (11, 18), (1, 2), 2),
    Pattern("高层住宅", CROSS, (30.0, 24.0), (52.0, 48.0), (26, 33), (1, 2), 4),
)
LANDMARK = Pattern(TOWER, BAR, (92.0, 22.0), (400.0, 400.0), (34, 34), (TOWER_ENTRANCES,) * 2, 6)
SITE = Pattern(UNFINISHED, CROSS, (30.0, 24.0), (60.0, 56.0), (18, 26), (1, 2), 4)
PUBLIC = (
    Pattern("学校", CROSS, (70.0, 40.0), (95.0, 75.0), (3, 5), (1, 1), 0),
    Pattern("商场", BAR, (80.0, 50.0), (110.0, 80.0), (3, 6), (1, 1), 0),
    Pattern("办公楼", BAR, (42.0, 26.0), (75.0, 60.0), (8, 20), (1, 1), 0),
    Pattern("卫生院", STEPPED, (60.0, 24.0), (90.0, 70.0), (3, 6), (1, 1), 0),
    Pattern("厂房", BAR, (64.0, 34.0), (85.0, 52.0), (1, 3), (1, 1), 0),
    Pattern("公园管理房", BAR, (14.0, 9.0), (400.0, 400.0), (1, 1), (1, 1), 0),
)
PAVILION = PUBLIC[-1]


@dataclass(frozen=True)
class Built:
    """The built district.

    Attributes
    ----------
    buildings : GeoDataFrame
        ``block``, ``compound`` (number, or -1), ``kind``, ``floors``, ``entrances``, ``dwellings``
        (float, before rounding) and ``geometry`` (Polygon, metres); RangeIndex, by block.
    rooms : ndarray of Polygon, shape (blocks,)
        Where each block may be built on.
    estates : ndarray of int, shape (compounds,)
        Block of each compound.
    landmark : int
        Compound that is nothing but the tower.
    """

    buildings: gpd.GeoDataFrame
    rooms: Geometries
    estates: npt.NDArray[np.int64]
    landmark: int


def build(layout: Layout, preparatory: npt.NDArray[np.int64], size: Size, rng: np.random.Generator) -> Built:
    """Choose a use for every block and build on it.

    Parameters
    ----------
    layout : Layout
    preparatory : ndarray of int
        Blocks where nobody lives yet: two hold estates under construction.
    size : Size
    rng : numpy.random.Generator

    Returns
    -------
    Built
    """
    rooms = _rooms(layout)
    inhabited = np.setdiff1d(np.arange(len(rooms)), preparatory)
    shuffled = rng.permutation(inhabited)
    sites = preparatory[:2]
    count = size.compounds - len(sites)
    estates = np.concatenate([np.sort(shuffled[:count]), sites])
    houses = np.sort(shuffled[count : round(0.8 * len(shuffled))])
    landmark = int(np.argmin(np.abs(shapely.area(rooms[estates[:count]]) - 0.6 * BLOCK_M2)))
    rows = [
        _in_rows(rooms[block], _pattern(i, landmark, count, rng), rng).assign(block=block, compound=i)
        for i, block in enumerate(estates)
    ]
    public = np.setdiff1d(np.arange(len(rooms)), np.concatenate([estates, houses]))
    rows += [
        _in_rows(rooms[block], PUBLIC[rng.integers(len(PUBLIC))], rng).assign(block=block, compound=-1)
        for block in public
    ]
    left = size.buildings - sum(map(len, rows))
    rows.append(_street_houses(rooms, houses, left, rng))
    buildings = gpd.GeoDataFrame(pd.concat(rows).sort_values("block", kind="stable", ignore_index=True))
    _fill_houses(buildings, size)
    return Built(buildings, rooms, estates, landmark)


def _rooms(layout: Layout) -> Geometries:
    """Return each block without the corridors of the lines around it."""
    edge = shapely.boundary(shapely.coverage_union_all(layout.blocks)).buffer(EDGE_M)
    corridors = np.array(
        [edge, *(line.shape.buffer(line.corridor_m, quad_segs=2) for line in layout.lines)], dtype=object
    )
    block, corridor = shapely.STRtree(corridors).query(layout.blocks, predicate="intersects")
    taken = [shapely.union_all(corridors[corridor[block == i]]) for i in range(len(layout.blocks))]
    parts = [
        shapely.get_parts(left) for left in shapely.difference(layout.blocks, np.array(taken, dtype=object))
    ]
    return np.array([max(pieces, key=shapely.area) for pieces in parts], dtype=object)


def _pattern(compound: int, landmark: int, finished: int, rng: np.random.Generator) -> Pattern:
    drawn = ESTATES[rng.choice(len(ESTATES), p=[0.5, 0.3, 0.2])]
    if compound == landmark:
        return LANDMARK
    return drawn if compound < finished else SITE


def _in_rows(room: Polygon, pattern: Pattern, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Fill a room with one kind of building; one that has no room for it becomes a park."""
    outlines = lattice(room, pattern.template, *pattern.size_m, pattern.pitch_m)
    if len(outlines) == 0:
        return _in_rows(room, PAVILION, rng)
    count = len(outlines)
    floors = rng.integers(*pattern.floors, count, endpoint=True)
    entrances = rng.integers(*pattern.entrances, count, endpoint=True)
    return gpd.GeoDataFrame(
        {
            "kind": pattern.kind,
            "floors": floors,
            "entrances": entrances,
            "dwellings": (floors * entrances * pattern.a_floor).astype(float),
        },
        geometry=outlines,
    )


def _street_houses(
    rooms: Geometries, blocks: npt.NDArray[np.int64], count: int, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Put ``count`` houses on blocks, most of them in the rows nearest to the street."""
    slots = [street_rows(rooms[block], rng) for block in blocks]
    block = np.repeat(blocks, [len(slot.row) for slot in slots])
    row = np.concatenate([slot.row for slot in slots])
    chosen = np.sort(np.argsort(row + rng.uniform(0, 1.6, len(row)), kind="stable")[:count])
    return gpd.GeoDataFrame(
        {
            "kind": HOUSE,
            "floors": rng.integers(2, 6, len(chosen), endpoint=True),
            "entrances": 1,
            "dwellings": rng.lognormal(np.log(4.2), 0.7, len(chosen)).clip(1, 40),
            "block": block[chosen],
            "compound": -1,
        },
        geometry=np.concatenate([slot.outline for slot in slots])[chosen],
    )


def _fill_houses(buildings: gpd.GeoDataFrame, size: Size) -> None:
    """Scale the dwellings of street houses so that the district has room for its households."""
    house, unfinished = buildings["kind"] == HOUSE, buildings["kind"] == UNFINISHED
    others = buildings.loc[~house & ~unfinished, "dwellings"].sum()
    wanted = size.households / OCCUPANCY - others
    buildings.loc[house, "dwellings"] *= wanted / buildings.loc[house, "dwellings"].sum()
