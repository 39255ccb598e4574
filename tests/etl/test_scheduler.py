"""Regions and districts on a scheduler's workers: the answers of one process, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import distributed
import numpy as np
import pandas as pd
import pytest

import geo
from api.cli.main import main
from etl import scheduler
from etl.proposing import Wish, propose
from etl.scheduler import balance_many, dask_run
from geo.balance import STABLE, Problem, balance
from geo.balance.engine import tasks_of
from geo.balance.solve import solve
from geo.errors import BalanceError, InputError, SetupError, UnavailableError

# What Dask does in its own threads and at its end is not ours to tidy.
pytestmark = pytest.mark.filterwarnings("ignore")


def parts(communities: int = 9, *, seed: int = 0) -> dict[str, Any]:
    """The parts of a district of square communities, some larger than others, with drifted grids."""
    rng = np.random.default_rng(seed)
    sides = rng.integers(6, 14, communities)
    first = np.r_[0, np.cumsum(sides**2)]
    at, today, edges = [], [], []
    for number, side in enumerate(sides):
        cells = first[number] + np.arange(side * side).reshape(side, side)
        edges += [
            np.c_[cells[:, :-1].ravel(), cells[:, 1:].ravel()],
            np.c_[cells[:-1].ravel(), cells[1:].ravel()],
        ]
        row, column = np.divmod(np.arange(side * side), side)
        at.append(np.c_[column + 20 * number, row] * 10.0)
        today.append(100 * number + row // 3 * 10 + column // 4)
    n, pairs = int(first[-1]), np.concatenate(edges)
    return {
        "households": rng.integers(0, 30, n),
        "xy": np.concatenate(at),
        "area": np.full(n, 100.0),
        "perimeter": np.full(n, 40.0),
        "community": np.repeat(np.arange(communities), sides**2),
        "compound": np.full(n, -1),
        "current": np.concatenate(today),
        "edges": pairs,
        "shared_m": np.full(len(pairs), 10.0),
        "open": np.ones(len(pairs), bool),
        "target": 180.0,
    }


PROBLEM = Problem(**parts())


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
        silence_logs=60,
    ) as made:
        yield made


@pytest.fixture
def address(cluster) -> str:
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)  # also after a test that kills one
    return str(cluster.scheduler_address)


def test_regions_solved_by_workers_are_those_of_one_process(address):
    here = balance(PROBLEM, seed=3)
    there = balance(PROBLEM, seed=3, run=dask_run(address))
    assert there.assignment.tobytes() == here.assignment.tobytes()
    assert there.report == here.report
    assert here.report.after.households_moved > 0


def test_a_worker_that_dies_changes_nothing(address):
    with distributed.Client(address, set_as_default=False) as client:
        victim = min(client.run(os.getpid).values())
    killed = []

    def progress(stage: str, share: float) -> None:
        if stage == "improve" and not killed:
            os.kill(victim, signal.SIGKILL)
            killed.append(share)

    there = balance(PROBLEM, run=dask_run(address), progress=progress)
    assert killed
    assert killed[0] < 1
    assert there.assignment.tobytes() == balance(PROBLEM).assignment.tobytes()


def test_told_to_stop_it_still_gives_a_legal_plan(address):
    stopped = balance(PROBLEM, run=dask_run(address, lambda: True))
    assert stopped.report.stopped
    assert stopped.report.after.legal


def test_leaving_early_drops_what_is_under_way(address):
    tasks = sorted(tasks_of(PROBLEM, PROBLEM.frozen, STABLE), key=lambda task: -len(task.region.cells))
    endless = [task._replace(effort=10**6) for task in tasks[1:]]
    answers = iter(dask_run(address)(solve, [tasks[0], *endless]))
    assert len(next(answers)[0]) == len(tasks[0].region.cells)
    answers.close()
    with distributed.Client(address, set_as_default=False) as client:
        deadline = time.monotonic() + 60
        while sum(client.run(executing).values()):
            assert time.monotonic() < deadline, "workers still carry out what nobody waits for"
            time.sleep(0.05)


def executing(dask_worker: Any) -> int:
    return int(dask_worker.state.executing_count)


def test_districts_come_one_by_one_and_are_read_as_there_is_room(address):
    districts = [parts(2, seed=seed) for seed in range(20)]
    taken = []

    def loaders() -> Iterator[scheduler.Load]:
        for number, each in enumerate(districts):
            taken.append(number)
            yield partial(Problem, **each)

    there = balance_many(loaders(), address=address)
    first = next(there)
    assert len(taken) <= 2 * scheduler.AHEAD + 1
    proposals = [first, *there]
    assert len(proposals) == len(taken) == 20
    for proposal, here in zip(proposals, balance_many(loaders()), strict=True):
        assert proposal.assignment.tobytes() == here.assignment.tobytes()
        assert proposal.report == here.report


def test_districts_stop_when_told_to():
    told = iter([False] * 3)  # asked within and after each district
    proposals = balance_many([partial(Problem, **parts(1))] * 3, should_stop=lambda: next(told, True))
    assert list(proposals) == []


def test_what_a_district_cannot_have_is_told_as_in_one_process(address):
    asked = partial(Problem, **{**parts(2), "grids": 10_000})
    for where in (None, address):
        with pytest.raises(BalanceError) as caught:
            list(balance_many([asked], address=where))
        assert caught.value.fault
        assert caught.value.remedy


@pytest.fixture
def of_another_version(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(geo, "__version__", "another")
    scheduler.made_of.cache_clear()
    yield
    scheduler.made_of.cache_clear()


def test_workers_of_another_version_are_refused(address, of_another_version):
    with pytest.raises(SetupError, match="2 of 2 workers have another version"):
        balance(PROBLEM, run=dask_run(address))


WITHOUT_GRIDGOV = """
import asyncio, sys
from distributed import Scheduler, Worker
sys.modules["etl"] = None
async def main(address):
    if address:
        async with Worker(address, nthreads=1, dashboard=False) as worker:
            print(address, flush=True)
            await worker.finished()
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        async with Worker(scheduler.address, nthreads=1, dashboard=False):
            print(scheduler.address, flush=True)
            await scheduler.finished()
