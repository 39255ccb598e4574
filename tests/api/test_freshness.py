"""What a process answers from: chosen by the district's clock, built ahead, made again only where it must be."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from api.fresh import written
from api.stamp import PLAN, VERSION
from api.state import State
from data import versions
from data.session import Store
from data.settings import Settings
from geo.errors import UnavailableError
from geo.times import CHINA
from tests import town

CODE, OTHER = "340504", "340503"
EAST = "lon=118.535&lat=31.705&crs=wgs84"
"""A point of grid 4, which plan 1 and the scheduled plan have in grid 5."""
LOCATE = f"/api/v1/locate?{EAST}"
READS = ("overview", "communities", "grids", f"grids/{town.grid_code(1)}", "plans", "layers/grids.geojson")


@pytest.fixture
def state(store):
    """The town as a process serves it that nobody tells of changes."""
    town.build(store)
    return State(store, Settings())


def run(store, statement: str, district: str = CODE, *layers: str, **values: object) -> None:
    with store.begin(district) as connection:
        connection.execute(text(statement), values)
        if layers:
            versions.advance(connection, district, *layers)


def schedule(store, in_s: float) -> datetime:
    """Publish plan 3, which has the grids of plan 1, for some seconds from now; return when."""
    return schedule_at(store, datetime.now(CHINA) + timedelta(seconds=in_s))


def schedule_at(store, at: datetime) -> datetime:
    run(store, "UPDATE plans SET valid = tstzrange(lower(valid), :at) WHERE number = 2", at=at)
    run(
        store,
        "INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m, shape)"
        " SELECT g.district, n.id, g.grid_id, g.households, g.buildings, g.area_m2, g.perimeter_m, g.shape"
        " FROM plan_grids g JOIN plans p ON p.id = g.plan_id, plans n WHERE p.number = 1 AND n.number = 3",
    )
    run(
        store,
        "UPDATE plans SET state = 'published', valid = tstzrange(:at, NULL) WHERE number = 3",
        CODE,
        "plans",
        "locate",
        at=at,
    )
    return at


def clock(store, expression: str) -> None:
    """Let the district's clock show something else."""
    with store.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION district_now(code text) RETURNS timestamptz"
                f" LANGUAGE sql STABLE AS $$ SELECT {expression} $$"
            )
        )


