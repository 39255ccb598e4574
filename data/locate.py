"""Everything that is needed to answer "whose grid is this?" for the plan in force, in a few queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data import districts
from geo.address import Entry
from geo.answers import Building, Community, District, Grid, OnDuty, Plan, Site
from geo.locate import Place, Register


@dataclass(frozen=True)
class Edition:
    """What a register was read from: when any of it changes, the register is out of date.

    ``plan`` is the number of the plan in force, None before the first publication; ``version`` rises with
    any change of the district's data; ``today`` is the day duties are read for.
    """

    plan: int | None
    version: int
    today: date


def edition(connection: Connection, district: str) -> Edition:
    """Return the edition that is current now."""
    row = connection.execute(
        text(
            "SELECT (SELECT number FROM plans WHERE district = :district AND valid @> now()),"
            " (SELECT COALESCE(sum(version), 0)::bigint FROM data_versions WHERE district = :district),"
            " CURRENT_DATE"
        ),
        {"district": district},
    ).one()
    return Edition(*row)


def register(
    connection: Connection, district: str, *, staff: bool = False
) -> tuple[Edition, Register | None]:
    """Read the plan in force and what goes with it.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`, so that everything is of the edition returned.
    staff : bool
        Whether workers' names and phones are read; without it nobody can be told them by mistake.

    Returns
    -------
    Edition, Register or None
        None where no plan is in force yet.
    """
    current = edition(connection, district)
    return current, None if current.plan is None else _read(connection, district, current, staff=staff)


def _read(connection: Connection, district: str, read: Edition, *, staff: bool) -> Register:
    known = districts.get(connection, district)
    values = {"district": district, "plan": read.plan, "today": read.today}
    on_duty = _on_duty(connection, values, staff=staff)
    grids, shapes = _grids(connection, values, on_duty)
    return Register(
        district=District(known.code, known.name),
        srid=known.srid,
        plan=_plan(connection, values),
        data_version=read.version,
        grids=grids,
        shapes=shapes,
        sites=_sites(connection, values),
        places=_places(connection, values, known.name),
    )


def _plan(connection: Connection, values: dict[str, Any]) -> Plan:
    row = connection.execute(
        text(
            "SELECT number, title, lower(valid), upper(valid) FROM plans"
            " WHERE district = :district AND number = :plan"
        ),
        values,
    ).one()
    return Plan(*row)


def _on_duty(connection: Connection, values: dict[str, Any], *, staff: bool) -> dict[int, list[OnDuty]]:
    person = "w.name, w.phone" if staff else "NULL, NULL"
    rows = connection.execute(
        text(
            f"SELECT d.grid_id, d.role, {person} FROM duties d"
            " JOIN workers w ON w.district = d.district AND w.id = d.worker_id"
            " WHERE d.district = :district AND d.grid_id IS NOT NULL AND d.valid @> CAST(:today AS date)"
            " ORDER BY d.grid_id, d.role DESC, w.external_code, w.id"  # primary before deputy
        ),
        values,
    )
    found: dict[int, list[OnDuty]] = defaultdict(list)
    for grid_id, *duty in rows:
        found[grid_id].append(OnDuty(*duty))
    return found


def _grids(
    connection: Connection, values: dict[str, Any], on_duty: dict[int, list[OnDuty]]
) -> tuple[list[Grid], NDArray[np.object_]]:
    rows = connection.execute(
        text(
            "SELECT g.id, g.code, g.external_code, g.provisional, g.kind, g.households, c.code AS community,"
            " c.external_code AS community_external, c.provisional AS community_provisional, c.name, c.status,"
            " t.name AS town, c.phone, ST_AsBinary(g.shape) AS shape"
            " FROM layers.grids g"
            " JOIN communities c ON c.district = g.district AND c.code = g.community_code"
            " LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id"
            " WHERE g.district = :district AND g.plan = :plan ORDER BY g.code"
        ),
        values,
    ).all()
    grids = [
        Grid(
            row.code,
            row.external_code,
            row.provisional,
            row.kind,
            row.households,
            Community(
                row.community,
                row.community_external,
                row.community_provisional,
                row.name,
                row.status,
                row.town,
                row.phone,
            ),
            tuple(on_duty.get(row.id, ())),
        )
        for row in rows
    ]
    return grids, np.asarray(shapely.from_wkb([bytes(row.shape) for row in rows]), dtype=object)


def _sites(connection: Connection, values: dict[str, Any]) -> list[Site]:
    rows = connection.execute(
        text(
            "SELECT name, kind, services, hours, address, phone, ST_X(shape), ST_Y(shape) FROM layers.sites"
            " WHERE district = :district AND state = 'open' ORDER BY id"
        ),
        values,
    )
    return [Site(name, kind, tuple(services), *rest) for name, kind, services, *rest in rows]


_PLACES = """
WITH held AS (
    SELECT c.building_id, array_agg(c.entrance ORDER BY c.entrance) AS entrances,
           array_agg(g.code ORDER BY c.entrance) AS codes
    FROM plans p
    JOIN plan_cells pc ON pc.district = p.district AND pc.plan_id = p.id
    JOIN cells c ON c.district = pc.district AND c.id = pc.cell_id
    JOIN grids g ON g.district = pc.district AND g.id = pc.grid_id
    WHERE p.district = :district AND p.number = :plan AND c.building_id IS NOT NULL
    GROUP BY c.building_id
), stated AS (
    SELECT e.external_code, g.community_id, array_agg(g.code ORDER BY e.share DESC, g.code) AS codes
    FROM grid_external_codes e
    JOIN layers.grids v ON v.district = e.district AND v.id = e.grid_id AND v.plan = :plan
    JOIN grids g ON g.district = e.district AND g.id = e.grid_id
    WHERE e.district = :district
    GROUP BY e.external_code, g.community_id
)
SELECT b.external_code, b.address, b.aliases, b.label, b.road, b.road_number, b.poi,
       ST_X(b.point) AS lon, ST_Y(b.point) AS lat,
       x.name AS compound, x.aliases AS compound_aliases, x.road AS compound_road,
       x.road_number AS compound_number, c.name AS community, t.name AS town,
       h.entrances, h.codes, s.codes AS stated
FROM buildings b
JOIN communities c ON c.district = b.district AND c.id = b.community_id
LEFT JOIN compounds x ON x.district = b.district AND x.id = b.compound_id
LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id
LEFT JOIN held h ON h.building_id = b.id
LEFT JOIN stated s ON b.point IS NULL AND s.external_code = b.stated_grid AND s.community_id = b.community_id
WHERE b.district = :district AND b.retired_at IS NULL
ORDER BY b.id
"""


def _places(connection: Connection, values: dict[str, Any], district_name: str) -> list[Place]:
    return [_place(row, district_name) for row in connection.execute(text(_PLACES), values)]


def _place(row: Any, district_name: str) -> Place:
    number = row.compound_number and f"{row.compound_number.removesuffix('号')}号"
    street = "".join(filter(None, (row.compound_road, number)))
    # 湖东路166号3幢 is as good a name as 康宁花园3幢 where the compound has that number.
    compounds = (row.compound, *row.compound_aliases, *([street] if number else ())) if row.compound else ()
    entry = Entry(
        address=row.address,
        aliases=tuple(row.aliases),
        compounds=compounds,
        label=row.label,
        road=row.road,
        road_number=row.road_number,
        poi=row.poi,
        areas=tuple(filter(None, (district_name, row.town, row.community, street))),
    )
    return Place(
        building=Building(row.external_code, _name(row), row.lon, row.lat),
        entry=entry,
        cells=tuple(zip(row.entrances or (), row.codes or (), strict=True)),
        stated=tuple(row.stated or ()),
    )


def _name(row: Any) -> str:
    """Return what a building is called: its standard address, else compound and label, else its street."""
    named = "".join(filter(None, (row.compound, row.label)))
    return row.address or named or "".join(filter(None, (row.road, row.road_number))) or row.poi or ""
