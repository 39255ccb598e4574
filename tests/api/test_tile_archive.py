"""Tiles as one file: read back with the library of the format and with GDAL."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyogrio
import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import Compression, TileType
from starlette.testclient import TestClient

from api import tile_archive
from data import districts, plans
from geo.errors import ConflictError, InputError, NotFoundError
from tests import town
from tests.tilework import decoded

CODE = "340504"


@pytest.fixture
def write(store, tmp_path: Path):
    """``write(plan, names, max_zoom)`` gives how many tiles were written and a reader of the file."""
    town.build(store)

    def written(plan: int, names: str | None, max_zoom: int | None = None):
        target = tmp_path / "town.pmtiles"
        stages: list[float] = []
        with store.read(CODE) as connection:
            count = tile_archive.write(
                connection,
                districts.get(connection, CODE),
                plans.get(connection, CODE, plan),
                tile_archive.named(names, max_zoom),
                target,
                lambda stage, share: stages.append(share),
            )
        assert stages == sorted(stages)
        assert stages[-1] == 1.0
        return count, target

    return written


def test_the_file_has_the_tiles_the_server_has(write, store, serving):
    count, target = write(2, None, 14)
    with target.open("rb") as file, serving() as client:
        source = MmapSource(file)
        header, metadata = Reader(source).header(), Reader(source).metadata()
        assert header["version"] == 3
        assert (header["tile_type"], header["tile_compression"]) == (TileType.MVT, Compression.GZIP)
        assert header["clustered"]
        assert (header["min_zoom"], header["max_zoom"]) == (8, 14)
        assert header["min_lon_e7"] == pytest.approx(1_185_000_000, abs=10)
        assert metadata["attribution"] == "© OpenStreetMap contributors, ODbL"
        assert "made up" in metadata["description"]
        tiles = list(all_tiles(source))
        assert len(tiles) == count == header["addressed_tiles_count"]
        _same(client, tiles, {one["id"] for one in metadata["vector_layers"]})


def _same(client: TestClient, tiles, named: set[str]) -> None:
    seen: set[str] = set()
    for (zoom, column, row), packed in tiles:
        content = gzip.decompress(packed)
        for name in decoded(content):
            seen.add(name)
            if not name.endswith("_labels"):
                served = client.get(f"/tiles/{name}/{zoom}/{column}/{row}.mvt").content
                assert served in content
    assert {"grids", "grids_labels", "communities", "sites"} <= seen <= named
    assert "cases" not in named


def test_gdal_opens_the_file(write):
    _, target = write(2, "grids", 12)
    frame = pyogrio.read_dataframe(target, layer="grids")
    assert set(frame["code"]) == {town.grid_code(number) for number in (1, 2, 3, 4)}
    assert not frame.set_index("code").loc[town.grid_code(3), "households"] > 0  # fewer than ten are withheld


def test_a_past_plan_has_its_own_grids(write):
    _, target = write(1, "grids", 12)
    assert set(pyogrio.read_dataframe(target, layer="grids")["code"]) == {town.grid_code(5)}


def test_what_cannot_be_written_is_refused_and_leaves_what_was_there(write, tmp_path: Path):
    target = tmp_path / "town.pmtiles"
    target.write_bytes(b"before")
    with pytest.raises(ConflictError, match="not published"):
        write(3, None)
    assert target.read_bytes() == b"before"
    for names in ("cases", "nothing", "grids,"):
        with pytest.raises(NotFoundError):
            tile_archive.named(names, None)
    with pytest.raises(InputError, match="coarse"):
        tile_archive.named("grids", 3)
    assert list(tmp_path.iterdir()) == [target]
