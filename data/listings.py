"""Lists of what map layers hold, as GeoJSON or as rows, for the routes that count by offset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from data import layers
from data.layer import Layer

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True)
class Selection:
    """Which rows of a layer are meant.

    Attributes
    ----------
    equal : mapping of str to value
        Column and the value it must have; columns are constants of the program, never input.
    bounds : Bounds, optional
        A box the shape must touch.
    as_of : datetime, optional
        For a dated layer the instant it shows, now by default.
    limit, offset : int
        How many rows at most, after how many.
    """

    equal: Mapping[str, Any]
    bounds: Bounds | None = None
    as_of: datetime | None = None
    limit: int = 1000
    offset: int = 0


def feature_collection(
    connection: Connection, district: str, name: str, chosen: Selection, heading: Mapping[str, Any]
) -> str:
    """Return rows of a layer as the text of a GeoJSON FeatureCollection, EPSG:4326 to 7 decimals.

    Parameters
    ----------
    heading : mapping of str to str or int
        Further members of the collection, such as its attribution; names are constants of the program.
    """
    layer = layers.get(name)
    source, values = _rows(district, name, layer, chosen, located=True)
    members = "".join(f"'{member}', CAST(:heading AS json) -> '{member}', " for member in heading)
    query = (
        f"SELECT json_build_object('type', 'FeatureCollection', {members}"
        " 'numberMatched', COALESCE(max(matched), 0), 'numberReturned', count(*), 'features',"
        " COALESCE(json_agg(json_build_object('type', 'Feature', 'id', key,"
        " 'geometry', ST_AsGeoJSON(ST_ForcePolygonCCW(shape), 7)::json, 'properties', properties)"
        " ORDER BY key), '[]'))::text"
        f" FROM ({source}) found"
    )
    return str(connection.execute(text(query), {**values, "heading": json.dumps(heading)}).scalar_one())


def listing(connection: Connection, district: str, name: str, chosen: Selection) -> tuple[int, list[Any]]:
    """Return how many rows of a layer match, and those chosen as dicts, without their shapes."""
    source, values = _rows(district, name, layers.get(name), chosen, located=False)
    rows = connection.execute(
        text(f"SELECT matched, properties FROM ({source}) found ORDER BY key"), values
    ).all()
    return (rows[0].matched if rows else 0), [row.properties for row in rows]


def _rows(
    district: str, name: str, layer: Layer, chosen: Selection, *, located: bool
) -> tuple[str, dict[str, Any]]:
    """Return the SQL of the rows chosen (key, shape, matched, properties) and its values."""
    values: dict[str, Any] = {"district": district, "limit": chosen.limit, "offset": chosen.offset}
    conditions = ["district = :district"]
    if located:
        conditions.append("shape IS NOT NULL")
    if layer.dated:
        conditions.append("valid @> (SELECT COALESCE(CAST(:as_of AS timestamptz), district_now(:district)))")
        values["as_of"] = chosen.as_of
    if chosen.bounds:
        conditions.append("ST_Intersects(shape, ST_MakeEnvelope(:west, :south, :east, :north, 4326))")
        values |= dict(zip(("west", "south", "east", "north"), chosen.bounds, strict=True))
    for column, value in chosen.equal.items():
        conditions.append(f"{column} = :is_{column}")
        values[f"is_{column}"] = value
    properties = ", ".join(f"'{column}', {column}" for column in layer.columns())
    query = (
        f"SELECT {layer.key} AS key, shape, count(*) OVER () AS matched,"
        f" json_build_object({properties}) AS properties FROM layers.{name}"
        f" WHERE {' AND '.join(conditions)} ORDER BY {layer.key} LIMIT :limit OFFSET :offset"
    )
    return query, values
