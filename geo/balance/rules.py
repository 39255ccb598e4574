"""By which rule a cell moves: decided from both assignments, the locks and the borders alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from geo.balance.problem import Bools, Floats, Ints, Problem, containers, pieces
from geo.balance.report import Measures, measure

LOCK = "lock"
COMMUNITY, BARRIER, IN_PIECES = "repair_community", "repair_barrier", "repair_pieces"
DISSOLVED, OPENED = "dissolved", "opened"
ABOVE, BELOW = "above", "below"
WHOLE, CHAIN, NEARER, SHAPE, EXCHANGE = "whole", "chain", "nearer", "shape", "exchange"
PLACED = "placed"
RULES = (
    *(LOCK, COMMUNITY, BARRIER, IN_PIECES, DISSOLVED, OPENED),
    *(ABOVE, BELOW, WHOLE, CHAIN, NEARER, SHAPE, EXCHANGE, PLACED),
)
"""In order: the first that holds of a cell is the reason told; PLACED is of cells that are in no grid today."""


class Key(NamedTuple):
    """What cells have in common that are told of in one sentence; grids as `Both` numbers them."""

    source: int
    destination: int
    rule: str


class Both:
    """Today's grids and a plan's, numbered from 0 by their first cells, so that no label decides anything."""

    def __init__(self, problem: Problem, assignment: Ints) -> None:
        self.problem = problem
        labels, first, number = np.unique(
            np.r_[problem.current, assignment], return_index=True, return_inverse=True
        )
        known = np.flatnonzero(labels >= 0)
        order = known[np.argsort(first[known], kind="stable")]
        rank = np.full(len(labels), -1, np.int64)
        rank[order] = np.arange(len(order))
        self.label: list[int] = labels[order].tolist()
        self.today: Ints = rank[number[: problem.cells]]
        self.after: Ints = rank[number[problem.cells :]]
        self.container = containers(problem)
        self.measured = measure(problem, problem.current), measure(problem, assignment)
        (self.weight_before, self.round_before), (self.weight_after, self.round_after) = map(
            self._sizes, self.measured
        )
        self.there = np.isin(np.arange(len(order)), self.today)
        self.left = np.isin(np.arange(len(order)), self.after)
        self.grids_before, self.grids_after = self._counts(self.today), self._counts(self.after)

    @property
    def moved(self) -> Bools:
        """Whether a cell counts as moved; shape (n,)."""
        return np.asarray((self.today >= 0) & (self.after >= 0) & (self.today != self.after))

    def _sizes(self, measures: Measures) -> tuple[Ints, Floats]:
        at = {label: grid for grid, label in enumerate(self.label)}
        weight, roundness = np.zeros(len(at), np.int64), np.zeros(len(at))
        for row in measures.grid_rows:
            weight[at[row.label]], roundness[at[row.label]] = row.weight, row.compactness
        return weight, roundness

    def _counts(self, grid: Ints) -> Ints:
        """Grids of each container, also those that only reach into it."""
        pairs = np.unique(np.c_[self.container, grid][grid >= 0], axis=0)
        return np.bincount(pairs[:, 0], minlength=int(self.container.max()) + 1)


class Between:
    """Rules that are about two grids as a whole, and the ends of chains of moves."""

    def __init__(self, both: Both, pairs: Iterable[tuple[int, int]], repaired: Bools) -> None:
        self._both = both
        self._least, self._most = both.problem.band()
        before = both.weight_before
        self._gives = both.there & (~both.left | (before > self._most))
        self._pushes = self._gives.copy()
        self._pushes[both.today[repaired]] = True
        self._takes = both.left & (~both.there | (before < self._least))
        self._next: dict[int, list[int]] = {}
        self._former: dict[int, list[int]] = {}
        for s, d in sorted(set(pairs)):
            self._next.setdefault(s, []).append(d)
            self._former.setdefault(d, []).append(s)

    def rule(self, s: int, d: int, joins: bool) -> str:
        """Name the first rule that holds of cells that go from ``s`` to ``d``."""
        both = self._both
        before, after, target = both.weight_before, both.weight_after, both.problem.target
        off = [abs(w[s] - target) + abs(w[d] - target) for w in (before, after)]
        roundness = [r[s] + r[d] for r in (both.round_before, both.round_after)]
        holds = {
            DISSOLVED: not both.left[s],
            OPENED: not both.there[d],
            ABOVE: before[s] > self._most and after[s] < before[s],
            BELOW: before[d] < self._least and after[d] > before[d],
            WHOLE: joins,
            CHAIN: self.ends(s, d) != (None, None),
            NEARER: off[1] < off[0],
            SHAPE: roundness[1] > roundness[0],
        }
        return next((rule for rule, held in holds.items() if held), EXCHANGE)

    def ends(self, s: int, d: int) -> tuple[int | None, int | None]:
        """Follow the moves that lead to ``s`` back, and those that go on from ``d``.

        Back to the nearest grid that had to give: above the band, dissolved, or in pieces; on to the nearest
        that was below the band, or is new.
        """
        origin = s if self._gives[s] else _nearest(s, d, self._former, self._pushes)
        end = d if self._takes[d] else _nearest(d, s, self._next, self._takes)
        return origin, end


def _nearest(grid: int, without: int, on: dict[int, list[int]], wanted: Bools) -> int | None:
    seen, front = {grid, without}, [grid]
    while front:
        front = sorted({each for one in front for each in on.get(one, ())} - seen)
        for each in front:
            if wanted[each]:
                return each
        seen.update(front)
    return None


def locked(both: Both) -> Bools:
    """Whether a lock alone says that a cell moves; shape (n,)."""
    problem, locks = both.problem, both.problem.locks
    found = np.zeros(problem.cells, np.bool_)
    if locks is None:
        return found
    found |= (locks.pinned >= 0) & (locks.pinned != problem.current)
    for pairs, wanted in ((locks.together, True), (locks.apart, False)):
        u, v = pairs.T
        changed = ((both.today[u] == both.today[v]) != wanted) & ((both.after[u] == both.after[v]) == wanted)
        found[u[changed]] = found[v[changed]] = True
    return found


def repaired(both: Both) -> list[str]:
    """Name what is wrong with each cell that is not in its grid's main part; empty for others; O(n log n).

    The main part is the one from which the plan leaves the most weight in the grid, then the heaviest.
    """
    problem, today = both.problem, both.today
    _, key = np.unique(np.c_[today, problem.community], axis=0, return_inverse=True)
    part = pieces(problem, key.ravel())
    first = np.unique(part, return_index=True)[1]
    count = len(first)
    kept = np.bincount(part, problem.weight * (both.after == today), count)
    weight, cells = np.bincount(part, problem.weight, count), np.bincount(part, minlength=count)
    order = np.lexsort((first, -cells, -weight, -kept))
    main: dict[int, int] = {}
    for p in order.tolist():
        main.setdefault(int(today[first[p]]), p)
    wrong = [""] * count
    for p in range(count):
        grid = int(today[first[p]])
        if grid < 0 or main[grid] == p:
            continue
        here, there = first[p], first[main[grid]]
        if problem.community[here] != problem.community[there]:
            wrong[p] = COMMUNITY
        else:
            wrong[p] = BARRIER if both.container[here] != both.container[there] else IN_PIECES
    return [wrong[p] for p in part.tolist()]


def joins(both: Both) -> dict[int, int]:
    """Find the moved cells that bring a compound into fewer grids, and name it.

    They leave a grid in which nothing of it is left for one that it lies in already, and it lies in fewer then.
    """
    compound = both.problem.compound
    inside = compound >= 0
    before, after = (
        set(zip(compound[inside].tolist(), grid[inside].tolist(), strict=True))
        for grid in (both.today, both.after)
    )
    parts_before, parts_after = (Counter(estate for estate, _ in pairs) for pairs in (before, after))
    found = {}
    for cell in np.flatnonzero(inside & both.moved).tolist():
        estate, s, d = int(compound[cell]), int(both.today[cell]), int(both.after[cell])
        left = (estate, s) not in after and (estate, d) in before
        if left and parts_after[estate] < parts_before[estate]:
            found[cell] = estate
    return found


def keys(both: Both, joined: dict[int, int]) -> dict[int, Key]:
    """Decide the rule of each moved cell; O(n log n)."""
    cells = np.flatnonzero(both.moved)
    pairs = list(zip(both.today[cells].tolist(), both.after[cells].tolist(), strict=True))
    lock, wrong = locked(both), repaired(both)
    between = Between(both, pairs, both.moved & (np.array(wrong) != ""))
    known: dict[tuple[int, int, bool], str] = {}
    found = {}
    for cell, (s, d) in zip(cells.tolist(), pairs, strict=True):
        rule = LOCK if lock[cell] else wrong[cell]
        if not rule:
            about = (s, d, cell in joined)
            rule = known.get(about) or known.setdefault(about, between.rule(*about))
        found[cell] = Key(s, d, rule)
    return found
