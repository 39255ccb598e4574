"""Jobs: asked for, carried out, ended, and what their real kinds do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from api.kinds import kinds
from data import audit, jobs
from data.lanes import lane
from data.settings import Settings
from etl.actor import SYSTEM
from etl.jobs import Work, cancel, retry, run_here, run_next, submit
from etl.retention import forget
from geo.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from geo.progress import silent
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
    count,
    get,
    kind,
    noted,
    notes,
)
from tests.settle import settle


@pytest.fixture
def store(store):
    add_districts(store)
    return store


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
