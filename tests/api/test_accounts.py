"""Signing in by cookie and by token, accounts and the audit by HTTP, and by the command line."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import COOKIE, district_of
from api.state import State
from data import audit
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.actor import PUBLIC, SYSTEM, Actor
from geo.errors import ForbiddenError, InputError
from tests import town

HERE, THERE = "340504", "340503"
PHRASE = "correct horse battery"
SESSION, ACCOUNTS = "/api/v1/session", "/api/v1/accounts"
OWN = {"Origin": "http://testserver"}


@pytest.fixture(scope="module")
def store(fresh_database):
    """The town, with an account of an administrator of it."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        accounts.add(store, SYSTEM, "chief", PHRASE, roles=["admin"], scope=[HERE])
        yield store
        store.close()


@pytest.fixture(scope="module")
def client(store):
    with TestClient(create_app(store, Settings()), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def served(client):
    """The application, asked by a browser that holds no cookie yet."""
    client.cookies.clear()
    return client


@pytest.fixture
def bearer(served):
    """The administrator's headers, as a program sends them."""
    token = served.post(SESSION, json={"name": "chief", "password": PHRASE}).json()["token"]
    served.cookies.clear()
    return {"Authorization": f"Bearer {token}"}


def test_a_browser_signs_in_and_out(served):
    assert served.get(SESSION).json() == {"account": None, "roles": [], "scope": [], "expires_at": None}
    made = served.post(SESSION, json={"name": "chief", "password": PHRASE})
    assert made.status_code == 201
    cookie = made.headers["set-cookie"].lower()
    assert all(word in cookie for word in (f"{COOKIE}=", "httponly", "samesite=strict", "path=/"))
    assert "secure" not in cookie
    found = served.get(SESSION).json()
    assert (found["account"], found["roles"], found["scope"]) == ("chief", ["admin"], [HERE])
    assert served.delete(SESSION, headers=OWN).status_code == 204
    assert COOKIE not in served.cookies
    old = {"Authorization": f"Bearer {made.json()['token']}"}
    assert served.get(SESSION, headers=old).status_code == 401


def test_over_https_the_cookie_is_secure(served):
    made = served.post(f"https://testserver{SESSION}", json={"name": "chief", "password": PHRASE})
    assert "; secure" in made.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "given", [{"name": "chief", "password": "wrong"}, {"name": "who", "password": PHRASE}]
)
def test_a_refusal_is_one_and_the_same(served, given):
    refused = served.post(SESSION, json=given)
    assert refused.status_code == 401
    assert refused.json()["detail"] == "The name or the password is not right."
    assert "set-cookie" not in refused.headers


