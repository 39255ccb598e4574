"""Carry jobs out, one at a time in each lane, and write down how each ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from data import districts, jobs
from data.jobs import Job
from data.lanes import Lane, lane
from data.session import Store
from etl.acting import check_scope
from etl.actor import Actor
from etl.jobs.asking import plain, record
from etl.jobs.kinds import Kind, Params, Work
from geo.errors import ConflictError, GridgovError, SetupError, UnavailableError
from geo.progress import Progress, silent

log = logging.getLogger("gridgov.jobs")

ATTEMPTS = 3
"""How often a job is begun before it is given up: what kills its worker each time would do so for ever."""
WRITE_S = 0.25
"""Least time between two reports of how far a stage is."""
_LOOK_S = 0.2
"""How often a command in the foreground looks whether its lane is free."""


class _EndedError(BaseException):
    """Raised out of a job's progress: somebody asked for its end. No handler of `Exception` may swallow it."""


class _StoppingError(BaseException):
    """Raised out of a job's progress: its worker ends, and the job goes back to the queue."""


@dataclass(frozen=True)
class _Outcome:
    """How an attempt ended; ``error`` is what it raised, if it did."""

    state: str
    report: Any = None
    error: BaseException | None = None


class _Marked(Store):
    """The store, where every transaction that writes names the job; its connections stay the store's."""

    def __init__(self, store: Store, job: int) -> None:
        self.engine = store.engine
        self._job = job

    @contextmanager
    def begin(self, district: str | None = None) -> Iterator[Connection]:
        with super().begin(district) as connection:
            jobs.mark(connection, self._job)
            yield connection


class _Watch:
    """The `Progress` of a job: written to its row now and then, and the way in which it is told to end."""

    def __init__(
        self, lane: Lane, kind: Kind[Params], job: Job, listener: Progress, stopping: threading.Event
    ) -> None:
        self._lane = lane
        self._kind = kind
        self._job = job
        self._listener = listener
        self._stopping = stopping
        self._stage = ""
        self._written = float("-inf")

    def __call__(self, stage: str, share: float) -> None:
        self._listener(stage, share)
        if self._stopping.is_set():
            raise _StoppingError
        if stage == self._stage and time.monotonic() - self._written < WRITE_S:
            return
        percent = self._kind.percent(stage, share)
        with self._lane.begin() as connection:
            ended = jobs.advance(connection, self._lane.district, self._job.id, percent, stage)
        self._stage, self._written = stage, time.monotonic()
        if ended:
            raise _EndedError


def run_next(
    store: Store, district: str, kind: Kind[Params], files: Path, stopping: threading.Event | None = None
) -> bool:
    """Carry out the next job of a kind in a district, if its lane is free; return whether there was one.

    Parameters
    ----------
    stopping : Event, optional
        Set by a worker that ends: the job gives up as soon as it listens and goes back to the queue.

    Raises
    ------
    SetupError, DBAPIError
        If the database was lost; the job is taken up again by whoever is next.
    """
    stopping = stopping or threading.Event()
    with lane(store, district, kind.name) as held:
        if held is None:
            return False
        with held.begin() as connection:
            waiting = _settle(connection, district, kind)
            job = jobs.begin(connection, district, waiting[0].id) if waiting else None
        if job is None:
            return False
        log.info("job %d of district %s begins: %s", job.id, district, kind.name)
        outcome = _attempt(store, held, kind, job, files, silent, stopping)
        state = _write_down(held, kind, job, outcome)
    log.info("job %d of district %s: %s", job.id, district, state)
    return True


def run_here(
    store: Store,
    actor: Actor,
    district: str,
    kind: Kind[Params],
    params: Mapping[str, Any],
    progress: Progress,
    files: Path,
) -> Any:
    """Carry out a job in this process, after those of its kind that run; return what its use case reports.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    NotFoundError
        If there is no such district.
    ConflictError
        If somebody ended the job meanwhile.
    GridgovError
        Whatever the use case raises.
    """
    check_scope(actor, district)
    asked = kind.checked(params).model_dump(mode="json")
    with store.read(district) as connection:
        districts.get(connection, district)
    with _free_lane(store, district, kind.name, progress) as held:
        with held.begin() as connection:
            _settle(connection, district, kind)
            added = jobs.add(connection, district, kind.name, asked, plain(actor), foreground=True)
            record(connection, district, actor, "job.submit", added, after={"kind": kind.name})
            job = jobs.begin(connection, district, added.id)
        outcome = _attempt(store, held, kind, job, files, progress, threading.Event())
        state = _write_down(held, kind, job, outcome)
    if isinstance(outcome.error, _EndedError):
        late = state == "succeeded"
        raise ConflictError(
            f"Job {job.id} was cancelled{' too late: it is done' if late else ''}.",
            "See what it did." if late else "Nothing was changed.",
        )
    if outcome.error is not None:
        raise outcome.error
    return outcome.report


