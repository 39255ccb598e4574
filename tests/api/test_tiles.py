"""Tiles over HTTP: who sees what, what is empty, what is not there, and that none is ever stale."""

from __future__ import annotations

import gzip
import math
import time
from pathlib import Path

import pyogrio
import pytest
import shapely
from sqlalchemy import text

from data import levels, versions
from data.layers import LAYERS
from etl import accounts
from etl.actor import SYSTEM
from etl.edits import Move
from geo.tiling import EXTENT, WORLD_M, unit_m
from tests import town
from tests.governed import HOUR, governed
from tests.tilework import decoded, in_world, shapes

CODE = "340504"
MVT = "application/vnd.mapbox-vector-tile"
PHRASE = "correct horse battery staple"
ZOOM = 13


def place(lon: float, lat: float, zoom: int = ZOOM) -> tuple[int, int]:
    """Return column and row of the tile a point is in."""
    column = (lon + 180) / 360 * 2**zoom
    row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
    return math.floor(column), math.floor(row)


COLUMN, ROW = place(118.515, 31.705)
GRIDS = f"/tiles/grids/{ZOOM}/{COLUMN}/{ROW}.mvt"


def properties(tile: bytes, layer: str) -> list[dict]:
    return [one["properties"] for one in decoded(tile)[layer]["features"]]


def degrees(shape: shapely.Geometry, zoom: int = ZOOM) -> shapely.Geometry:
    """Return a shape in units of the world in degrees."""

    def moved(xy):
        x, y = xy[:, 0] * unit_m(zoom) - WORLD_M / 2, WORLD_M / 2 - xy[:, 1] * unit_m(zoom)
        lat = [math.degrees(2 * math.atan(math.exp(each / 6_378_137)) - math.pi / 2) for each in y]
        return [(each / WORLD_M * 360, n) for each, n in zip(x, lat, strict=True)]

    return shapely.transform(shape, moved)


def test_a_tile_holds_the_grids_of_the_plan_in_force_as_everybody_may_see_them(client):
    answer = client.get(GRIDS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MVT
    assert answer.headers["gridgov-plan"] == "2"
    assert answer.headers["cache-control"] == "no-cache"
    told = {one["code"]: one for one in properties(answer.content, "grids")}
    assert told[town.grid_code(1)]["households"] == 290
    assert "households" not in told.get(town.grid_code(3), {})
    assert {one["code"] for one in properties(answer.content, "grids_labels")} <= told.keys()
    for feature in decoded(answer.content)["grids"]["features"]:
        assert feature["id"] == int(feature["properties"]["code"])
    seen = set(LAYERS["grids"].columns())
    assert all(one.keys() <= seen for one in told.values())


@pytest.mark.parametrize("name", ["sites", "facilities", "buildings", "rider_points"])
def test_points_lie_where_they_are_stored(client, name):
    layer = LAYERS[name]
    zoom = layer.zooms[1]
    stored = client.get(f"/api/v1/layers/{name}.geojson").json()["features"]
    assert stored
    for feature in stored:
        lon, lat = feature["geometry"]["coordinates"]
        tile = client.get(f"/tiles/{name}/{zoom}/{{}}/{{}}.mvt".format(*place(lon, lat, zoom)))
        found = shapes(tile.content, name, "external_code")
        point = in_world(found[feature["properties"]["external_code"]], *place(lon, lat, zoom))
        assert degrees(point, zoom).distance(shapely.Point(lon, lat)) < 360 / 2**zoom / EXTENT


def test_lists_are_told_as_text(client):
    zoom = LAYERS["sites"].zooms[1]
    column, row = place(118.503, 31.705, zoom)
    tile = client.get(f"/tiles/sites/{zoom}/{column}/{row}.mvt").content
    told = {one["external_code"]: one for one in properties(tile, "sites")}
    assert told["S1"]["services"] == "饮水; 休息"


def test_both_addresses_of_a_tile_have_the_same(client):
    of_ogc = client.get(f"/ogc/collections/grids/tiles/WebMercatorQuad/{ZOOM}/{ROW}/{COLUMN}")
    assert of_ogc.content == client.get(GRIDS).content


def test_where_nothing_is_there_the_tile_is_empty(client):
    answer = client.get(f"/tiles/grids/{ZOOM}/0/0.mvt")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    again = client.get(f"/tiles/grids/{ZOOM}/0/0.mvt", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("grids/40/1/1.mvt", 404),
        ("grids/7/1/1.mvt", 404),
        ("grids/17/1/1.mvt", 404),
        ("grids/13/8192/1.mvt", 404),
        ("grids/13/-1/1.mvt", 404),
        ("grids/13/1/99999999999999999999.mvt", 404),
        ("grids/13/01/1.mvt", 404),
        ("grids/13/x/1.mvt", 404),
        ("grids/13/1/1.5.mvt", 404),
        ("grids/13/1/%D9%A1.mvt", 404),
        ("grids/13/1/1.png", 404),
        ("nothing/13/1/1.mvt", 404),
        ("cases/13/1/1.mvt", 404),
        ("grids%22;drop/13/1/1.mvt", 404),
        ("grids/13/1/1.mvt?plan=x", 400),
        ("grids/13/1/1.mvt?plan=0", 400),
        ("grids/13/1/1.mvt?plan=9999999999", 400),
        ("grids/13/1/1.mvt?plan=1&plan=1", 400),
        ("grids/13/1/1.mvt?plan=77", 404),
        ("grids/13/1/1.mvt?plan=3", 404),
        ("sites/13/1/1.mvt?plan=1", 400),
        ("grids/13/1/1.mvt?colour=red", 400),
        ("grids/13/1/1.mvt?f=exe", 400),
        ("grids/13/1/1.mvt?min_version=-1", 400),
        ("grids/13/1/1.mvt?district=999999", 404),
        ("nothing.json", 404),
        ("style.json?x=1", 400),
    ],
)
def test_what_is_not_there_or_not_right_is_refused(client, path, status):
    answer = client.get(f"/tiles/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("zoom", ["40", "-1", "text"])
def test_a_tile_of_no_matrix_is_not_found(client, zoom):
    answer = client.get(f"/ogc/collections/grids/tiles/WebMercatorQuad/{zoom}/1/1")
    assert answer.status_code == 404


def test_a_tile_is_packed_for_those_who_can_unpack_it(client):
    path = f"/tiles/grids/{ZOOM}/{COLUMN}/{ROW}.mvt"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
        packed = answer.headers.get("content-encoding") == "gzip"
    assert (gzip.decompress(sent) if packed else sent) == plain.content


def test_head_tells_what_get_would(client):
    got, head = client.get(GRIDS), client.head(GRIDS)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]


