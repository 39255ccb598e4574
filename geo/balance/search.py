"""The compiled parts of the search: annealing of border cells, and cuts of a random spanning tree.

A region is connected, and every kernel keeps each of its grids connected: a cell leaves its grid only where
the rest of the grid holds together without it. No global random state: the generator's state is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
State = NDArray[np.uint64]
Function = TypeVar("Function", bound=Callable[..., Any])

UNEVEN_CUT = 10.0
"""What a cut that leaves a part off by its whole size costs, in grid lines as long as a grid is wide."""


def compiled(function: Function) -> Function:
    """Compile on first call, and keep the machine code for later runs."""
    return cast(Function, njit(cache=True)(function))


class Region(NamedTuple):
    """A connected set of cells to be divided, a graph in compressed sparse rows; cells are numbered from 0.

    The neighbours of cell ``v`` are ``other[start[v]:start[v + 1]]``; ``border`` is the cost of a grid line
    there.
    """

    start: Ints
    other: Ints
    border: Floats
    households: Ints
    fixed: Bools


class Weights(NamedTuple):
    """Costs that the search adds up; a grid line as long as a typical grid is wide costs 1.

    The band weighs most: bringing a grid into it is worth moving up to two grids' households. Then come size,
    households moved, and compactness.
    """

    target: int
    tolerance: int
    out: float = 20.0
    """A grid out of the band,"""
    excess: float = 6.0
    """and each half band width that it is farther out."""
    uneven: float = 0.05
    """Square of the deviation in half band widths."""
    moved: float = 10.0
    """Moving as many households as a grid should have."""


@compiled
def uniform(state: State) -> float:
    """Draw from [0, 1) with xorshift64* (Vigna 2016): the same numbers on every machine."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float(((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0))


@compiled
def _size_cost(households: int, weights: Weights) -> float:
    gap = abs(households - weights.target)
    width = max(weights.target * weights.tolerance, 1) / 100.0
    cost = weights.uneven * (gap / width) ** 2
    if 100 * gap > weights.tolerance * weights.target:
        cost += weights.out + weights.excess * (gap / width - 1.0)
    return cost


@compiled
def energy(region: Region, home: Ints, assigned: Ints, grids: int, weights: Weights) -> float:
    """Objective of an assignment, to be small: sizes, households away from home, length of grid lines."""
    sums = np.zeros(grids, np.int64)
    total = 0.0
    for v in range(len(assigned)):
        sums[assigned[v]] += region.households[v]
        if home[v] >= 0 and home[v] != assigned[v]:
            total += weights.moved * region.households[v] / weights.target
        for e in range(region.start[v], region.start[v + 1]):
            if assigned[region.other[e]] != assigned[v]:
                total += 0.5 * region.border[e]
    for g in range(grids):
        total += _size_cost(sums[g], weights)
    return total


@compiled
def _holds_without(v: int, region: Region, assigned: Ints, seen: Ints, stamp: int, queue: Ints) -> bool:
    """Whether the grid of ``v`` stays connected without it: its neighbours there still reach each other.

    Breadth first from one of them until all are found: exact, and no longer than the way round the cell.
    """
    grid = assigned[v]
    wanted = 0
    tail = 0
    for e in range(region.start[v], region.start[v + 1]):
        u = region.other[e]
        if assigned[u] == grid:
            seen[u] = -stamp
            wanted += 1
            queue[0] = u
            tail = 1
    if wanted <= 1:
        return True
    seen[v] = stamp
    seen[queue[0]] = stamp
    wanted -= 1
    head = 0
    while head < tail:
        x = queue[head]
        head += 1
        for e in range(region.start[x], region.start[x + 1]):
            u = region.other[e]
            if assigned[u] != grid or seen[u] == stamp:
                continue
            if seen[u] == -stamp:
                wanted -= 1
                if wanted == 0:
                    return True
            seen[u] = stamp
            queue[tail] = u
            tail += 1
    return False


@compiled
def _step_cost(
    v: int, to: int, region: Region, home: Ints, assigned: Ints, sums: Ints, weights: Weights
) -> float:
    """Change of `energy` when cell ``v`` goes to grid ``to``."""
    at = assigned[v]
    w = region.households[v]
    cost = _size_cost(sums[at] - w, weights) - _size_cost(sums[at], weights)
    cost += _size_cost(sums[to] + w, weights) - _size_cost(sums[to], weights)
    if home[v] == at:
        cost += weights.moved * w / weights.target
    elif home[v] == to:
        cost -= weights.moved * w / weights.target
    for e in range(region.start[v], region.start[v + 1]):
        grid = assigned[region.other[e]]
        if grid == at:
            cost += region.border[e]
        elif grid == to:
            cost -= region.border[e]
    return cost


