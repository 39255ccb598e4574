"""Every building as it is looked up: its names, and the grids that hold it under a plan.

Each table is read by itself and put together here: joined in SQL, a plan made before the tables were counted would
compare every building with every compound.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import Connection, text

from geo.address import Compound, Entry
from geo.addresses import Place
from geo.answers import Building

_HELD = text(
    """
SELECT c.building_id, c.entrance, g.code, g.id
FROM plans p
JOIN plan_cells pc ON pc.district = p.district AND pc.plan_id = p.id
JOIN cells c ON c.district = pc.district AND c.id = pc.cell_id
JOIN grids g ON g.district = pc.district AND g.id = pc.grid_id
WHERE p.district = :district AND p.number = :plan AND c.building_id IS NOT NULL
AND (c.last_set IS NULL OR EXISTS (  -- else the building moved away from there
    SELECT FROM cells n WHERE n.district = c.district AND n.building_id = c.building_id AND n.last_set IS NULL
    AND ST_Intersects(n.shape, c.shape)))
ORDER BY c.building_id, c.entrance
"""
)
_STATED = text(
    """
SELECT e.external_code, g.community_id, g.code
FROM grid_external_codes e
JOIN layers.grids v ON v.district = e.district AND v.id = e.grid_id AND v.plan = :plan
JOIN grids g ON g.district = e.district AND g.id = e.grid_id
WHERE e.district = :district
ORDER BY e.share DESC, g.code
"""
)
_SAID = text(
    "SELECT compound_id, building_id, words FROM aliases WHERE district = :district AND state = 'in_force' ORDER BY id"
)
_COMPOUNDS = text(
    "SELECT id, name, aliases, phase_of, road, road_number FROM compounds WHERE district = :district"
)
_COMMUNITIES = text(
    "SELECT c.id, c.name, t.name FROM communities c"
    " LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id WHERE c.district = :district"
)
_BUILDINGS = text(
    """
SELECT id, external_code, entrances, address, aliases, label, road, road_number, poi, community_id, compound_id,
       stated_grid, ST_X(point) AS lon, ST_Y(point) AS lat
FROM buildings WHERE district = :district AND retired_at IS NULL ORDER BY id
"""
)
_LAND = text(
    """
SELECT b.id, ST_AsBinary(COALESCE(
    (SELECT ST_Union(n.shape) FROM cells n WHERE n.district = b.district AND n.building_id = b.id
     AND n.last_set IS NULL), b.footprint))
FROM buildings b WHERE b.district = :district AND b.id = ANY(:pending)
"""
)


@dataclass(frozen=True)
class _Around:
    """What buildings refer to, by id."""

    compounds: dict[int, Compound]
    areas: dict[int, tuple[str, str | None]]
    held: dict[int, list[tuple[int | None, str]]]
    stated: dict[tuple[str, int], list[str]]
    said: dict[int, tuple[str, ...]]
    land: dict[int, shapely.Geometry]


def label(grid: int) -> str:
    """Return what a grid of a draft is called that has no code yet."""
    return f"new-{grid}"


def every(connection: Connection, district: str, plan: int, district_name: str) -> list[Place]:
    """Read the buildings of a district, each with the grids that hold it under a plan; by their ids.

    Parameters
    ----------
    plan : int
        Number of the plan.
    district_name : str
        What addresses may begin with.
    """
    values = {"district": district, "plan": plan}
    rows = connection.execute(_BUILDINGS, values).all()
    held: dict[int, list[tuple[int | None, str]]] = defaultdict(list)
    for building, entrance, code, grid in connection.execute(_HELD, values):
        held[building].append((entrance, code or label(grid)))
    stated: dict[tuple[str, int], list[str]] = defaultdict(list)
    for external_code, community, code in connection.execute(_STATED, values):
        stated[external_code, community].append(code)
    compounds_said, said = _said(connection, values)
    around = _Around(
        compounds={
            key: Compound(str(key), name, (*aliases, *compounds_said.get(key, ())), *rest)
            for key, name, aliases, *rest in connection.execute(_COMPOUNDS, values)
        },
        areas={key: (name, town) for key, name, town in connection.execute(_COMMUNITIES, values)},
        held=held,
        stated=stated,
        said=said,
        land=_land(
            connection, district, [row.id for row in rows if row.lon is not None and row.id not in held]
        ),
    )
    return [_place(row, around, district_name) for row in rows]


def _said(
    connection: Connection, values: dict[str, Any]
) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
    """Return the aliases in force, of compounds and of buildings."""
    compounds: dict[int, tuple[str, ...]] = {}
    buildings: dict[int, tuple[str, ...]] = {}
    for compound, building, words in connection.execute(_SAID, values):
        of, key = (compounds, compound) if building is None else (buildings, building)
        of[key] = (*of.get(key, ()), words)
    return compounds, buildings


def _land(connection: Connection, district: str, pending: list[int]) -> dict[int, shapely.Geometry]:
    """Return what buildings in no cell of the plan stand on."""
    if not pending:
        return {}
    found = connection.execute(_LAND, {"district": district, "pending": pending})
    return {key: shapely.from_wkb(bytes(shape)) for key, shape in found if shape}


def _place(row: Any, around: _Around, district_name: str) -> Place:
    community, town = around.areas[row.community_id]
    entry = Entry(
        address=row.address,
        aliases=(*row.aliases, *around.said.get(row.id, ())),
        compound=around.compounds.get(row.compound_id),
        label=row.label,
        road=row.road,
        road_number=row.road_number,
        poi=row.poi,
        town=town,
        community=community,
        district=district_name,
        entrances=row.entrances,
    )
    unplaced = row.lon is None
    return Place(
        building=Building(row.external_code, _name(entry), row.lon, row.lat),
        entry=entry,
        cells=tuple(around.held.get(row.id, ())),
        stated=tuple(around.stated.get((row.stated_grid, row.community_id), ())) if unplaced else (),
        land=around.land.get(row.id),
    )


def _name(entry: Entry) -> str:
    """Return what a building is called: its standard address, else compound and label, else its street."""
    named = "".join(filter(None, (entry.compound.name if entry.compound else None, entry.label)))
    return entry.address or named or "".join(filter(None, (entry.road, entry.road_number))) or entry.poi or ""
