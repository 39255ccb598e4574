"""OGC API - Tiles, Part 1: a test for each abstract test of the classes that are claimed."""

from __future__ import annotations

import pytest

from data.layers import known
from tests.tilework import decoded

TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
MVT = "application/vnd.mapbox-vector-tile"
QUAD = "WebMercatorQuad"


def tileset(client, name: str) -> dict:
    return client.get(f"/ogc/collections/{name}/tiles/{QUAD}").json()


def linked(document: dict, rel: str) -> dict:
    (found,) = [link for link in document["links"] if link["rel"] == rel]
    return found


def test_the_classes_are_claimed(client):
    claimed = client.get("/ogc/conformance").json()["conformsTo"]
    of_tiles = {name.removeprefix(TILES) for name in claimed if name.startswith(TILES)}
    assert of_tiles == {"core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"}


@pytest.fixture(scope="module")
def address(client) -> str:
    return linked(tileset(client, "grids"), "item")["href"]


def place(client) -> dict[str, int]:
    """Return matrix, row and column of a tile in the limits, the deepest that all grids fit in one row of."""
    limits = next(one for one in tileset(client, "grids")["tileMatrixSetLimits"] if one["tileMatrix"] == "12")
    return {"tileMatrix": 12, "tileRow": limits["minTileRow"], "tileCol": limits["minTileCol"]}


@pytest.mark.parametrize("method", ["get", "head"])
def test_core_a_tile_is_had_by_matrix_row_and_column(client, address, method):
    """/conf/core/tc-op, tc-success: GET at the template's address, 200 with the tile."""
    answer = getattr(client, method)(address.format(**place(client)))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MVT


@pytest.mark.parametrize("name", ["tileMatrix", "tileRow", "tileCol"])
@pytest.mark.parametrize("value", ["-1", "x", "99999999", "1.5"])
def test_core_what_is_no_tile_is_an_error(client, address, name, value):
    """/conf/core/tc-tilematrix-definition, tc-tilerow-definition, tc-tilecol-definition, tc-error."""
    answer = client.get(address.format(**{**place(client), name: value}))
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_core_a_tile_beyond_the_limits_has_nothing(client, address):
    """/conf/core/tc-success: where there is nothing, 204."""
    assert client.get(address.format(tileMatrix=12, tileRow=0, tileCol=0)).status_code == 204


def test_mvt_a_tile_is_of_the_format(client, address):
    """/conf/mvt/content: the content is a vector tile of the layer."""
    found = decoded(client.get(address.format(**place(client))).content)
    assert found["grids"]["extent"] == 4096
    assert found["grids"]["features"]


@pytest.mark.parametrize("name", list(known()))
def test_tileset_says_what_the_standard_wants(client, name):
    """/conf/tileset/desc, /conf/tileset/link: what is in it, in which scheme, and the template of its tiles."""
    told = tileset(client, name)
    assert told["dataType"] == "vector"
    assert told["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3857"
    assert told["tileMatrixSetURI"].endswith(QUAD)
    item = linked(told, "item")
    assert item["templated"] is True
    assert item["type"] == MVT
    assert {"{tileMatrix}", "{tileRow}", "{tileCol}"} <= set(item["href"].split("/"))
    assert linked(told, "self")["href"].endswith(f"/{QUAD}")
    assert told["layers"][0]["id"] == name
    scheme = client.get(linked(told, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme")["href"]).json()
    matrices = {one["id"]: one for one in scheme["tileMatrices"]}
    for limit in told.get("tileMatrixSetLimits", []):
        matrix = matrices[limit["tileMatrix"]]
        assert 0 <= limit["minTileRow"] <= limit["maxTileRow"] < matrix["matrixHeight"]
        assert 0 <= limit["minTileCol"] <= limit["maxTileCol"] < matrix["matrixWidth"]


def test_tileset_every_tile_within_the_limits_answers(client, address):
    for limit in tileset(client, "grids")["tileMatrixSetLimits"][:6]:
        for row in range(limit["minTileRow"], limit["maxTileRow"] + 1):
            for column in range(limit["minTileCol"], limit["maxTileCol"] + 1):
                path = address.format(tileMatrix=limit["tileMatrix"], tileRow=row, tileCol=column)
                assert client.get(path).status_code in (200, 204)


def test_tilesets_list_names_the_tilesets(client):
    """/conf/tilesets-list/tsl-op, tsl-success: each with its title, type, system, and a link to itself."""
    answer = client.get("/ogc/collections/grids/tiles")
    assert answer.status_code == 200
    (entry,) = answer.json()["tilesets"]
    assert entry["title"]
    assert (entry["dataType"], entry["crs"]) == ("vector", "http://www.opengis.net/def/crs/EPSG/0/3857")
    assert client.get(linked(entry, "self")["href"]).json()["layers"]


@pytest.mark.parametrize("name", list(known()))
def test_geodata_tilesets_are_linked_from_the_collection(client, name):
    """/conf/geodata-tilesets/desc-links: the collection leads to its tilesets."""
    collection = client.get(f"/ogc/collections/{name}").json()
    href = linked(collection, "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector")["href"]
    assert client.get(href).json()["tilesets"]


def test_oas30_describes_the_tiles(client):
    """/conf/oas30: the description has an operation for the tiles of each layer, with what it answers."""
    described = client.get("/ogc/api").json()
    for name in known():
        path = f"/ogc/collections/{name}/tiles/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
        operation = described["paths"][path]["get"]
        places = {one["name"] for one in operation["parameters"] if one.get("in") == "path"}
        assert places == {"tileMatrix", "tileRow", "tileCol"}
        assert MVT in operation["responses"]["200"]["content"]
        assert "204" in operation["responses"]


def test_matrix_sets_are_listed(client):
    (one,) = client.get("/ogc/tileMatrixSets").json()["tileMatrixSets"]
    assert client.get(linked(one, "self")["href"]).json()["id"] == one["id"] == QUAD
    assert client.get("/ogc/tileMatrixSets/WorldCRS84Quad").status_code == 404
