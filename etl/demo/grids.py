"""Today's grids: drawn level for yesterday's households, then overtaken by building, moving and demolition."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from etl.demo.buildings import OCCUPANCY, TOWER, UNFINISHED, Built
from etl.demo.layout import BARRIERS, Layout
from etl.demo.partition import Floats, Ints, apportion, divide, graph
from etl.demo.size import LEAST, MOST, TOWER_HOUSEHOLDS, Size
from geo.adjacency import Borders, borders_of, components
from geo.coverage import Geometries, faces, owners

WHOLE_HOUSEHOLDS = 160
"""No grid divides a block with fewer households."""

BORDER_M = 8.0
"""Buildings touch when their land shares at least this much border: cells will touch there too."""

NEW_ESTATES, LANES_LOST = 0.08, 0.06
"""Shares of estates that nobody lived in yesterday, and of blocks of houses that had more households then."""

LOST_SHARE = 1.7
"""How many more such a block had."""


def households_yesterday(built: Built, rng: np.random.Generator) -> Floats:
    """Return each building's households at the time the grids were drawn."""
    buildings = built.buildings
    level = rng.lognormal(np.log(OCCUPANCY), 0.08, len(built.rooms))
    lost = rng.random(len(built.rooms)) < LANES_LOST
    lost[built.estates] = False
    level[lost] *= LOST_SHARE
    fresh = np.flatnonzero(rng.random(len(built.estates)) < NEW_ESTATES)
    households: Floats = buildings["dwellings"].to_numpy() * level[buildings["block"]]
    households[buildings["compound"].isin(fresh) | (buildings["kind"] == UNFINISHED)] = 0.0
    households[buildings["kind"] == TOWER] = TOWER_HOUSEHOLDS / 2
    return households


def households_today(built: Built, rng: np.random.Generator) -> Floats:
    """Return each building's households today, before they are rounded and made to add up."""
    buildings = built.buildings
    level = rng.lognormal(np.log(OCCUPANCY), 0.3, len(built.rooms)).clip(0.3, 1.25)
    households: Floats = buildings["dwellings"].to_numpy() * level[buildings["block"]]
    households[buildings["kind"] == UNFINISHED] = 0.0
    return households


def draw_grids(
    layout: Layout, built: Built, community: Ints, yesterday: Floats, size: Size, rng: np.random.Generator
) -> Ints:
    """Draw connected grids that were about level for yesterday's households.

    Parameters
    ----------
    layout : Layout
    built : Built
    community : ndarray of int, shape (blocks,)
        The last is preparatory and becomes one grid.
    yesterday : ndarray of float, shape (buildings,)
    size : Size
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (buildings,)
        Grid of each building, from 0 to ``size.grids - 1``. The tower is one by itself.
    """
    node, block, borders = _nodes(layout, built, yesterday)
    area = community[block]
    area[node[(built.buildings["kind"] == TOWER).to_numpy()]] = community.max() + 1
    pairs = borders.pairs[(borders.free_m >= BORDER_M) & (np.diff(area[borders.pairs])[:, 0] == 0)]
    weight = np.bincount(node, yesterday).astype(np.float64)
    middle = shapely.get_coordinates(shapely.centroid(built.buildings.geometry.to_numpy()))
    xy = np.column_stack([np.bincount(node, axis) for axis in middle.T]) / np.bincount(node)[:, None]
    nodes = graph(xy, weight, pairs)
    container = components(len(weight), pairs)
    counts = apportion(np.bincount(container, weight), size.grids)
    parts = [
        part
        for i, count in enumerate(counts.tolist())
        for part in divide(nodes, np.flatnonzero(container == i), count, rng)
    ]
    grid = np.empty(len(weight), dtype=np.int64)
    for number, part in enumerate(parts):
        grid[part] = number
    return grid[node]


def _nodes(layout: Layout, built: Built, households: Floats) -> tuple[Ints, Ints, Borders]:
    """Find what grids are drawn from: small blocks as a whole, of larger ones each building with its land.

    Returns
    -------
    node : ndarray of int, shape (buildings,)
    block : ndarray of int, shape (nodes,)
    borders : Borders
        Between nodes.
    """
    block = built.buildings["block"].to_numpy()
    whole = (np.bincount(block, households) <= WHOLE_HOUSEHOLDS)[block]
    key = np.where(whole, block, len(layout.blocks) + np.arange(len(block)))
    _, first, node = np.unique(key, return_index=True, return_inverse=True)
    cells = _land(layout.blocks, built.buildings)
    found = faces(shapely.boundary(cells))
    barriers = np.array([line.shape for line in layout.of_kind(*BARRIERS)], dtype=object)
    return node, block[first], borders_of(found, barriers).between(node[owners(found, cells)])


def _land(blocks: Geometries, buildings: gpd.GeoDataFrame) -> Geometries:
    """Share each block out among its buildings: to each the land nearest to its middle."""
    middle = shapely.centroid(buildings.geometry.to_numpy())
    land = np.empty(len(buildings), dtype=object)
    for block, rows in buildings.groupby("block").indices.items():
        if len(rows) == 1:
            land[rows] = blocks[block]
            continue
        cells = shapely.voronoi_polygons(
            shapely.multipoints(middle[rows]), extend_to=blocks[block], ordered=True
        )
        land[rows] = shapely.intersection(shapely.get_parts(cells), blocks[block])
    return land


def settle_households(built: Built, grid: Ints, today: Floats, size: Size, rng: np.random.Generator) -> Ints:
    """Round today's households so that grids hold `LEAST` to `MOST` and the district its whole number.

    Parameters
    ----------
    built : Built
    grid : ndarray of int, shape (buildings,)
    today : ndarray of float, shape (buildings,)
        Buildings without any stay empty.
    size : Size
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (buildings,)
    """
    tower = (built.buildings["kind"] == TOWER).to_numpy()
    lived_in = (today > 0) & ~tower
    total = np.bincount(grid, today * lived_in, size.grids)
    factor = (size.households - TOWER_HOUSEHOLDS) / total.sum()
    wanted = (total * factor).clip(1.1 * LEAST, 0.9 * MOST)
    households = np.zeros(len(today), dtype=np.int64)
    scaled = today[lived_in] * (wanted / total.clip(1))[grid[lived_in]]
    households[lived_in] = np.maximum(1, np.round(scaled))
    households[tower] = TOWER_HOUSEHOLDS
    _add_up(households, grid, np.flatnonzero(lived_in), size, rng)
    return households


def _add_up(households: Ints, grid: Ints, adjustable: Ints, size: Size, rng: np.random.Generator) -> None:
    """Change buildings by one household, in random order, until the district holds its number."""
    total = np.bincount(grid, households, size.grids)
    while households.sum() != size.households:
        step = 1 if households.sum() < size.households else -1
        for building in rng.permutation(adjustable)[: abs(size.households - households.sum())]:
            after = total[grid[building]] + step
            if households[building] + step >= 1 and LEAST <= after <= MOST:
                households[building] += step
                total[grid[building]] = after


def dwellings(built: Built, households: Ints) -> Ints:
    """Return whole dwellings: as designed, and of houses never fewer than live there."""
    designed: Ints = np.round(built.buildings["dwellings"]).to_numpy(np.int64)
    return np.maximum(designed, households)
