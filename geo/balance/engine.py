"""The balancer: a district's regions, each divided by itself, and labels carried over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from geo.balance.apportion import apportion
from geo.balance.board import Costs
from geo.balance.labels import Labels
from geo.balance.problem import Bools, Floats, Ints, Problem, containers
from geo.balance.profiles import STABLE, Profile
from geo.balance.region import numbered, regions
from geo.balance.report import HALF, Proposal, Report, measure
from geo.balance.search import Task
from geo.balance.solve import never, solve
from geo.balance.together import held_together
from geo.errors import BalanceError
from geo.progress import Progress, silent

Solve = Callable[[Task], tuple[Ints, bool]]
Run = Callable[[Solve, Sequence[Task]], Iterable[tuple[Ints, bool]]]
"""Something that applies a function to tasks, wherever it likes, and gives the answers in order."""

APART = 1e4
"""What a pair that a lock holds apart costs together, in points: far more than moves and lines."""


def balance(
    problem: Problem,
    *,
    profile: Profile = STABLE,
    seed: int = 0,
    effort: int = 1,
    only: Iterable[int] | None = None,
    threads: int = 1,
    run: Run | None = None,
    progress: Progress = silent,
    should_stop: Callable[[], bool] = never,
) -> Proposal:
    """Propose grids near the target, as a profile weighs what that may cost.

    Every grid is connected over open edges and inside one community, whatever the start. The same problem,
    profile, seed and effort give the same proposal, however it is run; containers do not influence each other.
    About 0.6 ms a cell at effort 1.

    Parameters
    ----------
    problem : Problem
    profile : Profile
        What is wanted most; see `geo.balance.profiles`.
    seed : int
        Of the random generator, from 0 up.
    effort : int
        How many structures are tried, in units of `search.ROUNDS`; from 1 up.
    only : iterable of int, optional
        Numbers of the `containers` that may change; the others stay as they are, in whatever state.
    threads : int
        Regions at work at a time in this process.
    run : Run, optional
        Solves the regions elsewhere; ``threads`` is not looked at then, and ``should_stop`` between answers.
    progress : Progress
        Told of stages ``start`` and ``improve``.
    should_stop : callable
        Asked often; once it answers True, the best so far is returned: legal, but another run need not equal it.

    Returns
    -------
    Proposal

    Raises
    ------
    BalanceError
        When the number of grids cannot be had, or what is locked cannot be kept.
    """
    if seed < 0 or effort < 1 or threads < 1:
        raise BalanceError(
            f"seed is {seed}, effort is {effort}, threads are {threads}.",
            "A seed is at least 0, an effort and a number of threads at least 1.",
        )
    progress("start", 0.0)
    still = problem.frozen | _outside(problem, only)
    tasks = tasks_of(problem, still, profile, seed, effort)
    progress("start", 1.0)
    grid, grids, stopped = np.full(problem.cells, -1, np.int64), 0, False
    done = 0
    answers = (run or _in_process(threads, should_stop))(solve, tasks)
    for task, (assigned, cut_short) in zip(tasks, answers, strict=True):
        grid[task.region.cells] = grids + assigned[task.region.unit]
        grids += task.grids
        stopped |= cut_short
        done += len(task.region.cells)
        progress("improve", done / max(1, (~still).sum()))
    progress("improve", 1.0)
    assignment = _labelled(problem, grid, grids, still)
    _check_apart(problem, assignment)
    before, after = measure(problem, problem.current), measure(problem, assignment)
    return Proposal(assignment, Report(before, after, stopped))


def _outside(problem: Problem, only: Iterable[int] | None) -> Bools:
    if only is None:
        return np.zeros(problem.cells, np.bool_)
    home, wanted = containers(problem), sorted(set(only))
    if unknown := [number for number in wanted if not 0 <= number <= home.max()]:
        raise BalanceError(
            f"There is no container {unknown[0]}.", f"Containers are numbered from 0 to {home.max()}."
        )
    return ~np.isin(home, wanted)


def tasks_of(problem: Problem, still: Bools, profile: Profile, seed: int = 0, effort: int = 1) -> list[Task]:
    """Pose each region by itself: what may change, how many grids it gets, and what costs how much.

    Parameters
    ----------
    problem : Problem
    still : ndarray of bool, shape (n,)
        Cells that stay as they are.
    profile : Profile
    seed, effort : int
    """
    number = numbered(problem, still)
    counts = apportion(problem, number, still)
    made = [held_together(region) for region in regions(problem, number)]
    size = _size_costs(problem, profile, max((int(region.weight.sum()) for region in made), default=0))
    costs = Costs(
        profile.moved / problem.target,
        profile.shape,
        profile.small_split / problem.target,
        profile.large_split,
        profile.old_split,
        APART,
    )
    return [
        Task(
            region,
            grids,
            size[: int(region.weight.sum()) + 1],
            costs,
            problem.band(),
            profile.band_first,
            seed,
            effort,
        )
        for region, grids in zip(made, counts.tolist(), strict=True)
    ]


def _size_costs(problem: Problem, profile: Profile, heaviest: int) -> Floats:
    """Cost of a grid of each weight from 0 to the heaviest."""
    weight = np.arange(heaviest + 1)
    (least, most), (near_least, near_most) = problem.band(), problem.band(HALF)
    width = max(problem.target * problem.tolerance_percent / 100.0, 0.5)
    beyond = np.maximum(np.maximum(least - weight, weight - most), 0)
    outside = (weight < near_least) | (weight > near_most)
    return np.asarray(
        profile.uneven * ((weight - problem.target) / width) ** 2
        + profile.near * outside
        + np.where(beyond > 0, profile.band + profile.beyond * beyond / width, 0.0)
    )


def _in_process(threads: int, should_stop: Callable[[], bool]) -> Run:
    def run(_: Solve, tasks: Sequence[Task]) -> Iterator[tuple[Ints, bool]]:
        here = partial(solve, should_stop=should_stop)
        if threads == 1:
            yield from map(here, tasks)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(here, tasks)

    return run


def _labelled(problem: Problem, grid: Ints, grids: int, still: Bools) -> Ints:
    """Give grids today's labels where they continue them, new ones elsewhere; what stays keeps its own."""
    assignment, free = problem.current.copy(), ~still
    kept = np.unique(problem.current[still])
    label = np.where(np.isin(problem.current, kept), -1, problem.current)
    own = Labels(label[free], problem.pinned[free], problem.households[free]).carried(grid[free], grids)
    new = own < 0
    own[new] = 1 + max(problem.current.max(), problem.pinned.max()) + np.arange(new.sum())
    assignment[free] = own[grid[free]]
    return assignment


def _check_apart(problem: Problem, assignment: Ints) -> None:
    if problem.locks is None or len(problem.locks.apart) == 0:
        return
    u, v = problem.locks.apart.T
    if (met := assignment[u] == assignment[v]).any():
        row = int(np.flatnonzero(met)[0])
        raise BalanceError(
            f"Cells {u[row]} and {v[row]} could not be kept apart.",
            "Give their part of the community more grids, or let them lie together.",
        )
