"""Go on from an import to a district with a plan in force."""

from __future__ import annotations

from dataclasses import dataclass

from data import plans
from data.session import Store
from etl.actor import Actor
from etl.cells import CellReport, build_cells
from etl.plans import DraftReport, draft_stated, rebalance
from etl.publish import PublishReport, publish
from geo.progress import Progress, silent

FIRST_PLAN = "First plan of the district, published with its import."
"""Reason on record for what a first plan drawn by the balancer breaks."""


@dataclass(frozen=True)
class Established:
    """What was done; ``draft`` and ``published`` are None where a plan was in force already."""

    cells: CellReport
    draft: DraftReport | None
    published: PublishReport | None


def establish(
    store: Store,
    actor: Actor,
    district: str,
    *,
    target: int = 300,
    tolerance_percent: int = 10,
    entrance_band: int = 330,
    progress: Progress = silent,
) -> Established:
    """Make cells, draft a first plan and publish it, each step a transaction of its own.

    The plan is the ledger's own where buildings state their grids, else the balancer's. Where a plan is in
    force already it stays: a changed ledger is met with a rebalance, never by redrawing unasked.
    """
    cells = build_cells(store, actor, district, entrance_band=entrance_band, progress=progress)
    with store.read(district) as connection:
        if plans.in_force(connection, district):
            return Established(cells, None, None)
        states_grids = plans.any_stated(connection, district)
    wanted = {"target": target, "tolerance_percent": tolerance_percent}
    if states_grids:
        reason = None
        draft = draft_stated(store, actor, district, **wanted)
    else:
        reason = FIRST_PLAN
        draft = rebalance(store, actor, district, **wanted, progress=progress)
    return Established(cells, draft, publish(store, actor, district, draft.number, waive=reason))
