"""Jobs whose process, worker or connection is gone, and the worker itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from data import audit, jobs
from data.session import Store
from etl.actor import SYSTEM
from etl.jobs import Kind, Work, cancel, retry, run_next, submit
from etl.jobs.running import ATTEMPTS
from etl.jobs.worker import Worker
from geo.errors import ConflictError, GridgovError
from tests.notes import (
    CODE,
    FILES,
    OTHER,
    PATIENCE_S,
    PLANNER,
    Gate,
    Words,
    add_districts,
    aside,
    begun,
    get,
    kind,
    noted,
    notes,
    terminate,
)


@pytest.fixture
def store(store):
    add_districts(store)
    return store


def test_a_job_whose_process_was_killed_is_done_by_the_next(store):
    job = begun(store, kind())
    assert run_next(store, CODE, kind(), FILES)
    done = get(store, job.id)
    assert (done.state, done.attempts, notes(store)) == ("succeeded", 2, 1)
    assert "中断" in done.message


def test_a_job_killed_after_its_commit_is_not_done_twice(store):
    def killed(work: Work[Words]) -> None:
        noted(work)
        raise SystemExit  # stands for the end of the process: nothing is written down after it

    job = submit(store, PLANNER, CODE, kind(killed), {"word": "once"})
    with pytest.raises(SystemExit):
        run_next(store, CODE, kind(killed), FILES)
    assert get(store, job.id).state == "doing"
    assert not run_next(store, CODE, kind(), FILES)
    done = get(store, job.id)
    assert (done.state, done.result, done.attempts, notes(store)) == ("succeeded", {"word": "once"}, 1, 1)


def test_a_commit_still_under_way_when_its_process_is_gone_is_waited_for(store):
    """The killed process had sent its last statements; its lane is free before they are carried out."""
    job = begun(store, kind())
    with store.begin(CODE) as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('gridgov district'), hashtext(:c))"), {"c": CODE}
        )
        jobs.mark(connection, job.id)
        audit.record(connection, CODE, actor="planner", action="note.write", subject="note")
        results: list[bool] = []
        thread = threading.Thread(target=lambda: results.append(run_next(store, CODE, kind(), FILES)))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(PATIENCE_S)
    assert results == [False]
    assert (get(store, job.id).state, notes(store)) == ("succeeded", 0)


def test_a_job_that_ends_every_process_is_given_up(store):
    job = begun(store, kind())
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE jobs SET attempts = :n"), {"n": ATTEMPTS})
    assert not run_next(store, CODE, kind(), FILES)
    failed = get(store, job.id)
    assert failed.state == "failed"
    assert failed.error["remedy"]
    assert retry(store, PLANNER, CODE, kind(), job.id).attempts == 0


def test_a_command_that_was_killed_is_not_done_by_a_worker(store):
    job = begun(store, kind(), foreground=True)
    assert not run_next(store, CODE, kind(), FILES)
    assert get(store, job.id).state == "failed"
    with pytest.raises(ConflictError, match="again"):
        retry(store, PLANNER, CODE, kind(), job.id)


def test_a_job_to_be_cancelled_whose_process_is_gone_is_cancelled(store):
    job = begun(store, kind())
    assert cancel(store, PLANNER, CODE, job.id).cancel_requested
    assert not run_next(store, CODE, kind(), FILES)
    assert get(store, job.id).state == "cancelled"


def test_a_lost_connection_is_mended_by_doing_the_job_again(store):
    def lose(work: Work[Words]) -> None:
        terminate(store, "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')")
        work.progress("note", 0.5)

    job = submit(store, PLANNER, CODE, kind(lose))
    with pytest.raises(GridgovError, match="lost"):
        run_next(store, CODE, kind(lose), FILES)
    assert get(store, job.id).state == "doing"
    assert run_next(store, CODE, kind(), FILES)
    assert get(store, job.id).state == "succeeded"


def test_a_worker_that_stops_gives_its_job_back(store):
    gate, stopping = Gate(), threading.Event()
    job = submit(store, PLANNER, CODE, kind(gate))
    with aside(lambda: run_next(store, CODE, kind(gate), FILES, stopping)):
        assert gate.begun.wait(PATIENCE_S)
        stopping.set()
    back = get(store, job.id)
    assert (back.state, back.attempts, back.percent, notes(store)) == ("todo", 0, 0, 0)


@contextmanager
def at_work(store: Store, run: Kind[Any], **more: Any) -> Iterator[Worker]:
    worker = Worker(store, {run.name: run}, FILES, **more)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_worker_hears_of_jobs_and_does_districts_in_parallel(store):
    both = threading.Barrier(2, timeout=PATIENCE_S)
    finished = threading.Semaphore(0)

    def meet(work: Work[Words]) -> None:
        both.wait()
        finished.release()

    with at_work(store, kind(meet, act=None)):
        submitted = [(submit(store, SYSTEM, code, kind(meet)).id, code) for code in (CODE, OTHER)]
        for _ in submitted:
            assert finished.acquire(timeout=PATIENCE_S)
    assert {get(store, number, code).state for number, code in submitted} == {"succeeded"}


def test_a_worker_asks_daily_for_what_is_daily_once(store):
    done = threading.Semaphore(0)

    def tidy(work: Work[Words]) -> None:
        done.release()

    daily = kind(tidy, act=None)
    with at_work(store, daily, daily=("note",)):
        for _ in (CODE, OTHER):
            assert done.acquire(timeout=PATIENCE_S)
    with at_work(store, daily, daily=("note",)):
        submit(store, PLANNER, CODE, daily)
        assert done.acquire(timeout=PATIENCE_S)
    for code in (CODE, OTHER):
        with store.read(code) as connection:
            asked = [job.actor["id"] for job in jobs.every(connection, code)]
        assert asked.count("system") == 1


def test_a_worker_survives_the_loss_of_its_listening(store):
    done = threading.Event()

    def say(work: Work[Words]) -> None:
        done.set()

    with at_work(store, kind(say, act=None)):
        terminate(store, "query LIKE 'LISTEN%'")
        submit(store, SYSTEM, CODE, kind(say))
        assert done.wait(PATIENCE_S)
