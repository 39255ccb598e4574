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
