"""What the balancer is asked of a district, and its work on what is stored now; nothing is stored here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from data import cells as stored_cells
from data import districts, locks, plans, rebase, register
from data.session import Store
from etl.compiled import ready_kernels
from etl.posing import Ground, pose, read_ground
from etl.scheduler import dask_run
from geo.balance import PROFILES, Locks, Measures, Problem, Proposal, balance, containers
from geo.balance.advice import Advice, advise
from geo.balance.bounds import ContainerBound, Floor, bounds_of, floor
from geo.errors import InputError, NotFoundError
from geo.progress import Progress, silent

Labels = NDArray[np.int64]

LISTEN_S = 0.25
"""Least time between two looks whether the work should go on."""


@dataclass(frozen=True)
class Wish:
    """What is asked of the balancer.

    Parameters
    ----------
    base : int, optional
        Number of the plan to start from; the plan in force by default, and from scratch when there is none.
        What is locked in it stays as it is, and stays locked.
    target, tolerance_percent : int
        Households a grid should have, and half the width of the band around it.
    grid_count : int, optional
        Grids the district shall have.
    profile : str
        What is wanted most: a name of `geo.balance.PROFILES`.
    seed, effort : int
        See `geo.balance.balance`.
    expected_percent : int
        What is balanced: 0 households of today, 100 those expected, between them a mix.
    expected_on : date, optional
        Only what is expected by then counts; by default all that the register knows of.
    communities : tuple of str
        Codes of those that may change; all by default.
    """

    base: int | None = None
    target: int = 300
    tolerance_percent: int = 10
    grid_count: int | None = None
    profile: str = "stable"
    seed: int = 0
    effort: int = 1
    expected_percent: int = 0
    expected_on: date | None = None
    communities: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        on = None if self.expected_on is None else self.expected_on.isoformat()
        return {**asdict(self), "expected_on": on}


TODAY = Wish()
"""The plan in force, by today's households."""


@dataclass(frozen=True)
class Proven:
    """What no plan with as many grids can do better than a proposal, and what would help where that is too little."""

    containers: tuple[ContainerBound, ...]
    advice: tuple[Advice, ...]
    floor: Floor


@dataclass(frozen=True)
class Proposed:
    """What the balancer proposes, and from what; nothing of it is stored yet.

    ``proven`` is None where parts of the district were left alone in a state that no bound is known of.
    """

    wish: Wish
    ground: Ground
    based_on: plans.Plan | None
    problem: Problem
    proposal: Proposal
    proven: Proven | None


def propose(
    store: Store,
    district: str,
    wish: Wish = TODAY,
    *,
    threads: int = 1,
    scheduler: str | None = None,
    progress: Progress = silent,
) -> Proposed:
    """Let the balancer work on what is stored now. Nobody waits meanwhile.

    Parameters
    ----------
    threads : int
        Parts of the district at work at a time; the proposal does not depend on it.
    scheduler : str, optional
        Address of a Dask scheduler whose workers do it instead; neither does it depend on this.
    progress : Progress
        Called several times a second, by one thread at a time; what it raises ends the work.

    Raises
    ------
    InputError
        If there is no such profile.
    NotFoundError
        If there is no such plan or community.
    ConflictError
        If the district has no cells.
    BalanceError
        If what is asked for cannot be had.
    SetupError
        If the scheduler cannot be used; see `etl.scheduler.dask_run`.
    """
    if wish.profile not in PROFILES:
        raise InputError(f"There is no profile '{wish.profile[:64]}'.", f"Profiles: {', '.join(PROFILES)}.")
    with store.read(district) as connection:
        place = districts.get(connection, district)
        ground = read_ground(
            connection,
            district,
            place.srid,
            stored_cells.latest_set(connection, district),
            expected_on=wish.expected_on,
        )
        based_on = (
            plans.in_force(connection, district)
            if wish.base is None
            else plans.get(connection, district, wish.base)
        )
        current = _carried(connection, district, based_on, ground)
        held = _locks(connection, district, based_on, ground, current)
        chosen = _chosen(connection, district, wish.communities)
    posed = pose(ground, current, wish.target, wish.tolerance_percent, wish.grid_count, wish.expected_percent)
    problem = replace(posed, locks=held)
    ready_kernels(progress)
    heard = _Heard(progress)
    proposal = balance(
        problem,
        profile=PROFILES[wish.profile],
        seed=wish.seed,
        effort=wish.effort,
        only=None if chosen is None else _containers(problem, chosen),
        threads=threads,
        run=None if scheduler is None else dask_run(scheduler, heard.should_stop),
        progress=heard.tell,
        should_stop=heard.should_stop,
    )
    proven = _proven(problem, proposal.report.after, heard.tell)
    heard.tell("prove", 1.0)
    return Proposed(wish, ground, based_on, problem, proposal, proven)


def _proven(problem: Problem, after: Measures, progress: Progress) -> Proven | None:
    frozen = set(problem.current[problem.frozen].tolist())
    if after.unassigned_cells or set(after.disconnected) - frozen:
        return None
    found = bounds_of(problem, after, progress=progress)
    return Proven(found, advise(problem, found), floor(problem, found))


class _Heard:
    """A listener that is told of the work also between its stages, so that it can end it by raising."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._turn = threading.Lock()
        self._stands = ("start", 0.0)
        self._told = float("-inf")

    def tell(self, stage: str, share: float) -> None:
        """Say how far the work is."""
        with self._turn:
            self._stands = (stage, share)
            self._say()

    def should_stop(self) -> bool:
        """Listen, from whichever thread comes by first; nothing is left half done, so it never answers True."""
        if time.monotonic() - self._told >= LISTEN_S and self._turn.acquire(blocking=False):
            try:
                self._say()
            finally:
                self._turn.release()
        return False

    def _say(self) -> None:
        self._told = time.monotonic()
        self._progress(*self._stands)


def _chosen(connection: Connection, district: str, codes: Iterable[str]) -> set[int] | None:
    """Return the ids of the communities of these codes; None where none is named."""
    known = register.community_ids(connection, district)
    wanted = set(codes)
    if unknown := sorted(wanted - known.keys()):
        raise NotFoundError(
            f"District {district} has no community {unknown[0][:64]}.",
            "Name communities by their codes of 12 digits.",
        )
    return {known[code] for code in wanted} or None


def _containers(problem: Problem, communities: set[int]) -> list[int]:
    """Return the numbers of the containers of these communities."""
    inside = np.isin(problem.community, sorted(communities))
    return [int(number) for number in np.unique(containers(problem)[inside])]


def _locks(
    connection: Connection, district: str, plan: plans.Plan | None, ground: Ground, current: Labels
) -> Locks | None:
    """Return what is locked in a plan, as the balancer takes it."""
    held = locks.of_plan(connection, district, plan.id) if plan else None
    if held is None or held.empty:
        return None
    cells = ground.cells.id.isin(held.cell_id.dropna()).to_numpy()
    return Locks(np.where(cells, current, -1), frozenset(held.grid_id.dropna().astype(int)))


def _carried(connection: Connection, district: str, plan: plans.Plan | None, ground: Ground) -> Labels:
    """Give every cell its grid in a plan, -1 where it has none there."""
    if plan is None:
        return np.full(len(ground.cells), -1, dtype=np.int64)
    carried = rebase.carried(connection, district, plan.id, ground.cell_set)
    labels: Labels = (
        carried.set_index("cell_id").grid_id.reindex(ground.cells.id).fillna(-1).to_numpy(np.int64)
    )
    return labels
