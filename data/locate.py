"""Everything that is needed to answer "whose grid is this?" at an instant, in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data import districts, places, versions
from geo.answers import Change, Community, District, Grid, OnDuty, Plan, Site
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
    layers : mapping of str to int
        The version of each layer of data; one never written has none.
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
    layers: Mapping[str, int] = field(compare=False)


_EDITION = text(
    """
WITH i AS MATERIALIZED (SELECT COALESCE(CAST(:at AS timestamptz), district_now(:district)) AS at)
SELECT p.number, v.version, v.ground, CAST(i.at AS date), i.at, lower(p.valid), upper(p.valid),
       p.number IS NOT NULL AND p.activated_at IS NULL, least(n.edge, date_trunc('day', i.at) + interval '1 day'),
       v.layers
FROM i
LEFT JOIN plans p ON p.district = :district AND p.valid @> i.at
CROSS JOIN (SELECT COALESCE(sum(version) FILTER (WHERE layer <> :unseen), 0)::bigint AS version,
                   COALESCE(sum(version) FILTER (WHERE layer = :ground), 0)::bigint AS ground,
                   COALESCE(json_object_agg(layer, version), '{}') AS layers
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
        sites=sites(connection, district),
        places=places.every(connection, district, read.plan, known.name),
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


def sites(connection: Connection, district: str) -> list[Site]:
    """Return the open sites of a district."""
    rows = connection.execute(
        text(
            "SELECT name, kind, services, hours, address, phone, ST_X(shape), ST_Y(shape) FROM layers.sites"
            " WHERE district = :district AND state = 'open' ORDER BY id"
        ),
        {"district": district},
    )
    return [Site(name, kind, tuple(services), *rest) for name, kind, services, *rest in rows]
