"""Go on from an import to a district with a plan in force."""

from __future__ import annotations

from dataclasses import dataclass

from data import plans
from data.session import Store
from etl.acting import acting
from etl.actor import Actor
from etl.cells import CellReport, build_cells
from etl.plans import DraftReport, add_proposed, add_stated
from etl.proposing import Wish, propose
from etl.publish import PublishReport, pass_as_system
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
    """Make cells, then draft a first plan and publish it; the cells are a transaction, and the plan is one.

    A run that was cut off is gone on with by another. The plan is the ledger's own where buildings state
    their grids, else the balancer's; the system approves it, on record. Where a plan is in force already it
    stays: a changed ledger is met with a rebalance, never by redrawing unasked.
    """
    cells = build_cells(store, actor, district, entrance_band=entrance_band, progress=progress)
    with acting(store, actor, district) as act:
        if plans.in_force(act.connection, district):
            return Established(cells, None, None)
        if plans.any_stated(act.connection, district):
            draft = add_stated(act, target, tolerance_percent)
            return Established(cells, draft, pass_as_system(act, draft.number))
    proposed = propose(
        store, district, Wish(target=target, tolerance_percent=tolerance_percent), progress=progress
    )
    with acting(store, actor, district) as act:
        if plans.in_force(act.connection, district):
            return Established(cells, None, None)
        draft = add_proposed(act, proposed)
        return Established(cells, draft, pass_as_system(act, draft.number, waive=FIRST_PLAN))
