"""Plans: their rows, their assignments, their problems, and which one is in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import Range

from data.bulk import stage
from data.frames import read
from geo.errors import NotFoundError

_COLUMNS = (
    "id, number, title, state, origin, based_on, cell_set, revision, target, tolerance_percent, author,"
    " approved_by, created_at, valid, report"
)


@dataclass(frozen=True)
class Plan:
    """A plan without its assignment; ``valid`` is None until it is published."""

    id: int
    number: int
    title: str
    state: str
    origin: str
    based_on: int | None
    cell_set: int
    revision: int
    target: int
    tolerance_percent: int
    author: str
    approved_by: str | None
    created_at: datetime
    valid: Range[datetime] | None
    report: dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """A rule a plan breaks; ``grid_id`` is None where it is about the plan as a whole."""

    rule: str
    detail: str
    grid_id: int | None = None


def every(connection: Connection, district: str) -> list[Plan]:
    """Return all plans of a district, the newest first."""
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM plans WHERE district = :district ORDER BY number DESC"),
        {"district": district},
    )
    return [Plan(*row) for row in rows]


def in_force(connection: Connection, district: str, at: datetime | None = None) -> Plan | None:
    """Return the plan in force at an instant, now by default; None before the first publication."""
    row = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM plans WHERE district = :district"
            " AND valid @> COALESCE(CAST(:at AS timestamptz), clock_timestamp())"
        ),
        {"district": district, "at": at},
    ).one_or_none()
    return Plan(*row) if row else None


def get(connection: Connection, district: str, number: int) -> Plan:
    """Return a plan by its number.

    Raises
    ------
    NotFoundError
        If the district has no plan of that number.
    """
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM plans WHERE district = :district AND number = :number"),
        {"district": district, "number": number},
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"District {district} has no plan {number}.", "gridgov plan list shows its plans."
        )
    return Plan(*row)


def assignment(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return the grid of every cell of a plan: cell_id, grid_id."""
    return read(
        connection,
        "SELECT cell_id, grid_id FROM plan_cells WHERE district = :district AND plan_id = :plan ORDER BY cell_id",
        district=district,
        plan=plan_id,
    )


def assignment_on(connection: Connection, district: str, plan_id: int, cell_set: int) -> pd.DataFrame:
    """Carry a published plan over to the cells of another set: cell_id, grid_id.

    A cell that was in the plan keeps its grid; a newer one is in the grid whose polygon covers it, and in
    none (a missing value) where no grid of its community does.
    """
    return read(
        connection,
        "SELECT c.id AS cell_id, COALESCE(pc.grid_id, ("
        " SELECT g.id FROM plan_grids pg JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
        " WHERE pg.district = c.district AND pg.plan_id = :plan AND g.community_id = c.community_id"
        " AND ST_Covers(pg.shape, ST_PointOnSurface(c.shape)) ORDER BY g.code LIMIT 1)) AS grid_id"
        " FROM cells c LEFT JOIN plan_cells pc"
        " ON pc.district = c.district AND pc.plan_id = :plan AND pc.cell_id = c.id"
        " WHERE c.district = :district AND c.first_set <= :number"
        " AND (c.last_set IS NULL OR c.last_set >= :number) ORDER BY c.id",
        district=district,
        plan=plan_id,
        number=cell_set,
    )


def add_draft(connection: Connection, district: str, draft: dict[str, Any], cells: pd.DataFrame) -> Plan:
    """Store a draft and its assignment under the district's next number.

    Parameters
    ----------
    draft : dict
        title, origin, based_on, cell_set, target, tolerance_percent, author, report (a JSON string).
    cells : DataFrame
        cell_id, grid_id, every cell once.
    """
    number = connection.execute(
        text(
            "INSERT INTO plans (district, number, title, origin, based_on, cell_set, target, tolerance_percent,"
            " author, report)"
            " SELECT :district, 1 + COALESCE(max(number), 0), :title, :origin, :based_on, :cell_set, :target,"
            " :tolerance_percent, :author, CAST(:report AS jsonb) FROM plans WHERE district = :district"
            " RETURNING number"
        ),
        {"district": district, **draft},
    ).scalar_one()
    plan = get(connection, district, number)
    stage(
        connection,
        "new_assignment",
        {"cell_id": "bigint", "grid_id": "bigint"},
        cells[["cell_id", "grid_id"]].itertuples(index=False),
    )
    values = {"district": district, "plan": plan.id}
    for statement in (
        "INSERT INTO plan_grids (district, plan_id, grid_id)"
        " SELECT DISTINCT :district, CAST(:plan AS bigint), grid_id FROM new_assignment",
        "INSERT INTO plan_cells (district, plan_id, cell_id, grid_id)"
        " SELECT :district, :plan, cell_id, grid_id FROM new_assignment",
        "DROP TABLE new_assignment",
    ):
        connection.execute(text(statement), values)
    return plan


