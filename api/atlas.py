"""Gather what a folium page shows of a plan."""

from __future__ import annotations

from sqlalchemy import Connection

from data import atlas, imports, sheets
from data.districts import District
from data.plans import Plan
from maps.overview import MapData
from maps.sheets import SheetData

SHOWN = (
    "communities",
    "sites",
    "facilities",
    "rider_communities",
    "rider_points",
    "streets",
    "barriers",
    "water",
    "green",
)
AROUND = ("communities", "streets", "barriers", "water", "rail", "green", "sites", "facilities")
"""Layers on a sheet that are shown as everybody sees them."""


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


def sheet_data(
    connection: Connection, district: District, plan: Plan, *, staff: bool, base_url: str | None
) -> SheetData:
    """Read what the sheets of a plan show; names and phones of workers for ``staff`` alone."""
    code = district.code
    return SheetData(
        name=district.name,
        srid=district.srid,
        plan=f"{plan.number} · {plan.title}",
        validity=_validity(plan),
        printed_on=f"{sheets.today(connection):%Y-%m-%d}",
        made_up=district.made_up,
        attribution=tuple(imports.attribution(connection, code)),
        base_url=base_url,
        grids=atlas.plan_grids(connection, district, plan),
        compounds=sheets.compounds(connection, code),
        buildings=sheets.buildings(connection, code),
        holdings=sheets.holdings(connection, code, plan.id),
        workers=sheets.workers(connection, code) if staff else None,
        **{name: atlas.layer(connection, code, name) for name in AROUND},
    )


def _validity(plan: Plan) -> str:
    """Say when a plan holds, by the day of the district."""
    if plan.valid is None or plan.valid.lower is None:
        return "草案，未生效 draft, not in force"
    since = f"{plan.valid.lower:%Y-%m-%d}"
    if plan.valid.upper is None:
        return f"{since} 起生效 in force since then"
    return f"{since} – {plan.valid.upper:%Y-%m-%d}"
