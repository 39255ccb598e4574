"""Duties (值守): who serves which grid, and which grids nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read


def bind_stated(connection: Connection, district: str, plan_id: int) -> int:
    """Bind duties known by the ledger's code to the grid of a plan that code stands for; return how many.

    A primary duty waits while somebody else has the grid, whose duty went over to it with a plan.
    """
    bound = connection.execute(
        text(
            "UPDATE duties d SET grid_id = e.grid_id FROM ("
            " SELECT DISTINCT ON (e.external_code) e.external_code, e.grid_id FROM grid_external_codes e"
            " JOIN plan_grids pg ON pg.district = e.district AND pg.grid_id = e.grid_id AND pg.plan_id = :plan"
            " WHERE e.district = :district ORDER BY e.external_code, e.share DESC, e.grid_id) e"
            " WHERE d.district = :district AND d.grid_id IS NULL AND d.stated_grid = e.external_code"
            " AND NOT EXISTS (SELECT FROM duties o WHERE o.district = d.district AND o.grid_id = e.grid_id"
            " AND o.role = 'primary' AND d.role = 'primary' AND o.valid && d.valid)"
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


def vacant(connection: Connection, district: str, plan_id: int, since: date | None = None) -> list[int]:
    """Return the grid ids of a plan that nobody has primary duty for today, or from a day on."""
    rows = connection.execute(
        text(
            "SELECT pg.grid_id FROM plan_grids pg WHERE pg.district = :district AND pg.plan_id = :plan"
            " AND NOT EXISTS (SELECT FROM duties d WHERE d.district = pg.district AND d.grid_id = pg.grid_id"
            " AND d.role = 'primary' AND d.valid && daterange(COALESCE(:since, CURRENT_DATE),"
            " CASE WHEN CAST(:since AS date) IS NULL THEN CURRENT_DATE + 1 END)) ORDER BY pg.grid_id"
        ),
        {"district": district, "plan": plan_id, "since": since},
    )
    return [row.grid_id for row in rows]


def count_workers(connection: Connection, district: str, grids: Sequence[int]) -> int:
    """Count the workers who have primary duty for some grids today."""
    counted = connection.execute(
        text(
            "SELECT count(DISTINCT worker_id) FROM duties WHERE district = :district AND grid_id = ANY(:grids)"
            " AND role = 'primary' AND valid @> CURRENT_DATE"
        ),
        {"district": district, "grids": list(grids)},
    )
    return int(counted.scalar_one())


_PASSED = """
SELECT s.from_grid, s.to_grid FROM grid_successions s
JOIN grids t ON t.district = s.district AND t.id = s.to_grid
WHERE s.district = :district AND s.plan_id = :plan AND s.from_grid = ANY(:retired)
ORDER BY s.households DESC, s.area_m2 DESC, t.code
"""
_FORMER = """
SELECT DISTINCT ON (b.grid_id) d.grid_id AS from_grid, b.grid_id AS to_grid
FROM duties d JOIN workers w ON w.district = d.district AND w.id = d.worker_id AND w.retired_at IS NULL
JOIN duties b ON b.district = d.district AND b.worker_id = d.worker_id AND b.role = 'primary'
WHERE d.district = :district AND d.role = 'primary' AND d.grid_id = ANY(:retired)
AND d.valid && daterange(:day, NULL) AND b.grid_id = ANY(:vacant) AND upper(b.valid) <= :day
AND EXISTS (SELECT FROM duties n WHERE n.district = b.district AND n.continues = COALESCE(b.continues, b.id)
            AND lower(n.valid) = upper(b.valid))
ORDER BY b.grid_id, upper(b.valid) DESC, d.grid_id
"""
# What had not begun yet goes over as it is; what had begun ends, and goes on in a row of its own.
_GO_OVER = """
WITH taken AS (
    SELECT d.*, h.to_grid, d.valid && daterange(NULL, :day) AS begun
    FROM duties d JOIN new_heirs h ON h.from_grid = d.grid_id
    WHERE d.district = :district AND d.valid && daterange(:day, NULL)
), changed AS (
    UPDATE duties d SET grid_id = CASE WHEN t.begun THEN d.grid_id ELSE t.to_grid END,
           valid = CASE WHEN t.begun THEN d.valid * daterange(NULL, :day) ELSE d.valid END
    FROM taken t WHERE d.district = :district AND d.id = t.id RETURNING d.id
), continued AS (
    INSERT INTO duties (district, worker_id, grid_id, role, valid, import_id, continues)
    SELECT district, worker_id, to_grid, role, valid * daterange(:day, NULL), import_id, COALESCE(continues, id)
    FROM taken WHERE begun
)
SELECT count(*) FROM changed
"""


def carry_over(connection: Connection, district: str, plan_id: int, previous_plan_id: int, day: date) -> int:
    """Let the duties of grids that a plan retires go over to the grids that take their place.

    A retired grid and a grid the plan before did not have belong together where the latter got the largest
    share of the former, and most of what it got from retired grids, by households. Before that, a grid that
    is returned gets back the worker whose duty for it went over to a grid that is now retired. Only a grid
    that nobody has primary duty for from that day on takes over anything. Needs the plan's successions; see
    `data.lineage.write`.

    Parameters
    ----------
    day : date
        The first day under the plan.

    Returns
    -------
    int
        Duties, primary and deputy, that went over.
    """
    retired = sorted(_grids(connection, district, previous_plan_id) - _grids(connection, district, plan_id))
    fresh = _grids(connection, district, plan_id) - _grids(connection, district, previous_plan_id)
    values = {
        "district": district,
        "plan": plan_id,
        "day": day,
        "retired": retired,
        "vacant": sorted(fresh & set(vacant(connection, district, plan_id, since=day))),
    }
    passed = read(connection, _PASSED, **values)
    largest = passed.drop_duplicates("from_grid").merge(passed.drop_duplicates("to_grid"))
    heirs = largest[largest.to_grid.isin(values["vacant"])]
    pairs = pd.concat([read(connection, _FORMER, **values), heirs])
    pairs = pairs.drop_duplicates("from_grid").drop_duplicates("to_grid")
    stage(
        connection, "new_heirs", {"from_grid": "bigint", "to_grid": "bigint"}, pairs.itertuples(index=False)
    )
    return int(connection.execute(text(_GO_OVER), {"district": district, "day": day}).scalar_one())


def _grids(connection: Connection, district: str, plan_id: int) -> set[int]:
    rows = connection.execute(
        text("SELECT grid_id FROM plan_grids WHERE district = :district AND plan_id = :plan"),
        {"district": district, "plan": plan_id},
    )
    return set(rows.scalars())
