"""A legal assignment to start from: how many grids where, today's grids repaired, too heavy ones cut.

One mechanism serves today's plan and an empty district. A region's cells fall into pieces, connected and of
one label (or of none); each piece is due a whole number of grids; pieces due several are cut, pieces due none
are shared out among their neighbours, the others stay.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.balance.problem import Floats, Ints, Problem, components
from geo.balance.search import Region, State, split
from geo.errors import BalanceError

COMPOUND_WALL = 2.0
"""A grid line through a compound costs this much more, relative to its length."""
STAY = 0.5
"""How much rather a piece that carries a label stays one grid."""
TREES = 12
"""Spanning trees tried for a cut."""


def regions(problem: Problem) -> Ints:
    """Find the connected pieces of each container outside frozen grids (-1 inside them); shape (n,)."""
    frozen = problem.frozen
    u, v = problem.edges.T
    held = problem.open & (problem.community[u] == problem.community[v]) & ~frozen[u] & ~frozen[v]
    number = components(problem.cells, u[held], v[held])
    number[frozen] = -1
    number[~frozen] = np.unique(number[~frozen], return_inverse=True)[1]
    return number


def region_graphs(problem: Problem, region: Ints, counts: Ints) -> list[tuple[Ints, Region]]:
    """Cut the district into its regions.

    Parameters
    ----------
    problem : Problem
    region : ndarray of int, shape (n,)
        From `regions`.
    counts : ndarray of int, shape (regions,)
        Grids of each region; they set what a grid's typical width is.

    Returns
    -------
    list of (ndarray of int, Region)
        The cells of each region, ascending, and its graph.
    """
    u, v = problem.edges.T
    held = problem.open & (region[u] >= 0) & (region[u] == region[v])
    u, v, length = u[held], v[held], problem.shared_m[held]
    estate = problem.compound
    length = length * (1.0 + COMPOUND_WALL * ((estate[u] == estate[v]) & (estate[u] >= 0)))
    source, other, length = np.r_[u, v], np.r_[v, u], np.r_[length, length]
    order = np.lexsort((other, source, region[source]))
    source, other, length = source[order], other[order], length[order]
    edge_bounds = np.searchsorted(region[source], np.arange(len(counts) + 1))
    cells = np.argsort(region, kind="stable")
    cell_bounds = np.searchsorted(region[cells], np.arange(len(counts) + 1))
    local = np.empty(problem.cells, np.int64)
    graphs = []
    for number, count in enumerate(counts):
        ids = cells[cell_bounds[number] : cell_bounds[number + 1]]
        local[ids] = np.arange(len(ids))
        own = slice(edge_bounds[number], edge_bounds[number + 1])
        width = max(1.0, float(np.sqrt(problem.area[ids].sum() / count)))
        graphs.append(
            (
                ids,
                Region(
                    start=np.searchsorted(local[source[own]], np.arange(len(ids) + 1)),
                    other=local[other[own]],
                    border=(length[own] / width).astype(np.float64),
                    households=problem.households[ids].astype(np.int64),
                    fixed=problem.pinned[ids] >= 0,
                ),
            )
        )
    return graphs


def apportion(problem: Problem, region: Ints) -> Ints:
    """Decide how many grids each region gets, by least squares of the deviation from the target.

    A region of H households in k grids deviates by k·(H/k - target)²; the sum is convex in every k, so that
    giving grids one by one where the sum falls most is optimal. Each region gets at least one, also one
    without households.

    Raises
    ------
    BalanceError
        When the district's number of grids is fewer than the regions and pins need or more than there are
        cells.
    """
    free = region >= 0
    cells = np.bincount(region[free])
    households = np.bincount(region[free], problem.households[free])
    pinned = np.flatnonzero(free & (problem.pinned >= 0))
    labels = np.unique(np.c_[region[pinned], problem.pinned[pinned]], axis=0)
    least = np.maximum(1, np.bincount(labels[:, 0], minlength=len(cells)))

    def gain(counts: Ints) -> Floats:
        return households**2 / (counts * (counts + 1.0))

    if problem.grids is None:
        return _hand_out(gain, least, cells, worth=float(problem.target) ** 2)
    frozen = 0 if problem.locks is None else len(problem.locks.frozen)
    asked = problem.grids - frozen
    if not least.sum() <= asked <= cells.sum():
        raise BalanceError(
            f"{problem.grids} grids are asked for; at least {least.sum() + frozen} are needed "
            f"and at most {cells.sum() + frozen} possible.",
            "Every barrier-free piece of a community needs a grid of its own, and every grid a cell.",
        )
    return _hand_out(gain, least, cells, total=asked)


def _hand_out(
    gain: Callable[[Ints], Floats],
    least: Ints,
    most: Ints,
    *,
    total: int | None = None,
    worth: float = -np.inf,
) -> Ints:
    """Raise counts one by one where the gain is largest, up to ``total`` or while it is above ``worth``."""
    counts = least.astype(np.int64)
    while len(counts) and (total is None or counts.sum() < total):
        gains = np.where(counts < most, gain(counts), -np.inf)
        best = int(gains.argmax())
        if gains[best] <= worth:
            break
        counts[best] += 1
    return counts


def first_assignment(graph: Region, label: Ints, pinned: Ints, count: int, state: State) -> Ints:
    """Make a legal assignment of a region that keeps what it can of today's grids.

    Parameters
    ----------
    graph : Region
    label, pinned : ndarray of int, shape (cells,)
        Today's grid and the grid asked for, or -1.
    count : int
        Grids wanted.
    state : ndarray of uint64, shape (1,)
        State of the random generator.

    Returns
    -------
    ndarray of int, shape (cells,)
        Grid of each cell, from 0 to ``count - 1``, each connected.

    Raises
    ------
    BalanceError
        When cells pinned to one grid cannot be connected past those pinned to others, or leave no room.
    """
    label, core = _with_corridors(graph, label, pinned)
    piece, due = _pieces_due(graph, label, core, count)
    while (torn := (due > 1) & (np.bincount(piece[pinned >= 0], minlength=len(due)) > 1)).any():
        # A cut could part the cells pinned together: their grid starts from them alone, the others start loose.
        label = np.where(torn[piece] & (core < 0), -1, label)
        piece, due = _pieces_due(graph, label, core, count)
    if due.sum() < count:
        raise BalanceError(
            f"Cells pinned together leave no room for {count} grids.",
            "Unpin some of them or ask for fewer grids.",
        )
    assigned = np.full(len(label), -1, np.int64)
    made = 0
    for number in np.flatnonzero(due):
        assigned[piece == number] = made
        made = _cut(graph, assigned, made, int(due[number]), made + 1, state)
    _absorb(graph, assigned, count)
    return assigned


def _pieces_due(graph: Region, label: Ints, core: Ints, count: int) -> tuple[Ints, Ints]:
    """Find the connected pieces of one label, and say how many grids each is due."""
    source = np.repeat(np.arange(len(label)), np.diff(graph.start))
    same = label[source] == label[graph.other]
    piece = components(len(label), source[same], graph.other[same])
    return piece, _due(graph, piece, label, core, count)


def _due(graph: Region, piece: Ints, label: Ints, core: Ints, count: int) -> Ints:
    """Whole number of grids each piece is due: least squares, in favour of today's grids staying one each.

    Of a label in several pieces only the one with the most households (or with the pinned cells) counts as
    it. A piece of nothing but cells held together by pins is one grid.
    """
    number = int(piece.max()) + 1
    households = np.bincount(piece, graph.households, number)
    cells = np.bincount(piece, minlength=number)
    core_cells = np.bincount(piece[core >= 0], minlength=number)
    held = core_cells > 0
    piece_label = np.full(number, -1, np.int64)
    piece_label[piece] = label
    order = np.lexsort((np.arange(number), -cells, -households, ~held, piece_label))
    main = np.zeros(number, np.bool_)
    main[order[np.unique(piece_label[order], return_index=True)[1]]] = True
    main &= piece_label >= 0
    mean = max(1.0, float(households.sum()) / count)
    share = households / mean

    def gain(due: Ints) -> Floats:
        return 2.0 * (share - due) - 1.0 + np.where(main, np.where(due == 0, STAY, -STAY), 0.0)

    most = np.where(core_cells == cells, 1, cells)
    return _hand_out(gain, held.astype(np.int64), most, total=count)


def _cut(graph: Region, assigned: Ints, grid: int, parts: int, fresh: int, state: State) -> int:
    """Cut a connected grid into parts, new ones numbered from ``fresh``; returns the next free number."""
    if parts == 1:
        return fresh
    off = split(graph, assigned, grid, parts, fresh, TREES, state)
    after = _cut(graph, assigned, fresh, off, fresh + 1, state)
    return _cut(graph, assigned, grid, parts - off, after, state)


def _absorb(graph: Region, assigned: Ints, grids: int) -> None:
    """Give the cells that are in no grid to neighbouring grids, lightest first, in place."""
    sums = np.bincount(assigned[assigned >= 0], graph.households[assigned >= 0], grids)
    waiting: list[tuple[float, float, int, int]] = []

    def offer(v: int, grid: int) -> None:
        for e in range(graph.start[v], graph.start[v + 1]):
            u = int(graph.other[e])
            if assigned[u] < 0:
                heapq.heappush(waiting, (sums[grid], -graph.border[e], u, grid))

    loose = assigned < 0
    source = np.repeat(np.arange(len(assigned)), np.diff(graph.start))
    for v in np.unique(source[loose[graph.other] & ~loose[source]]).tolist():
        offer(v, int(assigned[v]))
    while waiting:
        _, _, v, grid = heapq.heappop(waiting)
        if assigned[v] < 0:
            assigned[v] = grid
            sums[grid] += graph.households[v]
            offer(v, grid)


def _with_corridors(graph: Region, label: Ints, pinned: Ints) -> tuple[Ints, Ints]:
    """Connect the pinned cells of each grid, by way of its own cells where possible.

    Returns
    -------
    ndarray, ndarray of int, shape (cells,)
        The labels changed so, and the label of each cell that connects pinned ones or is one, else -1.
    """
    label = np.where(pinned >= 0, pinned, label)
    claimed = pinned.copy()
    for wanted in np.unique(pinned[pinned >= 0]).tolist():
        cells = np.flatnonzero(pinned == wanted)
        joined = {int(cells[0])}
        while not joined.issuperset(cells.tolist()):
            path = _nearest(graph, joined, set(cells.tolist()) - joined, label, claimed, wanted)
            if not path:
                raise BalanceError(
                    f"Cells pinned to grid {wanted} cannot be connected past those pinned to others.",
                    "Unpin some of them.",
                )
            joined.update(path)
            claimed[path] = wanted
            label[path] = wanted
    return label, claimed


def _nearest(
    graph: Region, sources: set[int], goals: set[int], label: Ints, claimed: Ints, wanted: int
) -> list[int]:
    """Cells of the way from the sources to a goal that enters fewest cells of other labels (Dijkstra)."""
    queue = [(0, v, v) for v in sorted(sources)]
    via: dict[int, int] = {}
    while queue:
        cost, v, before = heapq.heappop(queue)
        if v in via:
            continue
        via[v] = before
        if v in goals:
            path = [v]
            while via[path[-1]] != path[-1]:
                path.append(via[path[-1]])
            return path
        for u in graph.other[graph.start[v] : graph.start[v + 1]].tolist():
            if claimed[u] in (-1, wanted):
                heapq.heappush(queue, (cost + int(label[u] != wanted), u, v))
    return []


def carried(assigned: Ints, label: Ints, pinned: Ints, households: Ints, grids: int) -> Ints:
    """Decide which of today's labels each grid carries, so that the most households keep their label.

    A maximum weight matching (`scipy.optimize.linear_sum_assignment`); cells in common decide between equals,
    and a grid with pinned cells carries the label they are pinned to.

    Parameters
    ----------
    assigned, label, pinned, households : ndarray of int, shape (n,)
    grids : int

    Returns
    -------
    ndarray of int, shape (grids,)
        A label, or -1 for a grid that continues none.
    """
    known = np.unique(np.r_[label[label >= 0], pinned[pinned >= 0]])
    shared = np.zeros((grids, len(known)))
    today, asked = label >= 0, pinned >= 0
    more_than_cells = len(label) + 1.0
    np.add.at(
        shared,
        (assigned[today], np.searchsorted(known, label[today])),
        households[today] * more_than_cells + 1,
    )
    shared[assigned[asked], np.searchsorted(known, pinned[asked])] += (households.sum() + 1) * more_than_cells
    row, column = linear_sum_assignment(shared, maximize=True)
    result = np.full(grids, -1, np.int64)
    kept = shared[row, column] > 0
    result[row[kept]] = known[column[kept]]
    return result
