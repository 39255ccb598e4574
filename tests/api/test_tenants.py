"""Two districts in one database: what belongs to one is neither shown to the other nor changed by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient
from typer.main import get_command
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import VERBS
from api.cli.main import app as commands
from api.params import API
from api.permissions import ACTIONS, ROUTES
from data.layers import LAYERS as LAYERS_THERE_ARE
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from geo.errors import GridgovError, InputError, NotFoundError
from tests import neighbours
from tests.governed import governed
from tests.neighbours import MARK, A, B, Things, without_district

PHRASE = "correct horse battery"
KEY = "0123456789abcdef"

Sent = Callable[[Things], dict[str, Any]]

QUERIES: dict[str, Sent] = {
    "GET /api/v1/suggest": lambda t: {"params": {"q": "湖东路"}},
    "GET /api/v1/locate": lambda t: {"params": {"lon": t.lon, "lat": 31.705, "crs": "wgs84"}},
    "GET /api/v1/resolve": lambda t: {"params": {"q": "湖东路166号康宁花园1幢"}},
}
"""What a read has to be asked with beside what stands in its path."""

_SEEN = {"revision": 1}
BODIES: dict[str, Sent] = {
    "POST /api/v1/plans": lambda t: {"json": {"base": t.plans}},
    "POST /api/v1/plans/roll-back": lambda t: {"json": {"to": t.plans}},
    "POST /api/v1/plans/{number}/moves": lambda t: {
        "json": _SEEN | {"moves": [{"to": t.grids, "cells": [t.cell]}]}
    },
    "POST /api/v1/plans/{number}/undo": lambda t: {"json": _SEEN},
    "POST /api/v1/plans/{number}/lock": lambda t: {"json": {"kind": "cell", "ids": [t.cell]}},
    "POST /api/v1/plans/{number}/unlock": lambda t: {"json": {"kind": "grid", "ids": [t.grids]}},
    "POST /api/v1/plans/{number}/rebase": lambda t: {},
    "POST /api/v1/plans/{number}/comments": lambda t: {"json": {"text": "said"}},
    "POST /api/v1/plans/{number}/submit": lambda t: {"json": {}},
    "POST /api/v1/plans/{number}/send-back": lambda t: {"json": {"reason": "said"}},
    "POST /api/v1/plans/{number}/approve": lambda t: {"json": {"waive": {"all": "said"}}},
    "POST /api/v1/plans/{number}/publish": lambda t: {"json": {}},
    "POST /api/v1/plans/{number}/withdraw": lambda t: {"json": {"reason": "said"}},
    "POST /api/v1/imports/{number}/undo": lambda t: {},
    "POST /api/v1/imports": lambda t: {"files": {"files": ("a.csv", b"x")}},
    "POST /imports": lambda t: {"files": {"files": ("a.csv", b"x")}},
    "POST /api/v1/jobs": lambda t: {"json": {"kind": "build_cells"}},
    "POST /api/v1/jobs/{number}/cancel": lambda t: {},
    "POST /api/v1/jobs/{number}/retry": lambda t: {},
    "POST /plans": lambda t: {"data": {"key": KEY}},
    "POST /plans/rebalance": lambda t: {},
    "POST /plans/jobs/{number}/cancel": lambda t: {},
    "POST /plans/{number}/open": lambda t: {"data": {"key": KEY}},
    "POST /plans/{number}/roll_back": lambda t: {"data": {"key": KEY}},
    "POST /plans/{number}/rebase": lambda t: {},
    "POST /plans/{number}/comment": lambda t: {"data": {"key": KEY, "said": "said"}},
    "POST /plans/{number}/submit": lambda t: {"data": _SEEN},
    "POST /plans/{number}/send_back": lambda t: {"data": _SEEN | {"reason": "said"}},
    "POST /plans/{number}/approve": lambda t: {"data": _SEEN},
    "POST /plans/{number}/publish": lambda t: {"data": _SEEN | {"key": KEY}},
    "POST /plans/{number}/withdraw": lambda t: {"data": _SEEN | {"reason": "said"}},
    "POST /imports/{number}/undo": lambda t: {},
    "POST /api/v1/aliases": lambda t: {"json": {"words": "老纺织厂宿舍", "compound": t.compound}},
    "POST /api/v1/aliases/{number}/confirm": lambda t: {},
    "POST /aliases": lambda t: {"data": {"name": "老纺织厂宿舍", "noun": "compound", "code": t.compound}},
    "POST /aliases/{number}/confirm": lambda t: {},
    "POST /aliases/{number}/withdraw": lambda t: {},
    "POST /api/v1/aliases/{number}/withdraw": lambda t: {},
    "POST /api/v1/locate": lambda t: {"json": {"lon": 118.501, "lat": 31.705, "crs": "wgs84"}},
    "POST /api/v1/resolve": lambda t: {"json": {"q": "湖东路"}},
    "POST /api/v1/evidence/{slip}": lambda t: {"json": {}},
    "POST /api/v1/locate/batch": lambda t: {},
    "POST /api/v1/accounts": lambda t: {
        "json": {"name": "newcomer", "password": PHRASE, "roles": ["planner"], "scope": [t.district]}
    },
    "PATCH /api/v1/accounts/{name}": lambda t: {"json": {"active": False}},
    "PUT /api/v1/accounts/{name}/password": lambda t: {"json": {"password": PHRASE[::-1]}},
}
"""What every act is asked with."""

OF_NOBODY = {
    "GET /",
    "GET /m",
    "GET /docs",
    "GET /healthz",
    "GET /readyz",
    "GET /api/v1/openapi.json",
    "GET /api/v1/layers",
    "GET /api/v1/districts",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    *(f"{method} /api/v1/session" for method in ("GET", "POST", "DELETE")),
    *(row for row in ROUTES if "/api/v1/accounts" in row),
}
"""Routes that are of no district; accounts are within scopes instead."""

CHOOSE = {f"{method} /api/v1/{path}" for method in ("GET", "POST") for path in ("locate", "evidence/{slip}")}
"""Routes asked about what has a district of its own: a point, a slip."""

LISTS_DISTRICTS = {"GET /api/v1/districts", "GET /readyz"}
LAYERS = [row for row in ROUTES if re.match("GET /(ogc|tiles|base|api/v1/base)", row)]
"""Routes of map layers, which `test_layers_show_nothing_of_the_other_district` asks."""
READS = [row for row in ROUTES if row.startswith("GET ") and row not in LAYERS]
ACTS = [row for row in ROUTES if row.split()[0] in {"POST", "PUT", "PATCH", "DELETE"}]
SESSIONS = {row for row in ACTS if ROUTES[row].startswith("session.")}
GUARDED = [row for row in (*READS, *ACTS) if "public" not in ACTIONS[ROUTES[row]]]
OPEN_READS = [row for row in READS if row not in GUARDED]


@dataclass(frozen=True)
class Served:
    """Both towns, and clients by account: one administrator each, ``both`` of both and ``chief`` over all."""

    store: Store
    settings: Settings
    a: Things
    b: Things
    client: TestClient
    tokens: dict[str, str]

    def ask(self, row: str, things: Things, account: str | None = None, **params: Any) -> Response:
        """Ask a route with what one town has."""
        return ask(self.client, row, things, self.tokens.get(account or ""), **params)

    def rows(self) -> tuple[dict[str, list[str]], ...]:
        """Return all that is stored of either town."""
        return tuple(neighbours.digest(self.store, code) for code in (A, B))


def asked(row: str, things: Things) -> tuple[str, dict[str, Any]]:
    """Return the path and the rest of a request for what a town has."""
    path = re.sub(r"(\w+)/\{\w+\}", lambda at: f"{at[1]}/{getattr(things, at[1])}", row.split()[1])
    return path, {**QUERIES, **BODIES}.get(row, lambda _: {})(things)


def ask(client: TestClient, row: str, things: Things, token: str | None, **params: Any) -> Response:
    path, more = asked(row, things)
    client.cookies.clear()
    return client.request(
        row.split()[0],
        path,
        **{**more, "params": {**more.get("params", {}), **params}},
        headers={"Authorization": f"Bearer {token}"} if token else {},
        follow_redirects=False,
    )


@pytest.fixture(scope="module")
def served(fresh_database, tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("towns")
    settings = Settings(data_dir=folder)
    settings.files.mkdir()
    with fresh_database() as url:
        store = Store(url)
        a, b = (neighbours.build(store, code, settings.files) for code in (A, B))
        tokens = {}
        for name, scope in ((a.accounts, [A]), (b.accounts, [B]), ("both", [A, B]), ("chief", [])):
            accounts.add(store, SYSTEM, name, PHRASE, roles=["admin"], scope=scope)
            tokens[name] = accounts.sign_in(store, name, PHRASE, hours=1).token
        with TestClient(create_app(store, settings), raise_server_exceptions=False) as client:
            yield Served(store, settings, a, b, client, tokens)
        store.close()


def test_every_act_is_known_here():
    assert set(BODIES) == set(ACTS) - SESSIONS


def test_every_read_answers_and_shows_nothing_of_the_other_district(served):
    for row in READS:
        for account, named in ((served.a.accounts, {}), (served.a.accounts, {"district": A})):
            answer = served.ask(row, served.a, account, **named)
            assert answer.status_code == 200, (row, answer.text)
            assert row in LISTS_DISTRICTS or not re.search(f"{MARK}|{B}", answer.text), row


@pytest.mark.parametrize("name", list(LAYERS_THERE_ARE))
def test_layers_show_nothing_of_the_other_district(served, name):
    token = {"Authorization": f"Bearer {served.tokens[served.a.accounts]}"}
    shown = ["items?limit=1000&", "?", "queryables?", "items?f=csv&", "items?f=html&"]
    for path in [f"/ogc/collections/{name}/{end}" for end in shown] + [f"/tiles/{name}.json?"]:
        answer = served.client.get(f"{path.replace('/?', '?')}district={A}", headers=token)
        assert answer.status_code == 200, (path, answer.text)
        assert not re.search(f"{MARK}|{B}", answer.text), path
    theirs = f"/ogc/collections/{name}/items?limit=1000&district={B}"
    staff, anybody = served.client.get(theirs, headers=token), served.client.get(theirs)
    assert (staff.status_code == 200) == (anybody.status_code == 200)
    if staff.status_code == 200:  # what everybody may read, and no more of it
        assert staff.json()["features"] == anybody.json()["features"]


def test_the_other_district_is_closed_to_staff(served):
    before = served.rows()
    for row in GUARDED:
        for things in (served.a, served.b):
            answer = served.ask(row, things, served.a.accounts, district=B)
            assert (answer.status_code, MARK in answer.text) == (403, False), (row, answer.text)
    assert served.rows() == before


def test_of_the_other_district_staff_read_what_everybody_does(served):
    for row in OPEN_READS:
        if row.split()[1].startswith(API) and row not in OF_NOBODY:
            public, staff = (
                plain(served.ask(row, served.b, account, district=B)) for account in (None, served.a.accounts)
            )
            assert staff == public, row


def test_what_the_other_district_has_is_not_found_in_ones_own(served):
    before, signed = served.rows(), served.a.accounts
    for row in set(READS + ACTS) - SESSIONS:
        if asked(row, served.a) == asked(row, served.b) or row in QUERIES:
            continue  # nothing of a district is named
        for named in ({}, {"district": A}):
            answer = served.ask(row, served.b, signed, **named)
            expected = 403 if row in OF_NOBODY else 404
            assert answer.status_code == expected, (row, answer.text)
            assert MARK not in answer.text, row
    assert served.rows() == before


@pytest.mark.parametrize(
    ("row", "body"),
    [
        ("moves", lambda t: _SEEN | {"moves": [{"to": "new", "cells": [t.cell]}]}),
        ("moves", lambda t: _SEEN | {"moves": [{"to": t.grids, "buildings": [t.building]}]}),
        ("moves", lambda t: _SEEN | {"moves": [{"to": "new", "grids": [t.grids]}]}),
        ("lock", lambda t: {"kind": "cell", "ids": [t.cell]}),
        ("lock", lambda t: {"kind": "grid", "ids": [t.grids]}),
    ],
)
def test_a_draft_takes_nothing_in_from_the_other_district(served, row, body):
    before = served.rows()
    headers = {"Authorization": f"Bearer {served.tokens[served.a.accounts]}"}
    path = f"{API}/plans/{served.a.draft}/{row}"
    answer = served.client.post(path, json=body(served.b), headers=headers)
    assert answer.status_code in (400, 404), answer.text
    assert served.rows() == before


def test_who_may_act_in_both_has_to_name_one(served):
    before = served.rows()
    for row in set(READS + ACTS) - OF_NOBODY - CHOOSE:
        for account in ("chief", "both" if row in GUARDED else None):
            answer = served.ask(row, served.a, account)
            assert answer.status_code == 400, (row, answer.text)
            assert A in answer.text, row
            assert B in answer.text, row
    assert served.rows() == before


def test_the_bar_of_a_page_leads_on_in_the_district_it_is_about(served):
    for account in ("chief", None):
        page = served.ask("GET /plans", served.b, account, district=B).text
        bar = page[page.index("<header") : page.index("</header>")]
        links = re.findall(r'href="([^"]+)"', bar)
        assert len(links) >= 3
        assert all(re.search(rf"\?(next=.+%3F)?district(=|%3D){B}$", link) for link in links), links


def test_a_point_chooses_its_own_district(served):
    for things in (served.a, served.b):
        answer = served.ask("GET /api/v1/locate", things).json()
        assert answer["grid"]["code"] == things.grids


def test_the_default_district_gives_way_to_the_account_and_to_the_name(served):
    app = create_app(served.store, Settings(data_dir=served.settings.data_dir, district=A))
    with TestClient(app, raise_server_exceptions=False) as client:

        def shown(account: str | None, **params: str) -> str:
            found = ask(client, "GET /api/v1/overview", served.a, served.tokens.get(account or ""), **params)
            return found.json()["district"]

        assert [shown(name) for name in (None, "chief", served.a.accounts, served.b.accounts)] == [A, A, A, B]
        assert [shown(name, district=B) for name in (None, "chief", served.a.accounts)] == [B, B, B]
        token = served.tokens[served.b.accounts]
        assert ask(client, "GET /api/v1/jobs", served.b, token).json()["jobs"][0]["id"] == served.b.jobs


def test_reads_show_one_district_though_every_query_forgets_to_name_it(served):
    def read(client: TestClient) -> dict[tuple[str, str], tuple[int, str]]:
        return {
            (row, account): plain(ask(client, row, served.a, served.tokens.get(account), district=A))
            for row in READS
            for account in (served.a.accounts, "")
        }

    expected = read(served.client)
    with without_district(served.store) as seen:
        app = create_app(served.store, served.settings)
        with TestClient(app, raise_server_exceptions=False) as client:  # its locators are built anew too
            assert read(client) == expected
    assert not seen.without  # no statement on a table of districts leaves the district out
    assert seen.count > 100
    assert {"plans", "plan_grids", "cells", "buildings", "duties", "imports", "jobs", "audit"} <= seen.tables


def plain(answer: Response) -> tuple[int, str]:
    """Return what was answered, without the instant and the keys of forms, which are others each time."""
    return answer.status_code, re.sub(r'[0-9a-f]{32}|"at":"[^"]+"', "", answer.text)


def test_it_is_row_level_security_that_holds_then(served):
    listed = text("SELECT district FROM imports WHERE district = :district")
    with without_district(served.store):
        with served.store.read(A) as connection:
            assert set(connection.scalars(listed, {"district": A})) == {A}
        with served.store.engine.begin() as connection:  # as the owner of the database, whom no policy binds
            assert set(connection.scalars(listed, {"district": A})) == {A, B}


def test_a_publication_leaves_what_the_other_district_is_answered_from(store, serving):
    a, b = (governed(store, code, communities=1, side=2) for code in ("990001", "990002"))
    rows = [
        row
        for row in OPEN_READS
        if "{" not in row and row not in OF_NOBODY and row.split()[1].startswith(API)
    ]
    with serving() as client:

        def tags(code: str) -> dict[str, str | None]:
            answers = {row: client.get(row.split()[1], params={"district": code}) for row in rows}
            return {
                row: answer.headers["etag"] for row, answer in answers.items() if answer.status_code == 200
            }

        state = client.app.state.served
        tags_a, tags_b = tags(a.code), tags(b.code)
        served_b = state.served(b.code)
        assert len(tags_b) >= 4
        draft = a.open()
        state.catch_up(a.code)
        assert tags(a.code) == tags_a  # a draft is nobody's business but the planners'
        a.put_out(draft)
        state.catch_up(a.code)
        state.refresh()
        assert not set(tags(a.code).values()) & set(tags_a.values())
        assert tags(b.code) == tags_b
        for row, tag in tags_b.items():
            held = client.get(row.split()[1], params={"district": b.code}, headers={"If-None-Match": tag})
            assert held.status_code == 304
        assert state.served(b.code).locator is served_b.locator
        assert state.served(b.code).edition.version == served_b.edition.version


COMMANDS: dict[str, Callable[[Things], list[Any]]] = {
    "import ledger": lambda t: ["nowhere"],
    "import osm": lambda t: ["nowhere.osm"],
    "import list": lambda t: [],
    "import show": lambda t: [t.imports],
    "import undo": lambda t: [t.imports],
    "cells build": lambda t: [],
    "plan list": lambda t: [],
    "plan rebalance": lambda t: ["--base", t.plans],
    "plan stated": lambda t: [],
    "plan show": lambda t: [t.plans],
    "plan compare": lambda t: [t.plans],
    "plan open": lambda t: [t.plans],
    "plan move": lambda t: [t.plans, "--revision", 1, "--cell", t.cell, "--to", t.grids],
    "plan undo": lambda t: [t.plans, "--revision", 1],
    "plan lock": lambda t: [t.plans, "cell", t.cell],
    "plan unlock": lambda t: [t.plans, "cell", t.cell],
    "plan comment": lambda t: [t.plans, "said"],
    "plan rebase": lambda t: [t.plans],
    "plan submit": lambda t: [t.plans],
    "plan send-back": lambda t: [t.plans, "-r", "said"],
    "plan approve": lambda t: [t.plans],
    "plan publish": lambda t: [t.plans],
    "plan withdraw": lambda t: [t.plans, "-r", "said"],
    "plan rollback": lambda t: ["--to", t.plans],
    "grid show": lambda t: [t.grids],
    "grid history": lambda t: [t.grids],
    "locate point": lambda t: ["118.5", "31.7", "--crs", "wgs84"],
    "locate address": lambda t: ["湖东路"],
    "locate batch": lambda t: ["nowhere.csv", "out.csv"],
    "suggest": lambda t: ["湖东路"],
    "alias list": lambda t: [],
    "alias propose": lambda t: ["老纺织厂宿舍", "--compound", t.compound],
    "alias confirm": lambda t: [t.aliases],
    "alias withdraw": lambda t: [t.aliases],
    "export map": lambda t: ["out.html", "--plan", t.plans],
    "export compare": lambda t: ["out.html", "--plan", t.plans],
    "export pmtiles": lambda t: ["out.pmtiles", "--plan", t.plans, "--max-zoom", "9"],
    "export sheets": lambda t: ["out.pdf", "--plan", t.plans],
    "export layer": lambda t: ["grids", "out.geojson", "--plan", t.plans],
    "audit": lambda t: [],
    "job list": lambda t: [],
    "job show": lambda t: [t.jobs],
    "job cancel": lambda t: [t.jobs],
    "job retry": lambda t: [t.jobs],
    "job run": lambda t: ["retention"],
}
"""What every command of one district is given."""

SCOPES = {"account add", "account roles"}
"""Commands whose districts are those of an account."""


def of_a_district() -> Iterator[str]:
    """Name every command that may be told its district."""

    def walk(name: str, command: Any) -> Iterator[str]:
        for each, below in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {each}", below)
        if any("--district" in parameter.opts for parameter in command.params):
            yield name

    for verb, known in VERBS.items():
        module = __import__(f"api.cli.{known.module}", fromlist=["app"])
        yield from walk(verb, get_command(module.app))


def test_every_command_of_a_district_is_known_here():
    assert set(of_a_district()) - SCOPES == set(COMMANDS)


@pytest.fixture
def gridgov(served, monkeypatch, tmp_path):
    """Run a command with what a town has; return what it printed and the error that ended it."""
    url = served.store.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", url)
    monkeypatch.setenv("GRIDGOV_DATA_DIR", str(served.settings.data_dir))
    monkeypatch.chdir(tmp_path)

    def run(name: str, things: Things, *more: str) -> tuple[str, BaseException | None]:
        ran = CliRunner().invoke(commands, [*name.split(), *map(str, COMMANDS[name](things)), *more])
        return ran.output, ran.exception

    return run


def test_every_command_has_to_be_told_which_of_several_districts(served, gridgov):
    before = served.rows()
    for name in COMMANDS:
        _, error = gridgov(name, served.a)
        assert isinstance(error, InputError), (name, error)
        assert A in error.remedy, name
        assert B in error.remedy, name
    assert served.rows() == before


def test_no_command_finds_in_one_district_what_the_other_has(served, gridgov):
    before = neighbours.digest(served.store, B)
    for name, given in COMMANDS.items():
        if given(served.a) != given(served.b):
            told, error = gridgov(name, served.b, "-d", A)
            assert isinstance(error, NotFoundError), (name, told, error)
            assert MARK not in told, name
    assert neighbours.digest(served.store, B) == before


@pytest.mark.parametrize("name", ["import list", "plan list", "alias list", "audit", "job list"])
def test_lists_of_one_district_hold_nothing_of_the_other(served, gridgov, monkeypatch, name):
    assert MARK in gridgov(name, served.b, "-d", B, "--json")[0]
    assert MARK not in gridgov(name, served.a, "-d", A, "--json")[0]
    monkeypatch.setenv("GRIDGOV_DISTRICT", A)
    told, error = gridgov(name, served.a, "--json")
    assert not isinstance(error, GridgovError)
    assert MARK not in told
