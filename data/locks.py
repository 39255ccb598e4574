"""Locks: what neither hand nor balancer may move in a draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd
from sqlalchemy import Connection, text

from data.frames import read

Kind = Literal["grid", "cell"]


def of_plan(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return the locks of a plan: grid_id or cell_id, the grid's code, who set it and when."""
    return read(
        connection,
        "SELECT l.grid_id, l.cell_id, g.code, l.actor, l.at FROM plan_locks l"
        " LEFT JOIN grids g ON g.district = l.district AND g.id = l.grid_id"
        " WHERE l.district = :district AND l.plan_id = :plan ORDER BY l.id",
        district=district,
        plan=plan_id,
    )


def add(
    connection: Connection, district: str, plan_id: int, kind: Kind, ids: Sequence[int], actor: str
) -> int:
    """Lock grids or cells that a plan has; return how many were not locked before."""
    table, column = ("plan_grids" if kind == "grid" else "plan_cells"), f"{kind}_id"
    added = connection.execute(
        text(
            f"INSERT INTO plan_locks (district, plan_id, {column}, actor)"
            f" SELECT district, plan_id, {column}, :actor FROM {table}"
            f" WHERE district = :district AND plan_id = :plan AND {column} = ANY(:ids) ORDER BY {column}"
            " ON CONFLICT DO NOTHING"
        ),
        {"district": district, "plan": plan_id, "ids": list(ids), "actor": actor},
    )
    return added.rowcount


def remove(connection: Connection, district: str, plan_id: int, kind: Kind, ids: Sequence[int]) -> int:
    """Take locks of grids or cells back; return how many there were."""
    removed = connection.execute(
        text(
            f"DELETE FROM plan_locks WHERE district = :district AND plan_id = :plan AND {kind}_id = ANY(:ids)"
        ),
        {"district": district, "plan": plan_id, "ids": list(ids)},
    )
    return removed.rowcount


def carry(connection: Connection, district: str, source: int, plan_id: int) -> None:
    """Lock in a plan what is locked in another, where it has it."""
    connection.execute(
        text(
            "INSERT INTO plan_locks (district, plan_id, grid_id, cell_id, actor)"
            " SELECT l.district, :plan, l.grid_id, l.cell_id, l.actor FROM plan_locks l"
            " LEFT JOIN plan_grids g ON g.district = l.district AND g.plan_id = :plan AND g.grid_id = l.grid_id"
            " LEFT JOIN plan_cells c ON c.district = l.district AND c.plan_id = :plan AND c.cell_id = l.cell_id"
            " WHERE l.district = :district AND l.plan_id = :source"
            " AND num_nonnulls(g.grid_id, c.cell_id) = 1 ORDER BY l.id"
        ),
        {"district": district, "source": source, "plan": plan_id},
    )


def locked_grids(connection: Connection, district: str, plan_id: int, grids: Sequence[int]) -> list[int]:
    """Return those of some grids that are locked as a whole."""
    rows = connection.execute(
        text(
            "SELECT grid_id FROM plan_locks"
            " WHERE district = :district AND plan_id = :plan AND grid_id = ANY(:grids) ORDER BY grid_id"
        ),
        {"district": district, "plan": plan_id, "grids": list(grids)},
    )
    return list(rows.scalars())
