"""Communities made of whole blocks, so that their borders follow streets and barriers; and towns made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from etl.demo.layout import BARRIERS, Layout
from etl.demo.partition import Floats, Ints, apportion, divide, graph, take
from etl.demo.size import Size
from geo.adjacency import borders_of, components

SMALL = 0.6
"""Land within barriers with fewer than this many communities' households joins one across a barrier."""


@dataclass(frozen=True)
class Ground:
    """Blocks and which of them touch: ``open`` pairs without a barrier between, ``cut`` pairs with one."""

    xy: Floats
    open: Ints
    cut: Ints

    def land(self) -> Ints:
        """Return for each block the number of the barrier-free land it lies on."""
        return components(len(self.xy), self.open).astype(np.int64)


def make_ground(layout: Layout) -> Ground:
    """Find which blocks touch."""
    barriers = np.array([line.shape for line in layout.of_kind(*BARRIERS)], dtype=object)
    borders = borders_of(layout.blocks, barriers).table()
    pairs, barrier = borders[["a", "b"]].to_numpy(np.int64), borders["barrier"].to_numpy()
    xy = shapely.get_coordinates(shapely.centroid(layout.blocks))
    return Ground(xy, pairs[~barrier], pairs[barrier])


def preparatory_blocks(ground: Ground, size: Size) -> Ints:
    """Choose the blocks of the preparatory community, in the district's north-eastern corner."""
    count = max(3, round(8 * size.scale))
    land = ground.land()
    nodes = np.flatnonzero(land == land[np.argmax(ground.xy.sum(axis=1))])
    everyone = graph(ground.xy, np.ones(len(land)), ground.open)
    return take(everyone, nodes, np.array([-1.0, -1.0]), count)[0]


def make_communities(
    ground: Ground, households: Floats, preparatory: Ints, size: Size, rng: np.random.Generator
) -> Ints:
    """Put every block into a community.

    Parameters
    ----------
    ground : Ground
    households : ndarray of float, shape (blocks,)
    preparatory : ndarray of int
        Blocks of the preparatory community, which gets the last number.
    size : Size
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (blocks,)
        From 0 to ``size.communities - 1``. Large lands within barriers are divided; a small one belongs as a
        whole to a neighbour across a barrier, so that some communities are cut by one.
    """
    land = ground.land()
    land[preparatory] = -1
    weight = np.bincount(land[land >= 0], households[land >= 0])
    large = np.flatnonzero(weight >= min(SMALL * weight.sum() / (size.communities - 1), weight.max()))
    blocks = graph(ground.xy, households, ground.open)
    community = np.full(len(land), -1)
    parts = [
        part
        for i, count in zip(large, apportion(weight[large], size.communities - 1), strict=True)
        for part in divide(blocks, np.flatnonzero(land == i), int(count), rng)
    ]
    for number, part in enumerate(parts):
        community[part] = number
    community[preparatory] = size.communities - 1
    _join_small(community, land, ground, households, size)
    return community


def _join_small(community: Ints, land: Ints, ground: Ground, households: Floats, size: Size) -> None:
    """Give land that is in no community yet to the least neighbour that has households."""
    pairs = np.concatenate([ground.cut, ground.cut[:, ::-1]])
    while (community < 0).any():
        total = np.bincount(community[community >= 0], households[community >= 0], size.communities)
        total[size.communities - 1] = np.inf
        near = pairs[(community[pairs[:, 0]] < 0) & (community[pairs[:, 1]] >= 0)]
        here, there = near[np.argmin(total[community[near[:, 1]]])]
        community[land == land[here]] = community[there]


def in_order(community: Ints, ground: Ground, size: Size, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Group communities into towns and number them town by town.

    Returns
    -------
    community : ndarray of int, shape (blocks,)
        New numbers; the preparatory community keeps the last.
    town : ndarray of int, shape (communities,)
    """
    count = size.communities
    middle = pd.DataFrame(ground.xy).groupby(community).mean().to_numpy()
    pairs = np.unique(np.sort(community[np.concatenate([ground.open, ground.cut])], axis=1), axis=0)
    near = graph(middle, np.ones(count), pairs[pairs[:, 0] < pairs[:, 1]])
    towns = divide(near, np.arange(count), size.towns, rng)
    towns.sort(key=lambda part: (count - 1 in part, -middle[part, 1].mean()))
    order = np.concatenate([part[np.lexsort((-middle[part, 1], part == count - 1))] for part in towns])
    town = np.repeat(np.arange(size.towns), [len(part) for part in towns])
    return np.argsort(order)[community], town


def outlines(blocks: npt.NDArray[np.object_], community: Ints) -> npt.NDArray[np.object_]:
    """Unite the blocks of each community; neighbours keep the same vertices."""
    return np.array(
        [shapely.coverage_union_all(blocks[community == i]) for i in range(community.max() + 1)],
        dtype=object,
    )
