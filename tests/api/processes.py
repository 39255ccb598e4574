"""Several server processes on one database, written to and read at once, and what the rule of freshness forbids.

The rule: the process that wrote answers its write once it serves it; other processes follow within a second, also
after their connection broke; a request that names a version is never answered from an older one; and a plan published
for later is answered from its instant on by every process, carried out once.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import shapely

from api.stamp import PLAN, VERSION
from data.session import Store
from etl.actor import SYSTEM
from etl.drafts import open_draft
from etl.edits import Move, move
from etl.establish import establish
from etl.publish import publish_as_system
from geo.crs import from_metric
from tests.api.server import CODE
from tests.settle import CORNER, PITCH, SRID, settle

PROCESSES = 3
AHEAD_S = 4.0
FOLLOW_S = 1.0
"""How soon another process should answer from what was written; more is counted as late."""
HUNG_S = 10.0
"""What no process may take, however busy the machine is."""
EARLY_S = 0.5
"""How far a process's idea of the database's clock may be ahead."""
ANOTHER = "of another plan"
FORBIDDEN = ("older than the writer's", "older than asked for", "old plan after its end", "hung", "early")
"""What `judged` counts and no answer may be, on any machine."""


@dataclass(frozen=True)
class Write:
    """A publication as its writer learned of it; times are of the tests' clock."""

    process: int
    answered_s: float
    version: int


@dataclass(frozen=True)
class Answer:
    """What a reader was told; ``grid`` is empty where no point was asked about."""

    process: int
    sent_s: float
    received_s: float
    status: int
    asked: int
    version: int
    plan: int
    grid: str


@dataclass
class Seen:
    """What happened, by all threads."""

    writes: list[Write] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


class Asking(NamedTuple):
    """What readers ask, in turns, and what an answer says.

    Attributes
    ----------
    paths : sequence of str
        Each with a query.
    grid_of : callable
        From path, body, and the numbers of plan and version in its headers, to the grid of the `house`: empty where
        no point was asked about, `ANOTHER` where the body is not of that plan and version.
    """

    paths: Sequence[str]
    grid_of: Callable[[str, bytes, int, int], str]


class Published(NamedTuple):
    """The plan that was published last, and when it takes effect, by the database's clock."""

    number: int
    takes_effect_s: float


def call(port: int, method: str, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path)
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def two_plans(url: str) -> None:
    """Publish two plans that differ in whose a column of houses is."""
    store = Store(url)
    settle(store)
    establish(store, SYSTEM, CODE, target=360)
    draft = open_draft(store, SYSTEM, CODE)
    column = [f"B1-3-{row}" for row in range(6)]
    move(store, SYSTEM, CODE, draft.number, [Move("G1-W", buildings=column)], revision=draft.revision)
    publish_as_system(store, SYSTEM, CODE, draft.number, waive="test")
    store.close()


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@contextmanager
def serving_processes(database_url: str) -> Iterator[list[int]]:
    """Give the ports of server processes on one database with two plans."""
    two_plans(database_url)
    ports = free_ports(PROCESSES)
    environment = os.environ | {"GRIDGOV_DATABASE_URL": database_url}
    root = Path(__file__).parents[2]
    servers = [
        subprocess.Popen([sys.executable, "-m", "tests.api.server", str(port)], cwd=root, env=environment)
        for port in ports
    ]
    try:
        for port in ports:
            wait_until_ready(port)
        yield ports
    finally:
        for server in servers:
            server.send_signal(signal.SIGINT)
        for server in servers:
            server.wait(30)


def wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            if call(port, "GET", "/readyz")[0] == 200:
                return
        except ConnectionRefusedError:
            pass
        time.sleep(0.1)
    raise AssertionError("a server did not become ready")


def house() -> shapely.Point:
    """Return a house that the two plans have in different grids, EPSG:4326."""
    (found,) = from_metric([shapely.Point(CORNER[0] + 3.5 * PITCH, CORNER[1] + PITCH / 2)], SRID)
    return found


