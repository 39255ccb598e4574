"""Open a draft: as another plan is, or as one was."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd

from data import cells as stored_cells
from data import locks, moves, plans, rebase, versions
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.lifecycle import Changed, once
from etl.plans import figures, with_identities
from etl.posing import pose, read_ground
from geo.balance import measure
from geo.errors import ConflictError, InputError
from geo.fill import fill

MAX_TITLE = 120


def open_draft(
    store: Store,
    actor: Actor,
    district: str,
    *,
    base: int | None = None,
    title: str | None = None,
    key: str | None = None,
) -> Changed:
    """Open a draft that begins as another plan is, on the cells there are now.

    Grids keep their identity, so that one that was retired since gets its own code back. A copy of what was
    never in force is a change of the same plan as its source; `etl.rebase` brings it up to date.

    Parameters
    ----------
    base : int, optional
        Number of the plan to begin as, whatever its state; the plan in force by default.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    """
    with acting(store, actor, district) as act:
        return once(
            act,
            key,
            {"act": "open", "base": base, "title": title},
            lambda: _copied(act, plans.named_or_in_force(act.connection, act.code, base), "edited", title),
            Changed,
        )


def roll_back(
    store: Store, actor: Actor, district: str, *, to: int | None = None, key: str | None = None
) -> Changed:
    """Draft a return to a plan that was in force: the same grids, with their codes, on today's cells.

    Parameters
    ----------
    to : int, optional
        Number of that plan; the one before the plan in force by default.

    Raises
    ------
    ConflictError
        If the plan was never in force, or is now.
    """
    with acting(store, actor, district) as act:

        def do() -> Changed:
            current = plans.named_or_in_force(act.connection, act.code, None)
            former = (
                plans.before(act.connection, act.code, current)
                if to is None
                else plans.get(act.connection, act.code, to)
            )
            if former is None or former.state != "superseded":
                raise ConflictError(
                    "There is no plan before the one in force."
                    if former is None
                    else f"Plan {former.number} is {former.state}.",
                    "Name a plan that was in force before: gridgov plan list.",
                )
            return _copied(
                act, former, "rolled_back", f"恢复方案 {former.number} · Back to plan {former.number}"
            )

        return once(act, key, {"act": "roll_back", "to": to}, do, Changed)


def _copied(act: Act, source: plans.Plan, origin: str, title: str | None) -> Changed:
    connection, district = act.connection, act.code
    ground = read_ground(
        connection, district, act.district.srid, stored_cells.latest_set(connection, district)
    )
    carried = rebase.carried(connection, district, source.id, ground.cell_set).set_index("cell_id").grid_id
    known = carried.reindex(ground.cells.id).fillna(-1).to_numpy(np.int64)
    problem = pose(ground, known, source.target, source.tolerance_percent)
    assigned = with_identities(connection, district, ground, fill(problem, known), known)
    based_on = source if source.activated_at is None else plans.in_force(connection, district)
    report = {
        "after": asdict(figures(measure(problem, assigned))),
        "hands": moves.hands(connection, district, source),
    }
    plan = plans.add_draft(
        connection,
        district,
        {
            "title": _title(title)
            if title
            else f"方案 {source.number} 的调整 · Change of plan {source.number}",
            "origin": origin,
            "based_on": based_on.id if based_on else None,
            "cell_set": ground.cell_set,
            "target": source.target,
            "tolerance_percent": source.tolerance_percent,
            "author": act.actor.id,
            "report": json.dumps(report),
        },
        pd.DataFrame({"cell_id": ground.cells.id, "grid_id": assigned}),
    )
    locks.carry(connection, district, source.id, plan.id)
    versions.advance(connection, district, "drafts")
    act.record(
        "plan.open" if origin == "edited" else "plan.roll_back",
        f"plan {plan.number}",
        after={"from": source.number, "cell_set": plan.cell_set},
    )
    return Changed(plan.number, plan.state, plan.revision, plan.title)


def _title(title: str) -> str:
    said = title.strip()
    if not said or len(said) > MAX_TITLE:
        raise InputError("The title is missing or too long.", f"Give 1 to {MAX_TITLE} characters.")
    return said
