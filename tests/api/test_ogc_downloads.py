"""Layers as files: whole, filtered as pages are, of the asker's role, and gone from the server afterwards."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from data.layer import PUBLIC
from data.layers import LAYERS
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from maps.files import short_names
from tests import town

OGC = "/ogc/collections"
GRIDS = f"{OGC}/grids/items"
PASSWORD = "correct horse battery"  # noqa: S105
PUBLIC_LAYERS = [name for name, layer in LAYERS.items() if layer.action == PUBLIC]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def alone(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape in its one way of telling it: one part alone is not several."""
    shape = shape.normalize()
    return shape.geoms[0] if shapely.get_num_geometries(shape) == 1 and hasattr(shape, "geoms") else shape


def rows(client: TestClient, path: str, **query: Any) -> list[dict[str, str]]:
    answer = client.get(path, params={"f": "csv", **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def frame(client: TestClient, name: str, folder: Path, form: str = "gpkg", **query: Any) -> gpd.GeoDataFrame:
    answer = client.get(f"{OGC}/{name}/items", params={"f": form, **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    target = folder / f"got.{'gpkg' if form == 'gpkg' else 'zip'}"
    target.write_bytes(answer.content)
    if form == "shp":
        zipfile.ZipFile(target).extractall(folder / "got")
        (target,) = (folder / "got").glob("*.shp")
    return gpd.read_file(target)


def read(cell: str, like: Any) -> Any:
    """Return a cell of CSV as JSON tells the value."""
    if isinstance(like, str) and "T" in like and like.endswith("+08:00"):
        return like if datetime.fromisoformat(cell) == datetime.fromisoformat(like) else cell
    if like is None or isinstance(like, str):
        return cell or None
    if isinstance(like, list):
        return cell.split("; ") if cell else []
    return json.loads(cell)


def features(client: TestClient, name: str, **query: Any) -> list[Any]:
    return client.get(f"{OGC}/{name}/items", params={"limit": 1000, **query}).json()["features"]


@pytest.mark.parametrize("name", PUBLIC_LAYERS)
def test_csv_has_every_feature_and_property_of_a_layer(client, name):
    told, found = features(client, name), rows(client, f"{OGC}/{name}/items")
    assert len(found) == len(told)
    for feature, row in zip(told, found, strict=True):
        assert row[LAYERS[name].key] == str(feature["id"])
        assert feature["properties"].keys() <= row.keys()
        for field, value in feature["properties"].items():
            assert read(row[field], value) == value


def test_csv_has_longitude_and_latitude_of_points_and_wkt_of_others(client):
    first, *_ = rows(client, f"{OGC}/sites/items")
    shape = features(client, "sites")[0]["geometry"]["coordinates"]
    assert [float(first["lon"]), float(first["lat"])] == shape
    grid, *_ = rows(client, GRIDS)
    assert shapely.from_wkt(grid["wkt"]).equals(
        shapely.geometry.shape(features(client, "grids")[0]["geometry"])
    )


def test_what_is_filtered_ordered_and_chosen_is_so_in_a_file_too(client):
    asked = {"filter": "households > 280", "sortby": "-households", "properties": "households"}
    found = rows(client, GRIDS, **asked)
    assert [row["households"] for row in found] == ["300", "290"]
    assert list(found[0]) == ["code", "households", "wkt"]
    assert len(rows(client, GRIDS, limit=3)) == 3
    assert len(rows(client, GRIDS, bbox="118.5,31.7,118.505,31.71")) == 1
    assert [row["plan"] for row in rows(client, GRIDS, plan=1)] == ["1"]
    assert rows(client, GRIDS, filter="households > 100000") == []


@pytest.mark.parametrize("form", ["gpkg", "shp"])
def test_a_file_holds_what_pages_tell(client, tmp_path, form):
    found, told = frame(client, "grids", tmp_path, form), features(client, "grids")
    short = short_names([field.name for field in LAYERS["grids"].fields]) if form == "shp" else {}
    column = short.get("households", "households")
    assert [None if value != value else value for value in found[column]] == [
        feature["properties"]["households"] for feature in told
    ]
    assert list(found[short.get("community", "community")]) == [
        feature["properties"]["community"] for feature in told
    ]
    assert found.crs.to_epsg() == 4326
    for shape, feature in zip(found.geometry, told, strict=True):
        assert alone(shape).equals_exact(alone(shapely.geometry.shape(feature["geometry"])), 1e-7)


def test_a_shapefile_comes_with_its_encoding_and_what_its_names_stand_for(client):
    answer = client.get(GRIDS, params={"f": "shp"})
    assert answer.headers["content-disposition"] == 'attachment; filename="grids.shp.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = set(archive.namelist())
    assert {"grids.shp", "grids.shx", "grids.dbf", "grids.prj", "grids.cpg", "grids.README.txt"} == names
    assert archive.read("grids.cpg") == b"UTF-8"
    readme = archive.read("grids.README.txt").decode("utf-8-sig")
    assert "community_code" in readme
    assert "虚构数据" in readme
    assert "OpenStreetMap" in readme


@pytest.mark.parametrize(("crs", "number"), [("EPSG:4549", 4549), ("EPSG:4490", 4490), ("EPSG:3857", 3857)])
def test_a_file_is_in_the_system_asked_for_with_easting_first(client, tmp_path, crs, number):
    found = frame(client, "grids", tmp_path, crs=crs)
    assert found.crs.to_epsg() == number
    there = found.to_crs(4326).total_bounds
    assert there == pytest.approx([118.5, 31.7, 118.54, 31.71], abs=1e-5)
    (point, *_) = rows(client, f"{OGC}/sites/items", crs=crs)
    if number != 4490:
        assert float(point["x"]) == pytest.approx(found.total_bounds[0], abs=1000)


@pytest.mark.parametrize("name", PUBLIC_LAYERS)
def test_every_layer_can_be_written_even_where_it_is_empty(client, tmp_path, name):
    told = features(client, name)
    assert len(frame(client, name, tmp_path)) == len(told)
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{OGC}/{name}/items?f=shp").content))
    archive.extractall(tmp_path / "shp")
    assert sum(pyogrio.read_info(file)["features"] for file in (tmp_path / "shp").glob("*.shp")) == len(told)


def test_a_withheld_property_is_in_no_file_but_for_those_who_may_see_it(store, serving, tmp_path):
    town.build(store)
    accounts.add(store, SYSTEM, "ana", PASSWORD, roles=["planner"], scope=["340504"])
    with serving() as client:
        assert "households" not in rows(client, f"{OGC}/buildings/items")[0]
        assert "households" not in frame(client, "buildings", tmp_path)
        answer = client.get(f"{OGC}/buildings/items", params={"f": "csv", "filter": "households > 1"})
        assert answer.status_code == 400
        token = client.post("/api/v1/session", json={"name": "ana", "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert rows(client, f"{OGC}/buildings/items")[0]["households"] == "40"
        assert frame(client, "buildings", tmp_path)["households"].unique() == [40]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"f": "exe"}, 400),
        ({"f": ""}, 400),
        ({"f": "csv", "limit": 0}, 400),
        ({"f": "gpkg", "nothing": 1}, 400),
        ({"f": "csv", "filter": "nothing = 1"}, 400),
        ({"f": "shp", "plan": 99}, 404),
        ({"f": "csv", "plan": 3}, 404),
    ],
)
def test_bad_questions_are_refused_before_anything_is_sent(client, query, status, folder):
    answer = client.get(GRIDS, params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert not list(folder.iterdir())


def test_head_tells_what_would_come_and_makes_nothing(client, folder):
    for form in ("csv", "gpkg", "shp"):
        answer = client.head(GRIDS, params={"f": form})
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["gridgov-plan"] == "2"
        assert not answer.content
    assert not list(folder.iterdir())


def test_limits_of_size_and_number_hold(store, serving, folder):
    town.build(store)
    with serving(download_bytes=1000) as client:
        for form in ("gpkg", "shp"):
            assert client.get(GRIDS, params={"f": form}).status_code == 413
        assert len(rows(client, GRIDS)) == 4
    with serving(downloads=0) as client:
        answer = client.get(GRIDS, params={"f": "csv"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert not list(folder.iterdir())


def test_nothing_is_left_on_the_server(client, folder):
    for form in ("gpkg", "shp", "csv"):
        assert client.get(GRIDS, params={"f": form}).status_code == 200
    assert not list(folder.iterdir())


@pytest.mark.parametrize("form", ["csv", "gpkg", "shp"])
def test_a_client_that_goes_away_leaves_nothing_behind(store, folder, form):
    """The connection ends at the first part: the reading ends, the place is free, and no file stays."""
    town.build(store)
    app = create_app(store, Settings())
    gone = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message.get("body"):
            gone.set()
            await asyncio.Event().wait()  # nobody takes it

    async def ask() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": GRIDS,
            "raw_path": GRIDS.encode(),
            "query_string": f"f={form}".encode(),
            "headers": [(b"host", b"testserver")],
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
        }
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(app(scope, receive, send), 60)

    asyncio.run(ask())
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert app.state.layers.downloads.under_way == 0
    assert not list(folder.iterdir())


def test_a_cell_that_a_spreadsheet_would_run_stays_text(store, serving):
    town.build(store)
    with store.begin("340504") as connection:
        connection.exec_driver_sql("UPDATE sites SET name = '=1+1' WHERE external_code = 'S1'")
    with serving() as client:
        assert "'=1+1" in {row["name"] for row in rows(client, f"{OGC}/sites/items")}
