"""Bring a draft up to a plan that took effect since it was opened: a merge of three assignments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data import assignments, locks, moves, plans, rebase
from etl.acting import Act
from etl.plans import with_identities
from etl.posing import pose, read_ground
from geo.errors import ConflictError
from geo.fill import fill

NOWHERE = -1
"""Stands for the grid of a cell whose land a plan did not cover."""
NOT_BY_HAND = 0
"""Recorded as the revision a merge's moves take back, so that none is taken back itself."""


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes
    ----------
    onto : int
        Number of the plan in force that the draft is a change of now.
    revision : int
        The draft's revision.
    found : list of (str, int, DataFrame)
        Conflicts: kind, grid, and the cells (cell_id, building_id) they are about.
    """

    onto: int
    revision: int
    found: list[tuple[str, int, pd.DataFrame]]


def merge(act: Act, plan: plans.Plan) -> Merged | None:
    """Apply what a draft changes to the plan in force, where that is not what the draft was made from.

    A cell the draft had not moved goes where the plan in force has it; one it had moved, or that is locked,
    stays where the draft has it, unless that grid was retired meanwhile. Land that the draft's base did not
    cover was moved where hands moved it. O(n) in the cells.

    Parameters
    ----------
    plan : Plan
        A draft on the newest cells.

    Returns
    -------
    Merged or None
        None where the draft is a change of the plan in force already.

    Raises
    ------
    ConflictError
        If the draft descends from no plan that was ever in force.
    """
    connection, district = act.connection, act.code
    base, current = (
        plans.published_base(connection, district, plan),
        plans.in_force(connection, district),
    )
    if current is None or (base is not None and base.id == current.id):
        return None
    if base is None:
        raise ConflictError(
            f"Plan {plan.number} was not made from a plan that was in force.",
            "Open a draft from the plan in force: gridgov plan open.",
        )
    cells = _three(act, plan, base, current)
    retired = cells.draft.isin(set(cells.before) - set(cells.now))
    lost, stays = cells.own & retired, cells.own & ~retired
    both = stays & (cells.now != cells.before) & (cells.now != cells.draft) & (cells.now != NOWHERE)
    goal = _filled(act, plan, cells.draft.where(stays | ((cells.now == NOWHERE) & ~retired), cells.now))
    moving = goal[goal != cells.draft].to_dict()
    revision = plans.rebase(connection, district, plan, current)
    if moving:
        moves.apply(
            connection,
            district,
            plan,
            moving,
            leaving=cells.draft[list(moving)].unique().tolist(),
            revision=revision,
            actor=act.actor.id,
            undoes=NOT_BY_HAND,
        )
    found = [
        (kind, int(grid), rows.reset_index(names="cell_id"))
        for kind, those in {"changed_by_both": both, "grid_retired": lost}.items()
        for grid, rows in cells[those].groupby("draft")
    ]
    return Merged(current.number, revision, found)


def _three(act: Act, plan: plans.Plan, base: plans.Plan, current: plans.Plan) -> pd.DataFrame:
    """Return, by cell, its grid in the ``draft``, ``before`` in what that was made from, and ``now`` in force.

    ``own`` is whether the draft decides on it: it moved it, or holds it locked.
    """
    connection, district = act.connection, act.code
    draft = assignments.of_plan(connection, district, plan.id).set_index("cell_id").grid_id
    before, now = (
        rebase.carried(connection, district, each.id, plan.cell_set)
        .set_index("cell_id")
        .grid_id.fillna(NOWHERE)
        .astype("int64")
        for each in (base, current)
    )
    moved = (draft != before).where(
        before != NOWHERE, draft.index.isin(moves.decided(connection, district, plan))
    )
    locked = locks.of_plan(connection, district, plan.id)
    stand = moves.standing(connection, district, plan, draft.index.tolist()).set_index("cell_id")
    return pd.DataFrame(
        {
            "draft": draft,
            "before": before,
            "now": now,
            "own": moved | draft.isin(locked.grid_id) | draft.index.isin(locked.cell_id),
            "building_id": stand.building_id,
        }
    )


def _filled(act: Act, plan: plans.Plan, goal: pd.Series) -> pd.Series:
    """Give cells that are left without a grid that of their neighbours."""
    if not (goal == NOWHERE).any():
        return goal
    ground = read_ground(act.connection, act.code, act.district.srid, plan.cell_set)
    known = goal.loc[ground.cells.id].to_numpy(np.int64)
    problem = pose(ground, known, plan.target, plan.tolerance_percent)
    filled = with_identities(act.connection, act.code, ground, fill(problem, known), known)
    return pd.Series(filled, index=ground.cells.id)