def read_on(seen: Seen, process: int, port: int, pinned: bool, asking: Asking) -> None:
    """Ask one process again and again; ``pinned`` names the newest version."""
    paths = itertools.cycle(asking.paths)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not seen.ended.is_set():
        asked, path = seen.writes[-1].version if pinned and seen.writes else 0, next(paths)
        sent_s = time.time()
        connection.request("GET", f"{path}&min_version={asked}")
        response = connection.getresponse()
        body, received_s = response.read(), time.time()
        version, plan = (int(response.headers.get(name, 0)) for name in (VERSION, PLAN))
        grid = asking.grid_of(path, body, plan, version) if response.status == 200 else ""
        seen.answers.append(Answer(process, sent_s, received_s, response.status, asked, version, plan, grid))
        time.sleep(0.01)
    connection.close()


def write(seen: Seen, process: int, port: int, query: str = "") -> dict:
    status, headers, body = call(port, "POST", f"/write{query}")
    assert status == 200, body
    told = json.loads(body)
    assert int(headers[VERSION]) == told["data_version"]
    seen.writes.append(Write(process, time.time(), told["data_version"]))
    return told


def publish_and_read(
    seen: Seen, ports: Sequence[int], asking: Asking, writes: int, pause_s: float, *others: threading.Thread
) -> Published:
    """Publish in each process in turns, and at last for later, while all are read, and until that took effect."""
    readers = [
        threading.Thread(target=read_on, args=(seen, process, port, pinned, asking))
        for process, port in enumerate(ports)
        for pinned in (False, True)
    ]
    threads = [*readers, *others]
    for thread in threads:
        thread.start()
    try:
        for number in range(writes):
            write(seen, number % PROCESSES, ports[number % PROCESSES])
            time.sleep(pause_s)
        told = write(seen, 0, ports[0], f"?in_s={AHEAD_S}")
        takes_effect_s = datetime.fromisoformat(told["effective"]).timestamp()
        time.sleep(AHEAD_S + 2 * FOLLOW_S)
    finally:
        seen.ended.set()
        for thread in threads:
            thread.join()
    return Published(told["number"], takes_effect_s)


def check(seen: Seen, last: Published, *, least: int) -> None:
    """See that no answer is forbidden, that there were more than ``least``, and whose the house was told to be."""
    counts = judged(seen, last)
    sys.stdout.write(f"\n{len(seen.answers)} answers, {len(seen.writes)} writes: {dict(counts)}\n")
    assert counts["served"] > least
    assert {answer.status for answer in seen.answers if not answer.asked} == {200}
    whose = {(answer.plan % 2, answer.grid) for answer in seen.answers if answer.grid}
    assert whose == {
        (0, f"{CODE}900001002"),
        (1, f"{CODE}900001001"),
    }  # plans of even number are the edited ones
    for forbidden in FORBIDDEN:
        assert counts[forbidden] == 0, forbidden


def judged(seen: Seen, last: Published) -> Counter[str]:
    """Count the answers by what is wrong with them."""
    rules: dict[str, Callable[[Answer, Write], bool]] = {
        "older than the writer's": lambda answer, write: (
            answer.process == write.process and answer.sent_s > write.answered_s
        ),
        "late": lambda answer, write: answer.sent_s > write.answered_s + FOLLOW_S,
        "hung": lambda answer, write: answer.sent_s > write.answered_s + HUNG_S,
    }
    counts: Counter[str] = Counter(
        dict.fromkeys(("older than asked for", "old plan after its end", "early"), 0)
    )
    versions = [write.version for write in seen.writes]
    known_s = max(
        last.takes_effect_s, seen.writes[-1].answered_s + FOLLOW_S
    )  # a slow machine publishes at the last moment
    for answer in seen.answers:
        if answer.status != 200:
            counts[f"{answer.status}"] += 1
            continue
        counts["served"] += 1
        # Writes come one after the other, in turns: those after the first of each process say no more.
        first = bisect_right(versions, answer.version)
        for name, broken in rules.items():
            counts[name] += any(broken(answer, write) for write in seen.writes[first : first + PROCESSES])
        counts["older than asked for"] += answer.version < answer.asked
        counts["old plan after its end"] += answer.sent_s > known_s and answer.plan != last.number
        counts["early"] += answer.received_s < last.takes_effect_s - EARLY_S and answer.plan == last.number
    return counts
