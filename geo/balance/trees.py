"""Cuts of a grid in two along the edge of a random spanning tree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.balance.board import Floats, Ints, State, compiled
from geo.balance.kernels import below

UNEVEN_CUT = 10.0
"""What a cut that leaves a part off by its whole size costs, in grid lines as long as a grid is wide."""


class Graph(NamedTuple):
    """A region as cuts see it: compressed sparse rows, the cost of a grid line at each border, and weights."""

    start: Ints
    other: Ints
    line: Floats
    weight: Ints


@compiled
def _grow_tree(graph: Graph, assigned: Ints, grid: int, parent: Ints, order: Ints, state: State) -> int:
    """Grow a random spanning tree of a grid from a random cell; ``order`` lists cells, parents first."""
    n = len(assigned)
    cells = 0
    for v in range(n):
        parent[v] = -1
        if assigned[v] == grid:
            order[cells] = v
            cells += 1
    root = order[below(cells, state)]
    frontier = np.empty(len(graph.other) + 1, np.int64)
    source = np.empty(len(graph.other) + 1, np.int64)
    frontier[0] = source[0] = root
    waiting = 1
    done = 0
    while waiting > 0:
        pick = below(waiting, state)
        v, via = frontier[pick], source[pick]
        waiting -= 1
        frontier[pick], source[pick] = frontier[waiting], source[waiting]
        if parent[v] >= 0:
            continue
        parent[v] = via
        order[done] = v
        done += 1
        for e in range(graph.start[v], graph.start[v + 1]):
            u = graph.other[e]
            if assigned[u] == grid and parent[u] < 0:
                frontier[waiting], source[waiting] = u, v
                waiting += 1
    return done


@compiled
def _best_edge(graph: Graph, parent: Ints, order: Ints, parts: int) -> tuple[int, int, float]:
    """Find the tree edge whose two sides are nearest to whole parts.

    Returns the cell below it, the parts due to that side, and how far a part is off, as a share of its size.
    """
    cells = len(order)
    sums = np.zeros(len(parent), np.int64)
    sizes = np.zeros(len(parent), np.int64)
    for i in range(cells - 1, -1, -1):
        v = order[i]
        sums[v] += graph.weight[v]
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
def split(graph: Graph, assigned: Ints, grid: int, parts: int, fresh: int, tries: int, state: State) -> int:
    """Cut a connected grid in two where the sides can best be made of whole parts; both stay connected.

    An edge of the best of several random spanning trees is cut, as in recombination (DeFord, Duchin and
    Solomon 2021); evenness (`UNEVEN_CUT`) and the length of the new grid line decide.

    Parameters
    ----------
    graph : Graph
    assigned : ndarray of int, shape (n,)
        Grid of each cell; the cells cut off get ``fresh``, in place.
    grid : int
        The grid to cut, of at least ``parts`` cells.
    parts : int
        Number of grids that it shall become in the end, at least 2.
    fresh : int
        Number of the new grid.
    tries : int
        Spanning trees tried, each O(cells of the graph).
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
        order = room[: _grow_tree(graph, assigned, grid, parent, room, state)]
        cut, share, off = _best_edge(graph, parent, order, parts)
        below = np.zeros(len(assigned), np.bool_)
        below[cut] = True
        for v in order[1:]:
            below[v] |= below[parent[v]]
        cost = UNEVEN_CUT * off
        for v in order:
            for e in range(graph.start[v], graph.start[v + 1]):
                u = graph.other[e]
                if below[v] and assigned[u] == grid and not below[u]:
                    cost += graph.line[e]
        if cost < best_cost:
            best_cost, best_share, best = cost, share, below
    assigned[best] = fresh
    return best_share
