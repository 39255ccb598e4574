"""Where layers lie, and from when to when they hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.filters import Values, quoted
from data.layer import Layer
from data.reading import TENANT


def query(layers: Iterable[Layer], district: str) -> tuple[str, list[Any]]:
    """Return the query of the extents of layers, and its values.

    Its one row has ``extents``, a JSON object with, by layer, the box (west, south, east, north in degrees, null
    where there is nothing) and the interval (ISO 8601, null where it is open), and ``attribution``, whom the
    district's data must be credited to.
    """
    values = Values()
    values.bind(district, "text")
    parts = ", ".join(f"'{layer.name}', ({_extent(layer)})" for layer in layers)
    return (
        f"SELECT r.* FROM {TENANT} t CROSS JOIN LATERAL (SELECT json_build_object({parts})::text AS extents,"
        " (SELECT string_agg(attribution, '; ' ORDER BY first) FROM (SELECT attribution, min(id) AS first"
        "  FROM imports WHERE district = t.district AND attribution IS NOT NULL AND state = 'loaded'"
        "  GROUP BY attribution) a) AS attribution"
        " OFFSET 0) r"
    ), values.all


def _extent(layer: Layer) -> str:
    interval = "NULL"
    if layer.dated:  # one that holds still has no end, which max() would pass over
        interval = (
            "json_build_array(min(lower(valid)), CASE WHEN bool_or(upper(valid) IS NULL) THEN NULL"
            " ELSE max(upper(valid)) END)"
        )
    box = (
        "CASE WHEN ST_Extent(shape) IS NOT NULL THEN json_build_array(ST_XMin(ST_Extent(shape)),"
        " ST_YMin(ST_Extent(shape)), ST_XMax(ST_Extent(shape)), ST_YMax(ST_Extent(shape))) END"
    )
    return f"SELECT json_build_array({box}, {interval}) FROM layers.{quoted(layer.name)} WHERE district = t.district"
