"""Kill acts at random moments, and see that each district is wholly as before or wholly as after."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Literal

import psycopg

from data import plans
from data.session import Store
from tests.bench.kills.acts import ACTS, prepare_all
from tests.governed import Governed

ROOT = Path(__file__).resolve().parents[3]
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:?\d\d)?|Z)?")
UNSOUND = {
    "a published grid has no polygon, count or code": (
        "SELECT count(*) FROM plan_grids pg JOIN plans p ON p.id = pg.plan_id JOIN grids g ON g.id = pg.grid_id"
        " WHERE p.valid IS NOT NULL AND (pg.shape IS NULL OR pg.households IS NULL OR g.code IS NULL)"
    ),
    "a cell of a plan is in no grid": (
        "SELECT count(*) FROM plans p JOIN cells c ON c.first_set <= p.cell_set AND c.last_set IS NULL"
        " WHERE p.valid IS NOT NULL AND c.first_set = 1 AND NOT EXISTS"
        " (SELECT FROM plan_cells pc WHERE pc.plan_id = p.id AND pc.cell_id = c.id)"
    ),
    "an open case is not with the grid around it": (
        "SELECT count(*) FROM cases k JOIN plans p ON p.activated_at IS NOT NULL AND p.state = 'published'"
        " JOIN plan_grids pg ON pg.plan_id = p.id AND ST_Contains(pg.shape, k.point) WHERE pg.grid_id <> k.grid_id"
    ),
    "a grid has two on primary duty": (
        "SELECT count(*) FROM duties a JOIN duties b ON a.grid_id = b.grid_id AND a.id < b.id"
        " AND a.valid && b.valid AND a.role = 'primary' AND b.role = 'primary'"
    ),
    "an effect is not on record": (
        "SELECT count(*) FROM plans p WHERE p.activated_at IS NOT NULL AND 1 <> (SELECT count(*) FROM audit a"
        " WHERE a.action = 'plan.activate' AND a.subject = 'plan ' || p.number)"
    ),
}
"""What must never be found: each counts rows."""

Way = Literal["process", "connection"]


@dataclass
class Tally:
    """What became of one act. ``unanswered`` counts what was killed before it answered; ``found`` how districts
    were found then; ``late`` those found new that had not answered."""

    rounds: int = 0
    unanswered: int = 0
    old: int = 0
    new: int = 0
    late: int = 0
    torn: list[str] = field(default_factory=list)


class Arena:
    """A prepared database, copies of it, and a process that forks those who act on them.

    Parameters
    ----------
    url : str
        Address of a migrated, empty database of a private cluster, which nobody is connected to.
    """

    def __init__(self, url: str) -> None:
        self.template = url
        self._numbers = itertools.count(1)
        self._name = re.search(r"@/(\w+)\?", url).group(1)  # type: ignore[union-attr]
        self._admin = url.replace("+psycopg", "").replace(f"@/{self._name}?", "@/postgres?")
        store = Store(url)
        prepare_all(store)
        store.close()
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.kills.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        with self.copy() as warm_up:
            self._send(warm_up)
            self._hear(60)
        self.states = {name: self._reference(name) for name in ACTS}
        self._seconds = {name: states.seconds for name, states in self.states.items()}

    def close(self) -> None:
        """End the forking process."""
        self._zygote.stdin.close()  # type: ignore[union-attr]
        self._zygote.wait()
        self._zygote.stdout.close()  # type: ignore[union-attr]

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Copy the prepared database, and drop the copy afterwards."""
        name = f"{self._name}_{next(self._numbers)}"
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self._name}")
            yield self.template.replace(f"@/{self._name}?", f"@/{name}?")
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def kill(self, name: str, way: Way, chance: random.Random, tally: Tally) -> None:
        """Carry an act out in a process of its own, kill it at a random moment, and judge what is left."""
        with self.copy() as url:
            pid = self._begin(url, name)
            # Half of the moments lie where the act ends, for it is there that it is committed.
            lower = chance.choice((0.0, 0.8))
            said = self._hear(chance.uniform(lower, 1.05) * self._seconds[name])
            if said and said != "done":
                tally.torn.append(f"{name}: {said} by itself")
            if said is None and way == "process":
                os.kill(pid, signal.SIGKILL)
                self._await_end(url)
                said = self._hear(0)  # between the decision and the death
            elif said is None:
                self._end_sessions(url)
                said = self._hear(60)
            self._await_end(url)
            answered = said == "done"
            self._seconds[name] *= 0.85 if answered else 1.15  # a machine is not equally busy all the time
            tally.rounds += 1
            tally.unanswered += not answered
            self._judge(name, url, answered, tally)

    def _judge(self, name: str, url: str, answered: bool, tally: Tally) -> None:
        store = Store(url)
        place = Governed(store, ACTS[name].district)
        states, found = self.states[name], snapshot(place)
        if found == states.new:
            tally.new += 1
            tally.late += not answered
        elif found == states.old and not answered:
            tally.old += 1
        else:
            off = [table for table in found if found[table] not in (states.old[table], states.new[table])]
            tally.torn.append(f"{name}: neither old nor new: {off or 'tables of both'}")
        tally.torn += [f"{name}: {fault}" for fault in unsound(place)]
        ACTS[name].carry_out(store, place.code)
        after = {table: len(rows) for table, rows in snapshot(place).items()}
        if after != {table: len(rows) for table, rows in states.new.items()}:
            tally.torn.append(f"{name}: what was asked again was not done once")
        place.open()
        tally.torn += [f"{name}: afterwards {fault}" for fault in unsound(place)]
        store.close()

    def _reference(self, name: str) -> States:
        """Carry an act out undisturbed, to know how a district looks before and after, and how long it takes."""
        place = Governed(Store(self.template), ACTS[name].district)
        old = snapshot(place)
        place.store.close()
        with self.copy() as url:
            self._begin(url, name)
            begun = time.perf_counter()
            said = self._hear(60)
            seconds = time.perf_counter() - begun
            if said != "done":
                raise RuntimeError(f"{name} {said} undisturbed")
            place = Governed(Store(url), place.code)
            new = snapshot(place)
            if new == old or (faults := unsound(place)):
                raise RuntimeError(f"{name} leaves: {'all as it was' if new == old else faults}")
            place.store.close()
        return States(old, new, seconds)

    def _begin(self, url: str, name: str) -> int:
        self._send(f"{url} {name}")
        ready = self._hear(60)
        if ready is None or not ready.startswith("ready"):
            raise RuntimeError(f"nobody began: {ready}")
        return int(ready.split()[1])

    def _send(self, line: str) -> None:
        self._zygote.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]

    def _hear(self, seconds: float) -> str | None:
        """Return what is said within some seconds."""
        stdout = self._zygote.stdout
        assert stdout is not None
        if not select([stdout], [], [], seconds)[0]:
            return None
        return stdout.readline().decode().strip()

    def _end_sessions(self, url: str) -> None:
        self._sessions(url, "SELECT pg_terminate_backend(pid)")

    def _await_end(self, url: str) -> None:
        """Wait until the server has noticed that nobody is there any more."""
        while self._sessions(url, "SELECT pid"):
            time.sleep(0.002)

    def _sessions(self, url: str, select_what: str) -> list[tuple[object]]:
        name = re.search(r"@/(\w+)\?", url).group(1)  # type: ignore[union-attr]
        with psycopg.connect(self._admin, autocommit=True) as connection:
            return connection.execute(
                f"{select_what} FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
                [name],
            ).fetchall()


