"""Workers as processes of their own, really killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError

import psutil
import pytest

from api.kinds import named
from data import cells, districts, jobs
from data.session import Store
from data.settings import Settings
from etl.actor import SYSTEM
from etl.jobs import submit
from tests.settle import settle

CODE = "990001"
ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            return answer.status == 200
    except URLError:
        return False


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """``start("worker")`` runs a command of ours on the test's database; what is left of it is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str, **settings: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "GRIDGOV_DATABASE_URL": database_url,
            "GRIDGOV_DATA_DIR": str(tmp_path),
            **settings,
        }
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "api.cli", *words],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


@contextmanager
def nobody_else_changes(store: Store) -> Iterator[None]:
    """Hold the district, so that whoever would change it stands still before it does."""
    with store.begin(CODE) as connection:
        districts.lock(connection, CODE)
        yield


def test_a_job_is_done_once_though_its_worker_is_killed(store, start):
    settle(store, CODE, communities=1, side=2)
    job = submit(store, SYSTEM, CODE, named(Settings(), "build_cells"))

    def now() -> jobs.Job:
        with store.read(CODE) as connection:
            return jobs.get(connection, CODE, job.id)

    with ExitStack() as held:
        held.enter_context(nobody_else_changes(store))
        killed = start("worker")
        until(lambda: now().stage == "store")  # it has done its work and waits to commit it
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert now().state == "doing"
        last = start("worker")
        held.close()
        until(lambda: now().state == "succeeded")
    assert now().attempts == 2
    with store.read(CODE) as connection:
        assert cells.latest_set(connection, CODE) == 1
    last.send_signal(signal.SIGTERM)
    assert last.wait(PATIENCE_S) is not None


def test_the_servers_worker_is_started_again_and_ends_with_the_server(store, start):
    settle(store, CODE, communities=1, side=2)
    port = free_port()
    server = start("serve", GRIDGOV_PORT=str(port))

    def worker() -> psutil.Process | None:
        return next(iter(psutil.Process(server.pid).children()), None)

    def done(number: int) -> bool:
        with store.read(CODE) as connection:
            return jobs.get(connection, CODE, number).state == "succeeded"

    until(worker)
    first = worker()
    job = submit(store, SYSTEM, CODE, named(Settings(), "build_cells"))
    until(lambda: done(job.id))
    assert first.nice() > psutil.Process(server.pid).nice()
    first.kill()
    until(lambda: worker() not in (None, first))
    until(lambda: answers(port))
    second = worker()
    server.send_signal(signal.SIGKILL)
    server.wait()
    until(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE)


def test_a_server_can_be_left_without_a_worker(start):
    port = free_port()
    server = start("serve", "--no-worker", GRIDGOV_PORT=str(port))

    until(lambda: answers(port))
    assert psutil.Process(server.pid).children() == []
    server.send_signal(signal.SIGTERM)
    server.wait(PATIENCE_S)
