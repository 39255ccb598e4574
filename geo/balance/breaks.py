"""Compounds that lie in more grids than they must: which, and what is known of why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from math import ceil

import numpy as np

from geo.balance.problem import Bools, Ints, Problem, components, containers, fewest_grids

WALLED, LOCKED = "walled", "locked"
SIZE, SHAPE, FREE = "size", "pieces", "free"
"""Why a compound is broken.

WALLED and LOCKED are proven: a barrier or a border of communities, or locks, break it in every plan. Otherwise
it is tried to join its parts, all else left as it is: those of a compound that fits into one grid in one of its
grids, of a larger one the part of one grid in another. SIZE: that puts grids out of band; SHAPE: it cuts a grid
in pieces, ends it, or breaks a lock; whether another plan keeps it whole is not proven. FREE: it could be joined
so, and other costs of the profile were weighed above it.
"""


@dataclass(frozen=True)
class Break:
    """A compound that lies in more grids than the fewest that hold it.

    ``grids`` are those it lies in, the one with most of it first; ``before`` is in how many it lies today.
    Of the best trial, ``part`` is the grid whose part would go, None where all would; ``into`` the grid it would
    be joined in, ``weight`` what that would weigh, ``lost`` how many fewer grids would be in band.
    """

    compound: int
    grids: tuple[int, ...]
    fewest: int
    before: int
    households: int
    reason: str
    part: int | None = None
    into: int | None = None
    weight: int | None = None
    lost: int | None = None

    @property
    def proven(self) -> bool:
        """Whether no plan keeps it whole."""
        return self.reason in (WALLED, LOCKED)


def find_breaks(problem: Problem, assignment: Ints) -> tuple[Break, ...]:
    """Find the broken compounds, as `geo.balance.measure` counts them, in the order of their first cells.

    Each is joined on trial in the grids that it lies in, O(n + m) a trial: as many as it has grids, or pairs of
    grids that touch.
    """
    estates = np.unique(problem.compound[problem.compound >= 0]).tolist()
    home = containers(problem)
    found = []
    for estate, fewest in zip(estates, fewest_grids(problem).tolist(), strict=True):
        cells = np.flatnonzero((problem.compound == estate) & (problem.weight > 0))
        grids = _by_weight(problem, assignment, cells)
        if len(grids) <= max(fewest, 1):
            continue
        today = problem.current[cells]
        broken = Break(
            compound=estate,
            grids=grids,
            fewest=fewest,
            before=len(np.unique(today[today >= 0])),
            households=int(problem.households[cells].sum()),
            reason=SHAPE,
        )
        found.append((int(cells[0]), _judged(broken, problem, assignment, cells, home)))
    return tuple(each for _, each in sorted(found, key=lambda pair: pair[0]))


def _by_weight(problem: Problem, assignment: Ints, cells: Ints) -> tuple[int, ...]:
    """Grids that cells lie in, the heaviest part first, then by their first cells; no label decides."""
    inside = cells[assignment[cells] >= 0]
    labels, first, which = np.unique(assignment[inside], return_index=True, return_inverse=True)
    order = np.lexsort((first, -np.bincount(which, problem.weight[inside], len(labels))))
    return tuple(labels[order].tolist())


def _judged(broken: Break, problem: Problem, assignment: Ints, cells: Ints, home: Ints) -> Break:
    grids = broken.grids
    if len(grids) <= _least_grids(problem, cells, home):
        return replace(broken, reason=WALLED)
    if len(grids) <= _locked_grids(problem, cells, broken.fewest):
        return replace(broken, reason=LOCKED)
    moves: list[tuple[int | None, int]] = [(None, into) for into in grids]
    if broken.fewest > 1:
        near = _touching(problem, assignment, cells)
        moves = [pair for pair in permutations(grids, 2) if pair in near]
    best, least = broken, (problem.cells, 0)
    for part, into in moves:
        some = cells if part is None else cells[assignment[cells] == part]
        tried = _joined(problem, assignment, some, into)
        if tried is not None and tried < least:
            least, (lost, weight) = tried, tried
            reason = SIZE if lost > 0 else FREE
            best = replace(broken, reason=reason, part=part, into=into, weight=weight, lost=max(lost, 0))
    return best


def _touching(problem: Problem, assignment: Ints, cells: Ints) -> set[tuple[int, int]]:
    """Pairs of grids of which the first one's part of some cells borders on the second: others cannot be joined."""
    u, v = problem.edges[problem.open].T
    u, v = np.r_[u, v], np.r_[v, u]
    inside = np.isin(u, cells)
    return set(zip(assignment[u[inside]].tolist(), assignment[v[inside]].tolist(), strict=True))


def _least_grids(problem: Problem, cells: Ints, home: Ints) -> int:
    """Fewest grids that hold cells where no grid reaches beyond a container, none above the band."""
    top = Fraction(problem.target) * (100 + problem.tolerance_percent) / 100
    weight = np.bincount(home[cells], problem.weight[cells])
    return sum(ceil(int(each) / top) for each in weight.tolist() if each)


def _locked_grids(problem: Problem, cells: Ints, fewest: int) -> int:
    """Fewest grids that hold cells where pins, frozen grids and pairs held apart stay; a lower bound."""
    if problem.locks is None:
        return fewest
    label = np.where(problem.frozen, problem.current, problem.pinned)[cells]
    held = len(np.unique(label[label >= 0]))
    if problem.frozen[cells].any() and not problem.frozen[cells].all():
        held = max(held, len(np.unique(label[problem.frozen[cells]])) + 1)
    apart = np.isin(problem.locks.apart, cells).all(axis=1).any()
    return max(fewest, held, 2 if apart else 0)


def _joined(problem: Problem, assignment: Ints, cells: Ints, into: int) -> tuple[int, int] | None:
    """Join cells in a grid: how many fewer grids are in band, and its weight then; None where not legal."""
    trial = assignment.copy()
    trial[cells] = into
    if _forbidden(problem, trial, cells):
        return None
    touched = np.isin(assignment, [*np.unique(assignment[cells]), into])
    if not _still_legal(problem, trial, touched) or len(np.unique(trial[touched])) < len(
        np.unique(assignment[touched])
    ):
        return None

    def in_band(grid: Ints) -> int:
        labels, which = np.unique(grid[touched], return_inverse=True)
        weight = np.bincount(which, problem.weight[touched], len(labels)).astype(np.int64)
        return int(problem.in_band(weight).sum())

    weight = int(problem.weight[trial == into].sum())
    return in_band(assignment) - in_band(trial), weight


def _forbidden(problem: Problem, trial: Ints, cells: Ints) -> bool:
    locks = problem.locks
    if locks is None:
        return False
    pinned = problem.pinned[cells]
    if ((pinned >= 0) & (pinned != trial[cells])).any() or problem.frozen[cells].any():
        return True
    if np.isin(trial[cells[0]], sorted(locks.frozen)):
        return True
    (a, b), (c, d) = locks.together.T, locks.apart.T
    return bool((trial[a] != trial[b]).any() or (trial[c] == trial[d]).any())


def _still_legal(problem: Problem, trial: Ints, touched: Bools) -> bool:
    """Whether each grid among the touched cells is in one piece, inside a community, over open borders."""
    u, v = problem.edges.T
    held = problem.open & touched[u] & touched[v] & (trial[u] == trial[v])
    held &= problem.community[u] == problem.community[v]
    part = components(problem.cells, u[held], v[held])[touched]
    return len(np.unique(part)) == len(np.unique(trial[touched]))
