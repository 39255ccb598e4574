"""The best plan of one region: searched at once, or by parts where it is large, so that cost grows linearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from geo.balance.board import Ints
from geo.balance.kernels import chance
from geo.balance.region import part
from geo.balance.search import FIRST, FIRST_PLANS, LAST, STAYS, Plan, Search, Task, quality
from geo.balance.start import cut
from geo.balance.trees import Graph

LARGE = 32
"""Grids up to which a region is searched at once."""
PART = 14
"""Grids of a part, about."""
PASSES = 2
"""Divisions into parts, one after the other: what a line between parts keeps apart lies together in the next."""


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
    ndarray of int, shape (units,)
        Grid of each unit of the region, from 0.
    bool
        Whether it was stopped.
    """
    search = Search(task)
    start = search.ranked(search.first(STAYS[0]))
    if task.grids == 1:
        return start.assigned, False
    best, plans = start, search.improving(start) if task.grids <= LARGE else _by_parts(search, start)
    for best in plans:
        if should_stop():
            return best.assigned, True
    return best.assigned, False


def rank(task: Task, assigned: Ints) -> tuple[float, ...]:
    """Say how good an assignment of a region is, with the labels it carries best; smaller is better."""
    return Search(task).ranked(assigned).rank


def _by_parts(search: Search, start: Plan) -> Iterator[Plan]:
    """Make one plan after another, each better than the last in one part of a large region."""
    best = start
    for stay in STAYS[: 2 * FIRST_PLANS]:
        best = min(best, search.annealed(search.first(stay), FIRST), key=quality)
        yield best
    for _ in range(PASSES):
        parts = _parts(search, best.assigned)
        for number in range(int(parts.max()) + 1):
            grids = np.flatnonzero(parts == number)
            cells = np.flatnonzero(np.isin(best.assigned, grids))
            assigned = best.assigned.copy()
            for own in _improving(search, best.assigned, grids, cells):
                assigned[cells] = grids[own.assigned]
                yield best
            best = min(best, search.ranked(assigned), key=quality)
    yield min(best, search.annealed(best.assigned, LAST), key=quality)


def _parts(search: Search, assigned: Ints) -> Ints:
    """Divide the grids of a plan into connected parts; shape (grids,)."""
    grids, region = search.task.grids, search.region
    pairs = np.unique(np.c_[assigned[region.source], assigned[region.other]], axis=0)
    source, other = pairs[pairs[:, 0] != pairs[:, 1]].T
    near = Graph(
        np.searchsorted(source, np.arange(grids + 1)),
        other.copy(),
        np.ones(len(other)),
        np.ones(grids, np.int64),
    )
    parts = np.zeros(grids, np.int64)
    cut(near, parts, 0, round(grids / PART), 1, search.state)
    return parts


def _improving(search: Search, assigned: Ints, grids: Ints, cells: Ints) -> Iterator[Plan]:
    """Search a part of a region by itself, from its part of a plan; labels that go on elsewhere count as none."""
    region, task = search.region, search.task
    label = search.labels.carried(assigned, task.grids)
    elsewhere = np.delete(label, grids)
    today = np.where(np.isin(region.today, elsewhere), -1, region.today)
    own = Search(
        task._replace(
            region=part(region._replace(today=today), cells),
            grids=len(grids),
            seed=int(chance(search.state) * 2**32),
            effort=task.effort / PASSES,
        )
    )
    return own.improving(own.ranked(np.searchsorted(grids, assigned[cells])), first_plans=0)
