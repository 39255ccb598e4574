"""A kind of job for tests: it leaves a note in the district, in one transaction that is on record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from data import districts, jobs
from data.session import Store
from etl.acting import acting
from etl.actor import Actor
from etl.jobs import Kind, Work
from tests.settle import SRID

CODE, OTHER = "990001", "990002"
PLANNER = Actor("planner", frozenset({"planner"}), frozenset({CODE}))
PATIENCE_S = 30.0
FILES = Path("unused")


def add_districts(store: Store) -> None:
    """Add two districts with nothing in them."""
    with store.begin() as connection:
        for code in (CODE, OTHER):
            districts.add(connection, code, "试验区", SRID, made_up=True)


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
    """End connections as an administrator does, once there are any: the application's role may not."""
    ended = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
    )

    def some() -> bool:
        with store.engine.connect() as connection:  # a transaction sees one state of them
            return connection.execute(ended).rowcount > 0

    end = time.monotonic() + PATIENCE_S
    while not some():
        assert time.monotonic() < end, "there was no such connection"
        time.sleep(0.02)


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
