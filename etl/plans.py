"""Drafts: today's plan as a ledger states it, and proposals of the balancer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from data import cells as stored_cells
from data import grids, locks, moves, plans, versions
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.posing import Ground, pose, read_ground
from etl.proposing import TODAY, Proposed, Wish, propose
from geo.balance import Measures, Problem, explain, measure
from geo.errors import ConflictError, StaleError
from geo.fill import fill
from geo.progress import Progress, silent

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Figures:
    """How a plan stands: the figures people compare plans by; `geo.balance.Measures` says what each means.

    A plan's stored report holds those that were known when it was made.
    """

    grids: int
    in_band: int
    near_target: int
    in_band_today: int
    in_band_expected: int
    in_band_at_most: int
    share_in_band: float
    households: int
    households_moved: int
    moved_share: float
    worst_deviation_percent: float
    mean_compactness: float
    split_compounds: int
    excess_pieces: int
    broken_compounds: int
    disconnected: int


def figures(measures: Measures) -> Figures:
    """Take the figures of a plan from its measures."""
    return Figures(
        grids=measures.grids,
        in_band=measures.in_band,
        near_target=measures.near_target,
        in_band_today=measures.in_band_today,
        in_band_expected=measures.in_band_expected,
        in_band_at_most=measures.in_band_at_most,
        share_in_band=measures.share_in_band,
        households=measures.households,
        households_moved=measures.households_moved,
        moved_share=measures.moved_share,
        worst_deviation_percent=measures.worst_deviation_percent,
        mean_compactness=measures.mean_compactness,
        split_compounds=measures.split_compounds,
        excess_pieces=measures.excess_pieces,
        broken_compounds=len(measures.broken),
        disconnected=len(measures.disconnected),
    )


@dataclass(frozen=True)
class DraftReport:
    """A draft that was made: its number and its figures, ``before`` those of the plan it is based on."""

    number: int
    title: str
    before: Figures | None
    after: Figures


def draft_stated(
    store: Store, actor: Actor, district: str, *, target: int = 300, tolerance_percent: int = 10
) -> DraftReport:
    """Draft today's plan from the grids the ledger states for its buildings; a change of the plan in force, if any.

    A stated grid that spans communities becomes one grid a community; the ledger's code resolves to all of
    them, and the part with the most households carries it. Cells without a stated grid join the grid around
    them.

    Raises
    ------
    ConflictError
        If no building states its grid, or the district has no cells.
    """
    with acting(store, actor, district) as act:
        return add_stated(act, target, tolerance_percent)


def add_stated(act: Act, target: int, tolerance_percent: int) -> DraftReport:
    """Do what `draft_stated` does, in an open act."""
    connection, district = act.connection, act.code
    ground = read_ground(
        connection, district, act.district.srid, stored_cells.latest_set(connection, district)
    )
    stated = _stated(connection, district, ground)
    problem = pose(ground, stated, target, tolerance_percent)
    assigned = with_identities(connection, district, ground, fill(problem, stated), stated)
    current = plans.in_force(connection, district)
    after = figures(measure(problem, assigned))
    plan = plans.add_draft(
        connection,
        district,
        {
            "title": "台账现状 · As found",
            "origin": "imported",
            "based_on": current.id if current else None,
            "cell_set": ground.cell_set,
            "target": target,
            "tolerance_percent": tolerance_percent,
            "author": act.actor.id,
            "report": json.dumps({"after": asdict(after)}),
        },
        pd.DataFrame({"cell_id": ground.cells.id, "grid_id": assigned}),
    )
    _recorded(act, plan, after)
    return DraftReport(plan.number, plan.title, None, after)


def rebalance(
    store: Store,
    actor: Actor,
    district: str,
    wish: Wish = TODAY,
    *,
    threads: int = 1,
    scheduler: str | None = None,
    progress: Progress = silent,
) -> DraftReport:
    """Let the balancer propose a draft; ``progress`` may end the work by raising, at any moment of it.

    Raises
    ------
    ConflictError
        If the district has no cells.
    NotFoundError
        If there is no such plan or community.
    StaleError
        If the cells were changed while the balancer worked.
    """
    proposed = propose(store, district, wish, threads=threads, scheduler=scheduler, progress=progress)
    with acting(store, actor, district) as act:
        return add_proposed(act, proposed)


def add_proposed(act: Act, proposed: Proposed) -> DraftReport:
    """Store a proposal as a draft, in an open act.

    Raises
    ------
    StaleError
        If the cells were changed while the balancer worked.
    """
    connection, district = act.connection, act.code
    ground, based_on = proposed.ground, proposed.based_on
    problem, proposal = proposed.problem, proposed.proposal
    if stored_cells.latest_set(connection, district) != ground.cell_set:
        raise StaleError("The district's cells were changed meanwhile.", "Run the rebalance again.")
    before, after = figures(proposal.report.before), figures(proposal.report.after)
    assigned = with_identities(connection, district, ground, proposal.assignment, problem.current)
    building = ground.cells.building_id.fillna(-1).to_numpy(np.int64)
    proven = proposed.proven
    at_most = {row.container: row.in_band_at_most for row in proven.containers} if proven else None
    report = {
        "before": asdict(before),
        "after": asdict(after),
        "hands": moves.hands(connection, district, based_on),
        "asked": proposed.wish.plain(),
        "reasons": explain(problem, assigned, building=building, at_most=at_most).plain(),
        "bounds": asdict(proven) if proven else None,
    }
    plan = plans.add_draft(
        connection,
        district,
        {
            "title": f"均衡方案 · Rebalance of plan {based_on.number}"
            if based_on
            else "首个方案 · First plan",
            "origin": "balanced",
            "based_on": based_on.id if based_on else None,
            "cell_set": ground.cell_set,
            "target": problem.target,
            "tolerance_percent": problem.tolerance_percent,
            "author": act.actor.id,
            "report": json.dumps(report),
        },
        pd.DataFrame({"cell_id": ground.cells.id, "grid_id": assigned}),
    )
    moves.record(connection, district, plan, _moves(ground, problem, assigned))
    if based_on is not None:
        locks.carry(connection, district, based_on.id, plan.id)
    _recorded(act, plan, after)
    return DraftReport(plan.number, plan.title, before if based_on else None, after)


def _stated(connection: Connection, district: str, ground: Ground) -> Labels:
    """Give every cell of a building with a stated grid the identity of that grid in its community."""
    cells = ground.cells
    told = cells[cells.stated_grid.notna()]
    if told.empty:
        raise ConflictError(
            f"No building of district {district} states its grid.",
            "Draft a first plan with gridgov plan rebalance.",
        )
    parts = told.groupby(["stated_grid", "community_id"], as_index=False).households.sum()
    total = parts.groupby("stated_grid").households.transform("sum")
    parts["share"] = (parts.households / total).where(total > 0, 1.0)
    known = grids.external_codes(connection, district).rename(columns={"external_code": "stated_grid"})
    parts = parts.merge(known[["stated_grid", "community_id", "grid_id"]], how="left")
    fresh = parts[parts.grid_id.isna()]
    made = pd.Series(grids.add(connection, district, fresh.community_id.tolist()), fresh.index, dtype="Int64")
    parts["grid_id"] = parts.grid_id.astype("Int64").fillna(made).astype("int64")
    largest = parts.sort_values(["households", "community_id"], ascending=[False, True])
    parts["largest"] = ~largest.duplicated("stated_grid").reindex(parts.index)
    grids.name_external(connection, district, parts.rename(columns={"stated_grid": "external_code"}))
    labelled = cells[["stated_grid", "community_id"]].merge(
        parts[["stated_grid", "community_id", "grid_id"]], how="left"
    )
    labels: Labels = labelled.grid_id.fillna(-1).to_numpy(np.int64)
    return labels


def _recorded(act: Act, plan: plans.Plan, after: Figures) -> None:
    versions.advance(act.connection, act.code, "drafts")
    act.record(
        "plan.propose" if plan.origin == "balanced" else "plan.state",
        f"plan {plan.number}",
        after={"grids": after.grids, "in_band": after.in_band, "households_moved": after.households_moved},
    )


def with_identities(
    connection: Connection, district: str, ground: Ground, labels: Labels, known: Labels
) -> Labels:
    """Replace the labels that are not among the known grid ids by the ids of newly made grids."""
    unknown = np.setdiff1d(labels, known).tolist()
    if not unknown:
        return labels
    community = ground.cells.community_id.to_numpy()
    first = [int(community[np.argmax(labels == label)]) for label in unknown]
    made = dict(zip(unknown, grids.add(connection, district, first), strict=True))
    return np.array([made.get(label, label) for label in labels.tolist()], dtype=np.int64)


def _moves(
    ground: Ground, problem: Problem, assigned: Labels
) -> list[tuple[int | None, int, list[int], int]]:
    """List the moves from today's grids to the proposal's, one a pair of grids."""
    changed = np.flatnonzero(problem.current != assigned)
    frame = pd.DataFrame(
        {
            "from": problem.current[changed],
            "to": assigned[changed],
            "cell": ground.cells.id.to_numpy()[changed],
            "households": problem.households[changed],
        }
    )
    return [
        (None if source < 0 else int(source), int(goal), group.cell.tolist(), int(group.households.sum()))
        for (source, goal), group in frame.groupby(["from", "to"])
    ]
