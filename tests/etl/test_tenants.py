"""Two districts in one database: acts on one neither touch nor wait for the other."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import etl
from api.kinds import kinds
from data import comments, districts, locks, requests, versions
from data import jobs as stored_jobs
from data.session import APP_ROLE
from data.settings import Settings
from etl import aliases, drafts, edits, jobs, ledger, lifecycle, undo
from etl.actor import SYSTEM, Actor
from etl.edits import NEW, Move
from etl.jobs import Kind, Work
from geo.errors import ForbiddenError, InputError, NotFoundError
from geo.progress import silent
from tests import ledgers
from tests.governed import AUTHOR, EDITOR, Governed, governed
from tests.neighbours import TENANT_TABLES, without_district

HERE, BESIDE = "990001", "990002"
NEIGHBOUR = Actor("neighbour", frozenset({"admin"}), frozenset({BESIDE}))
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def pair(shared_store) -> tuple[Governed, Governed]:
    """Two districts alike, with plans of the same numbers: 1 in force, 2 a draft."""
    places = tuple(governed(shared_store, code, communities=1, side=2) for code in (HERE, BESIDE))
    for place in places:
        place.open()
    return places


def use_cases() -> Iterator[Callable[..., Any]]:
    """Every function of etl/ that somebody may call to act on a district."""
    for found in pkgutil.walk_packages(etl.__path__, "etl."):
        module = importlib.import_module(found.name)
        for name, member in inspect.getmembers(module, inspect.isfunction):
            own = member.__module__ == module.__name__ and not name.startswith("_")
            if own and list(inspect.signature(member).parameters)[:3] == ["store", "actor", "district"]:
                yield member


GIVEN: dict[str, Any] = {
    "number": 2,
    "import_id": 1,
    "wanted": [Move(NEW, cells=[1])],
    "revision": 1,
    "ids": [1],
    "reason": "said",
    "said": "said",
    "words": "said",
    "name": None,
    "params": {},
    "progress": silent,
    "tables": {},
    "digest": "none",
    "source": Path("nowhere.osm"),
    "folder": Path("nowhere"),
    "files": Path("nowhere"),
}
"""What a use case is called with, by the name of the parameter."""


def test_nobody_acts_beyond_the_districts_of_an_account(pair):
    place, _ = pair
    before, refused = place.digest(), set()
    for act in use_cases():
        of_job = act.__module__.startswith("etl.jobs")
        given = GIVEN | {"kind": kinds(Settings())["retention"] if of_job else "grid"}
        needed = {
            name: given[name]
            for name, parameter in list(inspect.signature(act).parameters.items())[3:]
            if parameter.default is parameter.empty
        }
        with pytest.raises(ForbiddenError, match=f"may not act on district {HERE}"), ExitStack() as entered:
            entered.enter_context(act(place.store, NEIGHBOUR, HERE, **needed))  # most are refused at the call
        refused.add(act.__module__)
    assert {"etl.publish", "etl.edits", "etl.undo", "etl.jobs.asking", "etl.ledger.importing"} <= refused
    assert place.digest() == before


def test_acts_touch_one_district_though_every_query_forgets_to_name_it(pair, tmp_path):
    place, beside = pair
    before = beside.digest()
    first, second = place.grids()
    cells = place.cells(first)
    with without_district(place.store) as seen:
        number = live(place, tmp_path, cells, second)
        assert place.plan(number).state == "superseded"
        assert place.in_force() == number + 1
    assert beside.digest() == before
    assert beside.in_force() == 1
    assert not seen.without
    written = {"plans", "plan_cells", "plan_moves", "plan_locks", "jobs", "imports", "cells", "aliases"}
    assert written <= seen.tables


def live(place: Governed, folder: Path, cells: list[int], grid: int) -> int:
    """Have a plan go through all it can, roll it back, deliver a ledger and take it back; return its number."""
    store, code = place.store, place.code
    number = place.open()
    place.move(number, Move(NEW, cells=cells[:1]))
    place.undo(number)
    place.move(number, Move(grid, cells=cells[:1]))
    edits.lock(store, EDITOR, code, number, "grid", [grid])
    edits.unlock(store, EDITOR, code, number, "grid", [grid])
    lifecycle.comment(store, EDITOR, code, number, "said")
    place.submit(number)
    place.send_back(number)
    place.put_out(number)
    place.put_out(drafts.roll_back(store, AUTHOR, code, to=1).number)
    place.withdraw(place.open())
    name = aliases.propose(store, EDITOR, code, "老纺织厂宿舍", building="B1-0-0").number
    aliases.confirm(store, AUTHOR, code, name)
    aliases.withdraw(store, AUTHOR, code, name)
    ledgers.write_csv(folder / "workers.csv", [{"code": "W1", "name": "甲示例"}])
    loaded = ledger.import_ledger(store, SYSTEM, code, folder, name=None, partial=True).import_id
    undo.undo_import(store, SYSTEM, code, loaded)
    kind = kinds(Settings())["retention"]
    for _ in range(2):
        job = jobs.submit(store, AUTHOR, code, kind)
        jobs.cancel(store, AUTHOR, code, job.id)
        jobs.retry(store, AUTHOR, code, kind, job.id)
        jobs.run_next(store, code, kind, folder)
    return number


def test_what_is_named_of_another_district_is_not_there_though_no_query_names_the_district(pair):
    place, beside = pair
    cells, grid = list(beside.assignment(1)), beside.grids()[0]
    wanted = [
        Move(grid, cells=list(place.assignment(2))[:1]),
        Move(beside.codes(1)[grid], cells=list(place.assignment(2))[:1]),
        Move(NEW, cells=cells[:1]),
        Move(NEW, grids=[grid]),
    ]
    stood, theirs = place.digest(), beside.digest()
    with without_district(place.store):
        for move in wanted:
            with pytest.raises((InputError, NotFoundError), match=r"[Nn]o (cell|grid)"):
                place.move(2, move)
        with place.store.begin(HERE) as connection:
            assert locks.add(connection, HERE, beside.plan(2).id, "cell", cells, "test") == 0
    assert (place.digest(), beside.digest()) == (stood, theirs)


WRITTEN = {"plans", "cells", "grids", "plan_cells", "communities", "buildings", "audit", "versions"}
"""Tables that hold rows of any district that is governed."""

WRITES: dict[str, Callable[[Any, Governed], object]] = {
    "a comment on a plan": lambda c, other: comments.add(c, HERE, other.plan(2).id, "test", "said"),
    "an answer kept": lambda c, other: requests.keep(c, BESIDE, "test", "a key", "none", {}),
    "a version raised": lambda c, other: versions.advance(c, BESIDE, "plans"),
    "a job": lambda c, other: stored_jobs.add(c, BESIDE, "retention", {}, {"id": "test"}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_into_another_district_is_refused_by_the_database(pair, write):
    place, beside = pair
    before = beside.digest()
    with (
        pytest.raises(DBAPIError, match=r"row-level security|foreign key"),
        place.store.begin(HERE) as connection,
    ):
        write(connection, beside)
    assert beside.digest() == before


def test_no_statement_reaches_rows_of_another_district(pair):
    place, _ = pair
    values = {"here": HERE, "beside": BESIDE, "role": APP_ROLE}
    for table in TENANT_TABLES:
        with place.store.engine.connect() as connection:
            connection.execute(text("SET session_replication_role = replica"))  # no references, no triggers

            def asked(query: str, connection: Connection = connection) -> Any:
                return connection.execute(text(query), values).scalar()

            count = f"SELECT count(*) FROM {table} WHERE district = :beside"
            stood = asked(count)
            for right, statement in (
                ("UPDATE", f"UPDATE {table} SET district = district"),
                ("DELETE", f"DELETE FROM {table}"),
            ):
                if asked(f"SELECT has_table_privilege(:role, '{table}', '{right}')"):
                    asked("SELECT set_config('role', :role, true)")
                    asked("SELECT set_config('gridgov.district', :here, true)")
                    connection.execute(text(statement))
                    asked("SELECT set_config('role', 'none', true)")
            assert asked(count) == stood, table
            assert asked(f"{count} AND xmin = pg_current_xact_id()::xid") == 0, table
            assert stood or table not in WRITTEN, table
            connection.rollback()


def test_one_key_is_of_one_district(pair):
    numbers = [
        drafts.open_draft(place.store, AUTHOR, place.code, title=title, key="one and the same").number
        for place, title in zip(pair, ("one", "other"), strict=True)
    ]
    assert [place.plan(number).title for place, number in zip(pair, numbers, strict=True)] == ["one", "other"]


def test_who_changes_one_district_does_not_hold_up_the_other(pair):
    place, beside = pair
    with place.store.begin(HERE) as connection:
        districts.queue(connection, HERE)
        stored_jobs.queue(connection, HERE)
        act = threading.Thread(target=beside.open, daemon=True)
        act.start()
        act.join(PATIENCE_S)
        assert not act.is_alive()
        assert jobs.submit(beside.store, AUTHOR, BESIDE, kinds(Settings())["activate"]).state == "todo"


class Nothing(BaseModel):
    """No parameters."""


def test_jobs_of_two_districts_run_side_by_side(pair, tmp_path):
    place, beside = pair
    met = threading.Barrier(2, timeout=PATIENCE_S)

    def meet(work: Work[Nothing]) -> dict[str, str]:
        met.wait()  # passed only if both are being done at once
        return {"district": work.district}

    kind = Kind("meet", "Meet", Nothing, meet)
    submitted = [jobs.submit(each.store, AUTHOR, each.code, kind) for each in pair]
    other = threading.Thread(target=jobs.run_next, args=(beside.store, BESIDE, kind, tmp_path))
    other.start()
    assert jobs.run_next(place.store, HERE, kind, tmp_path)
    other.join(PATIENCE_S)
    for each, job in zip(pair, submitted, strict=True):
        with each.store.read(each.code) as connection:
            assert stored_jobs.get(connection, each.code, job.id).result == {"district": each.code}
