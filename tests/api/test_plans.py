"""The life of a plan over HTTP: who may do what, with which revision, and what is answered."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from etl import accounts
from etl.actor import SYSTEM
from etl.establish import establish
from tests.settle import settle

CODE = "990001"
PASSWORD = "a password that is long"  # noqa: S105


@pytest.fixture
def people(store, serving):
    """``people("planner")`` is a client signed in with that role; ``people(None)`` is the public."""
    settle(store)
    establish(store, SYSTEM, CODE, target=360, tolerance_percent=10)
    for role in ("planner", "approver", "dispatcher"):
        accounts.add(store, SYSTEM, role, PASSWORD, roles=[role], scope=[CODE])
    with serving() as client:

        def as_role(role: str | None) -> TestClient:
            someone = TestClient(client.app, raise_server_exceptions=False)
            if role:
                answer = someone.post("/api/v1/session", json={"name": role, "password": PASSWORD})
                someone.cookies.clear()
                someone.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            return someone

        yield as_role


def post(client: TestClient, path: str, body: dict | None = None, **headers: str):
    return client.post(f"/api/v1/plans{path}", json=body or {}, headers=headers)


def grids_of(client: TestClient, number: int) -> list[dict]:
    return client.get(f"/api/v1/plans/{number}/details").json()["grids"]


def test_a_plan_goes_from_draft_to_force_by_two_people(people):
    planner, approver, public = people("planner"), people("approver"), people(None)
    opened = post(planner, "", {"title": "调整"})
    assert (opened.status_code, opened.headers["location"]) == (201, "/api/v1/plans/2?district=990001")
    assert public.get("/api/v1/plans/2").status_code == 404
    assert [plan["number"] for plan in public.get("/api/v1/plans").json()["plans"]] == [1]
    east, west = (grid["code"] for grid in grids_of(planner, 2)[:2])
    moved = post(planner, "/2/moves", {"revision": 1, "moves": [{"buildings": ["B1-2-0"], "to": east}]})
    assert moved.status_code == 200, moved.text
    assert moved.json()["revision"] == 2
    assert {grid["households"] for grid in moved.json()["grids"]} == {340, 380}
    assert post(planner, "/2/submit", {"revision": 2}).json()["state"] == "submitted"
    assert post(planner, "/2/approve").status_code == 403
    refused = post(approver, "/2/approve")
    assert refused.status_code == 409
    assert any("no_duty" in line for line in refused.json()["problems"])
    assert post(approver, "/2/approve", {"waive": {"all": "试行"}}).json()["state"] == "approved"
    done = post(approver, "/2/publish")
    assert (done.status_code, done.json()["in_force"]) == (200, True)
    shown = public.get("/api/v1/plans/2").json()
    assert (shown["state"], shown["in_force"]) == ("published", True)
    assert "author" not in shown
    grid = public.get(f"/api/v1/grids/{west}", params={"min_version": done.headers["gridgov-version"]})
    assert grid.status_code == 200


def test_a_stale_edit_is_told_what_changed(people):
    planner = people("planner")
    post(planner, "")
    east = grids_of(planner, 2)[0]["id"]
    body = {"revision": 1, "moves": [{"buildings": ["B1-2-0"], "to": east}]}
    assert post(planner, "/2/moves", body).status_code == 200
    stale = post(planner, "/2/moves", body)
    assert stale.status_code == 409
    assert stale.json()["changes"][0]["cells"] == 1
    assert post(planner, "/2/undo", {"revision": 2}).json()["revision"] == 3


def test_a_request_sent_twice_is_carried_out_once(people):
    planner = people("planner")
    key = {"Idempotency-Key": "a-key-of-mine"}
    first, second = (post(planner, "", {"title": "一次"}, **key) for _ in range(2))
    assert first.json()["number"] == second.json()["number"] == 2
    assert len(planner.get("/api/v1/plans").json()["plans"]) == 2
    assert post(planner, "", {"title": "另一次"}, **key).status_code == 409


def test_two_drafts_at_once_are_merged(people):
    planner, approver = people("planner"), people("approver")
    for _ in range(2):
        post(planner, "")
    one, two = grids_of(planner, 2)[0]["id"], grids_of(planner, 2)[2]["id"]
    post(planner, "/2/moves", {"revision": 1, "moves": [{"buildings": ["B1-2-0"], "to": one}]})
    post(planner, "/3/moves", {"revision": 1, "moves": [{"buildings": ["B2-2-0"], "to": two}]})
    post(planner, "/2/submit")
    post(approver, "/2/approve", {"waive": {"all": "试行"}})
    assert post(approver, "/2/publish").status_code == 200
    assert post(planner, "/3/submit").status_code == 409
    merged = post(planner, "/3/rebase").json()
    assert (merged["onto"], merged["conflicts"]) == (2, [])
    households = [grid["households"] for grid in grids_of(planner, 3)]
    assert households == [380, 340, 380, 340]
    changed = planner.get("/api/v1/plans/3/compare").json()
    assert [(pair["cells"], pair["households"]) for pair in changed["moves"]] == [(1, 20)]
    assert post(planner, "/3/submit").status_code == 200


def test_bad_bodies_are_told(people):
    planner = people("planner")
    post(planner, "")
    grid = grids_of(planner, 2)[0]["id"]
    for moves, status in (
        ([], 422),
        ([{"to": grid}], 400),
        ([{"to": grid, "cells": [10**9]}], 400),
        ([{"to": "000000000000000", "buildings": ["B1-0-0"]}], 404),
        ([{"to": grid, "buildings": ["B2-0-0"]}], 409),
        ([{"to": grid, "buildings": ["B1-5-5"]}, {"to": "new", "buildings": ["B1-5-5"]}], 400),
        ([{"to": grid, "buildings": ["B1-5-5"], "by": "force"}], 422),
    ):
        assert post(planner, "/2/moves", {"revision": 1, "moves": moves}).status_code == status, moves
    assert post(people("dispatcher"), "/2/submit").status_code == 403
    assert post(people(None), "/2/submit").status_code == 401
    assert post(planner, "/9/submit").status_code == 404


def test_what_cannot_be_stored_or_is_no_date_is_refused(people):
    planner, approver = people("planner"), people("approver")
    assert post(planner, "/1/comments", {"text": "两行\n意见\t"}).status_code == 201
    for text in ("a\u0000b", "\u0007"):
        assert post(planner, "/1/comments", {"text": text}).status_code == 422
        form = {"said": text, "key": "12345678"}
        assert planner.post("/plans/1/comment", data=form).status_code == 422
    for at in ("0001-01-01", "9999-12-31T23:59:59"):
        assert post(approver, "/1/publish", {"at": at}).status_code == 422
        form = {"at": at, "key": "12345678", "revision": "1"}
        assert approver.post("/plans/1/publish", data=form).status_code == 422
    assert planner.get("/api/v1/jobs?kind=%00").status_code == 422


def test_the_grids_of_a_plan_that_is_yet_to_come_are_shown(people):
    planner, approver, public = people("planner"), people("approver"), people(None)
    post(planner, "")
    first = public.get("/api/v1/grids").json()["grids"]
    moves = [{"buildings": [f"B1-0-{row}" for row in range(6)], "to": "new"}]
    assert post(planner, "/2/moves", {"revision": 1, "moves": moves}).status_code == 200
    assert public.get("/api/v1/grids?plan=2").status_code == 404
    assert post(planner, "/2/submit").status_code == 200
    assert post(approver, "/2/approve", {"waive": {"all": "试行"}}).status_code == 200
    assert post(approver, "/2/publish", {"at": "2900-01-01"}).status_code == 200
    coming = public.get("/api/v1/grids?plan=2")
    assert coming.headers["gridgov-plan"] == "2"
    assert (len(coming.json()["grids"]), {g["plan"] for g in coming.json()["grids"]}) == (len(first) + 1, {2})
    assert public.get("/api/v1/grids?plan=1").json()["grids"] == first
    assert public.get("/api/v1/grids").json()["grids"] == first
    assert public.get("/api/v1/grids?plan=3").status_code == 404
    assert public.get("/api/v1/grids?plan=2&as_of=2900-01-02").status_code == 400