def test_a_past_plan_has_its_own_grids(client):
    column, row = place(118.53, 31.705)
    path = f"/tiles/grids/{ZOOM}/{column}/{row}.mvt"
    past = client.get(f"{path}?plan=1")
    assert past.headers["gridgov-plan"] == "1"
    assert [one["code"] for one in properties(past.content, "grids")] == [town.grid_code(5)]
    assert town.grid_code(5) not in [one["code"] for one in properties(client.get(path).content, "grids")]
    assert past.headers["etag"] != client.get(path).headers["etag"]


def test_gdal_reads_a_tile(client, tmp_path: Path):
    file = tmp_path / f"{ROW}.mvt"
    file.write_bytes(client.get(GRIDS).content)
    names = [name for name, _ in pyogrio.list_layers(file)]
    assert set(names) == {"grids", "grids_labels"}
    frame = pyogrio.read_dataframe(file, layer="grids", X=COLUMN, Y=ROW, Z=ZOOM)
    assert frame.crs.to_epsg() == 3857
    stored = client.get("/api/v1/layers/grids.geojson").json()["features"]
    by_code = {one["properties"]["code"]: shapely.geometry.shape(one["geometry"]) for one in stored}
    read = frame.to_crs(4326).set_index("code").geometry
    tile_box = degrees(in_world(shapely.box(0, 0, EXTENT, EXTENT), COLUMN, ROW))
    for code, shape in read.items():
        want = by_code[code].intersection(tile_box)
        assert shape.intersection(tile_box).symmetric_difference(want).area < 0.01 * want.area


def test_tilejson_and_style_lead_to_the_tiles(client):
    told = client.get("/tiles/grids.json?plan=2").json()
    assert (told["tilejson"], told["minzoom"], told["maxzoom"]) == ("3.0.0", *LAYERS["grids"].zooms)
    assert told["attribution"] == "© OpenStreetMap contributors, ODbL"
    assert [one["id"] for one in told["vector_layers"]] == ["grids", "grids_labels"]
    address = told["tiles"][0].format(z=ZOOM, x=COLUMN, y=ROW)
    assert address.endswith("?plan=2")
    assert client.get(address).content == client.get(GRIDS).content
    west, south, east, north = told["bounds"]
    assert (west, south, east, north) == pytest.approx((118.50, 31.70, 118.54, 31.71), abs=1e-6)
    style = client.get("/tiles/style.json?plan=1").json()
    assert style["sources"]["grids"]["url"].endswith("/tiles/grids.json?plan=1")
    assert style["sources"]["sites"]["url"].endswith("/tiles/sites.json")
    assert {one["source"] for one in style["layers"]} == set(style["sources"]) == set(LAYERS) - {"cases"}
    for source in style["sources"].values():
        assert client.get(source["url"]).status_code == 200


