"""Everything that is needed to answer "whose grid is this?" at an instant, in a few queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data import districts, versions
from geo.address import Compound, Entry
from geo.addresses import Place
from geo.answers import Building, Change, Community, District, Grid, OnDuty, Plan, Site
from geo.locate import Register


@dataclass(frozen=True)
class Edition:
    """What a district is answered from at an instant: two that are equal give the same answers.

    Attributes
    ----------
    plan : int or None
        Number of the plan in force, None before the first publication.
    version : int
        Rises with any change of what is shown of the district; drafts are not shown.
    ground : int
        Version of the layer ``locate``: rises with any change of what a register is made of.
    day : date
        The day duties are of, +08:00.
    at : datetime
        The instant.
    since, until : datetime or None
        From when and until when the plan is in force, as far as is known.
    due : bool
        Whether what falls due with the plan was not carried out yet.
    changes : datetime
        When a plan starts or ends, or the day does, next.
    """

    plan: int | None
    version: int
    ground: int
    day: date
    at: datetime = field(compare=False)
    since: datetime | None = field(compare=False)
    until: datetime | None = field(compare=False)
    due: bool = field(compare=False)
    changes: datetime = field(compare=False)


_EDITION = text(
    """
WITH i AS MATERIALIZED (SELECT COALESCE(CAST(:at AS timestamptz), district_now(:district)) AS at)
SELECT p.number, v.version, v.ground, CAST(i.at AS date), i.at, lower(p.valid), upper(p.valid),
       p.number IS NOT NULL AND p.activated_at IS NULL, least(n.edge, date_trunc('day', i.at) + interval '1 day')
FROM i
LEFT JOIN plans p ON p.district = :district AND p.valid @> i.at
CROSS JOIN (SELECT COALESCE(sum(version) FILTER (WHERE layer <> :unseen), 0)::bigint AS version,
                   COALESCE(sum(version) FILTER (WHERE layer = :ground), 0)::bigint AS ground
            FROM data_versions WHERE district = :district) v
CROSS JOIN LATERAL (SELECT min(edge) AS edge FROM plans, unnest(ARRAY[lower(valid), upper(valid)]) AS edge
                    WHERE district = :district AND edge > i.at) n
"""
)


def edition(connection: Connection, district: str, at: datetime | None = None) -> Edition:
    """Return the edition of an instant, now by default: the district's clock, which never goes back."""
    values = {"district": district, "at": at, "unseen": versions.DRAFTS, "ground": versions.LOCATE}
    return Edition(*connection.execute(_EDITION, values).one())


def register(connection: Connection, read: Edition, district: str, *, staff: bool = False) -> Register | None:
    """Read the plan of an edition and what goes with it.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`, in which the edition was read too; so everything is of that edition.
    staff : bool
        Whether workers' names and phones are read; without it nobody can be told them by mistake.

    Returns
    -------
    Register or None
        None where the edition has no plan. Buildings and sites are today's whatever its instant: the register
        has no history.
    """
    if read.plan is None:
        return None
    known = districts.get(connection, district)
    values = {"district": district, "plan": read.plan}
    grids, shapes = _grids(connection, values, on_duty(connection, district, read.day, staff=staff))
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
            "SELECT p.number, p.title, p.state, lower(p.valid) AS since, upper(p.valid) AS until,"
            " n.number AS next_number, n.title AS next_title"
            " FROM plans p LEFT JOIN plans n ON n.district = p.district AND lower(n.valid) = upper(p.valid)"
            " WHERE p.district = :district AND p.number = :plan"
        ),
        values,
    ).one()
    change = Change(row.next_number, row.next_title, row.until) if row.next_number is not None else None
    return Plan(row.number, row.title, row.since, row.until, row.state, change)


def on_duty(
    connection: Connection, district: str, day: date, *, staff: bool = False
) -> dict[str, tuple[OnDuty, ...]]:
    """Return who is on duty on a day, by grid code, the primary before deputies; names are for staff."""
    person = "w.name, w.phone" if staff else "NULL, NULL"
    rows = connection.execute(
        text(
            f"SELECT g.code, d.role, {person} FROM duties d"
            " JOIN workers w ON w.district = d.district AND w.id = d.worker_id"
            " JOIN grids g ON g.district = d.district AND g.id = d.grid_id"
            " WHERE d.district = :district AND g.code IS NOT NULL AND d.valid @> CAST(:day AS date)"
            " ORDER BY g.code, d.role DESC, w.external_code, w.id"
        ),
        {"district": district, "day": day},
    )
    found: dict[str, tuple[OnDuty, ...]] = defaultdict(tuple)
    for code, *duty in rows:
        found[code] += (OnDuty(*duty),)
    return found


