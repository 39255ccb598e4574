"""Bring an assignment onto another cell set: what is in which grid there, and a draft's rows and locks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read
from data.plans import Plan

_CARRIED = """
WITH wanted AS (
    SELECT c.id, pc.grid_id FROM cells c
    LEFT JOIN plan_cells pc ON pc.district = c.district AND pc.plan_id = :plan AND pc.cell_id = c.id
    WHERE c.district = :district AND c.first_set <= :number AND (c.last_set IS NULL OR c.last_set >= :number)
), held AS (
    SELECT o.id, o.community_id, o.building_id, o.entrance, o.shape, pc.grid_id FROM plan_cells pc
    JOIN cells o ON o.district = pc.district AND o.id = pc.cell_id
    WHERE pc.district = :district AND pc.plan_id = :plan
), fresh AS MATERIALIZED (
    SELECT c.id, c.community_id, c.building_id, c.entrance, c.shape, ST_PointOnSurface(c.shape) AS point
    FROM wanted w JOIN cells c ON c.district = :district AND c.id = w.id WHERE w.grid_id IS NULL
), own AS (
    SELECT DISTINCT ON (f.id) f.id, h.grid_id FROM fresh f
    JOIN held h ON h.building_id = f.building_id AND h.community_id = f.community_id
    AND h.entrance IS NOT DISTINCT FROM f.entrance AND ST_Intersects(h.shape, f.shape)
    ORDER BY f.id, h.id
), under AS (
    SELECT DISTINCT ON (f.id) f.id, h.grid_id FROM fresh f
    JOIN held h ON h.community_id = f.community_id AND ST_Covers(h.shape, f.point)
    ORDER BY f.id, h.id
)
SELECT w.id AS cell_id, COALESCE(w.grid_id, own.grid_id, under.grid_id) AS grid_id,
       CASE WHEN w.grid_id IS NOT NULL THEN 'kept' WHEN own.grid_id IS NOT NULL THEN 'building'
            WHEN under.grid_id IS NOT NULL THEN 'covered' ELSE 'none' END AS origin
