"""A region under search, as the flat records that compiled code works on.

Records rather than arrays of one field each: what a step reads of a cell lies together in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from geo.balance.region import Region

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
State = NDArray[np.uint64]
Records = Any
"""Structured arrays: numba reads their fields as attributes, which type checkers do not know of."""
Function = TypeVar("Function", bound=Callable[..., Any])

CELL = np.dtype(
    [
        ("start", np.int32),  # its edges
        ("end", np.int32),
        ("weight", np.int32),
        ("compound", np.int32),  # -1 where it has none, or no weight
        ("grid", np.int32),
        ("place", np.int32),  # in the list of its grid's cells
        ("ring", np.int32),  # its first word in the table of rings, or -1
        ("fixed", np.int32),
        ("households", np.int32),
        ("today", np.int64),  # its label, -1 where it has none; codes of 15 digits too
        ("area", np.float64),
        ("perimeter", np.float64),
    ],
    align=True,
)
EDGE = np.dtype(
    [
        ("source", np.int32),
        ("other", np.int32),
        ("twin", np.int32),  # the same edge seen from the other cell
        ("spot", np.int32),  # in the list of edges between grids
        ("border", np.float64),
    ],
    align=True,
)
GRID = np.dtype(
    [
        ("weight", np.int64),
        ("cells", np.int64),
        ("area", np.float64),
        ("outline", np.float64),
        ("roundness", np.float64),  # cost of its shape
        ("label", np.int64),  # that it carries, -2 where none
        ("inside", np.int64),  # whether its cells may move
    ],
    align=True,
)
COMPOUND = np.dtype(
    [
        ("pieces", np.int64),
        ("allowed", np.int64),  # pieces that are no split
        ("today", np.int64),  # pieces it has today, at least those allowed
        ("old", np.float64),  # cost of each piece beyond those allowed,
        ("new", np.float64),  # and how much more of each beyond today's
    ],
    align=True,
)

RING_DEGREE = 12
"""Cells of more neighbours have no bits in the table of rings: they would need 2 ** degree."""
KERNELS: list[Any] = []
"""Everything that is compiled; see `keep_compiled`."""
DICE = 4096
"""Sides of the dice that decide what a temperature accepts."""


def compiled(function: Function) -> Function:
    """Compile on first call."""
    made = njit(error_model="numpy", nogil=True)(function)
    KERNELS.append(made)
    return cast(Function, made)


def kernel(function: Function) -> Function:
    """Compile on first call. Nothing is allocated inside: without counted references it runs three times as fast."""
    made = njit(error_model="numpy", nogil=True, _nrt=False)(function)
    KERNELS.append(made)
    return cast(Function, made)


def inlined(function: Function) -> Function:
    """Compile into each caller."""
    return cast(Function, njit(error_model="numpy", inline="always")(function))


def keep_compiled(folder: str) -> None:
    """Keep the machine code of every kernel in a folder, to be read there by the next process.

    Call it before the first search. Code of another version must not lie in the same folder: what a kernel
    takes from other modules is not looked at when its code is read.
    """
    config.CACHE_DIR = folder
    for each in KERNELS:
        each.enable_caching()


class Costs(NamedTuple):
    """Costs of a `geo.balance.profiles.Profile` for compiled code.

    ``moved`` and ``small_split`` are per household, ``apart`` is a pair's.
    """

    moved: float
    shape: float
    small_split: float
    large_split: float
    old_split: float
    apart: float


class Board(NamedTuple):
    """A region under search; every array is written in place, and every number is of this region.

    ``held[c, g]`` counts the cells of a compound in a grid, ``members[g, :cells]`` lists a grid's cells,
    ``cut[:cuts[0]]`` the edges between grids that are inside, each once; ``size[w]`` is the cost of a grid of
    weight ``w``; ``apart`` lists pairs both ways round.
    """

    cells: Records
    edges: Records
    grids: Records
    compounds: Records
    held: Counts
    members: Counts
    cut: Ints
    cuts: Ints
    apart: Ints
    size: Floats
    rings: Words
    dice: Floats
    seen: Ints
    queue: Ints
    costs: Costs


def lay(region: Region, grids: int, size: Floats, costs: Costs) -> Board:
    """Lay out a board for a region of so many grids; nothing is assigned yet (`counts.fill`)."""
    n, m, compounds = len(region.weight), len(region.other), len(region.allowed)
    cells, edges = np.zeros(n, CELL), np.zeros(m, EDGE)
    degree = np.diff(region.start)
    words = np.where(degree <= RING_DEGREE, np.maximum(1, 2 ** np.minimum(degree, RING_DEGREE) // 64), 0)
    cells["start"], cells["end"] = region.start[:-1], region.start[1:]
    cells["ring"] = np.where(words > 0, np.cumsum(words) - words, -1)
    for name in ("weight", "households", "today", "compound", "fixed", "area", "perimeter"):
        cells[name] = getattr(region, name)
    edges["source"], edges["other"], edges["border"] = region.source, region.other, region.border
    edges["twin"] = np.lexsort((region.source, region.other))
    estates = np.zeros(compounds, COMPOUND)
    inside = region.compound >= 0
    weight = np.bincount(region.compound[inside], region.weight[inside], compounds)
    price = np.where(region.allowed == 1, costs.small_split * weight, costs.large_split)
    estates["allowed"], estates["today"] = region.allowed, np.maximum(region.allowed, region.split_today)
    estates["old"], estates["new"] = costs.old_split * price, (1.0 - costs.old_split) * price
    return Board(
        cells=cells,
        edges=edges,
        grids=np.zeros(grids, GRID),
        compounds=estates,
        held=np.zeros((compounds, grids), np.int32),
        members=np.zeros((grids, n), np.int32),
        cut=np.zeros(m, np.int64),
        cuts=np.zeros(1, np.int64),
        apart=np.r_[region.apart, region.apart[:, ::-1]],
        size=size,
        rings=np.zeros(int(words.sum()), np.uint64),
        dice=-np.log((np.arange(DICE) + 0.5) / DICE),
        seen=np.zeros(n, np.int64),
        queue=np.zeros(n, np.int64),
        costs=costs,
    )
