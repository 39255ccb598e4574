"""What maps draw of grids and communities: each a coverage, kept simplified for every zoom; see `geo.simplify`.

A coverage is named by its layer and its edition: of grids the plan, of communities the version of their data. So what
is kept is never that of another plan or boundary, and what has no levels yet is drawn from its stored shapes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.bulk import stage
from geo.coverage import Geometries
from geo.simplify import Level
from geo.tiling import span

EDITIONS = {
    "grids": "SELECT id FROM plans WHERE district = :district AND number = :plan",
    "communities": "SELECT version FROM data_versions WHERE district = :district AND layer = 'communities'",
}
"""The layers that are coverages, and the SQL of the edition that a plan shows."""

_SHAPES = {
    "grids": "SELECT pg.grid_id AS id, pg.shape FROM plan_grids pg"
    " JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
    " WHERE pg.district = :district AND pg.plan_id = :edition AND pg.shape IS NOT NULL ORDER BY g.code, g.id",
    "communities": "SELECT id, boundary AS shape FROM communities"
    " WHERE district = :district AND retired_at IS NULL AND boundary IS NOT NULL ORDER BY code, id",
}

_HAS_LEVELS = (
    "SELECT FROM coverage_levels l"
    " WHERE l.district = :district AND l.layer = c.layer AND l.edition = c.edition"
)

_MISSING = text(
    f"""
SELECT c.layer, c.edition FROM (
    SELECT 'grids' AS layer, p.id AS edition FROM plans p
    WHERE p.district = :district AND p.valid IS NOT NULL AND (:past OR COALESCE(upper(p.valid) > now(), true))
    AND EXISTS (SELECT FROM plan_grids pg WHERE pg.district = :district AND pg.plan_id = p.id
                AND pg.shape IS NOT NULL)
    UNION ALL
    SELECT v.layer, v.version FROM data_versions v WHERE v.district = :district AND v.layer = 'communities'
    AND EXISTS (SELECT FROM communities m WHERE m.district = :district AND m.retired_at IS NULL
                AND m.boundary IS NOT NULL)
) c WHERE NOT EXISTS ({_HAS_LEVELS}) ORDER BY 1, 2 DESC
"""
)


class Coverage(NamedTuple):
    """A coverage that is drawn."""

    layer: str
    edition: int


def missing(connection: Connection, district: str, *, past: bool = False) -> list[Coverage]:
    """Return the coverages that have no levels: those shown now or later, of past plans too where asked for."""
    return [Coverage(*row) for row in connection.execute(_MISSING, {"district": district, "past": past})]


def shapes(connection: Connection, district: str, coverage: Coverage) -> tuple[list[int], Geometries]:
    """Return the ids of a coverage's areas and their shapes, EPSG:4326, in order of their codes."""
    rows = connection.execute(
        text(f"SELECT id, ST_AsBinary(shape) AS wkb FROM ({_SHAPES[coverage.layer]}) s"),
        {"district": district, "edition": coverage.edition},
    ).all()
    drawn = shapely.from_wkb([bytes(row.wkb) for row in rows])
    return [row.id for row in rows], np.asarray(drawn, dtype=object)


def write(
    connection: Connection,
    district: str,
    coverage: Coverage,
    ids: list[int],
    levels: Iterable[Level],
    labels: Geometries,
) -> None:
    """Keep the levels of a coverage; of communities those of earlier editions go.

    Parameters
    ----------
    ids : list of int
        Of its areas, in the order of the levels' shapes.
    labels : ndarray of Point
        Where each is written on, metres of Web Mercator.
    """
    values = {"district": district, **coverage._asdict()}
    if coverage.layer == "communities":
        connection.execute(
            text("DELETE FROM coverage_levels WHERE district = :district AND layer = :layer"), values
        )
    tiles = ("first_column", "first_row", "last_column", "last_row")
    columns = {"zoom": "smallint", "feature_id": "bigint", **dict.fromkeys(tiles, "integer")}
    points = shapely.to_wkb(labels, hex=True)
    rows = (
        (level.zoom, *row)
        for level in levels
        for row in zip(
            ids,
            *span(shapely.bounds(level.shapes), level.zoom).T.tolist(),
            shapely.to_wkb(level.shapes, hex=True),
            points,
            strict=True,
        )
    )
    stage(connection, "new_levels", {**columns, "shape": "geometry", "label": "geometry"}, rows)
    connection.execute(
        text(
            f"INSERT INTO coverage_levels (district, layer, edition, {', '.join(columns)}, shape, label)"
            f" SELECT :district, :layer, :edition, {', '.join(columns)}, ST_Multi(ST_SetSRID(shape, 3857)),"
            " ST_SetSRID(label, 3857) FROM new_levels"
        ),
        values,
    )