def _grids(
    connection: Connection, values: dict[str, Any], duties: dict[str, tuple[OnDuty, ...]]
) -> tuple[list[Grid], NDArray[np.object_]]:
    rows = connection.execute(
        text(
            "SELECT g.code, g.external_code, g.provisional, g.kind, g.households, c.code AS community,"
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
            duties.get(row.code, ()),
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
    AND (c.last_set IS NULL OR EXISTS (  -- else the building moved away from there
        SELECT FROM cells n WHERE n.district = c.district AND n.building_id = c.building_id AND n.last_set IS NULL
        AND ST_Intersects(n.shape, c.shape)))
    GROUP BY c.building_id
), stated AS (
    SELECT e.external_code, g.community_id, array_agg(g.code ORDER BY e.share DESC, g.code) AS codes
    FROM grid_external_codes e
    JOIN layers.grids v ON v.district = e.district AND v.id = e.grid_id AND v.plan = :plan
    JOIN grids g ON g.district = e.district AND g.id = e.grid_id
    WHERE e.district = :district
    GROUP BY e.external_code, g.community_id
), said AS (
    SELECT a.compound_id, a.building_id, array_agg(a.words ORDER BY a.id) AS names
    FROM aliases a WHERE a.district = :district AND a.state = 'in_force'
    GROUP BY a.compound_id, a.building_id
)
SELECT b.external_code, b.entrances AS units, b.address, b.aliases || COALESCE(bs.names, '{}') AS aliases, b.label,
       b.road, b.road_number, b.poi, ST_X(b.point) AS lon, ST_Y(b.point) AS lat,
       x.id::text AS compound_id, x.name AS compound, x.phase_of,
       x.aliases || COALESCE(xs.names, '{}') AS compound_aliases, x.road AS compound_road,
       x.road_number AS compound_number, c.name AS community, t.name AS town, h.entrances, h.codes, s.codes AS stated,
       CASE WHEN b.point IS NOT NULL AND h.building_id IS NULL THEN ST_AsBinary(COALESCE(
           (SELECT ST_Union(n.shape) FROM cells n WHERE n.district = b.district AND n.building_id = b.id
            AND n.last_set IS NULL), b.footprint)) END AS land
FROM buildings b
JOIN communities c ON c.district = b.district AND c.id = b.community_id
LEFT JOIN compounds x ON x.district = b.district AND x.id = b.compound_id
LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id
LEFT JOIN said xs ON xs.compound_id = b.compound_id
LEFT JOIN said bs ON bs.building_id = b.id
LEFT JOIN held h ON h.building_id = b.id
LEFT JOIN stated s ON b.point IS NULL AND s.external_code = b.stated_grid AND s.community_id = b.community_id
WHERE b.district = :district AND b.retired_at IS NULL
ORDER BY b.id
"""


def _places(connection: Connection, values: dict[str, Any], district_name: str) -> list[Place]:
    return [_place(row, district_name) for row in connection.execute(text(_PLACES), values)]


def _place(row: Any, district_name: str) -> Place:
    compound = row.compound_id and Compound(
        row.compound_id,
        row.compound,
        tuple(row.compound_aliases),
        row.phase_of,
        row.compound_road,
        row.compound_number,
    )
    entry = Entry(
        address=row.address,
        aliases=tuple(row.aliases),
        compound=compound,
        label=row.label,
        road=row.road,
        road_number=row.road_number,
        poi=row.poi,
        town=row.town,
        community=row.community,
        district=district_name,
        entrances=row.units,
    )
    return Place(
        building=Building(row.external_code, _name(row), row.lon, row.lat),
        entry=entry,
        cells=tuple(zip(row.entrances or (), row.codes or (), strict=True)),
        stated=tuple(row.stated or ()),
        land=row.land and shapely.from_wkb(bytes(row.land)),
    )


def _name(row: Any) -> str:
    """Return what a building is called: its standard address, else compound and label, else its street."""
    named = "".join(filter(None, (row.compound, row.label)))
    return row.address or named or "".join(filter(None, (row.road, row.road_number))) or row.poi or ""
