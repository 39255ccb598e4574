"""Made-up districts in a fraction of a second: 10,000 four-sided cells, 35 communities, 452 grids that have drifted.

Poorer than those of ``instance.py``, and meant for measuring what many districts cost.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from geo.balance import Problem
from geo.balance.problem import Bools, Floats, Ints

SIDE, PITCH = 100, 40.0
HOUSEHOLDS, GRIDS, TARGET = 135_600, 452, 300
ROWS = (20, 20, 20, 20, 20)
COLUMNS = (14, 14, 15, 14, 14, 15, 14)
TRUNK_ROAD = 50
"""Row above which a barrier runs through seven communities."""
BLOCK = (5, 7)
COMPOUNDS = 147


def made(seed: int) -> Problem:
    """Make a district, the same for the same seed on every machine.

    Parameters
    ----------
    seed : int
        From 0 up.

    Returns
    -------
    Problem
        10,000 cells, 135,600 households, 452 grids asked for.
    """
    rng = np.random.default_rng(seed)
    community = np.add.outer(
        np.repeat(np.arange(len(ROWS)), ROWS) * len(COLUMNS), np.repeat(np.arange(len(COLUMNS)), COLUMNS)
    )
    block, compound = _compounds(rng)
    households = _households(rng)
    yesterday = households * rng.lognormal(0.0, 0.3, block.max() + 1)[block] + 1e-3
    area, perimeter, xy, edges, shared_m, is_open = _shapes(rng)
    return Problem(
        households=households.ravel(),
        xy=xy,
        area=area,
        perimeter=perimeter,
        community=community.ravel(),
        compound=compound.ravel(),
        current=_drawn(yesterday).ravel(),
        edges=edges,
        shared_m=shared_m,
        open=is_open,
        target=TARGET,
        grids=GRIDS,
    )


def _compounds(rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Number the blocks that communities consist of, and make some of them compounds; shape (SIDE, SIDE)."""
    row = np.arange(SIDE) // BLOCK[0]
    column = np.concatenate([np.minimum(np.arange(width) // BLOCK[1], 2) for width in COLUMNS])
    column += 3 * np.repeat(np.arange(len(COLUMNS)), COLUMNS)
    block = np.add.outer(row * 3 * len(COLUMNS), column)
    numbers = np.unique(block[:, column % 3 < 2])
    estate = np.full(block.max() + 1, -1)
    estate[np.sort(rng.choice(numbers, COMPOUNDS, replace=False))] = np.arange(COMPOUNDS)
    return block, estate[block]


def _households(rng: np.random.Generator) -> Ints:
    """Share the households out unevenly, none in a tenth of the cells; shape (SIDE, SIDE)."""
    weight = rng.lognormal(0.0, 0.8, SIDE * SIDE) * (rng.random(SIDE * SIDE) < 0.9)
    ends = np.rint(np.cumsum(np.minimum(weight, 10.0)) / np.minimum(weight, 10.0).sum() * HOUSEHOLDS)
    return np.diff(ends, prepend=0.0).astype(np.int64).reshape(SIDE, SIDE)


def _drawn(weight: Floats) -> Ints:
    """Draw 452 grids that were even once: rectangles in each barrier-free piece of a community."""
    bands = np.unique(np.r_[0, np.cumsum(ROWS), TRUNK_ROAD])
    stripes = np.r_[0, np.cumsum(COLUMNS)]
    pieces = [(slice(a, b), slice(c, d)) for a, b in pairwise(bands) for c, d in pairwise(stripes)]
    share = np.array([weight[piece].sum() for piece in pieces]) / weight.sum() * GRIDS
    numbers = np.maximum(1, np.floor(share).astype(np.int64))
    for each in np.argsort(numbers - share)[: GRIDS - numbers.sum()]:
        numbers[each] += 1
    grid = np.full(weight.shape, -1)
    for (rows, columns), number in zip(pieces, numbers.tolist(), strict=True):
        _bisect(weight[rows, columns], number, grid[rows, columns], int(grid.max()) + 1)
    return grid


def _bisect(weight: Floats, number: int, grid: Ints, first: int) -> None:
    """Cut a rectangle across its longer side until each part is one grid; written into ``grid``."""
    if number == 1:
        grid[:] = first
        return
    if weight.shape[0] < weight.shape[1]:
        weight, grid = weight.T, grid.T
    half = number // 2
    sums = np.cumsum(weight.sum(axis=1))
    cut = int(np.searchsorted(sums, sums[-1] * half / number)) + 1
    least, most = -(-half // weight.shape[1]), weight.shape[0] - -(-(number - half) // weight.shape[1])
    cut = min(max(cut, least), most)
    _bisect(weight[:cut], half, grid[:cut], first)
    _bisect(weight[cut:], number - half, grid[cut:], first + half)


def _shapes(rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Ints, Floats, Bools]:
    """Shake the corners of a square lattice: area, perimeter, middle, edges, their lengths, and which are open."""
    corner = np.stack(np.meshgrid(np.arange(SIDE + 1), np.arange(SIDE + 1)), axis=-1) * PITCH
    corner += rng.uniform(-0.25, 0.25, corner.shape) * PITCH
    across = np.linalg.norm(np.diff(corner, axis=1), axis=-1)
    along = np.linalg.norm(np.diff(corner, axis=0), axis=-1)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    p, q = c - a, d - b
    area = np.abs(p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]) / 2
    perimeter = across[:-1] + across[1:] + along[:, :-1] + along[:, 1:]
    at = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    beside, below = np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]
    is_open = np.r_[np.ones(len(beside), np.bool_), below[:, 1] // SIDE != TRUNK_ROAD]
    shared_m = np.r_[along[:, 1:-1].ravel(), across[1:-1].ravel()]
    middle = ((a + b + c + d) / 4).reshape(-1, 2)
    return area.ravel(), perimeter.ravel(), middle, np.r_[beside, below], shared_m, is_open
