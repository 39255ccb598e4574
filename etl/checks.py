"""What a plan must hold to: rules that are never waived, and those an approver may let pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from data import assignments, duties, grids, plans
from data import cells as stored_cells
from data.problems import Problem
from etl.acting import Act
from etl.posing import Ground, pose, read_ground
from geo.balance import Measures, measure
from geo.drawing import draw
from geo.errors import CheckError, StaleError


@dataclass(frozen=True)
class Checked:
    """A plan that breaks no rule that cannot be waived.

    ``drawn`` are its grids (see `geo.drawing.draw`), ``known`` the grids by id, ``problems`` the waivable
    rules it breaks; ``duties_bound`` counts duties stated by a ledger that found their grid in the plan.
    """

    drawn: gpd.GeoDataFrame
    known: pd.DataFrame
    measures: Measures
    problems: list[Problem]
    duties_bound: int

    def told(self, problems: list[Problem]) -> list[str]:
        """Say what is wrong with which grid; one without a code is named by its community."""
        names = self.known.code.fillna("a new grid of " + self.known.community).to_dict()
        return [
            f"{problem.rule}: {f'{names[problem.grid_id]}, ' if problem.grid_id else ''}{problem.detail}"
            for problem in problems
        ]


def check(act: Act, plan: plans.Plan) -> Checked:
    """Check a plan as it is stored now.

    Raises
    ------
    StaleError
        If another plan took effect, or the district's cells changed, since the plan was made.
    CheckError
        If a cell is in no grid, a grid reaches into another community, or grids overlap.
    """
    connection, district = act.connection, act.code
    check_current(connection, district, plan)
    ground = read_ground(connection, district, act.district.srid, plan.cell_set)
    assigned = _assigned(connection, district, plan, ground)
    known = grids.of_plan(connection, district, plan.id).set_index("id")
    _check_communities(plan, ground, assigned, known.community_id)
    drawn = draw(ground.cells.assign(grid_id=assigned.to_numpy()), act.district.srid)
    _check_overlap(drawn)
    labels = assigned.to_numpy(np.int64)
    measures = measure(pose(ground, labels, plan.target, plan.tolerance_percent), labels)
    bound = duties.bind_stated(connection, district, plan.id)
    vacant = duties.vacant(connection, district, plan.id)
    return Checked(drawn, known, measures, list(_waivable(measures, vacant)), bound)


def check_current(connection: Connection, district: str, plan: plans.Plan) -> None:
    """See that a plan is a change of what is in force now, on the cells there are now.

    Raises
    ------
    StaleError
        If it is not.
    """
    base, current = (
        plans.published_base(connection, district, plan),
        plans.in_force(connection, district),
    )
    if current is not None and (base is None or base.id != current.id):
        raise StaleError(
            f"Plan {current.number} took effect since plan {plan.number} was opened.",
            f"Bring the draft up to date: gridgov plan rebase {plan.number}.",
        )
    if plan.cell_set != stored_cells.latest_set(connection, district):
        raise StaleError(
            f"The district's cells changed since plan {plan.number} was made.",
            f"Send it back if it was submitted, then: gridgov plan rebase {plan.number}.",
        )


def _assigned(connection: Connection, district: str, plan: plans.Plan, ground: Ground) -> pd.Series:
    stored = assignments.of_plan(connection, district, plan.id).set_index("cell_id").grid_id
    assigned = stored.reindex(ground.cells.id)
    if assigned.isna().any() or len(stored) != len(assigned):
        raise CheckError(
            f"Plan {plan.number} does not put every cell in a grid.",
            f"Bring the draft up to date: gridgov plan rebase {plan.number}.",
            [f"cells without a grid: {int(assigned.isna().sum())}"],
        )
    return assigned.astype("int64")


def _check_communities(
    plan: plans.Plan, ground: Ground, assigned: pd.Series, community_of_grid: pd.Series
) -> None:
    astray = community_of_grid.loc[assigned].to_numpy() != ground.cells.community_id.to_numpy()
    if astray.any():
        raise CheckError(
            f"Plan {plan.number} has grids that reach into another community.",
            "A grid lies in one community: move these cells to a grid of their own.",
            [f"cell {cell}" for cell in ground.cells.id[astray].head(20)],
        )


def _check_overlap(drawn: gpd.GeoDataFrame) -> None:
    shapes = drawn.geometry.to_numpy()
    apart, together = shapely.area(shapes).sum(), shapely.area(shapely.union_all(shapes))
    if abs(apart - together) > 1e-6 * together:
        raise CheckError(
            "Grids of the plan overlap.",
            "Make the cells again with gridgov cells build.",
            [f"overlap: {apart / together - 1:.2e} of the area"],
        )


def _waivable(measures: Measures, vacant: list[int]) -> Iterator[Problem]:
    """Find what an approver may let pass: connection, size, split compounds, vacant duties."""
    for row in measures.grid_rows:
        if row.pieces > 1:
            yield Problem("connection", f"{row.pieces} pieces", row.label)
        if not row.in_band:
            yield Problem("size", f"{row.households} households, {row.deviation_percent:+.0f}%", row.label)
    if measures.split_compounds:
        yield Problem(
            "split_compound", f"{measures.split_compounds} compounds that fit one grid lie in several"
        )
    for grid in vacant:
        yield Problem("no_duty", "nobody has primary duty", grid)