@dataclass(frozen=True)
class States:
    """How a district looks before and after an act, and how long it takes."""

    old: dict[str, list[str]]
    new: dict[str, list[str]]
    seconds: float


def snapshot(place: Governed) -> dict[str, list[str]]:
    """Return every row of a district, without instants: each run has its own."""
    return {
        table: sorted(INSTANT.sub("instant", row) for row in rows) for table, rows in place.rows().items()
    }


def unsound(place: Governed) -> list[str]:
    """Return what no district may look like, whatever happened to it."""
    faults = [what for what, query in UNSOUND.items() if place.query(query) != [(0,)]]
    with place.store.read(place.code) as connection:
        spans = sorted(
            (plan.valid.lower, plan.valid.upper)
            for plan in plans.every(connection, place.code)
            if plan.valid is not None
        )
    if [end for _, end in spans] != [*(start for start, _ in spans[1:]), None]:
        faults.append("not one plan at every instant")
    return faults


def run(url: str, rounds: int, *, seed: int = 0, progress: Callable[[str], object] = str) -> dict[str, Tally]:
    """Kill each act in turn, every sixth time by its connection alone; return what became of them."""
    chance = random.Random(seed)  # noqa: S311 - the same moments again
    tallies = {name: Tally() for name in ACTS}
    arena = Arena(url)
    for number, name in zip(range(rounds), itertools.cycle(ACTS), strict=False):
        arena.kill(name, "connection" if number % 6 == 5 else "process", chance, tallies[name])
        progress(f"{number + 1} of {rounds}")
    arena.close()
    return tallies
