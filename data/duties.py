"""Duties (值守): who serves which grid, and which grids nobody does."""

from __future__ import annotations

from sqlalchemy import Connection, text


def bind_stated(connection: Connection, district: str, plan_id: int) -> int:
    """Bind duties known by the ledger's code to the grid of a plan that code stands for; return how many."""
    bound = connection.execute(
        text(
            "UPDATE duties d SET grid_id = e.grid_id FROM ("
            " SELECT DISTINCT ON (e.external_code) e.external_code, e.grid_id FROM grid_external_codes e"
            " JOIN plan_grids pg ON pg.district = e.district AND pg.grid_id = e.grid_id AND pg.plan_id = :plan"
            " WHERE e.district = :district ORDER BY e.external_code, e.share DESC, e.grid_id) e"
            " WHERE d.district = :district AND d.grid_id IS NULL AND d.stated_grid = e.external_code"
        ),
        {"district": district, "plan": plan_id},
    )
    return int(bound.rowcount)


def count_idle(connection: Connection, district: str, plan_id: int) -> int:
    """Count the duties of today whose grid a plan does not have.

    They are kept as they were stated: a duty is served while its grid is in the plan in force.
    """
    counted = connection.execute(
        text(
            "SELECT count(*) FROM duties d WHERE d.district = :district AND d.grid_id IS NOT NULL"
            " AND d.valid @> CURRENT_DATE AND NOT EXISTS (SELECT FROM plan_grids pg"
            " WHERE pg.district = d.district AND pg.plan_id = :plan AND pg.grid_id = d.grid_id)"
        ),
        {"district": district, "plan": plan_id},
    )
    return int(counted.scalar_one())


def vacant(connection: Connection, district: str, plan_id: int) -> list[int]:
    """Return the grid ids of a plan that nobody has primary duty for today."""
    rows = connection.execute(
        text(
            "SELECT pg.grid_id FROM plan_grids pg WHERE pg.district = :district AND pg.plan_id = :plan"
            " AND NOT EXISTS (SELECT FROM duties d WHERE d.district = pg.district AND d.grid_id = pg.grid_id"
            " AND d.role = 'primary' AND d.valid @> CURRENT_DATE) ORDER BY pg.grid_id"
        ),
        {"district": district, "plan": plan_id},
    )
    return [row.grid_id for row in rows]
