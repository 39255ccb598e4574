"""OWSLib's client of OGC API - Features."""

from __future__ import annotations

import pytest
from owslib.ogcapi.features import Features

from tests import town
from tests.clients.conftest import GRIDS


@pytest.fixture
def client(site) -> Features:
    return Features(site.ogc)


def test_what_there_is(client):
    assert {"grids", "communities", "sites"} <= set(client.feature_collections())
    assert any(one.endswith("/conf/core") for one in client.conformance()["conformsTo"])
    assert client.api()["openapi"].startswith("3.0")
    assert client.collection("grids")["id"] == "grids"
    assert "households" in client.collection_queryables("grids")["properties"]


def test_features_by_page_box_and_filter(client):
    page = client.collection_items("grids", limit=1000)
    assert page["numberMatched"] == page["numberReturned"] == GRIDS
    near = client.collection_items("grids", bbox=[118.5, 31.7, 118.505, 31.705])
    assert [feature["id"] for feature in near["features"]] == [town.grid_code(1)]
    large = client.collection_items("grids", filter="households > 640", limit=100)
    assert large["numberMatched"] == 8
    assert client.collection_item("grids", town.grid_code(2))["properties"]["households"] == 300
