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


def end_retired(connection: Connection, district: str, plan_id: int) -> int:
    """End today the duties of grids that a plan does not have; return how many.

    A duty that would only begin later is removed.
    """
    gone = (
        "district = :district AND grid_id IS NOT NULL AND NOT EXISTS (SELECT FROM plan_grids pg"
        " WHERE pg.district = duties.district AND pg.plan_id = :plan AND pg.grid_id = duties.grid_id)"
    )
    values = {"district": district, "plan": plan_id}
    removed = connection.execute(
        text(f"DELETE FROM duties WHERE {gone} AND lower(valid) >= CURRENT_DATE"), values
    )
    ended = connection.execute(
        text(
            "UPDATE duties SET valid = valid * daterange(NULL, CURRENT_DATE)"
            f" WHERE {gone} AND valid @> CURRENT_DATE"
        ),
        values,
    )
    return int(removed.rowcount + ended.rowcount)


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
