"""The search for the best plan of one region: short anneals from many structures, the best carried on.

What decides a region's plan is its structure: which of today's grids go on, which are dissolved, where new ones
are opened. From a given structure a short, cool anneal of the grids near the change settles the cells; so most
effort goes into trying structures. Long or hot anneals, recombination of pairs, starts from METIS or from a cheapest
flow of surplus, and a polish of every pair of neighbours were measured and gave less.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from geo.balance import counts, kernels
from geo.balance.board import RING_DEGREE, Board, Costs, Floats, Ints, State, lay
from geo.balance.labels import Labels
from geo.balance.problem import Bools
from geo.balance.region import Region
from geo.balance.start import absorb, first_assignment, graph_of
from geo.balance.trees import Graph, split

STAYS = (0.5, 0.0, 1.0, -0.5)
"""How much rather labels stay, in the structures that the first plans start from."""
FIRST, TRIAL, LAST = (1.0, 0.05, 75), (0.25, 0.02, 15), (1.0, 0.02, 150)
"""Hot, cold and proposals a cell: of the first plans, of each other structure tried, of the last polish."""
FIRST_PLANS = 2
"""First plans of which the best begins a lineage."""
ROUNDS = ((4, 3), (2, 5), (1, 12))
"""Lineages carried on, and the structures each tries a grid at effort 1; fewer go on from round to round."""
WINDOW = 6
"""Grids near a change that are annealed with it, at least."""
HOPELESS = 10.0
"""A trial that is so many points behind at half time is given up."""
DISSOLVE, OPEN = 0.25, 0.2
"""How sharply light grids are dissolved and heavy ones opened, in shares of a grid."""
CUTS = 4


Schedule = tuple[float, float, int]


class Task(NamedTuple):
    """One region and what is asked of it; goes to another process as it is."""

    region: Region
    grids: int
    size: Floats
    costs: Costs
    band: tuple[int, int]
    band_first: bool
    seed: int
    effort: float


class Plan(NamedTuple):
    """An assignment of a region, and how good it is: smaller is better."""

    rank: tuple[float, ...]
    assigned: Ints


def quality(plan: Plan) -> tuple[float, ...]:
    """Compare plans by their rank."""
    return plan.rank


class Search:
    """A region's board and random generator, named by the seed and the region's first cell."""

    def __init__(self, task: Task) -> None:
        self.task, self.region = task, task.region
        self.labels = Labels(task.region.today, task.region.pinned, task.region.households)
        self.graph: Graph = graph_of(task.region, task.grids)
        self.board: Board = lay(task.region, task.grids, task.size, task.costs)
        self.state: State = np.random.SeedSequence([task.seed, int(task.region.cells[0])]).generate_state(
            1, np.uint64
        ) | np.uint64(1)
        scratch = np.zeros(RING_DEGREE, np.int64)
        self.board.grids["inside"] = True
        counts.mark_rings(self.board, np.full(len(task.region.weight), -1, np.int64), scratch)

    def first(self, stay: float) -> Ints:
        """Make a plan from today's grids."""
        return first_assignment(self.region, self.graph, self.task.grids, self.state, stay=stay)

    def ranked(self, assigned: Ints) -> Plan:
        """Put a plan on the board, with the labels it carries, and rank it."""
        board, region, task = self.board, self.region, self.task
        label = self.labels.carried(assigned, task.grids)
        board.grids["label"] = np.where(label < 0, -2, label)
        board.cells["grid"] = assigned
        counts.fill(board)
        weight = board.grids["weight"]
        least, most = task.band
        out = int(((weight < least) | (weight > most)).sum()) if task.band_first else 0
        together = assigned[region.apart[:, 0]] == assigned[region.apart[:, 1]]
        return Plan((int(together.sum()), out, counts.energy(board)), assigned)

    def improving(self, start: Plan, first_plans: int = FIRST_PLANS) -> Iterator[Plan]:
        """Make one plan after another, so many of each lineage from today's grids, and give the best so far."""
        lineages = [start] * ROUNDS[0][0]
        for number in range(first_plans * len(lineages)):
            plan = self.annealed(self.first(STAYS[number % len(STAYS)]), FIRST)
            own = number // first_plans
            lineages[own] = min(lineages[own], plan, key=quality)
            yield min(lineages, key=quality)
        for going_on, trials in ROUNDS:
            lineages = sorted(lineages, key=quality)[:going_on]
            for own in range(going_on):
                for _ in range(round(trials * self.task.grids * self.task.effort)):
                    lineages[own] = min(lineages[own], self.trial(lineages[own]), key=quality)
                    yield min(lineages, key=quality)
        yield min(lineages[0], self.annealed(lineages[0].assigned, LAST), key=quality)

    def annealed(self, assigned: Ints, schedule: Schedule) -> Plan:
        """Improve a plan by an anneal, and rank what comes of it with the labels that fit it best."""
        self.ranked(assigned)
        hot, cold, proposals = schedule
        kernels.anneal(self.board, hot, cold, proposals * len(assigned), self.state)
        return self.ranked(self._on_board())

    def trial(self, plan: Plan) -> Plan:
        """Change the structure of a plan and anneal the grids near the change; the plan itself where that fails."""
        changed = self.restructured(plan.assigned)
        if changed is None:
            return plan
        assigned, near = changed
        board, (hot, cold, proposals) = self.board, TRIAL
        inside = self._window(assigned, near)
        board.grids["inside"] = inside
        energy = self.ranked(assigned).rank[-1]
        half, middle = proposals * int(inside[assigned].sum()) // 2, (hot * cold) ** 0.5
        energy += kernels.anneal(board, hot, middle, half, self.state)
        promising = energy - plan.rank[-1] < HOPELESS
        if promising:
            kernels.anneal(board, middle, cold, half, self.state)
        board.grids["inside"] = True
        return self.ranked(self._on_board()) if promising else plan

    def restructured(self, assigned: Ints) -> tuple[Ints, Bools] | None:
        """Dissolve a grid, preferably a light one, and cut another in two, preferably a heavy one.

        Returns
        -------
        ndarray of int, ndarray of bool, shape (cells,), or None
            The new assignment, and which cells were in either grid; None where there is nothing to change.
        """
        assigned, grids = assigned.copy(), self.task.grids
        kept = np.zeros(grids, np.bool_)
        kept[assigned[self.region.fixed]] = True
        spare = self._pick(np.where(kept, -np.inf, -self._weights(assigned) / DISSOLVE))
        near = assigned == spare
        assigned[near] = -1
        absorb(self.graph, assigned, grids)
        cells = np.bincount(assigned, minlength=grids)
        heavy = self._pick(np.where(kept | (cells < 2), -np.inf, self._weights(assigned) / OPEN))
        if spare < 0 or heavy < 0:
            return None
        near |= assigned == heavy
        split(self.graph, assigned, heavy, 2, spare, CUTS, self.state)
        return assigned, near

    def _window(self, assigned: Ints, near: Bools) -> Bools:
        """Grids that hold the given cells, and their neighbours until they are enough; shape (grids,)."""
        source, other = assigned[self.region.source], assigned[self.region.other]
        inside = np.zeros(self.task.grids, np.bool_)
        inside[assigned[near]] = True
        while inside.sum() < min(WINDOW, self.task.grids):
            inside[other[inside[source]]] = True
        return inside

    def _on_board(self) -> Ints:
        return np.asarray(self.board.cells["grid"], np.int64)

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
