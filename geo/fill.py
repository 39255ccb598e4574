"""Give cells that are in no grid to the grids around them."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from geo.balance.problem import Problem, containers


def fill(problem: Problem, assignment: NDArray[np.int64]) -> NDArray[np.int64]:
    """Complete an assignment that leaves cells out.

    A cell without a grid joins the neighbouring grid it shares the longest open border with, the cells
    with the longest such borders first. What no grid of its container reaches becomes one new grid a
    container.

    Parameters
    ----------
    problem : Problem
        Its cells and adjacency; ``current`` is not looked at.
    assignment : ndarray of int, shape (n,)
        Label of each cell's grid, -1 where it has none.

    Returns
    -------
    ndarray of int, shape (n,)
        Labels without -1; new ones are above all that were given. O((n + m) log m).
    """
    filled = assignment.copy()
    around: list[list[tuple[int, float]]] = [[] for _ in range(problem.cells)]
    for (u, v), length in zip(
        problem.edges[problem.open].tolist(), problem.shared_m[problem.open].tolist(), strict=True
    ):
        around[u].append((v, length))
        around[v].append((u, length))
    touching = np.flatnonzero(assignment >= 0).tolist()
    offers = [
        (-length, cell, int(filled[held]))
        for held in touching
        for cell, length in around[held]
        if filled[cell] < 0
    ]
    heapq.heapify(offers)
    while offers:
        _, cell, label = heapq.heappop(offers)
        if filled[cell] >= 0:
            continue
        filled[cell] = label
        for neighbour, length in around[cell]:
            if filled[neighbour] < 0:
                heapq.heappush(offers, (-length, neighbour, label))
    left = filled < 0
    _, fresh = np.unique(containers(problem)[left], return_inverse=True)
    filled[left] = max(int(filled.max(initial=-1)), -1) + 1 + fresh
    return filled
