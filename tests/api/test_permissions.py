"""Every route has a row in the table of permissions, and the rows are kept to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import SIGN_IN
from api.params import API
from api.permissions import ACTIONS, ROUTES, may
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.accounts import ROLES
from etl.actor import SYSTEM, Actor
from tests import town

DISTRICT, OTHER = "340504", "340503"
PHRASE = "correct horse battery"


def routes() -> list[tuple[str, bool]]:
    """Every route of the application, and whether `permit` guards it."""
    found = []
    app = create_app(Store("postgresql://nobody@/nothing?host=/nonexistent"), Settings())
    for route in iter_route_contexts(app.routes):
        methods = {"MOUNT"} if isinstance(route.original_route, Mount) else route.methods - {"HEAD"}
        guarded = isinstance(route.original_route, APIRoute)
        found += [(f"{method} {route.path}", guarded) for method in methods]
    return found


UNSAFE = [row for row in ROUTES if row.split()[0] in {"POST", "PUT", "PATCH", "DELETE"}]
QUESTIONS = {
    "POST /api/v1/evidence/{slip}",
    "POST /api/v1/locate",
    "POST /api/v1/resolve",
    "POST /api/v1/locate/batch",
}
"""What is asked in a body and changes nothing."""
GUARDED = [row for row in ROUTES if "public" not in ACTIONS[ROUTES[row]]]


def test_every_route_has_a_row_and_every_row_a_route():
    assert sorted(ROUTES) == sorted(row for row, _ in routes())


def test_what_the_guard_does_not_reach_is_public():
    assert {ROUTES[row] for row, guarded in routes() if not guarded} == {"read.public"}


def test_the_tables_name_what_there_is():
    assert set(ROUTES.values()) <= set(ACTIONS)
    assert {role for roles in ACTIONS.values() for role in roles.split()} <= {*ROLES, "public"}
    assert all(may(Actor("x", frozenset({role})), "read.public") for role in ROLES)


def test_only_what_is_for_everybody_can_be_changed_by_the_public():
    changing = [row for row in UNSAFE if row not in GUARDED and row not in QUESTIONS]
    assert {ROUTES[row] for row in changing} <= {"session.open", "session.own"}


@pytest.fixture(scope="module")
def served(fresh_database) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """Two districts, served, and a token of each role for the first of them."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        town.build(store, OTHER, "花山区", west=118.70)
        with TestClient(create_app(store, Settings()), raise_server_exceptions=False) as client:
            tokens = {}
            for role in ROLES:
                accounts.add(store, SYSTEM, role, PHRASE, roles=[role], scope=[DISTRICT])
                tokens[role] = accounts.sign_in(store, role, PHRASE, hours=1).token
            yield client, tokens
        store.close()


def ask(client: TestClient, row: str, token: str | None, query: str = ""):
    method, path = row.split()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = re.sub(r"\{[^}]+\}", "999999", path) + query
    return client.request(method, url, headers=headers, follow_redirects=False)


@pytest.mark.parametrize("row", GUARDED)
def test_each_role_may_what_the_table_says_and_no_more(served, row):
    client, tokens = served
    unsigned = ask(client, row, None)
    if row.split()[1].startswith(API):
        assert (unsigned.status_code, unsigned.headers["www-authenticate"]) == (401, "Bearer")
    else:  # a page leads to where one signs in
        assert (unsigned.status_code, unsigned.headers["location"].split("?")[0]) == (303, SIGN_IN)
    for role, token in tokens.items():
        allowed = role in ACTIONS[ROUTES[row]].split()
        assert (ask(client, row, token).status_code != 403) == allowed, role


@pytest.mark.parametrize("row", GUARDED)
def test_nobody_acts_beyond_the_districts_of_the_account(served, row):
    client, tokens = served
    for token in tokens.values():
        assert ask(client, row, token, f"?district={OTHER}").status_code == 403


def test_what_is_public_is_not_withheld_for_a_scope(served):
    client, tokens = served
    answer = ask(client, "GET /api/v1/grids", tokens["worker"], f"?district={OTHER}")
    assert answer.status_code == 200


def test_a_route_without_a_row_is_open_to_nobody(served, monkeypatch):
    client, tokens = served
    monkeypatch.delitem(ROUTES, "GET /api/v1/grids")
    for token in (None, tokens["admin"]):
        assert ask(client, "GET /api/v1/grids", token).status_code == 403
