"""Map layers tell each role what is its own: what is withheld can be had neither by filters nor by subtraction."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from api.permissions import ACTIONS
from data.layer import PUBLIC
from data.layers import LAYERS
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.accounts import ROLES
from etl.actor import SYSTEM
from tests import town
from tests.api.test_ogc_core import OGC, follow, get, links

DISTRICT, OTHER = "340504", "340503"
GRIDS = f"{OGC}/collections/grids/items"
HIDDEN = 5
"""Households of grid 3, the one below 10; grid 4, the other of its community, has 350."""
CASE = "INSERT INTO cases (district, number, category, grid_id, point) SELECT :d, :number, '噪声', g.id,"
CASE += " ST_Point(118.505, 31.705, 4326) FROM grids g WHERE g.district = :d ORDER BY g.id LIMIT 1"
CONTACT = "INSERT INTO case_contacts (district, case_id, contact, delete_on)"
CONTACT += " SELECT district, id, 'secret-contact', CURRENT_DATE + 30 FROM cases WHERE district = :d"


@pytest.fixture(scope="module")
def served(fresh_database) -> Iterator[tuple[TestClient, dict[str, dict[str, str]]]]:
    """Two districts with a case each, served, and the headers of each role of the first and of one of the other."""
    with fresh_database() as url:
        store = Store(url)
        for code, name, west in ((DISTRICT, "雨山区", 118.50), (OTHER, "花山区", 118.70)):
            town.build(store, code, name, west=west)
            with store.begin(code) as connection:
                connection.execute(text(CASE), {"d": code, "number": f"{code}-1"})
                connection.execute(text(CONTACT), {"d": code})
        with TestClient(
            create_app(store, Settings(district=DISTRICT)), raise_server_exceptions=False
        ) as client:
            headers = {"public": {}}
            for role in ROLES:
                accounts.add(store, SYSTEM, role, "correct horse battery", roles=[role], scope=[DISTRICT])
                token = accounts.sign_in(store, role, "correct horse battery", hours=1).token
                headers[role] = {"Authorization": f"Bearer {token}"}
            yield client, headers
        store.close()


def sees(role: str, action: str) -> bool:
    return role in ACTIONS[action].split() or "public" in ACTIONS[action].split()


@pytest.mark.parametrize("role", ["public", *ROLES])
def test_a_role_finds_its_layers_and_no_other(served, role):
    client, headers = served
    listed = client.get(f"{OGC}/collections", headers=headers[role]).json()["collections"]
    assert {one["id"] for one in listed} == {name for name, one in LAYERS.items() if sees(role, one.action)}
    described = client.get(f"{OGC}/api", headers=headers[role]).json()["paths"]
    for name, layer in LAYERS.items():
        path = f"{OGC}/collections/{name}"
        tails = ("", "/items", "/items/1", "/queryables", "/sortables")
        statuses = {client.get(f"{path}{tail}", headers=headers[role]).status_code for tail in tails} - {404}
        assert statuses == ({200} if sees(role, layer.action) else set())
        assert (path in described) == sees(role, layer.action)


@pytest.mark.parametrize("role", ["public", *ROLES])
def test_a_role_finds_its_properties_and_no_other(served, role):
    client, headers = served
    mine = headers[role]
    for name, layer in LAYERS.items():
        if not sees(role, layer.action):
            continue
        path = f"{OGC}/collections/{name}"
        own = {one.name for one in layer.fields if sees(role, one.action)}
        for feature in client.get(f"{path}/items", headers=mine).json()["features"]:
            assert feature["properties"].keys() == own
        known = client.get(f"{path}/queryables", headers=mine).json()["properties"].keys()
        assert known - {"geometry"} <= own
        for hidden in {one.name for one in layer.fields} - own:
            for question in (
                {hidden: "30"},
                {"filter": f"{hidden} > 1"},
                {"filter": f"{hidden} IS NULL"},
                {"sortby": hidden},
                {"properties": hidden},
            ):
                refused = client.get(f"{path}/items", params=question, headers=mine)
                other = json.loads(json.dumps(question).replace(hidden, "nothing"))
                unknown = client.get(f"{path}/items", params=other, headers=mine)
                assert refused.status_code == unknown.status_code == 400
                assert refused.json()["detail"].replace(hidden, "nothing") == unknown.json()["detail"]


def test_some_properties_are_not_for_everybody():
    """Else the test above tests nothing."""
    assert [one.name for one in LAYERS["buildings"].fields if one.action != PUBLIC] == ["households"]


def test_what_needs_a_role_is_kept_by_nobody_else(served):
    client, headers = served
    answer = client.get(f"{OGC}/collections/cases/items", headers=headers["dispatcher"])
    assert answer.headers["cache-control"].startswith("private")
    assert {"Authorization", "Cookie"} <= {part.strip() for part in answer.headers["vary"].split(",")}
    path = f"{OGC}/collections/buildings/items"
    planner, anybody = (client.get(path, headers=headers[role]) for role in ("planner", "public"))
    told = [set(answer.json()["features"][0]["properties"]) for answer in (planner, anybody)]
    assert told[0] - told[1] == {"households"}
    assert planner.headers["etag"] != anybody.headers["etag"]
    held = {"if-none-match": planner.headers["etag"]}
    assert client.get(path, headers=held).status_code == 200
    assert client.get(path, headers=headers["planner"] | held).status_code == 304


def test_contacts_are_on_no_layer(served):
    client, headers = served
    page = client.get(f"{OGC}/collections/cases/items", headers=headers["admin"])
    assert page.json()["numberMatched"] == 1
    assert "secret-contact" not in page.text


def test_an_account_sees_beyond_its_districts_what_everybody_sees(served):
    client, headers = served
    for role in ROLES:
        question = {"params": {"district": OTHER}, "headers": headers[role]}
        assert client.get(f"{OGC}/collections/cases/items", **question).status_code == 404
        page = client.get(f"{OGC}/collections/buildings/items", **question).json()
        assert page["numberMatched"] > 0
        assert all("households" not in feature["properties"] for feature in page["features"])


def test_a_district_has_its_own_features_only(served):
    client, _ = served
    for name in (name for name, layer in LAYERS.items() if layer.action == PUBLIC):
        path = f"{OGC}/collections/{name}/items"
        own, other = (
            {feature["id"] for feature in follow(client, get(client, path, district=code))}
            for code in (DISTRICT, OTHER)
        )
        assert not own & other
        for key in other:
            assert client.get(f"{path}/{key}").status_code == 404


def test_a_bad_token_is_401(served):
    client, _ = served
    answer = client.get(f"{OGC}/collections", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


# The hidden count


def figures(
    client: TestClient, headers: dict[str, str]
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    grids = client.get(GRIDS, headers=headers).json()["features"]
    communities = client.get(f"{OGC}/collections/communities/items", headers=headers).json()["features"]
    return (
        {one["id"]: one["properties"]["households"] for one in grids},
        {one["id"]: one["properties"]["households"] for one in communities},
    )


def test_the_hidden_count_is_not_found_by_filters(served):
    client, _ = served
    hidden = town.grid_code(3)

    def found(asked: str) -> bool:
        page = get(client, GRIDS, filter=f"code = '{hidden}' AND ({asked})")
        assert page["numberMatched"] == page["numberReturned"]
        return bool(page["numberMatched"])

    signs = ("=", "<>", "<", ">", "<=", ">=")
    for sign, number in itertools.product(signs, range(HIDDEN - 3, HIDDEN + 4)):
        assert not found(f"households {sign} {number}")
        assert not found(f"NOT (households {sign} {number})")
    for asked in (
        f"households BETWEEN {HIDDEN} AND {HIDDEN}",
        f"households IN ({HIDDEN})",
        f"NOT (households IN ({HIDDEN}))",
        "households = households",
        "households < target",
        "households > buildings",
        f"{HIDDEN} = households",
    ):
        assert not found(asked), asked
    assert found("households IS NULL")
    assert get(client, GRIDS, households=str(HIDDEN))["features"] == []


def test_the_hidden_count_is_not_found_by_order(served):
    client, _ = served
    hidden = {town.grid_code(3), town.grid_code(4)}
    for sign in ("", "-"):
        last = get(client, GRIDS, sortby=f"{sign}households")["features"][-2:]
        assert [one["id"] for one in last] == sorted(hidden)
        token = links(get(client, GRIDS, sortby=f"{sign}households", limit=3))["next"].partition("next=")[2]
        _, households, code = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        assert (households, code) == (None, min(hidden))


def test_the_hidden_count_is_not_found_by_subtraction(served):
    client, headers = served
    for role in ("public", *ROLES):
        grids, communities = figures(client, headers[role])
        for code, total in communities.items():
            parts = [count for grid, count in grids.items() if grid.startswith(code)]
            withheld = parts.count(None)
            assert withheld != 1 or total is None
            if withheld and total is not None:
                rest = total - sum(part for part in parts if part is not None)
                assert rest not in (HIDDEN, 0)
    overview = client.get("/api/v1/overview").json()["figures"]
    assert overview["households"] - sum(count for count in grids.values() if count) != HIDDEN


def test_no_layer_of_the_public_has_households_below_the_grid():
    for layer in LAYERS.values():
        counted = {
            one.name for one in layer.fields if one.action == PUBLIC and one.kind in ("integer", "number")
        }
        if layer.name not in ("grids", "communities") and layer.action == PUBLIC:
            assert not counted & {"households", "dwellings", "expected_households"}


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        ([5, 350, 20, 300], {0, 2}),
        ([5, 6, 20, 300], {0, 1}),
        ([300, 20, 5, 20], {1, 2}),
        ([10, 350, 20, 300], set()),
        ([300, 0, 20], {1, 2}),
        ([5, 6, 7, 8], {0, 1, 2, 3}),
        ([5], {0}),
        ([300], set()),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_where_one_count_is_withheld_the_next_smallest_is_too(store, counts, withheld, at_once):
    """Whatever writes the counts, in one statement or in many."""
    town.build(store)
    with store.begin(DISTRICT) as connection:
        add = text(
            "WITH g AS (INSERT INTO grids (district, community_id, code, provisional, issued_at)"
            " SELECT :d, min(id), '340504900001' || number, true, now() FROM communities,"
            " unnest(CAST(:numbers AS text[])) number WHERE district = :d GROUP BY number RETURNING id, code)"
            " INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m, shape)"
            " SELECT :d, p.id, g.id, (CAST(:counts AS integer[]))[right(g.code, 3)::integer - 100], 1, 1, 1,"
            " ST_Multi(ST_MakeEnvelope(1, 1, 2, 2, 4326)) FROM g, plans p WHERE p.district = :d AND p.number = 1"
        )
        numbers = [str(101 + index) for index in range(len(counts))]
        for chosen in [numbers] if at_once else [[number] for number in numbers]:
            connection.execute(add, {"d": DISTRICT, "numbers": chosen, "counts": counts})
        find = text(
            "SELECT right(code, 3)::integer - 101 FROM layers.grids"
            " WHERE plan = 1 AND community_code = '340504900001' AND households IS NULL"
        )
        assert set(connection.scalars(find)) == withheld
        connection.execute(
            text(
                "UPDATE plan_grids SET households = 100 FROM grids g WHERE g.id = grid_id AND households < 10"
            )
        )
        assert set(connection.scalars(find)) == set()