def test_a_wrong_token_is_never_taken_for_the_public(served):
    for path in ("/api/v1/grids", "/api/v1/districts", SESSION, ACCOUNTS):
        refused = served.get(path, headers={"Authorization": "Bearer nonsense"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_a_cookie_that_is_no_longer_good_is_dropped_and_never_stands_in_the_way(served):
    served.cookies.set(COOKIE, "old", domain="testserver.local")
    page = served.get("/", follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/")
    assert f'{COOKIE}=""' in page.headers["set-cookie"]
    served.cookies.set(COOKIE, "old", domain="testserver.local")
    assert served.get("/sign-in").status_code == 200
    assert served.post(SESSION, json={"name": "chief", "password": PHRASE}, headers=OWN).status_code == 201


def test_public_reads_ask_the_database_nothing_of_accounts(served, store, bearer):
    def rename(old: str, new: str) -> None:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename("sign_ins", "elsewhere")
    asked = [served.get("/api/v1/resolve?q=康宁花园1幢"), served.get("/api/v1/grids")]
    asked.append(served.get("/api/v1/grids", headers=bearer))
    rename("elsewhere", "sign_ins")
    assert [answer.status_code for answer in asked] == [200, 200, 500]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", **OWN}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        (OWN, 204),
    ],
)
def test_what_a_cookie_allows_must_come_from_a_page_of_ours(served, headers, status):
    served.post(SESSION, json={"name": "chief", "password": PHRASE})
    asked = served.put(f"{ACCOUNTS}/chief/password", json={"password": PHRASE}, headers=headers)
    assert asked.status_code == status


def test_another_site_cannot_sign_a_browser_in(served):
    form = {"name": "chief", "password": PHRASE}
    assert served.post("/sign-in", data=form, headers={"Origin": "http://evil.example"}).status_code == 403


def test_an_administrator_manages_accounts(served, bearer):
    wanted = {"name": "Wang", "password": PHRASE, "roles": ["planner"], "scope": [HERE]}
    added = served.post(ACCOUNTS, json=wanted, headers=bearer)
    assert (added.status_code, added.json()["name"]) == (201, "wang")
    assert served.post(ACCOUNTS, json=wanted, headers=bearer).status_code == 409
    assert served.post(ACCOUNTS, json=wanted | {"scope": []}, headers=bearer).status_code == 400
    changed = served.patch(f"{ACCOUNTS}/wang", json={"roles": ["auditor"]}, headers=bearer).json()
    assert (changed["roles"], changed["scope"], changed["active"]) == (["auditor"], [HERE], True)
    put = served.put(f"{ACCOUNTS}/wang/password", json={"password": "short"}, headers=bearer)
    assert put.status_code == 422
    assert served.patch(f"{ACCOUNTS}/who", json={"active": False}, headers=bearer).status_code == 404
    listed = served.get(ACCOUNTS, headers=bearer).json()["accounts"]
    assert [account["name"] for account in listed] == ["chief", "wang"]
    assert not any("password" in key for account in listed for key in account)


def test_the_audit_of_a_district_is_read_in_pages(served, store, bearer):
    for number in range(5):
        with store.begin(HERE) as connection:
            audit.record(
                connection,
                HERE,
                actor="x",
                action="plan.edit",
                subject="plan 3",
                after={"revision": number},
            )
    first = served.get("/api/v1/audit?limit=2&subject=plan 3", headers=bearer).json()["entries"]
    assert [entry["after"]["revision"] for entry in first] == [4, 3]
    rest = served.get(f"/api/v1/audit?before={first[-1]['id']}&subject=plan 3", headers=bearer).json()
    assert [entry["after"]["revision"] for entry in rest["entries"]] == [2, 1, 0]
    assert served.get("/api/v1/audit?subject=plan 4", headers=bearer).json() == {"entries": []}


def test_hostile_names_and_passwords_are_refused_in_order(served):
    for text in ("\x00", "\ud800", "x" * 5000, "'; DROP TABLE accounts; --"):
        body = json.dumps({"name": text, "password": text})
        answer = served.post(SESSION, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {401, 422}
    answer = served.post("/sign-in", data={"name": "\x00", "password": "x"})
    assert answer.status_code == 422
    assert served.get("/api/v1/grids", headers={"Authorization": b"Bearer \xff\xfe"}).status_code == 401


@pytest.mark.parametrize(
    ("next_", "goes"),
    [
        ("/docs", "/docs"),
        ("/plans/3?tab=map", "/plans/3?tab=map"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nX: y", "/"),
        ("", "/"),
    ],
)
def test_the_page_leads_back_to_where_one_came_from_if_that_is_here(served, next_, goes):
    page = served.get("/sign-in", params={"next": next_})
    assert page.status_code == 200
    form = {"name": "chief", "password": PHRASE, "next": next_}
    done = served.post("/sign-in", data=form, headers=OWN, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, goes)
    assert served.get(SESSION).json()["account"] == "chief"


def test_the_page_says_so_when_the_password_is_wrong(served):
    page = served.post("/sign-in", data={"name": "<chief>", "password": "wrong"}, headers=OWN)
    assert page.status_code == 401
    assert "用户名或密码不对" in page.text
    assert 'value="&lt;chief&gt;"' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_the_district_is_the_accounts_own_before_any_other(database_url):
    store = Store(database_url)
    town.build(store)
    town.build(store, THERE, "花山区", west=118.70)
    state = State(store, Settings(district=THERE))
    state.refresh()
    roles = frozenset({"planner"})
    local = Actor("local", roles, frozenset({HERE}))
    both = Actor("both", roles, frozenset({HERE, THERE}))
    assert district_of(state, PUBLIC, None).code == THERE
    assert district_of(state, local, None).code == HERE
    assert district_of(state, both, HERE).code == HERE
    assert district_of(state, both, None).code == THERE
    with pytest.raises(ForbiddenError):
        district_of(state, local, THERE)
    unset = State(store, Settings())
    unset.refresh()
    with pytest.raises(InputError, match=f"{THERE}, {HERE}"):
        district_of(unset, both, None)
    with pytest.raises(InputError):
        district_of(unset, PUBLIC, None)
    store.close()
