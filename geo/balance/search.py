"""The search for the best plan of one region: short anneals from many structures, the best carried on.

What decides a region's plan is its structure: which of today's grids go on, which are dissolved, where new ones
are opened. From a given structure a short, cool anneal settles the cells; so most effort goes into trying
structures. Long or hot anneals, windows of a few grids and recombination of pairs were measured and gave less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from geo.balance import counts, kernels
from geo.balance.board import RING_DEGREE, Board, Costs, Floats, Ints, State, lay
from geo.balance.labels import carried
from geo.balance.region import Region
from geo.balance.start import absorb, first_assignment, graph_of
from geo.balance.trees import Graph, split

STAYS = (0.5, 0.0, 1.0, -0.5)
"""How much rather labels stay, in the structures that the first plans start from."""
FIRST, STEP, LAST = (2.0, 0.1, 75), (0.7, 0.1, 40), (2.0, 0.03, 150)
"""Hot, cold and proposals a cell: of the first plans, of each other structure tried, of the last polish."""
FIRST_PLANS = 8
STRUCTURES = 60
"""Other structures tried at effort 1."""
DISSOLVE, OPEN = 0.25, 0.2
"""How sharply light grids are dissolved and heavy ones opened, in shares of a grid."""
CUTS = 4


class Task(NamedTuple):
    """One region and what is asked of it; goes to another process as it is."""

    region: Region
    grids: int
    size: Floats
    costs: Costs
    band: tuple[int, int]
    band_first: bool
    seed: int
    effort: int


class Plan(NamedTuple):
    """An assignment of a region, and how good it is: smaller is better."""

    rank: tuple[float, ...]
    assigned: Ints


def never() -> bool:
    """Never ask the search to stop: the default."""
    return False


def solve(task: Task, should_stop: Callable[[], bool] = never) -> tuple[Ints, bool]:
    """Find the best plan of one region.

    Every plan is legal and none is worse than the first: today's grids, repaired. Effort is counted in proposals,
    so that the answer depends on the task alone.

    Parameters
    ----------
    task : Task
    should_stop : callable
        Asked between anneals; once it answers True, the best so far is returned.

    Returns
    -------
    ndarray of int, shape (cells,)
        Grid of each cell, from 0.
    bool
        Whether it was stopped.
    """
    search = _Search(task)
    best = search.ranked(search.first(STAYS[0]))
    if task.grids == 1:
        return best.assigned, False
    for number in range(FIRST_PLANS):
        if should_stop():
            return best.assigned, True
        best = min(best, search.annealed(search.first(STAYS[number % len(STAYS)]), FIRST), key=_rank)
    for _ in range(STRUCTURES * task.effort):
        if should_stop():
            return best.assigned, True
        other = search.restructured(best.assigned)
        if other is not None:
            best = min(best, search.annealed(other, STEP), key=_rank)
    return min(best, search.annealed(best.assigned, LAST), key=_rank).assigned, False


def rank(task: Task, assigned: Ints) -> tuple[float, ...]:
    """Say how good an assignment of a region is, with the labels it carries best; smaller is better."""
    return _Search(task).ranked(assigned).rank


def _rank(plan: Plan) -> tuple[float, ...]:
    return plan.rank


class _Search:
    """A region's board and random generator, named by the seed and the region's first cell."""

    def __init__(self, task: Task) -> None:
        self.task, self.region = task, task.region
        self.graph: Graph = graph_of(task.region, task.grids)
        self.board: Board = lay(task.region, task.grids, task.size, task.costs)
        self.state: State = np.random.SeedSequence([task.seed, int(task.region.cells[0])]).generate_state(
            1, np.uint64
        ) | np.uint64(1)
        scratch = np.zeros(RING_DEGREE, np.int64)
        counts.mark_rings(self.board, np.full(len(task.region.cells), -1, np.int64), scratch)

    def first(self, stay: float) -> Ints:
        """Make a plan from today's grids."""
        return first_assignment(self.region, self.graph, self.task.grids, self.state, stay=stay)

    def ranked(self, assigned: Ints) -> Plan:
        """Put a plan on the board, with the labels it carries, and rank it."""
        board, region, task = self.board, self.region, self.task
        label = carried(assigned, region.today, region.pinned, region.households, task.grids)
        stays = (region.today[:, None] == label) & (label >= 0)
        np.multiply(stays, region.households[:, None], out=board.stay)
        board.cells["grid"] = assigned
        counts.fill(board)
        weight = board.grids["weight"]
        least, most = task.band
        out = int(((weight < least) | (weight > most)).sum()) if task.band_first else 0
        together = assigned[region.apart[:, 0]] == assigned[region.apart[:, 1]]
        return Plan((int(together.sum()), out, counts.energy(board)), assigned)

    def annealed(self, assigned: Ints, schedule: tuple[float, float, int]) -> Plan:
        """Improve a plan by an anneal, and rank what comes of it with the labels that fit it best."""
        self.ranked(assigned)
        hot, cold, proposals = schedule
        kernels.anneal(self.board, hot, cold, proposals * len(assigned), self.state)
        return self.ranked(self.board.cells["grid"].astype(np.int64))

    def restructured(self, assigned: Ints) -> Ints | None:
        """Dissolve a grid, preferably a light one, and cut another in two, preferably a heavy one."""
        assigned, grids = assigned.copy(), self.task.grids
        kept = np.zeros(grids, np.bool_)
        kept[assigned[self.region.fixed]] = True
        weight = self._weights(assigned)
        spare = self._pick(np.where(kept, -np.inf, -weight / DISSOLVE))
        assigned[assigned == spare] = -1
        absorb(self.graph, assigned, grids)
        cells = np.bincount(assigned, minlength=grids)
        heavy = self._pick(np.where(kept | (cells < 2), -np.inf, self._weights(assigned) / OPEN))
        if spare < 0 or heavy < 0:
            return None
        split(self.graph, assigned, heavy, 2, spare, CUTS, self.state)
        return assigned

    def _weights(self, assigned: Ints) -> Floats:
        """Weight of each grid, in shares of their mean."""
        weight = np.bincount(assigned, self.region.weight, self.task.grids)
        return np.asarray(weight * self.task.grids / max(1.0, float(weight.sum())))

    def _pick(self, liking: Floats) -> int:
        """Draw a grid with odds that grow exponentially with liking; -1 where none is liked."""
        if not np.isfinite(liking).any():
            return -1
        odds = np.exp(liking - liking.max())
        share = kernels.chance(self.state)
        return int(np.searchsorted(np.cumsum(odds), share * odds.sum(), side="right").clip(0, len(odds) - 1))
