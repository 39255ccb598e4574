"""Grids: lasting identities, the codes issued to them, the ledger's codes they answer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read, read_geo
from geo.errors import ConflictError


def of_plan(connection: Connection, district: str, plan_id: int) -> gpd.GeoDataFrame:
    """Return the grids of a plan by code, their polygons None until it is published.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; id, code, external_code, provisional, kind, community_id, community_code, community,
        households, buildings, area_m2, perimeter_m.
    """
    return read_geo(
        connection,
        "SELECT g.id, g.code, g.external_code, g.provisional, g.kind, g.community_id, c.code AS community_code,"
        " c.name AS community, pg.households, pg.buildings, pg.area_m2, pg.perimeter_m,"
        " ST_AsBinary(pg.shape) AS wkb"
        " FROM plan_grids pg JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
        " JOIN communities c ON c.district = g.district AND c.id = g.community_id"
        " WHERE pg.district = :district AND pg.plan_id = :plan ORDER BY g.code, g.id",
        district=district,
        plan=plan_id,
    )


def counted(connection: Connection, district: str, plan_id: int) -> list[dict[str, Any]]:
    """Return the grids of a plan with what they hold today: cells and households, drafts too, by code."""
    rows = connection.execute(
        text(
            "SELECT g.id, g.code, g.external_code, c.code AS community_code, c.name AS community, n.cells,"
            " n.households FROM (SELECT pc.grid_id, count(*) AS cells, sum(v.households)::bigint AS households"
            "  FROM plan_cells pc JOIN layers.cells v ON v.district = pc.district AND v.id = pc.cell_id"
            "  WHERE pc.district = :district AND pc.plan_id = :plan GROUP BY pc.grid_id) n"
            " JOIN grids g ON g.district = :district AND g.id = n.grid_id"
            " JOIN communities c ON c.district = g.district AND c.id = g.community_id ORDER BY c.code, g.code, g.id"
        ),
        {"district": district, "plan": plan_id},
    )
    return [dict(row) for row in rows.mappings()]


@dataclass(frozen=True)
class Named:
    """What a grid is called; ``code`` is None until it is issued."""

    code: str | None
    external_code: str | None
    community_id: int
    community: str


def names(connection: Connection, district: str, grids: Sequence[int]) -> dict[int, Named]:
    """Return what grids are called by their id, those of any plan."""
    rows = connection.execute(
        text(
            "SELECT g.id, g.code, g.external_code, g.community_id, c.name FROM grids g"
            " JOIN communities c ON c.district = g.district AND c.id = g.community_id"
            " WHERE g.district = :district AND g.id = ANY(:grids)"
        ),
        {"district": district, "grids": list(grids)},
    )
    return {row[0]: Named(*row[1:]) for row in rows}


def add(connection: Connection, district: str, communities: Sequence[int]) -> list[int]:
    """Make a grid without a code for each community id given, and return their ids in that order."""
    rows = connection.execute(
        text(
            "INSERT INTO grids (district, community_id, provisional)"
            " SELECT :district, c.id, c.provisional"
            " FROM unnest(CAST(:communities AS bigint[])) WITH ORDINALITY AS wanted (id, position)"
            " JOIN communities c ON c.district = :district AND c.id = wanted.id ORDER BY position"
            " RETURNING id"
        ),
        {"district": district, "communities": list(communities)},
    )
    return [row.id for row in rows]


def communities_of(connection: Connection, district: str, grids: Sequence[int]) -> dict[int, int]:
    """Return the community id of grids by their id."""
    rows = connection.execute(
        text("SELECT id, community_id FROM grids WHERE district = :district AND id = ANY(:grids)"),
        {"district": district, "grids": list(grids)},
    )
    return {row.id: row.community_id for row in rows}


def is_known(connection: Connection, district: str, named: int | str) -> bool:
    """Tell whether a grid of that id, code or ledger's code was ever made."""
    return bool(
        connection.execute(
            text(
                "SELECT EXISTS (SELECT FROM grids WHERE district = :district"
                " AND (id::text = :named OR code = :named OR external_code = :named))"
            ),
            {"district": district, "named": str(named)},
        ).scalar_one()
    )