@contextmanager
def _free_lane(store: Store, district: str, kind: str, progress: Progress) -> Iterator[Lane]:
    """Wait for a lane until whoever has it is done."""
    while True:
        with lane(store, district, kind) as held:
            if held is not None:
                yield held
                return
        progress("wait", 0.0)
        time.sleep(_LOOK_S)


def _settle(connection: Connection, district: str, kind: Kind[Params]) -> list[Job]:
    """Settle what was cut off in a lane that is held, and return what waits in it.

    The lane of a process that was killed is free at once, while PostgreSQL may still be committing what it sent
    last. Every use case holds the district until it is committed, so whoever has its turn there sees how it ended.
    """
    known = jobs.unfinished(connection, district, kind.name)
    cut_off = [job for job in known if job.state == "doing"]
    if not cut_off:
        return [job for job in known if not job.foreground]
    districts.queue(connection, district)
    for job in cut_off:
        done = _carried_out(connection, district, kind, job.id)
        if done is not None:
            jobs.finish(connection, district, job.id, "succeeded", result=done, message=_CUT_OFF_LATE)
        elif job.cancel_requested:
            jobs.finish(connection, district, job.id, "cancelled")
        elif job.foreground or job.attempts >= ATTEMPTS:
            jobs.finish(connection, district, job.id, "failed", error=_CUT_OFF)
        else:
            jobs.put_back(connection, district, job.id, _TAKEN_UP)
    return jobs.unfinished(connection, district, kind.name)


_CUT_OFF = {
    "fault": "The process that did it ended before it was done. · 执行进程中途退出。",
    "remedy": "Nothing was changed; ask for it again, and see the log if that happens again.",
}
_CUT_OFF_LATE = "It was done; its process ended before it could say so. · 已完成，进程随后退出"
_TAKEN_UP = "Its process ended; it is done again. · 进程中断，重新执行"
_GIVEN_BACK = "Its worker was stopped; it is done again. · 执行器停止，重新执行"


def _attempt(
    store: Store,
    held: Lane,
    kind: Kind[Params],
    job: Job,
    files: Path,
    listener: Progress,
    stopping: threading.Event,
) -> _Outcome:
    """Do a job; all it may raise is that the database was lost."""
    asker = Actor(job.actor["id"], frozenset(job.actor["roles"]), frozenset(job.actor["scope"]))
    try:
        work = Work(
            store=_Marked(store, job.id),
            actor=asker,
            district=held.district,
            params=kind.checked(job.params),
            progress=_Watch(held, kind, job, listener, stopping),
            files=files,
            job=job.id,
        )
        return _Outcome("succeeded", kind.run(work))
    except (_EndedError, KeyboardInterrupt) as error:
        return _Outcome("cancelled", error=error)
    except _StoppingError as error:
        return _Outcome("todo", error=error)
    except Exception as error:
        if _is_lost(error):
            raise
        if not isinstance(error, GridgovError):
            log.exception("job %d of district %s failed", job.id, held.district)
        return _Outcome("failed", error=error)


def _write_down(held: Lane, kind: Kind[Params], job: Job, outcome: _Outcome) -> str:
    """Write down how an attempt ended and return the state; what was committed counts as done, however it ended."""
    district = held.district
    with held.begin() as connection:
        done = None if outcome.error is None else _carried_out(connection, district, kind, job.id)
        if outcome.state == "succeeded":
            jobs.finish(connection, district, job.id, "succeeded", result=outcome.report)
        elif done is not None:
            jobs.finish(connection, district, job.id, "succeeded", result=done, message=_CUT_OFF_LATE)
            return "succeeded"
        elif outcome.state == "todo":
            jobs.put_back(connection, district, job.id, _GIVEN_BACK, afresh=True)
        else:
            error = _told(outcome.error) if outcome.state == "failed" else None
            jobs.finish(connection, district, job.id, outcome.state, error=error)
    return outcome.state


def _carried_out(
    connection: Connection, district: str, kind: Kind[Params], number: int
) -> dict[str, Any] | None:
    return jobs.carried_out(connection, district, number, kind.act) if kind.act else None


def _told(error: BaseException | None) -> dict[str, str]:
    """Return an error as people see it."""
    if isinstance(error, GridgovError):
        return {"fault": error.fault, "remedy": error.remedy}
    return {
        "fault": f"The program failed ({type(error).__name__}). · 程序出错",
        "remedy": "See the worker's log; retry when its cause is gone.",
    }


def _is_lost(error: Exception) -> bool:
    """Tell the loss of the database from any other fault: it is mended by waiting."""
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated)
    return isinstance(error, UnavailableError) or (
        isinstance(error, SetupError) and isinstance(error.__cause__, OperationalError)
    )