@contextmanager
def no_database(store):
    """Let the database be out of reach for a while."""
    lost = Store("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    reached, store.engine = store.engine, lost.engine
    yield
    store.engine = reached


def until(ask, holds):
    """Ask until the answer holds; that takes seconds at most, the bound is for a hung test."""
    for _ in range(300):
        answer = ask()
        if holds(answer):
            return answer
        time.sleep(0.05)
    raise AssertionError(f"still {answer}")


def plan_of(state) -> int:
    return state.locator(CODE).at(118.535, 31.705, "wgs84").plan.number


def test_a_scheduled_plan_takes_over_at_its_instant_without_the_database(store, state):
    at = schedule(store, 2.0)
    state.load()
    with no_database(store):
        assert plan_of(state) == 2
        until(lambda: plan_of(state), lambda plan: plan == 3)
    assert datetime.now(CHINA) > at - timedelta(seconds=0.5)
    assert state.due() == [CODE]


def test_at_midnight_the_next_days_duties_take_over(store, state):
    midnight = "date_trunc('day', now()) + interval '1 day'"
    with store.begin() as connection:
        shift = connection.execute(text(f"SELECT {midnight} - now() - interval '2 seconds'")).scalar_one()
    clock(store, f"clock_timestamp() + interval '{shift.total_seconds()} seconds'")
    run(store, "UPDATE duties SET valid = daterange(CURRENT_DATE + 1, NULL)")
    state.load()
    east = "118.5025", "31.705"

    def on_duty():
        return state.locator(CODE).at(*map(float, east), "wgs84").grid.on_duty

    assert on_duty() == ()
    (duty,) = until(on_duty, bool)
    assert (duty.role, duty.worker) == ("primary", None)


def test_an_ended_plan_is_answered_from_no_longer_though_the_next_is_not_known(store, state):
    state.load()
    at = datetime.now(CHINA) + timedelta(seconds=1)
    run(store, "UPDATE plans SET valid = tstzrange(lower(valid), :at) WHERE number = 2", CODE, "plans", at=at)
    state.refresh([CODE])
    with no_database(store):
        until(lambda: state.served(CODE).locator, lambda locator: locator is None)
        with pytest.raises(UnavailableError):
            state.locator(CODE)


def test_a_clock_that_steps_back_does_not_bring_back_an_ended_plan(store, state):
    schedule(store, 0.5)
    state.load()
    until(lambda: plan_of(state), lambda plan: plan == 3)
    clock(store, "clock_timestamp() - interval '5 minutes'")
    state.refresh()
    assert plan_of(state) == 3
    assert state.served(CODE).edition.plan == 3


def test_what_fell_due_while_nobody_served_is_carried_out_at_the_start(store, serving):
    town.build(store)
    schedule(store, -60.0)
    with serving() as client:
        assert client.get(LOCATE).json()["grid"]["code"] == town.grid_code(5)
        until(lambda: states(client), lambda found: found[:2] == [(3, "published"), (2, "superseded")])


def states(client) -> list[tuple[int, str]]:
    return [(plan["number"], plan["state"]) for plan in client.get("/api/v1/plans").json()["plans"]]


def test_what_cannot_be_carried_out_is_tried_again_and_answers_go_on(store, serving, caplog):
    town.build(store)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE grid_successions RENAME TO elsewhere"))
    schedule(store, 1.0)
    with serving() as client:
        assert client.get(LOCATE).json()["plan"]["number"] == 2
        until(lambda: "is not carried out yet" in caplog.text, bool)
        assert client.get(LOCATE).json()["plan"]["number"] == 3
        with store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO grid_successions"))
        until(lambda: states(client), lambda found: (2, "superseded") in found)


def test_edits_of_drafts_change_no_answer(store, serving):
    town.build(store)
    with serving() as client:
        state = client.app.state.served
        before = state.served(CODE)
        tags = [client.get(f"/api/v1/{path}").headers["etag"] for path in READS]
        run(store, "UPDATE plans SET revision = revision + 1 WHERE number = 3", CODE, "drafts")
        after = state.catch_up(CODE)
        assert after.locator is before.locator
        assert after.edition == before.edition
        assert [client.get(f"/api/v1/{path}").headers["etag"] for path in READS] == tags


def test_what_no_locator_is_made_of_raises_its_version_only(store, state):
    state.load()
    before = state.served(CODE)
    run(store, "SELECT", CODE, "cases")
    after = state.catch_up(CODE)
    assert after.edition.version == before.edition.version + 1
    assert after.locator.register.data_version == after.edition.version
    assert after.locator.book is before.locator.book
    assert after.locator.at(118.535, 31.705, "wgs84").data_version == after.edition.version
    assert before.locator.at(118.535, 31.705, "wgs84").data_version == before.edition.version


def test_a_district_does_not_disturb_another(store, serving):
    town.build(store)
    town.build(store, OTHER, "花山区", west=118.70)
    with serving() as client:
        state = client.app.state.served
        before = state.served(CODE).locator
        tags = [client.get(f"/api/v1/{path}?district={CODE}").headers["etag"] for path in READS]
        run(store, "UPDATE sites SET name = name || '2'", OTHER, "sites", "locate")
        assert state.catch_up(OTHER).edition.version == 5
        state.refresh()
        assert state.served(CODE).locator is before
        assert [client.get(f"/api/v1/{path}?district={CODE}").headers["etag"] for path in READS] == tags


@pytest.mark.parametrize("path", [f"locate?{EAST}", "resolve?q=康宁花园1幢", *READS])
def test_every_answer_names_its_plan_and_version(client, path):
    headers = client.get(f"/api/v1/{path}").headers
    assert (headers[PLAN], headers[VERSION]) == ("2", "3")


@pytest.mark.parametrize(
    "path", [f"locate?{EAST}&", "resolve?q=康宁花园1幢&", *(f"{path}?" for path in READS)]
)
def test_a_version_that_does_not_come_is_not_answered(client, path):
    assert client.get(f"/api/v1/{path}min_version=3").status_code == 200
    refused = client.get(f"/api/v1/{path}min_version=4")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert client.get(f"/api/v1/{path}min_version=-1").status_code == 422


def test_a_version_that_is_on_its_way_is_waited_for(store, serving):
    town.build(store)
    with serving() as client:
        later = threading.Timer(0.3, run, (store, "SELECT", CODE, "cases"))
        later.start()
        answer = client.get(f"{LOCATE}&min_version=4")
        later.join()
        assert answer.status_code == 200
        assert answer.json()["data_version"] == 4


def test_a_write_is_answered_once_it_is_served(store, state):
    state.load()
    run(store, "UPDATE sites SET name = '改名'", CODE, "sites", "locate")
    answer = written(state, CODE, {"done": True}, status=201)
    assert (answer.status_code, answer.body) == (201, b'{"done":true,"data_version":5}')
    assert (answer.headers[PLAN], answer.headers[VERSION]) == ("2", "5")
    assert {site.name for site in state.locator(CODE).register.sites} == {"改名"}


def test_a_write_that_cannot_be_served_yet_says_so(store, state):
    state.load()
    with no_database(store), pytest.raises(UnavailableError, match="done"):
        written(state, CODE, {})


def test_points_and_addresses_are_answered_as_of_another_time(store, serving):
    town.build(store)
    at = schedule(store, 3600)
    with serving() as client:
        past = client.get("/api/v1/plans/1").json()["valid_from"]
        for instant, plan, grid in ((past, 1, 5), (None, 2, 4), (at.isoformat(), 3, 5)):
            query = {"as_of": instant} if instant else {}
            point = {"lon": 118.535, "lat": 31.705, "crs": "wgs84"}
            for path, asked in (("locate", point), ("resolve", {"q": "安居社区碧水小区1幢"})):
                answer = client.get(f"/api/v1/{path}", params={**asked, **query})
                assert answer.json()["grid"]["code"] == town.grid_code(grid), answer.text
                assert (answer.json()["plan"]["number"], answer.headers[PLAN]) == (plan, str(plan))
            assert client.get("/api/v1/overview", params=query).json()["plan"]["number"] == plan
        for path in ("locate?lon=118.535&lat=31.705&crs=wgs84", "resolve?q=康宁花园1幢"):
            never = client.get(f"/api/v1/{path}&as_of=1999-01-01")
            assert (never.status_code, never.json()["type"]) == (404, "urn:gridgov:problem:not-found")


@pytest.mark.parametrize("path", [f"locate?{EAST}", "resolve?q=安居社区碧水小区1幢"])
def test_a_scheduled_plan_is_told_with_what_a_place_will_be_in(store, serving, path):
    town.build(store)
    at = schedule(store, 3600)
    with serving() as client:
        told = client.get(f"/api/v1/{path}").json()
        change = told["next_change"]
        assert (told["grid"]["code"], told["plan"]["number"]) == (town.grid_code(4), 2)
        assert (change["plan"], change["title"], change["status"]) == (3, "草案", "match")
        assert (change["grid"], change["same"]) == (town.grid_code(5), False)
        assert (
            datetime.fromisoformat(change["at"]) == datetime.fromisoformat(told["plan"]["valid_until"]) == at
        )
        asked = client.get(f"/api/v1/{path}&plan=3").json()
        assert (asked["grid"]["code"], asked["plan"]["number"]) == (town.grid_code(5), 3)
        assert (asked["plan"]["state"], asked["next_change"]) == ("published", None)
        run(
            store, "SELECT", CODE, "cases"
        )  # what is told of the next plan outlives a change of something else
        client.app.state.served.catch_up(CODE)
        assert client.get(f"/api/v1/{path}").json()["next_change"] == change
        west = client.get("/api/v1/locate?lon=118.5025&lat=31.705&crs=wgs84").json()["next_change"]
        assert (west["status"], west["grid"], west["same"]) == ("approximate", town.grid_code(5), False)


def test_a_withdrawn_plan_is_told_no_more(store, serving):
    town.build(store)
    schedule(store, 3600)
    with serving() as client:
        assert client.get(LOCATE).json()["next_change"]["plan"] == 3
        run(store, "UPDATE plans SET state = 'withdrawn', valid = NULL WHERE number = 3")
        run(
            store,
            "UPDATE plans SET valid = tstzrange(lower(valid), NULL) WHERE number = 2",
            CODE,
            "plans",
            "locate",
        )
        until(lambda: client.get(LOCATE).json()["next_change"], lambda change: change is None)
        assert client.get(f"{LOCATE}&plan=3").status_code == 404


def let_take_turns(store, number: int) -> None:
    """Put one of plans 2 and 3 in force and the others out of it, in one transaction."""
    run(
        store,
        "WITH out AS (UPDATE plans SET state = 'draft', valid = NULL, activated_at = NULL WHERE number <> :number"
        " RETURNING id) UPDATE plans SET state = 'published', activated_at = now(), valid = tstzrange(now(), NULL)"
        " WHERE number = :number AND (SELECT count(*) FROM out) >= 0",
        CODE,
        "plans",
        "locate",
        number=number,
    )


def test_under_load_every_answer_is_of_one_plan_while_plans_take_turns(store, serving):
    town.build(store)
    schedule(store, -1.0)
    grids = {2: town.grid_code(4), 3: town.grid_code(5)}
    seen, ended = [], threading.Event()

    def ask(client, path):
        while not ended.is_set():
            found = client.get(path)
            seen.append(
                (found.status_code, found.headers.get(PLAN), found.headers.get(VERSION), found.json())
            )

    with serving() as client:
        paths = [LOCATE, "/api/v1/resolve?q=安居社区碧水小区1幢", f"{LOCATE}&include=sites,evidence"]
        threads = [threading.Thread(target=ask, args=(client, path)) for path in paths]
        try:
            let_take_turns(store, 2)
            client.app.state.served.catch_up(CODE)
            for thread in threads:
                thread.start()
            for number in (3, 2) * 4:
                let_take_turns(store, number)
                client.app.state.served.catch_up(CODE)
                asked = client.get(LOCATE).json()
                assert (asked["plan"]["number"], asked["grid"]["code"]) == (number, grids[number])
                known = len(seen)
                until(lambda: len(seen), lambda count, known=known: count > known + 3)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert {status for status, *_ in seen} == {200}
    for _, plan, version, answer in seen:
        number = answer["plan"]["number"]
        assert (plan, version) == (str(number), str(answer["data_version"]))
        assert answer["grid"]["code"] == grids[number]
    assert {plan for _, plan, _, _ in seen} == {"2", "3"}


def test_duties_of_another_time_are_those_of_that_day(store, serving):
    town.build(store)
    with serving() as client:
        point = {"lon": 118.5025, "lat": 31.705, "crs": "wgs84"}
        for days, on_duty in ((-8, ["primary"]), (-10, [])):
            as_of = (datetime.now(CHINA) + timedelta(days=days)).isoformat()
            answer = client.get("/api/v1/locate", params={**point, "as_of": as_of}).json()
            assert answer["grid"]["duty"]["on_duty"] == on_duty


def test_locators_of_other_times_share_the_address_book(store, state):
    state.load()
    district = state.served(CODE).district
    now = datetime.now(CHINA)
    earlier, later = (
        state._ready_at(district, now - timedelta(days=days)).teller.locator for days in (40, 20)
    )
    assert earlier.register.plan.number == 1
    assert later.book is earlier.book is state.locator(CODE).book
