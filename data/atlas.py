"""What a map of the district shows: its layers and the grids of a plan, as frames."""

from __future__ import annotations

import geopandas as gpd
from sqlalchemy import Connection

from data import assignments, cells, grids, layers, plans
from data.districts import District
from data.frames import read_geo
from geo.drawing import draw
from geo.withheld import public_counts

LAYERS = (
    "communities",
    "compounds",
    "buildings",
    "sites",
    "facilities",
    "rider_communities",
    "rider_points",
    "streets",
    "barriers",
    "water",
    "rail",
    "green",
    "labels",
)
"""Views of the schema ``layers`` that hold one row a thing of today."""


def layer(connection: Connection, district: str, name: str) -> gpd.GeoDataFrame:
    """Read a layer of `LAYERS` with all its columns but those not everybody may see, EPSG:4326."""
    if name not in LAYERS:
        raise ValueError(name)
    query = f"SELECT *, ST_AsBinary(shape) AS wkb FROM layers.{name} WHERE district = :district ORDER BY id"
    withheld = {field.name for field in layers.get(name).fields} - {*layers.get(name).columns()}
    return read_geo(connection, query, district=district).drop(columns=["district", "shape", *withheld])


def plan_grids(connection: Connection, district: District, plan: plans.Plan) -> gpd.GeoDataFrame:
    """Read the grids of a plan; those of a draft are drawn from its cells with today's counts.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; the columns of `data.grids.of_plan`, households as everybody may see them.
    """
    stored = _public(grids.of_plan(connection, district.code, plan.id))
    if plan.valid is not None:
        return stored
    assigned = assignments.of_plan(connection, district.code, plan.id)
    members = cells.members(connection, district.code, plan.cell_set)
    drawn = draw(members.merge(assigned, left_on="id", right_on="cell_id"), district.srid)
    named = stored.drop(columns=[*drawn.columns.intersection(stored.columns), "geometry"], errors="ignore")
    whole = drawn.merge(named, left_on="grid_id", right_on="id")
    return _public(whole).sort_values(["code", "id"], ignore_index=True)


def _public(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    ordered = frame.sort_values("id")
    return frame.assign(households=public_counts(ordered["households"], ordered["community_code"]))
