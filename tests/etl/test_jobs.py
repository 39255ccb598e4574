from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from api.kinds import kinds
from data import audit, districts, jobs
from data.lanes import lane
from data.session import Store
from data.settings import Settings
from etl.acting import acting
from etl.actor import SYSTEM, Actor
from etl.jobs import Kind, Work, cancel, retry, run_here, run_next, submit
from etl.jobs.running import ATTEMPTS
from etl.jobs.worker import Worker
from etl.retention import forget
from geo.errors import ConflictError, ForbiddenError, GridgovError, InputError, NotFoundError
from geo.progress import silent
from tests.settle import SRID, settle

CODE, OTHER = "990001", "990002"
PLANNER = Actor("planner", frozenset({"planner"}), frozenset({CODE}))
PATIENCE_S = 30.0
FILES = Path("unused")


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str = "done"


def noted(work: Work[Words]) -> dict[str, str]:
    """A use case of one transaction that leaves one row of its own."""
    with acting(work.store, work.actor, work.district) as act:
        act.connection.execute(
            text("INSERT INTO departments (district, name) VALUES (:d, :n)"),
            {"d": act.code, "n": f"{work.params.word} {work.job}"},
        )
        work.progress("note", 0.5)
        act.record("note.write", work.params.word, after={"word": work.params.word})
    return {"word": work.params.word}


def kind(run: Callable[[Work[Words]], Any] = noted, **more: Any) -> Kind[Words]:
    return Kind("note", "Note", Words, run, **{"act": "note.write", "stages": {"note": 1}, **more})


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    with store.begin() as connection:
        for code in (CODE, OTHER):
            districts.add(connection, code, "试验区", SRID, made_up=True)
    yield store
    store.close()


def get(store: Store, number: int, district: str = CODE) -> jobs.Job:
    with store.read(district) as connection:
        return jobs.get(connection, district, number)


def count(store: Store, query: str) -> int:
    with store.read(CODE) as connection:
        return connection.execute(text(query)).scalar_one()


def notes(store: Store) -> int:
    return count(store, "SELECT count(*) FROM departments")


def begun(store: Store, kind_: Kind[Any], *, foreground: bool = False) -> jobs.Job:
    """A job whose process was killed: it is being done, and nobody holds its lane."""
    with store.begin(CODE) as connection:
        asker = {"id": "planner", "roles": [], "scope": []}
        job = jobs.add(connection, CODE, kind_.name, {"word": "cut"}, asker, foreground=foreground)
        return jobs.begin(connection, CODE, job.id)


def terminate(store: Store, condition: str) -> None:
    """End connections as an administrator does: the application's role may not."""
    with store.engine.connect() as connection:
        ended = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        )
        assert connection.execute(ended).rowcount > 0


@contextmanager
def aside(act: Callable[[], object]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=act)
    thread.start()
    yield thread
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


