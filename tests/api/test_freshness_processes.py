"""Several server processes on one database, publishing and reading at once: no answer that the rule forbids.

The rule (freshness): the process that wrote answers its write once it serves it; other processes follow within a
second, also after their connection broke; a request that names a version is never answered from an older one;
and a plan published for later is answered from its instant on by every process, carried out once.
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
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import shapely

from api.stamp import PLAN, VERSION
from data import audit
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
WRITES = 7
AHEAD_S = 4.0
FOLLOW_S = 1.0
"""How soon another process should answer from what was written; more is counted as late."""
HUNG_S = 10.0
"""What no process may take, however busy the machine is."""
EARLY_S = 0.5
"""How far a process's idea of the database's clock may be ahead."""


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


@pytest.fixture
def ports(database_url: str) -> Iterator[list[int]]:
    """Ports of server processes on one database with two plans."""
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


def read_on(seen: Seen, process: int, port: int, pinned: bool) -> None:
    """Ask one process again and again, from memory and from the database; ``pinned`` names the newest version."""
    house = from_metric([shapely.Point(CORNER[0] + 3.5 * PITCH, CORNER[1] + PITCH / 2)], SRID)[0]
    query = f"lon={house.x}&lat={house.y}&crs=wgs84&district={CODE}"
    paths = itertools.cycle(
        [f"locate?{query}", f"locate?{query}&include=sites,evidence", f"overview?district={CODE}"]
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not seen.ended.is_set():
        asked = seen.writes[-1].version if pinned and seen.writes else 0
        sent_s = time.time()
        connection.request("GET", f"/api/v1/{next(paths)}&min_version={asked}")
        response = connection.getresponse()
        told = json.loads(response.read())
        version, plan = (int(response.headers.get(name, 0)) for name in (VERSION, PLAN))
        grid = told["grid"]["code"] if "grid" in told else ""
        if grid and (told["plan"]["number"], told["data_version"]) != (plan, version):
            grid = "of another plan"
        seen.answers.append(Answer(process, sent_s, time.time(), response.status, asked, version, plan, grid))
        time.sleep(0.01)
    connection.close()


def break_listeners(seen: Seen, url: str) -> None:
    """End the connections by which the processes hear of changes, again and again."""
    admin = url.replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        while not seen.ended.wait(0.6):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )


def write(seen: Seen, process: int, port: int, query: str = "") -> dict:
    status, headers, body = call(port, "POST", f"/write{query}")
    assert status == 200, body
    told = json.loads(body)
    assert int(headers[VERSION]) == told["data_version"]
    seen.writes.append(Write(process, time.time(), told["data_version"]))
    return told


def test_no_process_gives_an_answer_the_rule_forbids(ports, database_url):
    seen = Seen()
    threads = [
        threading.Thread(target=read_on, args=(seen, process, port, pinned))
        for process, port in enumerate(ports)
        for pinned in (False, True)
    ]
    threads.append(threading.Thread(target=break_listeners, args=(seen, database_url)))
    for thread in threads:
        thread.start()
    try:
        for number in range(WRITES):
            write(seen, number % PROCESSES, ports[number % PROCESSES])
            time.sleep(0.3)
        told = write(seen, 0, ports[0], f"?in_s={AHEAD_S}")
        takes_effect_s = datetime.fromisoformat(told["effective"]).timestamp()
        time.sleep(AHEAD_S + 2 * FOLLOW_S)
    finally:
        seen.ended.set()
        for thread in threads:
            thread.join()
    whose = {(0, f"{CODE}900001002"), (1, f"{CODE}900001001")}  # the plans of even number are the edited ones
    counts = judged(seen, takes_effect_s, told["number"])
    sys.stdout.write(f"\n{len(seen.answers)} answers, {len(seen.writes)} writes: {dict(counts)}\n")
    assert counts["served"] > 50 * PROCESSES
    assert {answer.status for answer in seen.answers if not answer.asked} == {200}
    assert {(answer.plan % 2, answer.grid) for answer in seen.answers if answer.grid} == whose
    for forbidden in (
        "older than the writer's",
        "older than asked for",
        "old plan after its end",
        "hung",
        "early",
    ):
        assert counts[forbidden] == 0, forbidden
    assert carried_out(database_url) == list(range(1, told["number"] + 1))


def judged(seen: Seen, takes_effect_s: float, scheduled: int) -> Counter[str]:
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
    known_s = max(
        takes_effect_s, seen.writes[-1].answered_s + FOLLOW_S
    )  # a slow machine publishes at the last moment
    for answer in seen.answers:
        if answer.status != 200:
            counts[f"{answer.status}"] += 1
            continue
        counts["served"] += 1
        older = [write for write in seen.writes if answer.version < write.version]
        for name, broken in rules.items():
            counts[name] += any(broken(answer, write) for write in older)
        counts["older than asked for"] += answer.version < answer.asked
        counts["old plan after its end"] += answer.sent_s > known_s and answer.plan != scheduled
        counts["early"] += answer.received_s < takes_effect_s - EARLY_S and answer.plan == scheduled
    return counts


def carried_out(url: str) -> list[int]:
    """Return the numbers of the plans carried out, once for each time."""
    store = Store(url)
    with store.read(CODE) as connection:
        done = audit.entries(connection, CODE, limit=1000)
    store.close()
    return sorted(int(entry.subject.split()[1]) for entry in done if entry.action == "plan.activate")
