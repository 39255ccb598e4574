"""Vector tiles (MVT 2.1) of map layers, made in SQL by one statement a tile.

A layer that is a coverage is cut from its levels (see `data.levels`), whose vertices lie on the corners of the tile's
units already: cutting moves none of them, so that both sides of a border are one line, within a tile and across its
edge. Other layers have no borders in common, and are simplified feature by feature as ``ST_AsMVTGeom`` does it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection

from data.filters import quoted
from data.layer import Field, Layer
from data.layers import LAYERS
from data.levels import EDITIONS
from data.reading import TENANT, run
from geo.crs import WEB_MERCATOR, WGS84
from geo.simplify import FINEST
from geo.tiling import BUFFER, EXTENT, origin, unit_m

LABELS = "_labels"
"""What follows a layer's name in the name of the layer of its labels."""

# The line tiles are cut at lies between corners of units, so that no vertex lies on it.
_EDGE = BUFFER + 0.5
_CUT = f"ST_MakeEnvelope(-{_EDGE}, -{_EDGE}, {EXTENT + _EDGE}, {EXTENT + _EDGE})"


_PLAN, _ZOOM, _COLUMN, _ROW = (f"CAST(${place} AS integer)" for place in (2, 3, 4, 5))
_WEST, _NORTH, _UNITS_A_METRE = (f"CAST(${place} AS double precision)" for place in (6, 7, 8))
_TILE = f"ST_TileEnvelope({_ZOOM}, {_COLUMN}, {_ROW})"
_AROUND = f"ST_TileEnvelope({_ZOOM}, {_COLUMN}, {_ROW}, margin => {BUFFER / EXTENT})"
_NEAR = f"(SELECT ST_Transform({_AROUND}, {WGS84}))"  # by itself, so that it is worked out once


@dataclass(frozen=True)
class Tile:
    """A tile of WebMercatorQuad; see `geo.tiling`."""

    zoom: int
    column: int
    row: int


def values(name: str, district: str, plan: int | None, tile: Tile) -> Sequence[Any]:
    """Return the values of `query` for a tile of a layer of a district; of grids they are those of a plan."""
    asked = (district, plan, tile.zoom, tile.column, tile.row)
    if name not in EDITIONS:
        return asked
    return (*asked, *origin(tile.column, tile.row, tile.zoom), 1 / unit_m(tile.zoom))


def read(
    connection: Connection,
    layer: Layer,
    fields: tuple[Field, ...],
    district: str,
    plan: int | None,
    tile: Tile,
) -> bytes:
    """Return a tile in an open transaction; many are then of one state of the data."""
    found = run(connection, query(layer.name, fields), values(layer.name, district, plan, tile))
    return bytes(found["tile"] or b"")


@cache
def query(name: str, fields: tuple[Field, ...]) -> str:
    """Return the statement that makes a tile of the layer of a name with these properties.

    Its one row has ``tile`` (empty where nothing is there) and ``planned``, whether the plan is or was published.
    """
    layer = LAYERS[name]
    made = _of_coverage(layer, fields) if layer.name in EDITIONS else _of_features(layer, fields)
    return (
        f"SELECT r.* FROM {TENANT} t CROSS JOIN LATERAL (SELECT ({made}) AS tile,"
        f" EXISTS (SELECT FROM plans p WHERE p.district = t.district AND p.number = {_PLAN} AND p.valid IS NOT NULL)"
        " AS planned OFFSET 0) r"
    )


def has_labels(layer: Layer) -> bool:
    """Tell whether tiles of a layer have a second layer, of the points its areas are written on."""
    return layer.name in EDITIONS


def label_fields(layer: Layer, fields: Collection[Field]) -> tuple[Field, ...]:
    """Return the properties of those points."""
    return tuple(field for field in fields if field.name in (layer.key, layer.label))


def _of_features(layer: Layer, fields: Collection[Field]) -> str:
    shape = "v.mercator" if layer.stored else f"ST_Transform(v.shape, {WEB_MERCATOR})"
    near = f"v.mercator && {_AROUND}" if layer.stored else f"v.shape && {_NEAR}"
    return (
        f"SELECT ST_AsMVT(f, '{layer.name}', {EXTENT}, 'drawn', 'fid')"
        f" FROM (SELECT {_properties(layer, fields)}, ST_AsMVTGeom({shape}, {_TILE}, {EXTENT}, {BUFFER}) AS drawn"
        f" FROM layers.{quoted(layer.name)} v"
        f" WHERE v.district = t.district AND {_of_plan(layer)} AND {near} ORDER BY v.{quoted(layer.key)}) f"
        " WHERE drawn IS NOT NULL"
    )


