"""A plan's vector tiles as one file: PMTiles 3, which web servers without a program and offline apps read from."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from sqlalchemy import Connection

from api.ogc.tilesets import title, vector_layers
from data import extents, layers, tiles
from data.districts import District
from data.layer import PUBLIC, Layer
from data.plans import Plan
from data.reading import run
from data.tiles import Tile
from geo.crs import WEB_MERCATOR, to_metric
from geo.errors import ConflictError, InputError
from geo.progress import Progress, silent
from geo.tiling import span

_PACKING = 6

Ranges = dict[str, tuple[int, int]]
"""The first and the last zoom of each layer, by name."""
Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


def named(names: str | None, max_zoom: int | None) -> Ranges:
    """Read which public layers are wanted, and to which zoom.

    Raises
    ------
    NotFoundError
        If there is no public layer of a name.
    InputError
        If no layer has tiles down to that zoom.
    """
    known = [layers.get(name.strip()) for name in names.split(",")] if names else layers.known().values()
    ranges = {}
    for layer in known:
        first, last = layer.zooms
        if max_zoom is None or max_zoom >= first:
            ranges[layer.name] = (first, last if max_zoom is None else min(max_zoom, last))
    if not ranges:
        least = min(layer.zooms[0] for layer in known)
        raise InputError(f"No tiles are as coarse as zoom {max_zoom}.", f"Name {least} or more.")
    return ranges


def write(
    connection: Connection,
    district: District,
    plan: Plan,
    wanted: Ranges,
    target: Path,
    progress: Progress = silent,
) -> int:
    """Write the tiles of layers as everybody may see them; a file that was there is replaced when all is done.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`: the whole file is of one state of the data.
    plan : Plan
        Whose grids are drawn.
    wanted : mapping of str to (int, int)
        See `named`.

    Returns
    -------
    int
        How many tiles were written; empty ones are left out.

    Raises
    ------
    ConflictError
        If the plan was never published: its grids are not drawn, or nothing else is there.
    """
    if plan.valid is None:
        raise ConflictError(
            f"Plan {plan.number} is not published.", "Publish it first; gridgov plan list shows which are."
        )
    boxes, credited = _extents(connection, district, wanted)
    places = sorted(_places(wanted, boxes), key=lambda place: place[0])
    if not places:
        raise ConflictError(f"District {district.code} has nothing to draw.", "Import something first.")
    part = target.with_name(f"{target.name}.part")
    written = 0
    try:
        with part.open("wb") as file:
            writer: Any = cast(Any, Writer)(file)  # the library has no types
            for done, (number, tile, drawn) in enumerate(places):
                progress("tiles", done / len(places))
                body = b"".join(_cut(connection, district, plan, layer, tile) for layer in drawn)
                if body:
                    writer.write_tile(number, gzip.compress(body, _PACKING, mtime=0))
                    written += 1
            writer.finalize(_header(list(boxes.values())), _metadata(district, plan, wanted, credited))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    progress("tiles", 1.0)
    return written


def _cut(connection: Connection, district: District, plan: Plan, layer: Layer, tile: Tile) -> bytes:
    seen = layer.seen_by((PUBLIC,))
    return tiles.read(connection, layer, seen, district.code, plan.number, tile)


def _extents(connection: Connection, district: District, wanted: Ranges) -> tuple[dict[str, Box], str | None]:
    """Return the box of each layer that has something, and whom the data must be credited to."""
    query, values = extents.query([layers.get(name) for name in wanted], district.code)
    row = run(connection, query, values)
    found = row["extents"] if isinstance(row["extents"], dict) else json.loads(row["extents"])
    return {name: tuple(box) for name, (box, _) in found.items() if box}, row["attribution"]


def _places(wanted: Ranges, boxes: dict[str, Box]) -> Iterator[tuple[int, Tile, Sequence[Layer]]]:
    """Return the tiles layers may be in, by their number in the file, and the layers of each."""
    held: dict[Tile, list[Layer]] = {}
    for name, (first, last) in wanted.items():
        if name not in boxes:
            continue
        bounds = shapely.bounds(to_metric([shapely.box(*boxes[name])], WEB_MERCATOR))
        for zoom in range(first, last + 1):
            west, north, east, south = span(bounds, zoom)[0].tolist()
            for column in range(west, east + 1):
                for row in range(north, south + 1):
                    held.setdefault(Tile(zoom, column, row), []).append(layers.get(name))
    for tile, drawn in held.items():
        yield zxy_to_tileid(tile.zoom, tile.column, tile.row), tile, drawn


def _header(boxes: Sequence[Box]) -> dict[str, Any]:
    """Return what the file's head says; zooms and counts are filled in by the writer."""
    west, south = (min(box[side] for box in boxes) for side in (0, 1))
    east, north = (max(box[side] for box in boxes) for side in (2, 3))
    degrees = {
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_lon_e7": (west + east) / 2,
        "center_lat_e7": (south + north) / 2,
    }
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "center_zoom": 12,
        **{name: round(value * 1e7) for name, value in degrees.items()},
    }


def _metadata(district: District, plan: Plan, wanted: Ranges, credited: str | None) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    for name, (first, last) in wanted.items():
        layer = layers.get(name)
        told = vector_layers(layer, layer.seen_by((PUBLIC,)))
        entries += [{**entry, "minzoom": first, "maxzoom": last} for entry in told]
    made_up = "演示数据，纯属虚构 Demo data, made up" if district.made_up else None
    return {
        "name": f"{district.name} · {plan.title}",
        "description": "; ".join(filter(None, [made_up, *(title(layers.get(name)) for name in wanted)])),
        "attribution": credited or "",
        "type": "overlay",
        "version": str(plan.number),
        "vector_layers": entries,
    }
