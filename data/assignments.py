"""Assignments: which cell is in which grid of a plan."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection

from data.frames import read


def of_plan(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return the grid of every cell of a plan: cell_id, grid_id."""
    return read(
        connection,
        "SELECT cell_id, grid_id FROM plan_cells WHERE district = :district AND plan_id = :plan ORDER BY cell_id",
        district=district,
        plan=plan_id,
    )


def carried(connection: Connection, district: str, plan_id: int, cell_set: int) -> pd.DataFrame:
    """Carry a published plan over to the cells of another set: cell_id, grid_id.

    A cell that was in the plan keeps its grid; a newer one is in the grid whose polygon covers it, and in
    none (a missing value) where no grid of its community does.
    """
    return read(
        connection,
        "SELECT c.id AS cell_id, COALESCE(pc.grid_id, ("
        " SELECT g.id FROM plan_grids pg JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
        " WHERE pg.district = c.district AND pg.plan_id = :plan AND g.community_id = c.community_id"
        " AND ST_Covers(pg.shape, ST_PointOnSurface(c.shape)) ORDER BY g.code LIMIT 1)) AS grid_id"
        " FROM cells c LEFT JOIN plan_cells pc"
        " ON pc.district = c.district AND pc.plan_id = :plan AND pc.cell_id = c.id"
        " WHERE c.district = :district AND c.first_set <= :number"
        " AND (c.last_set IS NULL OR c.last_set >= :number) ORDER BY c.id",
        district=district,
        plan=plan_id,
        number=cell_set,
    )
