"""What a grid sheet shows beyond the public layers: what each grid holds, and who serves it."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from data.frames import read, read_geo


def today(connection: Connection) -> date:
    """Return the day it is for the database."""
    day: date = connection.execute(text("SELECT CURRENT_DATE")).scalar_one()
    return day


def buildings(connection: Connection, district: str) -> gpd.GeoDataFrame:
    """Read the buildings that have a place.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, footprints or points; id, label, road_number, poi, compound_id.
    """
    return read_geo(
        connection,
        "SELECT id, label, road_number, poi, compound_id, ST_AsBinary(COALESCE(footprint, point)) AS wkb"
        " FROM buildings WHERE district = :district AND retired_at IS NULL AND point IS NOT NULL ORDER BY id",
        district=district,
    )


def compounds(connection: Connection, district: str) -> gpd.GeoDataFrame:
    """Read the compounds; one without a boundary is the hull of its buildings.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; id, name.
    """
    return read_geo(
        connection,
        "SELECT c.id, c.name, ST_AsBinary(COALESCE(c.boundary, n.hull)) AS wkb FROM compounds c"
        " LEFT JOIN LATERAL (SELECT ST_ConvexHull(ST_Collect(COALESCE(b.footprint, b.point))) AS hull"
        "  FROM buildings b WHERE b.district = c.district AND b.compound_id = c.id AND b.retired_at IS NULL) n"
        " ON true WHERE c.district = :district AND c.retired_at IS NULL ORDER BY c.id",
        district=district,
    )


def holdings(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Read which grid of a plan holds which building, or which of its entrances.

    A building that has moved away from the cells it had then is held by none.

    Returns
    -------
    DataFrame
        building_id, grid_id, entrances (their numbers; None for a building that is not split).
    """
    return read(
        connection,
        "SELECT c.building_id, pc.grid_id, array_agg(c.entrance ORDER BY c.entrance)"
        "  FILTER (WHERE c.entrance IS NOT NULL) AS entrances"
        " FROM plan_cells pc JOIN cells c ON c.district = pc.district AND c.id = pc.cell_id"
        " WHERE pc.district = :district AND pc.plan_id = :plan AND c.building_id IS NOT NULL"
        " AND (c.last_set IS NULL OR EXISTS (SELECT FROM cells n WHERE n.district = c.district"
        "  AND n.building_id = c.building_id AND n.last_set IS NULL AND ST_Intersects(n.shape, c.shape)))"
        " GROUP BY c.building_id, pc.grid_id ORDER BY c.building_id, pc.grid_id",
        district=district,
        plan=plan_id,
    )


def workers(connection: Connection, district: str) -> pd.DataFrame:
    """Read who has duty today, primary before deputy.

    Returns
    -------
    DataFrame
        grid_id, role, name, phone: personal data of staff, for staff.
    """
    return read(
        connection,
        "SELECT d.grid_id, d.role, w.name, w.phone FROM duties d"
        " JOIN workers w ON w.district = d.district AND w.id = d.worker_id AND w.retired_at IS NULL"
        " WHERE d.district = :district AND d.grid_id IS NOT NULL AND d.valid @> CURRENT_DATE"
        " ORDER BY d.grid_id, d.role DESC, w.id",
        district=district,
    )