def _of_coverage(layer: Layer, fields: Collection[Field]) -> str:
    """Cut what is in the tile from its level, or from what is stored where there are no levels yet."""
    named = label_fields(layer, fields)
    level = f"LEAST({_ZOOM}, {FINEST})"
    column, row = (f"({place} >> ({_ZOOM} - {level}))" for place in (_COLUMN, _ROW))
    edition = f"({EDITIONS[layer.name]})".replace(":district", "t.district").replace(":plan", _PLAN)
    of_edition = f"l.district = t.district AND l.layer = '{layer.name}' AND l.edition = {edition}"
    source = f"layers.{quoted(layer.name)} v"
    of_plan = f"v.district = t.district AND {_of_plan(layer)}"
    # Looked up one by one: what a tile holds is few, however many the layer has.
    own = f"SELECT * FROM {source} WHERE {of_plan} AND v.id = l.feature_id OFFSET 0"
    rows = (
        f"SELECT v.*, l.shape AS area, l.label AS place FROM coverage_levels l CROSS JOIN LATERAL ({own}) v"
        f" WHERE {of_edition} AND l.zoom = {level}"
        f" AND {column} BETWEEN l.first_column AND l.last_column AND {row} BETWEEN l.first_row AND l.last_row"
        f" UNION ALL SELECT v.*, ST_Transform(v.shape, {WEB_MERCATOR}),"
        f" ST_Transform(ST_PointOnSurface(v.shape), {WEB_MERCATOR})"
        f" FROM {source} WHERE NOT EXISTS (SELECT FROM coverage_levels l WHERE {of_edition})"
        f" AND {of_plan} AND v.shape && {_NEAR}"
    )
    # Where it was cut, an outline may run into itself.
    mended = "ST_CollectionExtract(ST_MakeValid(c.cut, 'method=structure keepcollapsed=false'), 3)"
    area = f"ST_ForcePolygonCCW(CASE WHEN c.whole OR ST_IsValid(c.cut) THEN c.cut ELSE {mended} END)"
    return (
        f"SELECT COALESCE(ST_AsMVT(a, '{layer.name}', {EXTENT}, 'drawn', 'fid')"
        " FILTER (WHERE NOT ST_IsEmpty(a.drawn)), '')"
        f" || COALESCE(ST_AsMVT(b, '{layer.name}{LABELS}', {EXTENT}, 'drawn', 'fid')"
        f" FILTER (WHERE {_in_half_open('b.drawn')}), '')"
        f" FROM (SELECT * FROM ({rows}) v ORDER BY {quoted(layer.key)}) v"
        f" CROSS JOIN LATERAL (SELECT {_in_tile('v.area')} AS area OFFSET 0) u"
        f" CROSS JOIN LATERAL (SELECT u.area @ {_CUT} AS whole,"
        f" ST_SnapToGrid(CASE WHEN u.area @ {_CUT} THEN u.area ELSE ST_ClipByBox2D(u.area, {_CUT}) END, 1) AS cut"
        " OFFSET 0) c"
        f" CROSS JOIN LATERAL (SELECT {_properties(layer, fields)}, {area} AS drawn OFFSET 0) a"
        f" CROSS JOIN LATERAL (SELECT {_properties(layer, named)}, {_in_tile('v.place')} AS drawn OFFSET 0) b"
    )


def _of_plan(layer: Layer) -> str:
    return f"v.plan = {_PLAN}" if layer.present else "TRUE"


def _in_tile(shape: str) -> str:
    """Return the SQL of a shape in units of the tile, from its north-western corner."""
    return f"ST_TransScale({shape}, -{_WEST}, -{_NORTH}, {_UNITS_A_METRE}, -{_UNITS_A_METRE})"


def _in_half_open(point: str) -> str:
    """Return the SQL of whether a point is in the tile; one on an edge is in one tile of two."""
    return " AND ".join(f"ST_{axis}({point}) >= 0 AND ST_{axis}({point}) < {EXTENT}" for axis in "XY")


def _properties(layer: Layer, fields: Collection[Field]) -> str:
    told = [_told(field) for field in fields]
    key = f"v.{quoted(layer.key)}"
    if layer.key_kind == "text":  # features are numbered, where their keys are numbers
        key = f"CASE WHEN {key} ~ '^[0-9]{{1,18}}$' THEN CAST({key} AS bigint) END"
    return ", ".join([f"{key} AS fid", *told])


def _told(field: Field) -> str:
    """Return the SQL of a property: tiles know text, numbers and flags."""
    name = quoted(field.name)
    value = f"v.{name}"
    match field.kind:
        case "texts":
            return f"array_to_string({value}, '; ') AS {name}"
        case "date" | "instant":
            return f"to_json({value}) #>> '{{}}' AS {name}"
        case _:
            return value