asyncio.run(main(sys.argv[1]))
"""


@contextmanager
def without_gridgov(address: str = "") -> Iterator[str]:
    """Run a worker of a scheduler, or a scheduler with a worker, that have no gridgov."""
    command = [sys.executable, "-c", WITHOUT_GRIDGOV, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_scheduler_without_gridgov_is_refused():
    with without_gridgov() as address, pytest.raises(SetupError, match="The scheduler has another version"):
        balance(PROBLEM, run=dask_run(address))


def test_a_worker_without_gridgov_is_refused():
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=60
        ) as cluster,
        without_gridgov(cluster.scheduler_address) as address,
        pytest.raises(SetupError, match="1 of 1 workers have another version of gridgov, or none"),
    ):
        balance(PROBLEM, run=dask_run(address))


def test_a_worker_of_another_version_that_joins_later_is_refused():
    with pytest.raises(SetupError, match="another version"):
        scheduler._work(solve, None, "another")


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # held, and nobody listens
        with pytest.raises(UnavailableError, match="No scheduler answers") as caught:
            balance(PROBLEM, run=dask_run(f"tcp://127.0.0.1:{taken.getsockname()[1]}"))
    assert "dask scheduler" in caught.value.remedy


@pytest.mark.parametrize("address", ["nowhere", "carrier-pigeon://10.0.0.1:8786", "tcp://"])
def test_what_is_no_address_is_told(address, monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_S", 0.5)
    with pytest.raises((InputError, UnavailableError), match=address):
        balance(PROBLEM, run=dask_run(address))


def test_a_scheduler_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_S", 2.0)
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=60
        ) as empty,
        pytest.raises(UnavailableError, match="has no workers"),
    ):
        balance(PROBLEM, run=dask_run(empty.scheduler_address))


def test_a_scheduler_that_is_lost_is_told(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_S", 5.0)
    tasks = [task._replace(effort=10**6) for task in tasks_of(PROBLEM, PROBLEM.frozen, STABLE)]
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
        silence_logs=60,
    ) as cluster:
        asked = iter([False, False])

        def closed() -> bool:
            if not next(asked, True):
                return False
            cluster.close()
            return False

        with pytest.raises(UnavailableError):
            list(dask_run(cluster.scheduler_address, closed)(solve, tasks))


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SetupError) as caught:
        balance(PROBLEM, run=dask_run("tcp://127.0.0.1:8786"))
    assert "scale" in caught.value.remedy


def test_a_proposal_is_the_same_whoever_works_on_it(place, address):
    wish = Wish(target=160, grid_count=4)
    here = propose(place.store, place.code, wish)
    there = propose(place.store, place.code, wish, scheduler=address)
    assert there.proposal.assignment.tobytes() == here.proposal.assignment.tobytes()
    assert there.proposal.report == here.proposal.report


def test_work_of_others_is_ended_by_who_listens(place, address):
    class EndedError(Exception):
        pass

    told = []

    def progress(stage: str, share: float) -> None:
        told.append((stage, share))
        if told.count(("start", 1.0)) > 1:  # told again while the workers work
            raise EndedError

    with pytest.raises(EndedError):
        propose(place.store, place.code, Wish(target=160, effort=10**6), scheduler=address, progress=progress)


def test_an_instance_folder_is_balanced_by_a_scheduler(address, tmp_path, monkeypatch, capfd):
    given = parts(3)
    units = {name: given[name] for name in ("area", "community", "compound", "current")}
    units |= {
        "uid": np.arange(len(given["households"])),
        "w": given["households"],
        "perim": given["perimeter"],
    }
    units |= {"x": given["xy"][:, 0], "y": given["xy"][:, 1], "container": given["community"]}
    pd.DataFrame(units).to_parquet(tmp_path / "units.parquet")
    u, v = given["edges"].T
    edges = {"u": u, "v": v, "shared_len": given["shared_m"], "ok": given["open"]}
    pd.DataFrame(edges).to_parquet(tmp_path / "edges.parquet")
    counts = np.maximum(1, np.bincount(given["community"], given["households"]) // given["target"]).astype(
        int
    )
    meta = {"target": given["target"], "K": int(counts.sum()), "k_per_container": counts.tolist()}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    written = []
    for name, words in {"here.csv": [], "there.csv": ["--scheduler", address]}.items():
        command = ["gridgov", "balance", str(tmp_path), "--out", str(tmp_path / name), *words]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, capfd.readouterr().err
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
