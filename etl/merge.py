"""Bring a draft up to a plan that took effect since it was opened: a merge of three assignments."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from data import assignments, locks, moves, plans, rebase
from etl.acting import Act
from geo.errors import ConflictError

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
    stays where the draft has it, unless that grid was retired meanwhile. O(n) in the cells.

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
    retired = set(cells.before.dropna()) - set(cells.now.dropna())
    own = cells.held | (cells.draft != cells.before)
    lost = own & cells.draft.isin(retired)
    goal = cells.draft.where((own & ~lost) | cells.now.isna(), cells.now)
    both = own & ~lost & (cells.now != cells.before) & (cells.now != cells.draft)
    moving = goal[goal != cells.draft].astype("int64").to_dict()
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
    """Return, by cell, its grid in the draft, in what that was made from, and in force; and whether it is locked."""
    connection, district = act.connection, act.code
    draft = assignments.of_plan(connection, district, plan.id).set_index("cell_id").grid_id
    before, now = (
        rebase.carried(connection, district, each.id, plan.cell_set).set_index("cell_id").grid_id
        for each in (base, current)
    )
    locked = locks.of_plan(connection, district, plan.id)
    stand = moves.standing(connection, district, plan, draft.index.tolist()).set_index("cell_id")
    return pd.DataFrame(
        {
            "draft": draft.astype("Int64"),
            "before": before,
            "now": now,
            "held": draft.isin(locked.grid_id) | draft.index.isin(locked.cell_id),
            "building_id": stand.building_id,
        }
    )
