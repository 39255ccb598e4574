"""What a plan that is not published would answer: its grids drawn from their cells, with today's counts."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, text

from data import atlas, locate, places
from data.districts import District
from data.locate import Edition
from data.plans import Plan
from geo import answers
from geo.answers import Community, Grid
from geo.locate import Register

_COMMUNITIES = text(
    "SELECT c.id, c.code, c.external_code, c.provisional, c.name, c.status, t.name AS town, c.phone"
    " FROM communities c LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id"
    " WHERE c.district = :district"
)


def register(
    connection: Connection, district: District, plan: Plan, read: Edition, *, staff: bool = False
) -> Register:
    """Read what is needed to answer as if a plan were in force.

    Parameters
    ----------
    read : Edition
        Of today: whose version it is, and whose day duties are of.
    staff : bool
        Whether workers' names and phones are read.

    Returns
    -------
    Register
        A grid that has no code yet is named by `data.places.label`.
    """
    values = {"district": district.code}
    communities = {key: Community(*rest) for key, *rest in connection.execute(_COMMUNITIES, values)}
    duties = locate.on_duty(connection, district.code, read.day, staff=staff)
    drawn = atlas.plan_grids(connection, district, plan)
    rows = drawn.drop(columns="geometry").astype(object).where(drawn.notna(), None)
    codes = [row.code or places.label(row.id) for row in rows.itertuples()]
    grids = [
        Grid(
            code,
            row.external_code,
            bool(row.provisional) or row.code is None,
            row.kind,
            None if row.households is None else int(row.households),
            communities[row.community_id],
            duties.get(code, ()),
        )
        for code, row in zip(codes, rows.itertuples(), strict=True)
    ]
    return Register(
        district=answers.District(district.code, district.name),
        srid=district.srid,
        plan=answers.Plan(plan.number, plan.title, None, None, plan.state),
        data_version=read.version,
        grids=grids,
        shapes=np.asarray(drawn.geometry, dtype=object),
        sites=locate.sites(connection, district.code),
        places=places.every(connection, district.code, plan.number, district.name),
    )
