"""The optional base map: what may be set, and files of tiles."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from api.base_map import base_map
from api.policy import policy
from data.rasters import read_raster
from data.settings import Settings
from geo.errors import SetupError

PICTURE = b"\x89PNG not looked into"


def mbtiles(path: Path, *, said: dict[str, str] | None = None, tiles: bool = True) -> Path:
    """Write a file of one tile, 1 of 4 of level 1: the north-eastern."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metadata (name text, value text)")
        database.execute(
            "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
        )
        database.executemany("INSERT INTO metadata VALUES (?, ?)", (said or {"format": "png"}).items())
        if tiles:
            database.execute("INSERT INTO tiles VALUES (1, 1, 1, ?)", (PICTURE,))
    database.close()
    return path


def chosen(tiles: str, **more: object) -> Settings:
    return Settings(base_tiles=tiles, **{"base_attribution": "© 试验", **more})


def test_without_a_setting_there_is_none() -> None:
    assert base_map(Settings()) is None


@pytest.mark.parametrize(
    ("tiles", "given"),
    [
        ("https://t.example.org/{z}/{x}/{y}.png", "https://t.example.org/{z}/{x}/{y}.png"),
        ("http://127.0.0.1:8080/{z}/{x}/{-y}.jpg", "http://127.0.0.1:8080/{z}/{x}/{-y}.jpg"),
        (
            "https://t.example.org/wmts?TILEMATRIX={TileMatrix}&TILEROW={TileRow}&TILECOL={tilecol}",
            "https://t.example.org/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}",
        ),
    ],
)
def test_addresses_name_one_host(tiles: str, given: str) -> None:
    found = base_map(chosen(tiles, base_crs="gcj02", base_max_zoom=17))
    assert found is not None
    assert (found.tiles, found.crs, found.attribution, found.max_zoom) == (given, "gcj02", "© 试验", 17)
    assert found.host == given.split("/{")[0].split("/wmts")[0]


@pytest.mark.parametrize(
    "tiles",
    [
        "https://t.example.org/{z}/{x}.png",
        "https://t.example.org/{z}/{x}/{y}/{y}.png",
        "https://t.example.org/{z}/{x}/{y}.png?key={key}",
        "https://{s}.example.org/{z}/{x}/{y}.png",
        "https://*.example.org/{z}/{x}/{y}.png",
        "https://t.example.org;script-src/{z}/{x}/{y}.png",
        "https://user@t.example.org/{z}/{x}/{y}.png",
        "https://t.example.org 'unsafe-inline'/{z}/{x}/{y}.png",
        "ftp://t.example.org/{z}/{x}/{y}.png",
        "javascript:alert({x}{y}{z})",
        "/folder/{z}/{x}/{y}.png",
        "nowhere.mbtiles",
    ],
)
def test_what_shows_nothing_or_more_than_one_host_is_refused(tiles: str) -> None:
    with pytest.raises(SetupError, match=r"GRIDGOV_BASE_TILES|There is no file"):
        base_map(chosen(tiles))


def test_whom_a_map_must_name_has_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="whom maps must name"):
        base_map(chosen("https://t.example.org/{z}/{x}/{y}.png", base_attribution=None))
    silent = mbtiles(tmp_path / "silent.mbtiles")
    with pytest.raises(SetupError, match="whom maps must name"):
        base_map(chosen(str(silent), base_attribution=None))
    named = mbtiles(tmp_path / "named.mbtiles", said={"format": "png", "attribution": "© 测绘"})
    found = base_map(chosen(str(named), base_attribution=None))
    assert found is not None
    assert (found.attribution, found.host) == ("© 测绘", None)


def test_tiles_of_a_file_are_counted_from_the_north(tmp_path: Path) -> None:
    raster = read_raster(mbtiles(tmp_path / "a.mbtiles"))
    assert raster.media_type == "image/png"
    assert raster.zooms == (1, 1)
    assert raster.tile(1, 1, 0) == PICTURE
    assert raster.tile(1, 1, 1) is None
    assert raster.tile(2, 1, 0) is None


def test_another_content_is_another_edition(tmp_path: Path) -> None:
    first = read_raster(mbtiles(tmp_path / "a.mbtiles"))
    (tmp_path / "a.mbtiles").unlink()
    again = read_raster(mbtiles(tmp_path / "a.mbtiles", said={"format": "png", "name": "x" * 5000}))
    assert first.edition != again.edition


def test_what_is_no_file_of_pictures_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.mbtiles"
    text.write_text("no database " * 100)
    with pytest.raises(SetupError, match="cannot be read as MBTiles"):
        read_raster(text)
    for number, (said, tiles) in enumerate(
        (({"format": "pbf"}, True), ({"name": "a"}, True), ({"format": "png"}, False))
    ):
        with pytest.raises(SetupError, match="holds no pictures"):
            read_raster(mbtiles(tmp_path / f"{number}.mbtiles", said=said, tiles=tiles))


def test_only_the_host_that_is_named_joins_the_policy() -> None:
    plain = (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
    assert policy() == plain
    assert policy("https://t.example.org") == plain.replace("data:;", "data: https://t.example.org;")
