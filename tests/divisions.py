"""Small towns, and every way to divide them: what bounds are held against."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from geo.balance import Problem, containers

Plan = tuple[frozenset[int], ...]


def board(
    rows: int,
    columns: int,
    households: object = 10,
    current: object = -1,
    community: object = 0,
    **other: Any,
) -> Problem:
    """Square cells of 10 m, row by row."""
    n = rows * columns
    at = np.arange(n).reshape(rows, columns)
    edges = np.r_[np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]]

    def each(value: object) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, np.int64).ravel(), n).copy()

    given: dict[str, Any] = {
        "households": each(households),
        "xy": np.c_[np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)] * 10.0,
        "area": np.full(n, 100.0),
        "perimeter": np.full(n, 40.0),
        "community": each(community),
        "compound": np.full(n, -1),
        "current": each(current),
        "edges": edges,
        "shared_m": np.full(len(edges), 10.0),
        "open": np.ones(len(edges), bool),
        "target": 30,
    }
    return Problem(**{**given, **other})


@st.composite
def towns(draw: st.DrawFn, cells: int = 9) -> Problem:
    """Boards of some cells with barriers, two communities, empty and heavy cells, and today's grids in any state."""
    rows = draw(st.integers(1, 3))
    columns = draw(st.integers(1, cells // rows))
    n = rows * columns
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    households = rng.integers(0, draw(st.sampled_from([12, 25, 45])), n) * (rng.random(n) < 0.85)
    today = rng.integers(-1 if draw(st.booleans()) else 0, draw(st.integers(1, 4)), n)
    if draw(st.booleans()):  # grids as in life: of neighbouring cells
        today = np.sort(today)
    problem = board(
        rows,
        columns,
        households=households,
        current=np.where(today < 0, -1, 7 * today),
        community=np.repeat(rng.integers(0, draw(st.integers(1, 2)), rows), columns),
        target=draw(st.sampled_from([12, 20, 30, 30.5])),
        tolerance_percent=draw(st.sampled_from([0, 10, 25, 100])),
    )
    barrier = rng.random(len(problem.edges)) < draw(st.sampled_from([0.0, 0.2, 0.4]))
    expected = households + rng.integers(0, 9, n) if draw(st.booleans()) else None
    return dataclasses.replace(problem, open=~barrier, expected=expected, expected_percent=60)


def neighbours(problem: Problem) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(problem.cells)]
    for (u, v), open_ in zip(problem.edges.tolist(), problem.open.tolist(), strict=True):
        if open_ and problem.community[u] == problem.community[v]:
            near[u].add(v)
            near[v].add(u)
    return near


def connected(cells: frozenset[int], near: list[set[int]]) -> bool:
    reached, fresh = set(), {min(cells)}
    while fresh:
        reached |= fresh
        fresh = {other for cell in fresh for other in near[cell] & cells} - reached
    return reached == cells


def plans(cells: frozenset[int], near: list[set[int]]) -> list[Plan]:
    """All divisions of some cells into connected grids."""

    @cache
    def divide(left: frozenset[int]) -> list[Plan]:
        if not left:
            return [()]
        cell = min(left)
        others = sorted(left - {cell})
        made = []
        for size in range(len(others) + 1):
            for more in itertools.combinations(others, size):
                grid = frozenset({cell, *more})
                if connected(grid, near):
                    made += [(grid, *rest) for rest in divide(left - grid)]
        return made

    return divide(cells)


def moved(problem: Problem, plan: Plan) -> int:
    """Households that a plan moves when its grids carry the labels that keep the most."""
    labels = np.unique(problem.current[problem.current >= 0])
    known = int(problem.households[problem.current >= 0].sum())
    if len(labels) == 0:
        return 0
    kept = np.zeros((len(plan), len(labels)))
    for row, grid in enumerate(plan):
        for cell in grid:
            if problem.current[cell] >= 0 and problem.pinned[cell] in (-1, problem.current[cell]):
                kept[row, np.searchsorted(labels, problem.current[cell])] += problem.households[cell]
    return known - int(kept[linear_sum_assignment(kept, maximize=True)].sum())


@dataclasses.dataclass
class Best:
    """The best of all plans of one container with so many grids; moves by how many may be out of band."""

    in_band: int
    worst: float
    moved: dict[int, int]


def best(problem: Problem, divisions: list[Plan], grids: int) -> Best | None:
    found = Best(-1, np.inf, {})
    for plan in divisions:
        if len(plan) != grids:
            continue
        weight = np.array([problem.weight[list(grid)].sum() for grid in plan])
        in_band = int(problem.in_band(weight).sum())
        found.in_band = max(found.in_band, in_band)
        found.worst = min(found.worst, float(np.abs(100.0 * (weight / problem.target - 1.0)).max()))
        for out in range(grids - in_band, grids + 1):
            found.moved[out] = min(found.moved.get(out, 10**9), moved(problem, plan))
    return None if found.in_band < 0 else found


def per_container(problem: Problem) -> list[list[Plan]]:
    home, near = containers(problem), neighbours(problem)
    return [
        plans(frozenset(np.flatnonzero(home == each).tolist()), near) for each in range(int(home.max()) + 1)
    ]


def street(households: list[int], current: object = 1, **other: Any) -> Problem:
    return board(1, len(households), households=households, current=current, **other)