def add_moves(
    connection: Connection, district: str, plan: Plan, moves: Iterable[tuple[int | None, int, list[int], int]]
) -> None:
    """Record moves of a plan: from grid, to grid, cells, households."""
    rows = [
        {
            "district": district,
            "plan": plan.id,
            "revision": plan.revision,
            "actor": plan.author,
            "from": from_grid,
            "to": to_grid,
            "cells": cells,
            "households": households,
        }
        for from_grid, to_grid, cells, households in moves
    ]
    if rows:
        connection.execute(
            text(
                "INSERT INTO plan_moves (district, plan_id, revision, from_grid, to_grid, cells, households, actor)"
                " VALUES (:district, :plan, :revision, :from, :to, :cells, :households, :actor)"
            ),
            rows,
        )


def write_problems(
    connection: Connection,
    district: str,
    plan_id: int,
    problems: Iterable[Problem],
    *,
    waived_by: str,
    reason: str,
) -> None:
    """Put on record what a plan breaks and who let it pass for which reason."""
    stage(
        connection,
        "new_problems",
        {"grid_id": "bigint", "rule": "text", "detail": "text"},
        ((problem.grid_id, problem.rule, problem.detail) for problem in problems),
    )
    connection.execute(
        text(
            "INSERT INTO plan_problems (district, plan_id, grid_id, rule, detail, waived_by, waiver_reason)"
            " SELECT :district, :plan, grid_id, rule, detail, :by, :reason FROM new_problems"
        ),
        {"district": district, "plan": plan_id, "by": waived_by, "reason": reason},
    )


def problems(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return what is on record against a plan: rule, code, detail, waived_by, waiver_reason."""
    return read(
        connection,
        "SELECT p.rule, g.code, p.detail, p.waived_by, p.waiver_reason FROM plan_problems p"
        " LEFT JOIN grids g ON g.district = p.district AND g.id = p.grid_id"
        " WHERE p.district = :district AND p.plan_id = :plan ORDER BY p.rule, g.code, p.id",
        district=district,
        plan=plan_id,
    )


def put_in_force(connection: Connection, district: str, plan_id: int, approved_by: str) -> None:
    """End the plan in force now and let this one follow at the same instant.

    Now is not when the transaction began: it may have waited for another publication to end.
    """
    instant = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    values = {"district": district, "plan": plan_id, "by": approved_by, "now": instant}
    connection.execute(
        text(
            "UPDATE plans SET state = 'superseded', valid = tstzrange(lower(valid), :now)"
            " WHERE district = :district AND valid @> CAST(:now AS timestamptz)"
        ),
        values,
    )
    connection.execute(
        text(
            "UPDATE plans SET state = 'published', approved_by = :by, valid = tstzrange(:now, NULL)"
            " WHERE district = :district AND id = :plan"
        ),
        values,
    )


def named_or_in_force(connection: Connection, district: str, number: int | None) -> Plan:
    """Return the plan of that number, without one the plan in force.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    """
    if number is not None:
        return get(connection, district, number)
    plan = in_force(connection, district)
    if plan is None:
        raise NotFoundError(
            f"District {district} has no plan in force.", "Publish one: gridgov plan publish."
        )
    return plan


def any_stated(connection: Connection, district: str) -> bool:
    """Tell whether any placed building of the district states its grid."""
    return bool(
        connection.execute(
            text(
                "SELECT EXISTS (SELECT FROM buildings WHERE district = :district AND retired_at IS NULL"
                " AND point IS NOT NULL AND stated_grid IS NOT NULL)"
            ),
            {"district": district},
        ).scalar_one()
    )


def base_of(connection: Connection, district: str, plan: Plan) -> Plan | None:
    """Return the plan that a plan is based on."""
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM plans WHERE district = :district AND id = :base"),
        {"district": district, "base": plan.based_on},
    ).one_or_none()
    return Plan(*row) if row else None