def test_a_tileset_says_where_its_tiles_are(client):
    collection = client.get("/ogc/collections/grids").json()
    (listed,) = [one["href"] for one in collection["links"] if one["rel"].endswith("/tilesets-vector")]
    (entry,) = client.get(listed).json()["tilesets"]
    (path,) = [one["href"] for one in entry["links"] if one["rel"] == "self"]
    told = client.get(path).json()
    assert told["dataType"] == "vector"
    (item,) = [one for one in told["links"] if one["rel"] == "item"]
    assert item["templated"]
    limits = {one["tileMatrix"]: one for one in told["tileMatrixSetLimits"]}
    assert set(limits) == {
        str(zoom) for zoom in range(LAYERS["grids"].zooms[0], LAYERS["grids"].zooms[1] + 1)
    }
    here = limits[str(ZOOM)]
    assert here["minTileCol"] <= COLUMN <= here["maxTileCol"]
    assert here["minTileRow"] <= ROW <= here["maxTileRow"]
    address = item["href"].format(tileMatrix=ZOOM, tileRow=ROW, tileCol=COLUMN)
    assert client.get(address).content == client.get(GRIDS).content
    (scheme,) = [one["href"] for one in told["links"] if one["rel"].endswith("/tiling-scheme")]
    matrices = client.get(scheme).json()["tileMatrices"]
    assert len(matrices) == 25
    assert matrices[14]["matrixWidth"] == 2**14
    assert matrices[0]["scaleDenominator"] == pytest.approx(559_082_264.0287178)
    assert matrices[3]["cellSize"] == pytest.approx(156_543.03392804097 / 8)


def test_unchanged_tiles_are_not_sent_again_and_changed_ones_are_new_at_once(store, serving):
    town.build(store)
    with serving() as client:
        state = client.app.state.served
        before = client.get(GRIDS)
        held = {"if-none-match": before.headers["etag"]}
        assert client.get(GRIDS, headers=held).status_code == 304
        assert client.head(GRIDS, headers=held).status_code == 304
        with store.begin(CODE) as connection:
            connection.execute(
                text("UPDATE plan_grids SET households = 291 WHERE households = 290 AND district = :d"),
                {"d": CODE},
            )
            versions.advance(connection, CODE, "grids")
        version = state.catch_up(CODE).edition.version
        after = client.get(GRIDS, headers=held)
        assert after.status_code == 200
        assert int(after.headers["gridgov-version"]) == version
        told = {one["code"]: one for one in properties(after.content, "grids")}
        assert told[town.grid_code(1)]["households"] == 291


def test_a_coming_plan_is_drawn_where_it_is_asked_for_and_everywhere_once_it_is_in_force(store, serving):
    region = governed(store, CODE)
    number = region.open()
    west, east = region.grids()[:2]
    region.move(number, Move(east, grids=[west]))
    region.put_out(number, region.now() + HOUR)
    with serving() as client:
        west_lon, south, east_lon, north = client.get("/tiles/grids.json").json()["bounds"]
        path = "/tiles/grids/12/{}/{}.mvt".format(*place((west_lon + east_lon) / 2, (south + north) / 2, 12))
        now, coming = client.get(path), client.get(f"{path}?plan={number}")
        assert (now.headers["gridgov-plan"], coming.headers["gridgov-plan"]) == ("1", str(number))
        assert len(properties(now.content, "grids")) == 4
        assert len(properties(coming.content, "grids")) == 3
        region.pass_time(HOUR)
        with store.begin(CODE) as connection:
            versions.advance(connection, CODE, "grids")
        client.app.state.served.catch_up(CODE)
        then = client.get(path, headers={"if-none-match": now.headers["etag"]})
        assert (then.status_code, then.headers["gridgov-plan"]) == (200, str(number))
        assert len(properties(then.content, "grids")) == 3


def test_a_server_makes_the_levels_a_database_of_before_lacks(store, serving):
    town.build(store)
    with store.begin(CODE) as connection:
        connection.execute(text("DELETE FROM coverage_levels"))
    with serving() as client:
        assert client.get(GRIDS).status_code == 200  # nobody waits for them
        for _ in range(400):  # the bound is for a hung test
            with store.read(CODE) as connection:
                if not levels.missing(connection, CODE, past=True):
                    break
            time.sleep(0.05)
        else:
            raise AssertionError("levels are still missing")


def test_what_a_role_may_see_is_not_kept_for_others(store, serving):
    town.build(store)
    accounts.add(store, SYSTEM, "planner", PHRASE, roles=["planner"], scope=[CODE])
    path = f"/tiles/cases/{ZOOM}/{COLUMN}/{ROW}.mvt"
    with serving() as client:
        token = accounts.sign_in(store, "planner", PHRASE, hours=1).token
        staff = client.get(path, headers={"authorization": f"Bearer {token}"})
        assert staff.status_code == 204
        assert staff.headers["cache-control"] == "private, no-cache"
        assert client.get(path).status_code == 404
