"""The balancer: each region from a legal start, improved by rounds of annealing, labels carried over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geo.balance.problem import Ints, Problem
from geo.balance.profiles import STABLE, Profile
from geo.balance.report import Proposal, Report, measure
from geo.balance.search import Region, State, Weights, anneal, energy
from geo.balance.start import apportion, carried, first_assignment, region_graphs, regions
from geo.errors import BalanceError
from geo.progress import Progress, silent

HEATS = (2.0, 10.0, 2.0, 10.0)
"""First temperature of each annealing run at effort 1, in the costs of `Weights`; each run starts from the best so
far. The cool runs keep most of today's plan; the hot ones free grids that only a detour can bring into the band."""
COLD = 0.1
"""Last temperature of each run."""
PROPOSALS = 5000
"""Proposals a cell in a run."""


def never() -> bool:
    """Never ask the search to stop: the default."""
    return False


def balance(
    problem: Problem,
    *,
    profile: Profile = STABLE,
    seed: int = 0,
    effort: int = 1,
    progress: Progress = silent,
    should_stop: Callable[[], bool] = never,
) -> Proposal:
    """Propose grids near the target that move few households from today's.

    Every grid is connected over open edges and inside one community, whatever the start; then, in falling
    order of weight (`Weights`): grids in the band, size, households moved, short grid lines and whole
    compounds. The same problem, seed and effort give the same proposal; regions do not influence each other.
    About 0.1 µs a proposal, 20,000 proposals a cell.

    Parameters
    ----------
    problem : Problem
    seed : int
        Of the random generator, from 0 up.
    effort : int
        Repeats of the annealing runs, from 1 up.
    progress : Progress
        Told of stages ``start`` and ``improve``.
    should_stop : callable
        Asked between runs; once it answers True, what is there is returned.

    Returns
    -------
    Proposal

    Raises
    ------
    BalanceError
        When the number of grids cannot be had or pinned cells cannot be connected.
    """
    if seed < 0 or effort < 1:
        raise BalanceError(
            f"seed is {seed}, effort is {effort}.", "A seed is at least 0, an effort at least 1."
        )
    weights = Weights(problem.target, problem.tolerance_percent)
    parts = _start(problem, seed, progress)
    stopped = False
    done = 0
    for part in parts:
        progress("improve", done / problem.cells)
        stopped = _improve(part, weights, HEATS * effort, should_stop)
        if stopped:
            break
        done += len(part.cells)
    progress("improve", 1.0)
    assignment = _labelled(problem, parts)
    return Proposal(
        assignment=assignment,
        report=Report(
            before=measure(problem, problem.current), after=measure(problem, assignment), stopped=stopped
        ),
    )


@dataclass
class _Part:
    """One region at work: its cells in the district, today's and pinned labels, and its grids so far."""

    cells: Ints
    graph: Region
    today: Ints
    pinned: Ints
    count: int
    state: State
    assigned: Ints

    def home(self, assigned: Ints) -> Ints:
        """Grid that carries the label each cell has today, or -1 where none does."""
        label = carried(assigned, self.today, self.pinned, self.graph.households, self.count)
        order = np.argsort(label, kind="stable")
        at = np.minimum(np.searchsorted(label[order], self.today), self.count - 1)
        grid = order[at]
        return np.where((self.today >= 0) & (label[grid] == self.today), grid, -1)


def _start(problem: Problem, seed: int, progress: Progress) -> list[_Part]:
    """Give every region a legal assignment and a random generator of its own, named by its first cell."""
    region = regions(problem)
    counts = apportion(problem, region)
    parts: list[_Part] = []
    for (cells, graph), count in zip(region_graphs(problem, region, counts), counts.tolist(), strict=True):
        progress("start", len(parts) / len(counts))
        state = np.random.SeedSequence([seed, int(cells[0])]).generate_state(1, np.uint64) | np.uint64(1)
        today, pinned = problem.current[cells], problem.pinned[cells]
        assigned = first_assignment(graph, today, pinned, count, state)
        parts.append(_Part(cells, graph, today, pinned, count, state, assigned))
    return parts


def _improve(
    part: _Part, weights: Weights, heats: tuple[float, ...], should_stop: Callable[[], bool]
) -> bool:
    """Anneal one region from each temperature, keeping the best; says whether it was stopped."""
    home = part.home(part.assigned)
    best = energy(part.graph, home, part.assigned, part.count, weights)
    for hot in heats if part.count > 1 else ():
        if should_stop():
            return True
        trial = part.assigned.copy()
        proposals = PROPOSALS * len(trial)
        anneal(part.graph, home, trial, part.count, weights, hot, COLD, proposals, part.state)
        trial_home = part.home(trial)
        cost = energy(part.graph, trial_home, trial, part.count, weights)
        if cost < best:
            best, home, part.assigned = cost, trial_home, trial
    return False


def _labelled(problem: Problem, parts: list[_Part]) -> Ints:
    """Put the regions and the frozen grids together, with today's labels where grids continue them."""
    grid = np.full(problem.cells, -1, np.int64)
    grids = 0
    for part in parts:
        grid[part.cells] = grids + part.assigned
        grids += part.count
    frozen, grid[problem.frozen] = np.unique(problem.current[problem.frozen], return_inverse=True)
    grid[problem.frozen] += grids
    grids += len(frozen)
    label = carried(grid, problem.current, problem.pinned, problem.households, grids)
    new = label < 0
    label[new] = 1 + max(problem.current.max(), problem.pinned.max()) + np.arange(new.sum())
    return label[grid]