@compiled
def anneal(
    region: Region,
    home: Ints,
    assigned: Ints,
    grids: int,
    weights: Weights,
    hot: float,
    cold: float,
    proposals: int,
    state: State,
) -> None:
    """Improve ``assigned`` in place by simulated annealing of single border cells (Kirkpatrick et al. 1983).

    Parameters
    ----------
    region : Region
    home : ndarray of int, shape (n,)
        Grid that carries the label a cell has today, or -1.
    assigned : ndarray of int, shape (n,)
        Grid of each cell, from 0; every grid connected and not empty, before and after.
    grids : int
        Number of grids; none is emptied.
    weights : Weights
    hot, cold : float
        First and last temperature, in units of cost; between them it falls geometrically.
    proposals : int
        Steps tried, about 0.1 µs each.
    state : ndarray of uint64, shape (1,)
        State of the random generator, advanced in place.
    """
    n = len(assigned)
    sums = np.zeros(grids, np.int64)
    cells = np.zeros(grids, np.int64)
    for v in range(n):
        sums[assigned[v]] += region.households[v]
        cells[assigned[v]] += 1
    seen = np.zeros(n, np.int64)
    queue = np.empty(n, np.int64)
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(1, proposals))
    for step in range(proposals):
        heat *= cooling
        v = int(uniform(state) * n)
        degree = region.start[v + 1] - region.start[v]
        if degree == 0 or region.fixed[v]:
            continue
        at = assigned[v]
        to = assigned[region.other[region.start[v] + int(uniform(state) * degree)]]
        if at == to or cells[at] == 1:
            continue
        cost = _step_cost(v, to, region, home, assigned, sums, weights)
        if cost > 0.0 and uniform(state) >= np.exp(-cost / heat):
            continue
        if not _holds_without(v, region, assigned, seen, step + 1, queue):
            continue
        assigned[v] = to
        sums[at] -= region.households[v]
        sums[to] += region.households[v]
        cells[at] -= 1
        cells[to] += 1


@compiled
def _grow_tree(region: Region, assigned: Ints, grid: int, parent: Ints, order: Ints, state: State) -> int:
    """Grow a random spanning tree of a grid from a random cell; ``order`` lists cells, parents first."""
    n = len(assigned)
    cells = 0
    for v in range(n):
        parent[v] = -1
        if assigned[v] == grid:
            order[cells] = v
            cells += 1
    root = order[int(uniform(state) * cells)]
    frontier = np.empty(len(region.other) + 1, np.int64)
    source = np.empty(len(region.other) + 1, np.int64)
    frontier[0] = source[0] = root
    waiting = 1
    done = 0
    while waiting > 0:
        pick = int(uniform(state) * waiting)
        v, via = frontier[pick], source[pick]
        waiting -= 1
        frontier[pick], source[pick] = frontier[waiting], source[waiting]
        if parent[v] >= 0:
            continue
        parent[v] = via
        order[done] = v
        done += 1
        for e in range(region.start[v], region.start[v + 1]):
            u = region.other[e]
            if assigned[u] == grid and parent[u] < 0:
                frontier[waiting], source[waiting] = u, v
                waiting += 1
    return done


@compiled
def _best_edge(region: Region, parent: Ints, order: Ints, parts: int) -> tuple[int, int, float]:
    """Find the tree edge whose two sides are nearest to whole parts.

    Returns the cell below it, the parts due to that side, and how far a part is off, as a share of its size.
    """
    cells = len(order)
    sums = np.zeros(len(parent), np.int64)
    sizes = np.zeros(len(parent), np.int64)
    for i in range(cells - 1, -1, -1):
        v = order[i]
        sums[v] += region.households[v]
        sizes[v] += 1
        if i > 0:
            sums[parent[v]] += sums[v]
            sizes[parent[v]] += sizes[v]
    whole = sums[order[0]]
    best, best_share, best_off = -1, 0, np.inf
    for v in order[1:]:
        share = round(parts * sums[v] / whole) if whole > 0 else parts // 2
        share = max(share, 1, parts - (cells - sizes[v]))
        share = min(share, parts - 1, sizes[v])
        off = abs(sums[v] - whole * share / parts) / min(share, parts - share)
        if off < best_off:
            best, best_share, best_off = v, share, off
    return best, best_share, best_off * parts / max(whole, 1)


@compiled
def split(region: Region, assigned: Ints, grid: int, parts: int, fresh: int, tries: int, state: State) -> int:
    """Cut a connected grid in two where the sides can best be made of whole parts; both stay connected.

    An edge of the best of several random spanning trees is cut, as in recombination (DeFord, Duchin and
    Solomon 2021); evenness (`UNEVEN_CUT`) and the length of the new grid line decide.

    Parameters
    ----------
    region : Region
    assigned : ndarray of int, shape (n,)
        Grid of each cell; the cells cut off get ``fresh``, in place.
    grid : int
        The grid to cut, of at least ``parts`` cells.
    parts : int
        Number of grids that it shall become in the end, at least 2.
    fresh : int
        Number of the new grid.
    tries : int
        Spanning trees tried, each O(cells of the region).
    state : ndarray of uint64, shape (1,)

    Returns
    -------
    int
        Parts that belong to the side cut off.
    """
    parent = np.empty(len(assigned), np.int64)
    room = np.empty(len(assigned), np.int64)
    best = np.zeros(len(assigned), np.bool_)
    best_cost, best_share = np.inf, 0
    for _ in range(tries):
        order = room[: _grow_tree(region, assigned, grid, parent, room, state)]
        cut, share, off = _best_edge(region, parent, order, parts)
        below = np.zeros(len(assigned), np.bool_)
        below[cut] = True
        for v in order[1:]:
            below[v] |= below[parent[v]]
        cost = UNEVEN_CUT * off
        for v in order:
            for e in range(region.start[v], region.start[v + 1]):
                u = region.other[e]
                if below[v] and assigned[u] == grid and not below[u]:
                    cost += region.border[e]
        if cost < best_cost:
            best_cost, best_share, best = cost, share, below
    assigned[best] = fresh
    return best_share