class Gate:
    """A kind's work that says it began, then reports progress until it is let go or told to end."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, work: Work[Words]) -> dict[str, str]:
        with acting(work.store, work.actor, work.district) as act:
            act.connection.execute(
                text("INSERT INTO departments (district, name) VALUES (:d, 'gate')"), {"d": CODE}
            )
            self.begun.set()
            while not self.open.wait(0.02):
                work.progress("note", 0.5)
            act.record("note.write", "gate")
        return {"word": "gate"}


def test_a_job_is_asked_for_carried_out_and_on_record(store):
    job = submit(store, PLANNER, CODE, kind(), {"word": "first"})
    assert (job.state, job.percent, job.actor["id"]) == ("todo", 0, "planner")
    assert run_next(store, CODE, kind(), FILES)
    done = get(store, job.id)
    assert (done.state, done.percent, done.attempts, done.result) == ("succeeded", 100, 1, {"word": "first"})
    assert done.created_at < done.started_at <= done.finished_at
    with store.read(CODE) as connection:
        acts = [(entry.action, entry.actor) for entry in audit.entries(connection, CODE)]
        assert jobs.carried_out(connection, CODE, job.id, "note.write") == {"word": "first"}
    assert acts == [("note.write", "planner"), ("job.submit", "planner")]
    assert not run_next(store, CODE, kind(), FILES)


def test_what_is_asked_twice_while_it_waits_is_one_job(store):
    first = submit(store, PLANNER, CODE, kind(), {"word": "same"})
    assert submit(store, PLANNER, CODE, kind(), {"word": "same"}).id == first.id
    assert submit(store, PLANNER, CODE, kind(), {"word": "other"}).id != first.id
    assert submit(store, SYSTEM, CODE, kind(), {"word": "same"}).id != first.id
    assert run_next(store, CODE, kind(), FILES)
    assert submit(store, PLANNER, CODE, kind(), {"word": "same"}).id != first.id


def test_what_cannot_be_asked_for_is_refused(store):
    with pytest.raises(InputError, match="word"):
        submit(store, PLANNER, CODE, kind(), {"word": 3})
    with pytest.raises(InputError, match="It takes: word"):
        submit(store, PLANNER, CODE, kind(), {"words": "x"})
    with pytest.raises(ForbiddenError):
        submit(store, PLANNER, OTHER, kind())
    with pytest.raises(NotFoundError):
        submit(store, SYSTEM, "999999", kind())


def test_jobs_of_another_district_are_not_seen(store):
    job = submit(store, SYSTEM, OTHER, kind())
    for act in (lambda: get(store, job.id), lambda: cancel(store, SYSTEM, CODE, job.id)):
        with pytest.raises(NotFoundError):
            act()
    with store.read(CODE) as connection:
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0


def test_a_job_that_waits_is_cancelled_at_once_and_can_be_retried(store):
    job = submit(store, PLANNER, CODE, kind())
    assert cancel(store, PLANNER, CODE, job.id).state == "cancelled"
    assert not run_next(store, CODE, kind(), FILES)
    with pytest.raises(ConflictError, match="finished"):
        cancel(store, PLANNER, CODE, job.id)
    assert retry(store, PLANNER, CODE, kind(), job.id).state == "todo"
    assert run_next(store, CODE, kind(), FILES)
    assert get(store, job.id).state == "succeeded"
    with pytest.raises(ConflictError, match="succeeded"):
        retry(store, PLANNER, CODE, kind(), job.id)


def test_a_job_being_done_is_cancelled_and_leaves_nothing(store):
    """The job holds the district meanwhile: ending it must not wait for that."""
    gate = Gate()
    job = submit(store, PLANNER, CODE, kind(gate))
    with aside(lambda: run_next(store, CODE, kind(gate), FILES)):
        assert gate.begun.wait(PATIENCE_S)
        assert cancel(store, PLANNER, CODE, job.id).state == "doing"
    ended = get(store, job.id)
    assert (ended.state, ended.result, ended.error) == ("cancelled", None, None)
    assert notes(store) == 0


def test_a_cancel_that_comes_after_the_commit_changes_nothing(store):
    def late(work: Work[Words]) -> dict[str, str]:
        done = noted(work)
        cancel(work.store, SYSTEM, CODE, work.job)
        work.progress("note", 1.0)  # within the least time between two reports: the next one raises
        threading.Event().wait(0.3)
        work.progress("note", 1.0)
        return done

    job = submit(store, PLANNER, CODE, kind(late), {"word": "kept"})
    assert run_next(store, CODE, kind(late), FILES)
    done = get(store, job.id)
    assert (done.state, done.result) == ("succeeded", {"word": "kept"})
    assert notes(store) == 1


def test_one_job_of_a_kind_runs_in_a_district_and_others_run_beside_it(store):
    gate = Gate()
    job = submit(store, PLANNER, CODE, kind(gate))
    submit(store, PLANNER, CODE, kind(), {"word": "next"})
    other = submit(store, SYSTEM, OTHER, kind())
    with aside(lambda: run_next(store, CODE, kind(gate), FILES)):
        assert gate.begun.wait(PATIENCE_S)
        assert not run_next(store, CODE, kind(), FILES)
        assert run_next(store, OTHER, kind(), FILES)
        gate.open.set()
    assert get(store, job.id).state == get(store, other.id, OTHER).state == "succeeded"
    assert run_next(store, CODE, kind(), FILES)
    assert notes(store) == 2


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


def test_a_failure_is_told_with_its_remedy_and_can_be_retried(store):
    def refuse(work: Work[Words]) -> None:
        raise ConflictError("The ground is wet.", "Wait.")

    job = submit(store, PLANNER, CODE, kind(refuse))
    assert run_next(store, CODE, kind(refuse), FILES)
    failed = get(store, job.id)
    assert (failed.state, failed.error) == ("failed", {"fault": "The ground is wet.", "remedy": "Wait."})
    assert not run_next(store, CODE, kind(), FILES)
    with pytest.raises(ConflictError):
        retry(store, PLANNER, CODE, kind(retryable=False), job.id)
    assert retry(store, PLANNER, CODE, kind(), job.id).error is None
    assert run_next(store, CODE, kind(), FILES)
    assert get(store, job.id).state == "succeeded"


def test_a_fault_of_the_program_is_told_without_its_text(store):
    def stumble(work: Work[Words]) -> None:
        raise ValueError("somebody's name")

    job = submit(store, PLANNER, CODE, kind(stumble))
    assert run_next(store, CODE, kind(stumble), FILES)
    error = get(store, job.id).error
    assert "ValueError" in error["fault"]
    assert "somebody" not in str(error)


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


def test_a_command_runs_a_job_here_and_waits_for_its_turn(store):
    seen: list[str] = []
    with lane(store, CODE, "note") as held:
        assert held is not None
        reports: list[object] = []
        thread = threading.Thread(
            target=lambda: reports.append(
                run_here(
                    store, PLANNER, CODE, kind(), {"word": "here"}, lambda stage, _: seen.append(stage), FILES
                )
            )
        )
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(PATIENCE_S)
    assert reports == [{"word": "here"}]
    assert seen[0] == "wait"
    assert seen[-1] == "note"
    with store.read(CODE) as connection:
        (job,) = jobs.every(connection, CODE)
    assert (job.state, job.foreground, job.result) == ("succeeded", True, {"word": "here"})


def test_a_command_whose_job_fails_or_is_cancelled_says_so(store):
    def refuse(work: Work[Words]) -> None:
        raise ConflictError("The ground is wet.")

    def ended(work: Work[Words]) -> None:
        cancel(store, PLANNER, CODE, work.job)
        work.progress("note", 0.1)

    with pytest.raises(ConflictError, match="wet"):
        run_here(store, PLANNER, CODE, kind(refuse), {}, silent, FILES)
    with pytest.raises(ConflictError, match="cancelled"):
        run_here(store, PLANNER, CODE, kind(ended), {}, silent, FILES)
    with store.read(CODE) as connection:
        assert [job.state for job in jobs.every(connection, CODE)] == ["cancelled", "failed"]


def test_percent_never_goes_back(store):
    seen: list[int] = []

    def wander(work: Work[Words]) -> None:
        for share in (0.6, 0.2, 0.9):
            work.progress("note", share)
            seen.append(get(store, work.job).percent)
            threading.Event().wait(0.3)

    submit(store, PLANNER, CODE, kind(wander, act=None))
    assert run_next(store, CODE, kind(wander, act=None), FILES)
    assert seen == [60, 60, 90]


@given(st.sampled_from(["a", "b", "c"]), st.floats(-1, 2), st.sampled_from(["a", "b", "c"]), st.floats(-1, 2))
def test_percent_grows_with_stage_and_share(stage, share, later, more):
    staged = kind(stages={"a": 1, "b": 7.5, "c": 2})
    percent = staged.percent(stage, share)
    assert 0 <= percent <= 99
    if (stage, share) <= (later, more):
        assert percent <= staged.percent(later, more)


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


def test_real_kinds_carry_out_their_use_cases_at_most_once(store):
    settle(store, CODE, communities=1, side=2)
    known = kinds(Settings(target=40))
    cells = submit(store, PLANNER, CODE, known["build_cells"])
    assert run_next(store, CODE, known["build_cells"], FILES)
    assert get(store, cells.id).result["cells"] == 4
    proposed = submit(store, PLANNER, CODE, known["rebalance"], {"seed": 1})
    assert run_next(store, CODE, known["rebalance"], FILES)
    assert get(store, proposed.id).result["number"] == 1
    with store.begin(CODE) as connection:  # as if the worker had ended before it wrote that down
        connection.execute(
            text("UPDATE jobs SET state = 'doing', finished_at = NULL, result = NULL WHERE id = ANY(:n)"),
            {"n": [cells.id, proposed.id]},
        )
    for name in ("build_cells", "rebalance"):
        assert not run_next(store, CODE, known[name], FILES)
    assert get(store, cells.id).state == get(store, proposed.id).state == "succeeded"
    assert count(store, "SELECT count(*) FROM plans") == 1


def test_exports_leave_a_file_that_retention_deletes(store, tmp_path):
    settle(store, CODE, communities=1, side=2)
    known = kinds(Settings(target=40, data_dir=tmp_path))
    for name in ("build_cells", "rebalance"):
        run_here(store, SYSTEM, CODE, known[name], {}, silent, tmp_path)
    job = submit(store, PLANNER, CODE, known["export_overview"], {"plan": 1})
    assert run_next(store, CODE, known["export_overview"], tmp_path)
    made = tmp_path / get(store, job.id).result["file"]
    assert "</html>" in made.read_text("utf-8")
    with store.begin(CODE) as connection:
        connection.execute(
            text("UPDATE jobs SET finished_at = now() - interval '31 days' WHERE id = :n"), {"n": job.id}
        )
        connection.execute(
            text(
                "INSERT INTO answered_requests (district, actor, key, digest, answer, at)"
                " VALUES (:d, 'planner', 'old', '', '{}', now() - interval '8 days'),"
                " (:d, 'planner', 'new', '', '{}', now())"
            ),
            {"d": CODE},
        )
        _add_contacts(connection)
    done = forget(store, SYSTEM, CODE, tmp_path)
    assert (done.files, done.answered_requests, done.case_contacts) == (1, 1, 1)
    assert not made.exists()
    assert "file" not in get(store, job.id).result
    assert forget(store, SYSTEM, CODE, tmp_path).files == 0


def _add_contacts(connection: Any) -> None:
    connection.execute(text("INSERT INTO departments (district, name) VALUES (:d, '城管')"), {"d": CODE})
    for number, days in enumerate((-1, 30)):
        connection.execute(
            text(
                "WITH made AS (INSERT INTO cases (district, number, category, department_id, point) SELECT :d, :n,"
                " 'kerb', id, ST_SetSRID(ST_MakePoint(118.5, 31.7), 4326) FROM departments WHERE name = '城管'"
                " RETURNING id) INSERT INTO case_contacts (district, case_id, contact, delete_on)"
                " SELECT :d, id, '-', current_date + CAST(:days AS integer) FROM made"
            ),
            {"d": CODE, "n": f"K{number}", "days": days},
        )
