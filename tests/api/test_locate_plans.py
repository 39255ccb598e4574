"""Points and addresses asked of other plans, and by staff."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from etl import accounts
from etl.actor import SYSTEM
from tests import town
from tests.api.test_locate import MIDDLE, locate

PHRASE = "correct horse battery"
DRAFTED = (
    "INSERT INTO plan_grids (district, plan_id, grid_id) SELECT g.district, n.id, g.grid_id"
    " FROM plan_grids g, plans p, plans n WHERE p.id = g.plan_id AND p.number = 2 AND n.number = 3",
    "INSERT INTO plan_cells (district, plan_id, cell_id, grid_id) SELECT c.district, n.id, c.cell_id, c.grid_id"
    " FROM plan_cells c, plans p, plans n WHERE p.id = c.plan_id AND p.number = 2 AND n.number = 3",
)
"""Makes plan 3 a copy of the plan in force."""
EAST = {"lon": 118.535, "lat": MIDDLE, "crs": "wgs84"}
"""In grid 4 of the plan in force, and in grid 5 of the one before it."""


def test_a_plan_may_be_asked_by_its_number(client):
    for number, grid in ((1, 5), (2, 4)):
        for path, asked in (("locate", EAST), ("resolve", {"q": "安居社区碧水小区1幢"})):
            found = client.get(f"/api/v1/{path}", params={**asked, "plan": number})
            told = found.json()
            assert (found.headers["gridgov-plan"], told["plan"]["number"]) == (str(number), number)
            assert told["grid"]["code"] == town.grid_code(grid), path
    change = locate(client, **EAST, plan=1).json()["next_change"]
    assert (change["plan"], change["title"], change["grid"]) == (2, "均衡方案", None)
    assert locate(client, **EAST, plan=2).json()["next_change"] is None
    for wrong, status in ((99, 404), (3, 404)):
        assert locate(client, **EAST, plan=wrong).status_code == status
    assert locate(client, **EAST, plan=1, as_of="2026-07-01").status_code == 400


@pytest.fixture
def staffed(store, serving):
    """The town, served, and a token for each of some roles."""
    town.build(store)
    with store.begin("340504") as connection:
        for statement in DRAFTED:
            connection.execute(text(statement))
    tokens = {}
    for role, scope in (("planner", "340504"), ("worker", "340504"), ("dispatcher", "340503")):
        if scope == "340503":
            town.build(store, scope, "花山区", west=118.70)
        accounts.add(store, SYSTEM, role, PHRASE, roles=[role], scope=[scope])
        tokens[role] = {"Authorization": f"Bearer {accounts.sign_in(store, role, PHRASE, hours=1).token}"}
    with serving(district="340504") as served:
        yield served, tokens


def test_staff_of_the_district_are_told_who_is_on_duty(staffed):
    client, tokens = staffed
    asked = {"lon": 118.5025, "lat": MIDDLE, "crs": "wgs84", "district": "340504"}

    def duty(path, query, role=None):
        found = client.get(f"/api/v1/{path}", params=query, headers=tokens.get(role, {}))
        assert found.status_code == 200, found.text
        return found.json()["grid"]["duty"]

    public = {"on_duty": ["primary"], "channel": "富民社区", "phone": "0555-0000000"}
    named = public | {"workers": [{"role": "primary", "worker": town.WORKER, "phone": town.PHONE}]}
    for path, query in (("locate", asked), ("resolve", {"q": "康宁花园1幢", "district": "340504"})):
        for role in ("planner", "worker"):
            assert duty(path, query, role) == named
        assert duty(path, query) == public
        assert duty(path, query, "dispatcher") == public  # of another district


def test_staff_may_ask_a_draft_and_nobody_else(staffed, store):
    client, tokens = staffed
    asked = {**EAST, "district": "340504", "plan": 3}

    def ask(role=None, **more):
        return client.get("/api/v1/locate", params={**asked, **more}, headers=tokens.get(role, {}))

    told = ask("planner").json()
    assert (told["grid"]["code"], told["plan"]["number"]) == (town.grid_code(4), 3)
    assert (told["plan"]["state"], told["plan"]["valid_from"], told["next_change"]) == ("draft", None, None)
    assert ask("planner", include="evidence").status_code == 400
    for role in (None, "worker", "dispatcher"):
        assert ask(role).status_code == 404
    with store.begin("340504") as connection:
        moved = (
            "WITH new AS (INSERT INTO grids (district, community_id, provisional)"
            " SELECT district, community_id, true FROM grids WHERE district = '340504' AND code = :code"
            " RETURNING id, district) INSERT INTO plan_grids (district, plan_id, grid_id)"
            " SELECT new.district, p.id, new.id FROM new, plans p WHERE p.district = '340504' AND p.number = 3"
        )
        connection.execute(text(moved), {"code": town.grid_code(4)})
        put = (
            "UPDATE plan_cells SET grid_id = (SELECT max(id) FROM grids WHERE district = '340504')"
            " WHERE plan_id = (SELECT id FROM plans WHERE district = '340504' AND number = 3) AND cell_id ="
            " (SELECT c.id FROM cells c JOIN buildings b ON b.id = c.building_id WHERE b.external_code = 'B5'"
            "  AND b.district = '340504')"
        )
        connection.execute(text(put))
        connection.execute(text("UPDATE plans SET revision = revision + 1 WHERE number = 3"))
    told = ask("planner").json()
    assert re.fullmatch(r"new-\d+", told["grid"]["code"])
    assert (told["grid"]["provisional"], told["grid"]["community"]["name"]) == (True, "安居社区")
    building = {"q": "安居社区碧水小区1幢", "plan": 3, "district": "340504"}
    found = client.get("/api/v1/resolve", params=building, headers=tokens["planner"]).json()
    assert found["grid"]["code"] == told["grid"]["code"]
