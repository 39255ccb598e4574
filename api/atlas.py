"""Gather what a folium page shows of a plan."""

from __future__ import annotations

from sqlalchemy import Connection

from data import atlas, imports
from data.districts import District
from data.plans import Plan
from maps.overview import MapData

SHOWN = ("communities", "sites", "facilities", "rider_communities", "rider_points", "streets", "barriers")


def map_data(connection: Connection, district: District, plan: Plan) -> MapData:
    """Read a district under one of its plans."""
    since = plan.valid.lower if plan.valid else plan.created_at
    return MapData(
        name=district.name,
        plan=f"{plan.number} · {plan.title}",
        as_of=f"{since:%Y-%m-%d %H:%M}" if since else "",
        made_up=district.made_up,
        attribution=tuple(imports.attribution(connection, district.code)),
        target=plan.target,
        tolerance_percent=plan.tolerance_percent,
        grids=atlas.plan_grids(connection, district, plan),
        **{name: atlas.layer(connection, district.code, name) for name in SHOWN},
    )
