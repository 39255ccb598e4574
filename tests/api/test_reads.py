"""The lists, codes, plans and figures of the town."""

from __future__ import annotations

import pytest

from tests import town


def get(client, path, **query):
    response = client.get(f"/api/v1/{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_districts(client):
    (district,) = get(client, "districts")["districts"]
    assert district == {"code": "340504", "name": "雨山区", "made_up": True, "plan": 2, "data_version": 3}


def test_communities(client):
    found = get(client, "communities")
    assert (found["total"], [row["name"] for row in found["communities"]]) == (2, ["富民社区", "安居社区"])
    only = get(client, "communities", status="preparatory")
    assert [row["external_code"] for row in only["communities"]] == ["C2"]


def test_grids_are_filtered_and_paged(client):
    assert get(client, "grids")["total"] == 4
    second = get(client, "grids", community="340504900002")
    assert [row["code"] for row in second["grids"]] == [town.grid_code(3), town.grid_code(4)]
    page = get(client, "grids", limit=1, offset=1)
    assert (page["total"], page["grids"][0]["code"]) == (4, town.grid_code(2))
    assert get(client, "grids", kind="special")["grids"] == []


def test_small_counts_are_withheld_everywhere(client):
    rows = {row["code"]: row["households"] for row in get(client, "grids")["grids"]}
    assert rows[town.grid_code(3)] is None
    features = get(client, "layers/grids.geojson")["features"]
    # The other grid of the community is withheld with it: its total would tell the small one.
    assert [feature["properties"]["households"] for feature in features] == [290, 300, None, None]
    figures = get(client, "overview")["figures"]
    assert (figures["households"], figures["withheld"]) == (290 + 300, 2)
    totals = {row["code"]: row["households"] for row in get(client, "communities")["communities"]}
    assert totals == {"340504900001": 290 + 300, "340504900002": 5 + 350}


def test_drafts_are_not_public(client):
    assert [plan["number"] for plan in get(client, "plans")["plans"]] == [2, 1]
    assert client.get("/api/v1/plans/3").status_code == 404
    assert client.get("/api/v1/plans/99").status_code == 404


def test_the_earlier_plan_is_read_as_of_its_time(client):
    earlier = get(client, "plans/1")["valid_from"]
    assert [row["code"] for row in get(client, "grids", as_of=earlier)["grids"]] == [town.grid_code(5)]
    layer = get(client, "layers/grids.geojson", as_of=earlier)
    assert [feature["id"] for feature in layer["features"]] == [town.grid_code(5)]
    assert get(client, "grids", as_of="1999-01-01")["total"] == 0


def test_overview(client):
    found = get(client, "overview")
    assert (found["name"], found["made_up"], found["plan"]["number"]) == ("雨山区", True, 2)
    assert found["attribution"] == "© OpenStreetMap contributors, ODbL"
    assert found["share_within"] == 0.5
    expected = {
        "grids": 4,
        "within": 2,
        "below": 0,
        "above": 0,
        "withheld": 2,
        "vacant": 3,
        "communities": 2,
        "compounds": 3,
        "buildings": 8,
        "unplaced": 2,
        "sites": 3,
        "facilities": 1,
        "rider_communities": 1,
    }
    assert expected.items() <= found["figures"].items()


def test_every_layer_is_geojson(client):
    counts = {}
    for layer in get(client, "layers")["layers"]:
        response = client.get(layer["href"])
        assert response.headers["content-type"] == "application/geo+json"
        collection = response.json()
        assert collection["type"] == "FeatureCollection"
        assert collection["attribution"] == "© OpenStreetMap contributors, ODbL"
        assert collection["numberReturned"] == len(collection["features"])
        assert all(feature["geometry"]["coordinates"] for feature in collection["features"])
        assert all(set(feature["properties"]) == set(layer["columns"]) for feature in collection["features"])
        counts[layer["name"]] = collection["numberMatched"]
    assert counts == {
        "grids": 4,
        "communities": 2,
        "compounds": 0,  # none has a boundary
        "buildings": 6,
        "sites": 3,
        "facilities": 1,  # the restricted one is not public
        "rider_communities": 1,
        "rider_points": 1,
        "streets": 1,
        "barriers": 1,
        "water": 3,  # the river that is a barrier, a pond, a ditch
        "rail": 1,
        "green": 1,
        "labels": 4,
    }


def test_a_layer_is_cut_by_box_and_limit(client):
    cut = get(client, "layers/grids.geojson", bbox="118.531,31.70,118.56,31.72")
    assert [feature["id"] for feature in cut["features"]] == [town.grid_code(4)]
    first = get(client, "layers/grids.geojson", limit=1)
    assert (first["numberMatched"], first["numberReturned"]) == (4, 1)


@pytest.mark.parametrize(
    "path",
    [
        "layers/workers.geojson",
        "layers/grids;drop.geojson",
        "layers/cells.geojson",
        "layers/grids.geojson?bbox=1,2,3",
        "layers/grids.geojson?bbox=nan,nan,nan,nan",
        "layers/grids.geojson?bbox=118.6,31,118.5,32",
        "layers/grids.geojson?limit=0",
        "layers/grids.geojson?limit=999999",
        "layers/grids.geojson?as_of=0001-01-01",
        "grids?offset=-1",
        "grids?community=34",
        "grids/%00",
        "plans/0",
        "plans/99999999999999",
        "nothing",
    ],
)
def test_what_cannot_be_answered_is_a_problem(client, path):
    response = client.get(f"/api/v1/{path}")
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]


def test_a_layer_is_compressed_for_whoever_takes_it(client):
    packed = client.get("/api/v1/layers/grids.geojson", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1/layers/grids.geojson", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