def external_codes(connection: Connection, district: str) -> pd.DataFrame:
    """Return which grids a ledger's codes stand for: external_code, grid_id, community_id, share."""
    return read(
        connection,
        "SELECT e.external_code, e.grid_id, g.community_id, e.share FROM grid_external_codes e"
        " JOIN grids g ON g.district = e.district AND g.id = e.grid_id WHERE e.district = :district"
        " ORDER BY e.external_code, e.share DESC, e.grid_id",
        district=district,
    )


def name_external(connection: Connection, district: str, parts: pd.DataFrame) -> None:
    """Record which grids the ledger's codes stand for; the largest part of each carries the code.

    Parameters
    ----------
    parts : DataFrame
        external_code, grid_id, share (0 to 1, of the code's households), largest (bool).
    """
    columns = {
        "external_code": "text",
        "grid_id": "bigint",
        "share": "double precision",
        "largest": "boolean",
    }
    stage(connection, "new_codes", columns, parts[list(columns)].itertuples(index=False))
    for statement in (
        "INSERT INTO grid_external_codes (district, external_code, grid_id, share)"
        " SELECT :district, external_code, grid_id, share FROM new_codes"
        " ON CONFLICT (district, external_code, grid_id) DO UPDATE SET share = excluded.share",
        "UPDATE grids g SET external_code = n.external_code FROM new_codes n"
        " WHERE g.district = :district AND g.id = n.grid_id AND n.largest",
    ):
        connection.execute(text(statement), {"district": district})


def issue_codes(connection: Connection, district: str, plan_id: int) -> int:
    """Issue a code to every grid of a plan that has none, and return how many were issued.

    Codes continue from the highest ever issued under the community's code, whichever community had it then;
    grids with a ledger's code come first.

    Raises
    ------
    ConflictError
        If a community has used up its 999 codes.
    """
    numbered = read(
        connection,
        "SELECT g.id, c.name, c.code || lpad(n.number::text, 3, '0') AS code, n.number FROM ("
        " SELECT g.id, COALESCE(last.number, 0) + row_number() OVER ("
        "   PARTITION BY g.community_id ORDER BY g.external_code NULLS LAST, g.id) AS number"
        " FROM plan_grids pg JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
        " JOIN communities c ON c.district = g.district AND c.id = g.community_id"
        " LEFT JOIN (SELECT left(code, 12) AS community, max(right(code, 3)::integer) AS number FROM grids"
        "   WHERE district = :district GROUP BY 1) last ON last.community = c.code"
        " WHERE pg.district = :district AND pg.plan_id = :plan AND g.code IS NULL) n"
        " JOIN grids g ON g.district = :district AND g.id = n.id"
        " JOIN communities c ON c.district = g.district AND c.id = g.community_id",
        district=district,
        plan=plan_id,
    )
    used_up = numbered[numbered.number > 999]
    if len(used_up):
        raise ConflictError(
            f"Community {used_up['name'].iloc[0]} has used up its 999 grid codes.",
            "Ask for a new community code for it.",
        )
    connection.execute(
        text(
            "UPDATE grids g SET code = n.code, issued_at = now()"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:codes AS text[])) AS n (id, code)"
            " WHERE g.district = :district AND g.id = n.id"
        ),
        {"district": district, "ids": numbered.id.tolist(), "codes": numbered.code.tolist()},
    )
    return len(numbered)


def write_published(connection: Connection, district: str, plan_id: int, grids: gpd.GeoDataFrame) -> None:
    """Write counts and polygons of a plan's grids as they are on the day of publication.

    Parameters
    ----------
    grids : GeoDataFrame
        EPSG:4326; grid_id, households, buildings, area_m2, perimeter_m.
    """
    columns = {
        "grid_id": "bigint",
        "households": "integer",
        "buildings": "integer",
        "area_m2": "double precision",
        "perimeter_m": "double precision",
    }
    shapes = shapely.to_wkb(grids.geometry.to_numpy(), hex=True)
    rows = zip(*(grids[name] for name in columns), shapes, strict=True)
    stage(connection, "new_published", {**columns, "shape": "geometry"}, rows)
    connection.execute(
        text(
            "UPDATE plan_grids pg SET households = n.households, buildings = n.buildings,"
            " area_m2 = n.area_m2, perimeter_m = n.perimeter_m, shape = ST_Multi(ST_SetSRID(n.shape, 4326))"
            " FROM new_published n"
            " WHERE pg.district = :district AND pg.plan_id = :plan AND pg.grid_id = n.grid_id"
        ),
        {"district": district, "plan": plan_id},
    )
