"""How the plans of a district stand, in the few figures a list of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Standing:
    """Figures of a plan: of the day it was published, of today while it is not.

    Attributes
    ----------
    grids : int
        How many it has.
    in_band : int
        How many of them have as many households as they should.
    moved : int or None
        Households in other grids than under the plan before; None where there is none before.
    problems, waived : int
        Problems on record, and how many of them an approver let pass.
    """

    grids: int
    in_band: int
    moved: int | None
    problems: int
    waived: int


# A published plan keeps its counts with its grids and, once in force, what it moved; of others cells are counted.
_STANDINGS = """
WITH wanted AS MATERIALIZED (
    SELECT id, based_on, target, tolerance_percent, valid IS NOT NULL AS drawn, activated_at IS NOT NULL AS active
    FROM plans WHERE district = :district AND id = ANY(:plans)
), counted AS (
    SELECT pc.plan_id, pc.grid_id, sum(c.households) AS households FROM wanted w
    JOIN plan_cells pc ON pc.district = :district AND pc.plan_id = w.id
    JOIN layers.cells c ON c.district = :district AND c.id = pc.cell_id
    WHERE NOT w.drawn GROUP BY pc.plan_id, pc.grid_id
    UNION ALL
    SELECT pg.plan_id, pg.grid_id, pg.households FROM wanted w
    JOIN plan_grids pg ON pg.district = :district AND pg.plan_id = w.id WHERE w.drawn
), banded AS (
    SELECT w.id, count(*) AS grids,
           count(*) FILTER (WHERE 100 * abs(n.households - w.target) <= w.tolerance_percent * w.target) AS in_band
    FROM wanted w JOIN counted n ON n.plan_id = w.id GROUP BY w.id
), moved AS (
    SELECT w.id, coalesce(sum(c.households), 0) AS moved FROM wanted w
    JOIN plan_cells a ON a.district = :district AND a.plan_id = w.id
    JOIN plan_cells b ON b.district = :district AND b.plan_id = w.based_on AND b.cell_id = a.cell_id
                     AND b.grid_id <> a.grid_id
    JOIN layers.cells c ON c.district = :district AND c.id = a.cell_id
    WHERE NOT w.active GROUP BY w.id
    UNION ALL
    SELECT w.id, coalesce(sum(s.households), 0) FROM wanted w
    JOIN grid_successions s ON s.district = :district AND s.plan_id = w.id AND s.from_grid <> s.to_grid
    WHERE w.active GROUP BY w.id
), broken AS (
    SELECT plan_id, count(*) AS problems, count(waived_by) AS waived FROM plan_problems
    WHERE district = :district AND plan_id = ANY(:plans) GROUP BY plan_id
)
SELECT w.id, coalesce(b.grids, 0), coalesce(b.in_band, 0),
       CASE WHEN w.based_on IS NOT NULL THEN coalesce(m.moved, 0) END,
       coalesce(p.problems, 0), coalesce(p.waived, 0)
FROM wanted w LEFT JOIN banded b USING (id) LEFT JOIN moved m USING (id)
LEFT JOIN broken p ON p.plan_id = w.id
"""


def of_plans(connection: Connection, district: str, plans: Sequence[int]) -> dict[int, Standing]:
    """Return how plans stand, by plan id; linear in the cells of those that are not published.

    Land whose cells were made anew since the plan before does not count as moved.
    """
    rows = connection.execute(text(_STANDINGS), {"district": district, "plans": list(plans)})
    return {row[0]: Standing(*row[1:]) for row in rows}
