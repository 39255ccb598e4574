"""What the pages of plans answer, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api import exports
from api.app import create_app
from api.kinds import kinds
from data import districts, jobs
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM, Actor
from etl.drafts import open_draft
from etl.edits import Move, move
from etl.establish import establish
from etl.jobs import submit
from etl.plans import rebalance
from etl.proposing import Wish
from tests.settle import settle

CODE, OTHER = "990001", "990002"
PASSWORD = "correct horse battery"  # noqa: S105
LATER = ["near_target", "in_band_today", "in_band_expected", "excess_pieces", "broken_compounds"]
"""Figures that older plans' reports lack."""
PLANNER = Actor("planner", frozenset({"planner"}), frozenset({CODE}))


@pytest.fixture(scope="module")
def served(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[tuple[Store, TestClient]]:
    """Two districts, one of them with a plan in force, served to a planner of the one who is signed in."""
    with fresh_database() as url:
        store = Store(url)
        settle(store)
        settle(store, OTHER, communities=1)
        establish(store, SYSTEM, CODE, target=360)
        accounts.add(store, SYSTEM, PLANNER.id, PASSWORD, roles=PLANNER.roles, scope=PLANNER.scope)
        token = accounts.sign_in(store, PLANNER.id, PASSWORD, hours=1).token
        with TestClient(create_app(store, Settings())) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            yield store, client
        store.close()


def column(number: int) -> list[str]:
    return [f"B1-{number}-{row}" for row in range(6)]


def moved(page: str) -> int:
    """Return the households a page says are moved."""
    found = re.search(r"Households moved.*?<td class=\"number\">([\d,]+)</td>", page, re.DOTALL)
    assert found
    return int(found[1].replace(",", ""))


def test_a_plan_shows_all_it_would_change_though_it_was_opened_from_a_draft(served):
    store, client = served
    base = open_draft(store, PLANNER, CODE).number
    move(store, PLANNER, CODE, base, [Move("new", buildings=column(0))], revision=1)
    number = open_draft(store, PLANNER, CODE, base=base).number
    assert moved(client.get(f"/plans/{number}").text) == 120
    move(store, PLANNER, CODE, base, [Move("new", buildings=column(1))], revision=2)
    assert moved(client.get(f"/plans/{number}").text) == 120
    move(store, PLANNER, CODE, number, [Move("new", buildings=column(5))], revision=1)
    assert moved(client.get(f"/plans/{number}").text) == 240


def test_plans_are_listed_by_state_and_in_pages(served, monkeypatch):
    store, client = served
    monkeypatch.setattr("api.routes.plan_pages.PAGE", 2)
    numbers = [open_draft(store, PLANNER, CODE).number for _ in range(3)]
    seen, address = [], f"/plans?district={CODE}&state=draft"
    while address:
        page = client.get(address).text
        seen += [int(number) for number in re.findall(r'href="/plans/(\d+)\?district=990001"', page)]
        older = re.search(r'href="([^"]+)"><span lang="zh-CN">更早的方案', page)
        address = older and older[1].replace("&amp;", "&")
    assert seen == sorted(seen, reverse=True)
    assert set(numbers) <= set(seen)
    assert 1 not in seen  # it is in force


def test_where_several_districts_are_served_one_is_chosen(served):
    _, client = served
    assert client.get("/plans").status_code == 200  # the planner's own
    asked = client.get("/plans", headers={"Authorization": ""})
    assert asked.status_code == 400
    assert re.findall(r'href="(/plans\?district=\d+)"', asked.text) == [
        f"/plans?district={CODE}",
        f"/plans?district={OTHER}",
    ]


def test_a_form_sent_twice_opens_one_draft(served):
    _, client = served
    sent = [client.post("/plans", data={"key": "0123456789abcdef"}, follow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["location"] == sent[1].headers["location"]


def test_a_rebalance_is_asked_for_and_ended_on_the_page(served):
    store, client = served
    asked = client.post(
        "/plans/rebalance", data={"profile": "whole", "expected_percent": 50, "community": "990001900002"}
    )
    number = int(re.search(r'action="/plans/jobs/(\d+)/cancel', asked.text)[1])
    with store.read(CODE) as connection:
        wanted = jobs.get(connection, CODE, number).params
    assert (wanted["profile"], wanted["expected_percent"], wanted["communities"]) == (
        "whole",
        50,
        ["990001900002"],
    )
    ended = client.post(f"/plans/jobs/{number}/cancel")
    assert "已要求取消" in ended.text
    assert "/plans/jobs/" not in ended.text
    assert client.post("/plans/rebalance", data={"profile": "cheap"}).status_code == 400
    other = submit(store, PLANNER, CODE, kinds(Settings())["build_cells"]).id
    assert client.post(f"/plans/jobs/{other}/cancel").status_code == 404


def test_a_proposal_says_why_on_its_page_and_its_map(served):
    store, client = served
    number = rebalance(store, SYSTEM, CODE, Wish(target=120, tolerance_percent=10)).number
    page = client.get(f"/plans/{number}").text
    assert "超出上限 132，新设网格#" in page
    assert "above the most of 132; grid #" in page
    assert re.search(r"已证明：12 个网格至多 12 个达标，至少须划转 [\d,]+ 户", page)
    assert "超出上限 132，新设网格#" in client.get(f"/plans/{number}/map").text
    told = client.get(f"/api/v1/plans/{number}/reasons").json()
    households = sum(grid["households"] for each in told["told"]["communities"] for grid in each["grids"])
    assert households == sum(move["households"] for move in told["rows"]["reasons"]["moves"]) > 0
    assert "理由" not in client.get("/plans/1").text
    assert client.get("/api/v1/plans/1/reasons").json() == {"told": None, "rows": {}}


def test_an_older_proposal_opens_without_what_was_not_told_then(served):
    store, client = served
    number = rebalance(store, SYSTEM, CODE, Wish(target=120, tolerance_percent=10)).number
    with store.begin(CODE) as connection:
        connection.execute(
            text(
                "UPDATE plans SET report = jsonb_build_object('hands', report -> 'hands',"
                " 'before', (report -> 'before') - CAST(:later AS text[]),"
                " 'after', (report -> 'after') - CAST(:later AS text[]))"
                " WHERE district = :district AND number = :number"
            ),
            {"district": CODE, "number": number, "later": LATER},
        )
    page = client.get(f"/plans/{number}")
    assert page.status_code == 200
    assert "理由" not in page.text
    assert client.get(f"/plans/{number}/map").status_code == 200
    with store.read(CODE) as connection:
        shared = exports.comparison(connection, districts.get(connection, CODE), number)
    assert "调整前" in shared
    assert "接近目标" not in shared


def test_the_map_is_shut_in(served):
    _, client = served
    answer = client.get("/plans/1/map")
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/plans/1/submit", {"revision": 1}, 409),
        ("/plans/1/submit", {}, 422),
        ("/plans/99/withdraw", {"revision": 1, "reason": "x"}, 404),
        ("/plans/1/approve", {"revision": 1}, 403),
        ("/plans/1/withdraw", {"revision": 1, "reason": "x"}, 409),
        ("/plans/1/comment", {"key": "0123456789abcdee", "said": " "}, 400),
    ],
)
def test_what_cannot_be_done_is_told_as_a_page(served, path, data, status):
    _, client = served
    answer = client.post(path, data=data)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
