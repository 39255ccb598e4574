"""How far people live from what serves them."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection

from data.frames import read


def dwellings(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Read where the households of a plan's grids live: counts of buildings, which are not public.

    Returns
    -------
    DataFrame
        One row a building and grid: grid_id, households (today's, of the entrances that the grid holds), lon, lat
        (EPSG:4326, degrees).
    """
    return read(
        connection,
        "SELECT pc.grid_id, sum(v.households)::bigint AS households, ST_X(b.point) AS lon, ST_Y(b.point) AS lat"
        " FROM plan_cells pc JOIN layers.cells v ON v.district = pc.district AND v.id = pc.cell_id"
        " JOIN buildings b ON b.district = v.district AND b.id = v.building_id AND b.retired_at IS NULL"
        "  AND b.point IS NOT NULL"
        " WHERE pc.district = :district AND pc.plan_id = :plan GROUP BY pc.grid_id, b.id, b.point"
        " ORDER BY pc.grid_id, b.id",
        district=district,
        plan=plan_id,
    )