FROM wanted w LEFT JOIN own ON own.id = w.id LEFT JOIN under ON under.id = w.id
ORDER BY w.id
"""


def carried(connection: Connection, district: str, plan_id: int, cell_set: int) -> pd.DataFrame:
    """Carry a plan's assignment, in whatever state the plan is, over to the cells of any set.

    Shapes of cells never change, so those the plan was made of are asked, not its polygons. A grid is never
    carried into another community.

    Returns
    -------
    DataFrame
        One row a cell of the set, by ``cell_id``: ``grid_id`` (Int64, missing where there is none) and
        ``origin``, why: ``kept``, the cell is in the plan; ``building``, a cell of the same building and
        entrance is, and they overlap; ``covered``, a cell in the plan covers a point of it; ``none``.
    """
    found = read(connection, _CARRIED, district=district, plan=plan_id, number=cell_set)
    return found.astype({"grid_id": "Int64"})


def replace(
    connection: Connection, district: str, plan: Plan, cell_set: int, assigned: pd.DataFrame
) -> pd.DataFrame:
    """Put a draft on another cell set, where its locks follow the buildings; its revision rises.

    Parameters
    ----------
    assigned : DataFrame
        cell_id, grid_id: every cell of the set once. Cells that are in the plan keep their grid.

    Returns
    -------
    DataFrame
        The locks of cells that are gone: ``cell_id``, ``building_id``, ``grid_id`` the cell was in, and
        ``follows``, whether a new cell is locked in its place.
    """
    stage(
        connection,
        "new_assigned",
        {"cell_id": "bigint", "grid_id": "bigint"},
        assigned[["cell_id", "grid_id"]].itertuples(index=False),
    )
    values = {"district": district, "plan": plan.id, "number": cell_set}
    replaced = read(connection, _FOLLOW, **values)
    for statement in _REPLACE:
        connection.execute(text(statement), values)
    return replaced


# A lock holds a cell to its grid, so it goes to the cells of the same building, or entrance, that stayed in it.
_FOLLOW = """
WITH gone AS (
    SELECT l.cell_id, o.building_id, o.entrance, pc.grid_id, l.actor, l.at FROM plan_locks l
    JOIN cells o ON o.district = l.district AND o.id = l.cell_id
    JOIN plan_cells pc ON pc.district = l.district AND pc.plan_id = l.plan_id AND pc.cell_id = l.cell_id
    WHERE l.district = :district AND l.plan_id = :plan
    AND NOT EXISTS (SELECT FROM new_assigned n WHERE n.cell_id = l.cell_id)
), heirs AS (
    SELECT g.cell_id AS gone, c.id, g.actor, g.at FROM gone g
    JOIN cells c ON c.district = :district AND c.building_id = g.building_id
    AND (c.entrance IS NOT DISTINCT FROM g.entrance OR c.entrance IS NULL OR g.entrance IS NULL)
    JOIN new_assigned n ON n.cell_id = c.id AND n.grid_id = g.grid_id
), locked AS (
    INSERT INTO plan_locks (district, plan_id, cell_id, actor, at)
    SELECT DISTINCT ON (id) :district, CAST(:plan AS bigint), id, actor, at FROM heirs ORDER BY id, gone
    ON CONFLICT DO NOTHING
)
SELECT g.cell_id, g.building_id, g.grid_id, EXISTS (SELECT FROM heirs h WHERE h.gone = g.cell_id) AS follows
FROM gone g ORDER BY g.cell_id
"""

_REPLACE = (
    "DELETE FROM plan_locks l WHERE district = :district AND plan_id = :plan AND cell_id IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM new_assigned n WHERE n.cell_id = l.cell_id)",
    "DELETE FROM plan_cells pc WHERE district = :district AND plan_id = :plan"
    " AND NOT EXISTS (SELECT FROM new_assigned n WHERE n.cell_id = pc.cell_id)",
    "INSERT INTO plan_grids (district, plan_id, grid_id)"
    " SELECT DISTINCT :district, CAST(:plan AS bigint), grid_id FROM new_assigned ON CONFLICT DO NOTHING",
    "INSERT INTO plan_cells (district, plan_id, cell_id, grid_id)"
    " SELECT :district, :plan, cell_id, grid_id FROM new_assigned ON CONFLICT DO NOTHING",
    "DELETE FROM plan_locks l WHERE district = :district AND plan_id = :plan AND grid_id IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM new_assigned n WHERE n.grid_id = l.grid_id)",
    "DELETE FROM plan_grids pg WHERE district = :district AND plan_id = :plan"
    " AND NOT EXISTS (SELECT FROM new_assigned n WHERE n.grid_id = pg.grid_id)",
    "UPDATE plans SET cell_set = :number, revision = revision + 1 WHERE district = :district AND id = :plan",
    "DROP TABLE new_assigned",
)


def add_report(connection: Connection, district: str, plan: Plan, entry: Mapping[str, Any]) -> None:
    """Keep what a rebase did with the plan, after what earlier ones did: ``report["rebases"]``."""
    connection.execute(
        text(
            "UPDATE plans SET report = jsonb_set(report, '{rebases}',"
            " COALESCE(report -> 'rebases', '[]') || CAST(:entry AS jsonb))"
            " WHERE district = :district AND id = :plan"
        ),
        {"district": district, "plan": plan.id, "entry": orjson.dumps([entry]).decode()},
    )


def stale_drafts(connection: Connection, district: str, cell_set: int) -> list[int]:
    """Return the numbers of drafts that are on another cell set than this."""
    rows = connection.execute(
        text(
            "SELECT number FROM plans WHERE district = :district AND state = 'draft' AND cell_set <> :number"
            " ORDER BY number"
        ),
        {"district": district, "number": cell_set},
    )
    return list(rows.scalars())
