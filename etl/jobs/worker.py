"""The worker: hears of jobs, carries them out, and sees to what falls due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from data import districts, jobs
from data.jobs import listening
from data.session import Store
from etl.activation import activate_due
from etl.actor import SYSTEM
from etl.jobs.asking import submit
from etl.jobs.kinds import Kind
from etl.jobs.running import run_next
from geo.errors import GridgovError

log = logging.getLogger("gridgov.worker")

SWEEP_S = 10.0
"""How often every district is looked at: for jobs whose process ended, and for what fell due."""
STOP_S = 10.0
"""How long a worker that ends waits for its jobs to notice; what runs on then is cut off, and done again."""
_WAIT_S = 0.5
"""How long the worker waits for a notice before it looks whether it should end."""


class Worker:
    """Carries jobs out, each in a thread of its own.

    Parameters
    ----------
    store : Store
        The database.
    kinds : mapping of str to Kind
        What it can do, by name; jobs of other kinds are left to others.
    files : Path
        Folder for files that are a job's result.
    parallel : int
        Jobs at a time.
    daily : tuple of str
        Kinds that are asked for once a day in every district.
    """

    def __init__(
        self,
        store: Store,
        kinds: Mapping[str, Kind[Any]],
        files: Path,
        *,
        parallel: int = 2,
        daily: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._files = files
        self._parallel = parallel
        self._daily = daily
        self._stopping = threading.Event()
        self._woken: set[str] = set()  # districts to look at; set operations are atomic
        self._running: dict[tuple[str, str], threading.Thread] = {}

    def run(self) -> None:
        """Work until `stop` is called; a database that is gone is waited for."""
        while not self._stopping.is_set():
            try:
                self._work()
            except (GridgovError, SQLAlchemyError, psycopg.Error) as error:
                log.warning("no jobs are taken now: %s", type(error).__name__)
                self._stopping.wait(_WAIT_S)

    def stop(self) -> None:
        """End: jobs that listen within `STOP_S` go back to the queue."""
        self._stopping.set()
        until = time.monotonic() + STOP_S
        for thread in list(self._running.values()):
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        with listening(self._store) as connection:
            swept = float("-inf")  # something may have been asked for while nobody listened
            while not self._stopping.is_set():
                if time.monotonic() - swept >= SWEEP_S:
                    self._sweep()
                    swept = time.monotonic()
                for district in sorted(self._woken):
                    if len(self._running) < self._parallel:
                        self._woken.discard(district)
                        self._take(district)
                self._woken |= {note.payload for note in connection.notifies(timeout=_WAIT_S, stop_after=1)}

    def _sweep(self) -> None:
        """Look at every district: carry out what fell due, ask for what is done daily."""
        with self._store.read() as connection:
            known = [district.code for district in districts.every(connection)]
        for district in known:
            try:
                activate_due(self._store, district)
                self._ask_daily(district)
            except Exception:  # one district's fault must not stop the others
                log.exception("district %s: what falls due is not carried out yet", district)
        self._woken |= set(known)

    def _ask_daily(self, district: str) -> None:
        with self._store.read(district) as connection:
            due = [kind for kind in self._daily if jobs.is_due(connection, district, kind)]
        for kind in due:
            submit(self._store, SYSTEM, district, self._kinds[kind])

    def _take(self, district: str) -> None:
        """Begin what a district has to do, as far as there is room."""
        with self._store.read(district) as connection:
            waiting = {job.kind for job in jobs.unfinished(connection, district)}
        for kind in sorted(waiting & self._kinds.keys()):
            if (district, kind) in self._running:
                continue
            if len(self._running) >= self._parallel:
                self._woken.add(district)  # when there is room again
                return
            thread = threading.Thread(
                target=self._carry_out, args=(district, kind), name=f"gridgov-{kind}", daemon=True
            )
            self._running[district, kind] = thread
            thread.start()

    def _carry_out(self, district: str, kind: str) -> None:
        """Do the next job of a kind in a district; the thread's whole life."""
        more = False
        try:
            more = run_next(self._store, district, self._kinds[kind], self._files, self._stopping)
        except (GridgovError, SQLAlchemyError, psycopg.Error) as error:
            log.warning("a job %s of district %s was cut off: %s", kind, district, type(error).__name__)
        finally:
            del self._running[district, kind]
            if more:  # said last: while this runs, its kind is passed over
                self._woken.add(district)
