"""Plans: their rows, their assignments, their problems, and which one is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import Range

from data.bulk import stage
from geo.errors import NotFoundError

_COLUMNS = (
    "id, number, title, state, origin, based_on, cell_set, revision, target, tolerance_percent, author,"
    " approved_by, approval, created_at, valid, activated_at, report - 'reasons' - 'bounds' AS report"
)
"""Reasons and bounds are long, and read where they are shown: see `reasons`."""


# Not when the transaction began: it may have waited for another publication to end.
_INSTANT = (
    "(SELECT greatest(clock_timestamp(), max(lower(valid)) + interval '1 microsecond') FROM plans"
    " WHERE district = :district AND activated_at IS NOT NULL)"
)


@dataclass(frozen=True)
class Plan:
    """A plan without its assignment.

    ``valid`` is None until it is published; ``activated_at`` until what its publication brings was carried out.
    """

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
    approval: str | None
    created_at: datetime
    valid: Range[datetime] | None
    activated_at: datetime | None
    report: dict[str, Any]  # without its reasons and bounds

    @property
    def effective(self) -> datetime | None:
        """When it takes effect, or took it; None until it is published."""
        return self.valid.lower if self.valid else None

    @property
    def scheduled(self) -> bool:
        """Whether it is published for a time that has not come."""
        return self.state == "published" and self.activated_at is None


def every(
    connection: Connection,
    district: str,
    *,
    published: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[Plan]:
    """Return the plans of a district, the newest first: all, or those that were ever published."""
    condition = "valid IS NOT NULL" if published else "true"
    page = "number DESC LIMIT :limit OFFSET :offset"
    return _many(connection, condition, page, district=district, limit=limit, offset=offset)


def numbers(connection: Connection, district: str) -> dict[int, int]:
    """Return the number of each plan by its id."""
    rows = connection.execute(
        text("SELECT id, number FROM plans WHERE district = :district"), {"district": district}
    )
    return {row.id: row.number for row in rows}


def _many(connection: Connection, condition: str, order: str, **values: Any) -> list[Plan]:
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM plans WHERE district = :district AND {condition} ORDER BY {order}"),
        values,
    )
    return [Plan(*row) for row in rows]


def in_force(connection: Connection, district: str, at: datetime | None = None) -> Plan | None:
    """Return the plan in force at an instant, now by default; None before the first publication."""
    row = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM plans WHERE district = :district"
            " AND valid @> (SELECT COALESCE(CAST(:at AS timestamptz), district_now(:district)))"
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


def reasons(connection: Connection, district: str, plan_id: int) -> dict[str, Any]:
    """Return what the balancer told of a plan when it made it: ``reasons`` and ``bounds``, as far as it did."""
    row = connection.execute(
        text(
            "SELECT report -> 'reasons' AS reasons, report -> 'bounds' AS bounds"
            " FROM plans WHERE district = :district AND id = :plan"
        ),
        {"district": district, "plan": plan_id},
    ).one()
    return {name: told for name, told in row._mapping.items() if told is not None}


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


def set_state(
    connection: Connection,
    district: str,
    plan_id: int,
    state: str,
    *,
    by: str | None = None,
    said: str | None = None,
) -> None:
    """Move a plan to a state; who approved it, and what they said, is kept while it stays approved."""
    connection.execute(
        text(
            "UPDATE plans SET state = :state, approved_by = :by, approval = :said"
            " WHERE district = :district AND id = :plan"
        ),
        {"district": district, "plan": plan_id, "state": state, "by": by, "said": said},
    )


def instant(connection: Connection, district: str) -> datetime:
    """Return the instant at which a plan published now takes effect: after every one that took effect."""
    found: datetime = connection.execute(text(f"SELECT {_INSTANT}"), {"district": district}).scalar_one()
    return found


def publish(connection: Connection, district: str, plan_id: int, effective: datetime) -> None:
    """Let a plan hold from an instant on, and the one that holds then end with it."""
    values = {"district": district, "plan": plan_id, "at": effective}
    connection.execute(
        text(
            "UPDATE plans SET valid = tstzrange(lower(valid), :at)"
            " WHERE district = :district AND valid @> CAST(:at AS timestamptz)"
        ),
        values,
    )
    connection.execute(
        text(
            "UPDATE plans SET state = 'published', valid = tstzrange(:at, NULL)"
            " WHERE district = :district AND id = :plan"
        ),
        values,
    )


def unpublish(connection: Connection, district: str, plan: Plan) -> None:
    """Withdraw a plan that has not taken effect; the one before it holds on."""
    values = {"district": district, "plan": plan.id, "at": plan.effective}
    connection.execute(
        text("UPDATE plans SET state = 'withdrawn', valid = NULL WHERE district = :district AND id = :plan"),
        values,
    )
    connection.execute(
        text(
            "UPDATE plans SET valid = tstzrange(lower(valid), NULL)"
            " WHERE district = :district AND upper(valid) = :at"
        ),
        values,
    )


def due(connection: Connection, district: str) -> list[Plan]:
    """Return the plans whose time has come and that were not carried out, the earliest first.

    A plan published now is among them though the machine's clock stepped back.
    """
    return _many(
        connection,
        f"state = 'published' AND activated_at IS NULL AND lower(valid) <= {_INSTANT}",
        "lower(valid)",
        district=district,
    )


def scheduled(connection: Connection, district: str) -> Plan | None:
    """Return the plan that is published for a time that has not come, if there is one."""
    found = _many(
        connection, "state = 'published' AND activated_at IS NULL", "lower(valid)", district=district
    )
    return found[0] if found else None


def activate(connection: Connection, district: str, plan: Plan) -> Plan | None:
    """Put on record that a plan's publication was carried out; return the plan it supersedes, if any."""
    values = {"district": district, "plan": plan.id, "at": plan.effective}
    connection.execute(
        text("UPDATE plans SET activated_at = clock_timestamp() WHERE district = :district AND id = :plan"),
        values,
    )
    number = connection.execute(
        text(
            "UPDATE plans SET state = 'superseded' WHERE district = :district AND upper(valid) = :at"
            " RETURNING number"
        ),
        values,
    ).scalar()
    return None if number is None else get(connection, district, number)


def rebase(connection: Connection, district: str, plan: Plan, base: Plan) -> int:
    """Let a draft be a change of another plan; return its new revision."""
    connection.execute(
        text("UPDATE plans SET based_on = :base WHERE district = :district AND id = :plan"),
        {"district": district, "plan": plan.id, "base": base.id},
    )
    return raise_revision(connection, district, plan)


def raise_revision(connection: Connection, district: str, plan: Plan) -> int:
    """Count one more revision of a plan's assignment, and return it."""
    raised = connection.execute(
        text(
            "UPDATE plans SET revision = revision + 1 WHERE district = :district AND id = :plan"
            " RETURNING revision"
        ),
        {"district": district, "plan": plan.id},
    )
    return int(raised.scalar_one())


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
    found = _many(connection, "id = :base", "id", district=district, base=plan.based_on)
    return found[0] if found else None


def before(connection: Connection, district: str, plan: Plan) -> Plan | None:
    """Return the plan that was in force until a plan took effect."""
    found = _many(connection, "upper(valid) = :since", "id", district=district, since=plan.effective)
    return found[0] if found else None


def published_base(connection: Connection, district: str, plan: Plan) -> Plan | None:
    """Return the nearest plan a plan descends from that was ever in force."""
    base = base_of(connection, district, plan)
    while base is not None and base.activated_at is None:
        base = base_of(connection, district, base)
    return base
