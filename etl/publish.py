"""Publish a plan: check it, issue codes, draw its grids, put it in force; one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from data import cases, districts, duties, grids, plans, versions
from data import cells as stored_cells
from data.plans import Problem
from data.session import Store
from etl.actor import Actor
from etl.posing import Ground, pose, read_ground
from geo.balance import measure
from geo.drawing import draw
from geo.errors import CheckError, ConflictError, StaleError

AS_FOUND = "Published as found: the district's grids before the platform."
"""Reason on record for what an imported plan breaks."""


@dataclass(frozen=True)
class PublishReport:
    """What a publication did.

    ``duties_idle`` counts the duties of today whose grid the plan does not have; ``problems`` are those that
    were let pass.
    """

    number: int
    grids: int
    codes_issued: int
    duties_bound: int
    duties_idle: int
    cases_moved: int
    problems: list[Problem]


def publish(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    *,
    waive: str | None = None,
    revision: int | None = None,
) -> PublishReport:
    """Check a draft and put it in force now.

    Parameters
    ----------
    waive : str, optional
        Reason for which waivable problems are let pass; it is kept with each. A plan with
        ``origin = imported`` needs none: it is published as found.
    revision : int, optional
        The revision the caller saw.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    ConflictError
        If the plan is not a draft.
    StaleError
        If the plan or the district's cells were changed since.
    CheckError
        If the plan breaks a rule that cannot be waived, or one that can and no reason was given.
    """
    with store.begin(district) as connection:
        place = districts.lock(connection, district)
        return put_in_force(connection, actor, place, number, waive=waive, revision=revision)


def put_in_force(
    connection: Connection,
    actor: Actor,
    place: districts.District,
    number: int,
    *,
    waive: str | None = None,
    revision: int | None = None,
) -> PublishReport:
    """Do what `publish` does, in a transaction that holds the district."""
    district = place.code
    plan = _publishable(connection, district, number, revision)
    ground = read_ground(connection, district, place.srid, plan.cell_set)
    assigned = _assigned(connection, district, plan, ground)
    known = grids.of_plan(connection, district, plan.id).set_index("id")
    _check_communities(plan, ground, assigned, known.community_id)
    drawn = draw(ground.cells.assign(grid_id=assigned.to_numpy()), place.srid)
    _check_overlap(drawn)
    bound = duties.bind_stated(connection, district, plan.id)
    found = list(_waivable(connection, district, plan, ground, assigned))
    reason = (waive or "").strip() or (AS_FOUND if plan.origin == "imported" else "")
    if found and not reason:
        raise CheckError(
            f"Plan {number} breaks {len(found)} rules that an approver may waive.",
            "Mend it, or give a reason: gridgov plan publish NUMBER --waive REASON.",
            _told(found, known),
        )
    plans.write_problems(connection, district, plan.id, found, waived_by=actor.id, reason=reason)
    issued = grids.issue_codes(connection, district, plan.id)
    grids.write_published(connection, district, plan.id, drawn)
    plans.put_in_force(connection, district, plan.id, actor.id)
    moved = cases.hand_over(connection, district, plan.id, actor.id)
    idle = duties.count_idle(connection, district, plan.id)
    versions.advance(connection, district, "grids", "plans", "cases", "locate")
    return PublishReport(number, len(drawn), issued, bound, idle, moved, found)


def _publishable(connection: Connection, district: str, number: int, revision: int | None) -> plans.Plan:
    plan = plans.get(connection, district, number)
    if plan.state != "draft":
        raise ConflictError(f"Plan {number} is {plan.state}, not a draft.", "Only a draft can be published.")
    if revision is not None and plan.revision != revision:
        raise StaleError(
            f"Plan {number} is at revision {plan.revision}, not {revision}.", "Look at it again."
        )
    if plan.cell_set != stored_cells.latest_set(connection, district):
        raise StaleError(
            f"The district's cells changed since plan {number} was made.",
            "Make a new draft with gridgov plan rebalance.",
        )
    return plan


def _assigned(connection: Connection, district: str, plan: plans.Plan, ground: Ground) -> pd.Series:
    stored = plans.assignment(connection, district, plan.id).set_index("cell_id").grid_id
    assigned = stored.reindex(ground.cells.id)
    if assigned.isna().any() or len(stored) != len(assigned):
        raise CheckError(
            f"Plan {plan.number} does not put every cell in a grid.",
            "Make a new draft with gridgov plan rebalance.",
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


def _waivable(
    connection: Connection, district: str, plan: plans.Plan, ground: Ground, assigned: pd.Series
) -> Iterator[Problem]:
    """Find what an approver may let pass: connection, size, split compounds, vacant duties."""
    posed = pose(ground, assigned.to_numpy(np.int64), plan.target, plan.tolerance_percent)
    measures = measure(posed, assigned.to_numpy(np.int64))
    for row in measures.grid_rows:
        if row.pieces > 1:
            yield Problem("connection", f"{row.pieces} pieces", row.label)
        if not row.in_band:
            yield Problem("size", f"{row.households} households, {row.deviation_percent:+.0f}%", row.label)
    if measures.split_compounds:
        yield Problem(
            "split_compound", f"{measures.split_compounds} compounds that fit one grid lie in several"
        )
    for grid in duties.vacant(connection, district, plan.id):
        yield Problem("no_duty", "nobody has primary duty", grid)


def _told(problems: list[Problem], known: pd.DataFrame) -> list[str]:
    """Say what is wrong with which grid; one without a code is named by its community."""
    names = known.code.fillna("a new grid of " + known.community).to_dict()
    return [
        f"{problem.rule}: {f'{names[problem.grid_id]}, ' if problem.grid_id else ''}{problem.detail}"
        for problem in problems
    ]
