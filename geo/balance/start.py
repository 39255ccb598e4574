"""A legal assignment to start from: today's grids repaired, too heavy ones cut, spare ones dissolved.

One mechanism serves today's plan and an empty district. A region's cells fall into pieces, connected and of
one label (or of none); each piece is due a whole number of grids; pieces due several are cut, pieces due none
are shared out among their neighbours, the others stay.
"""

from __future__ import annotations

import heapq

import numpy as np

from geo.balance.apportion import hand_out
from geo.balance.board import State, compiled, inlined
from geo.balance.problem import Floats, Ints, components
from geo.balance.region import Region
from geo.balance.trees import Graph, split
from geo.errors import BalanceError

COMPOUND_WALL = 2.0
"""A grid line through a compound costs this much more, relative to its length."""
STAY = 0.5
"""How much rather a piece that carries a label stays one grid, in shares of a grid."""
TREES = 12
"""Spanning trees tried for a cut."""


def graph_of(region: Region, count: int) -> Graph:
    """See a region as cuts do; a grid line as long as a grid of ``count`` is wide costs 1, through compounds more."""
    within = (region.compound[region.source] == region.compound[region.other]) & (
        region.compound[region.source] >= 0
    )
    width = max(1.0, float(np.sqrt(region.area.sum() / count)))
    return Graph(
        region.start, region.other, region.border * (1.0 + COMPOUND_WALL * within) / width, region.weight
    )


def first_assignment(region: Region, graph: Graph, count: int, state: State, *, stay: float = STAY) -> Ints:
    """Make a legal assignment of a region that keeps what it can of today's grids.

    Parameters
    ----------
    region : Region
    graph : Graph
        From `graph_of`.
    count : int
        Grids wanted.
    state : ndarray of uint64, shape (1,)
        State of the random generator.
    stay : float
        How much rather a piece that carries a label stays one grid; less of it dissolves and cuts more.

    Returns
    -------
    ndarray of int, shape (cells,)
        Grid of each cell, from 0 to ``count - 1``, each connected.

    Raises
    ------
    BalanceError
        When cells pinned to one grid cannot be connected past those pinned to others, or leave no room.
    """
    pinned = region.pinned
    label, core = connected(graph.start, graph.other, region.today, pinned)
    piece, due = _pieces_due(graph, label, core, count, stay)
    while (torn := (due > 1) & (np.bincount(piece[pinned >= 0], minlength=len(due)) > 1)).any():
        # A cut could part the cells pinned together: their grid starts from them alone, the others start loose.
        label = np.where(torn[piece] & (core < 0), -1, label)
        piece, due = _pieces_due(graph, label, core, count, stay)
    if due.sum() < count:
        raise BalanceError(
            f"Cells pinned together leave no room for {count} grids.",
            "Unpin some of them or ask for fewer grids.",
        )
    assigned = np.full(len(label), -1, np.int64)
    made = 0
    for number in np.flatnonzero(due):
        assigned[piece == number] = made
        made = cut(graph, assigned, made, int(due[number]), made + 1, state)
    absorb(graph, assigned, count)
    return assigned


def _pieces_due(graph: Graph, label: Ints, core: Ints, count: int, stay: float) -> tuple[Ints, Ints]:
    """Find the connected pieces of one label, and say how many grids each is due."""
    source = np.repeat(np.arange(len(label)), np.diff(graph.start))
    same = label[source] == label[graph.other]
    piece = components(len(label), source[same], graph.other[same])
    return piece, _due(graph, piece, label, core, count, stay)


def _due(graph: Graph, piece: Ints, label: Ints, core: Ints, count: int, stay: float) -> Ints:
    """Whole number of grids each piece is due: least squares, in favour of today's grids staying one each.

    Of a label in several pieces only the one with the most households (or with the pinned cells) counts as
    it. A piece of nothing but cells held together by pins is one grid.
    """
    number = int(piece.max()) + 1
    households = np.bincount(piece, graph.weight, number)
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
        return 2.0 * (share - due) - 1.0 + np.where(main, np.where(due == 0, stay, -stay), 0.0)

    most = np.where(core_cells == cells, 1, cells)
    return hand_out(gain, held.astype(np.int64), most, total=count)


def cut(graph: Graph, assigned: Ints, grid: int, parts: int, fresh: int, state: State) -> int:
    """Cut a connected grid into parts, new ones numbered from ``fresh``; returns the next free number."""
    if parts == 1:
        return fresh
    off = split(graph, assigned, grid, parts, fresh, TREES, state)
    after = cut(graph, assigned, fresh, off, fresh + 1, state)
    return cut(graph, assigned, grid, parts - off, after, state)


@compiled
def absorb(graph: Graph, assigned: Ints, grids: int) -> None:
    """Give the cells that are in no grid to neighbouring grids, lightest first, in place; O(m log m)."""
    sums = np.zeros(grids)
    for v in range(len(assigned)):
        if assigned[v] >= 0:
            sums[assigned[v]] += graph.weight[v]
    waiting = [(0.0, 0.0, -1, -1)]
    waiting.clear()
    for v in range(len(assigned)):
        if assigned[v] >= 0:
            _offer(graph, assigned, v, sums[assigned[v]], waiting)
    while len(waiting) > 0:
        _, _, u, grid = heapq.heappop(waiting)
        if assigned[u] < 0:
            assigned[u] = grid
            sums[grid] += graph.weight[u]
            _offer(graph, assigned, u, sums[grid], waiting)


@inlined
def _offer(
    graph: Graph, assigned: Ints, v: int, sum_: float, waiting: list[tuple[float, float, int, int]]
) -> None:
    """Line up the neighbours of cell ``v`` that are in no grid, for the grid of ``v``."""
    for e in range(graph.start[v], graph.start[v + 1]):
        u = graph.other[e]
        if assigned[u] < 0:
            heapq.heappush(waiting, (sum_, -graph.line[e], u, assigned[v]))


def connected(start: Ints, other: Ints, label: Ints, held: Ints) -> tuple[Ints, Ints]:
    """Connect the cells held in one grid, by way of its own cells where possible.

    Parameters
    ----------
    start, other : ndarray of int
        The cells' neighbours, as compressed sparse rows.
    label, held : ndarray of int, shape (cells,)
        Grid of each cell, and the one that it is held in, else -1.

    Returns
    -------
    ndarray, ndarray of int, shape (cells,)
        The labels changed so, and the label of each cell that connects held ones or is one, else -1.

    Raises
    ------
    BalanceError
        When cells of one cannot be connected past those of others.
    """
    label = np.where(held >= 0, held, label)
    claimed = held.copy()
    for wanted in np.unique(held[held >= 0]).tolist():
        cells = np.flatnonzero(held == wanted)
        joined = {int(cells[0])}
        while not joined.issuperset(cells.tolist()):
            path = _nearest(start, other, joined, set(cells.tolist()) - joined, label, claimed, wanted)
            if not path:
                raise BalanceError(
                    "Cells that are pinned to one grid, or held together, cannot be connected past others that are.",
                    "Lift some of the locks.",
                )
            joined.update(path)
            claimed[path] = wanted
            label[path] = wanted
    return label, claimed


def _nearest(
    start: Ints, other: Ints, sources: set[int], goals: set[int], label: Ints, claimed: Ints, wanted: int
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
        for u in other[start[v] : start[v + 1]].tolist():
            if claimed[u] in (-1, wanted):
                heapq.heappush(queue, (cost + int(label[u] != wanted), u, v))
    return []
