"""Compare two plans: what moves, and what it means for households, workers and open cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from data import assignments, cases, districts, duties, grids, lineage, plans, rebase
from data.session import Store
from etl.plans import Figures, figures
from etl.posing import pose, read_ground
from geo.balance import measure


@dataclass(frozen=True)
class Pair:
    """Land that goes from one grid to another; ids name grids that have no code yet, None land of no grid."""

    from_grid: int | None
    from_code: str | None
    to_grid: int
    to_code: str | None
    community: str
    cells: int
    households: int


@dataclass(frozen=True)
class CaseMove:
    """An open case that would change hands."""

    number: str
    from_code: str | None
    to_code: str | None


@dataclass(frozen=True)
class Comparison:
    """What plan ``after`` changes against plan ``before``, in today's cells and counts of the later plan.

    ``grids_new`` and ``grids_gone`` name grids by code, or by id where they have none; ``vacant`` are the grids
    of ``after`` that nobody has primary duty for; ``workers`` counts those whose grid is gone or changes its
    land.
    """

    before: int | None
    after: int
    figures_before: Figures | None
    figures_after: Figures
    moves: tuple[Pair, ...]
    grids_new: tuple[str, ...]
    grids_gone: tuple[str, ...]
    workers: int
    vacant: tuple[str, ...]
    cases: tuple[CaseMove, ...]


def compare(store: Store, district: str, after: int, before: int | None = None) -> Comparison:
    """Compare a plan with another.

    Parameters
    ----------
    after : int
        Number of the plan that is asked about.
    before : int, optional
        Number of the one it is held against; by default the one it follows or is based on.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    """
    with store.read(district) as connection:
        place = districts.get(connection, district)
        plan = plans.get(connection, district, after)
        former = (
            predecessor(connection, district, plan)
            if before is None
            else plans.get(connection, district, before)
        )
        return _compare(connection, place, plan, former)


def predecessor(connection: Connection, district: str, plan: plans.Plan) -> plans.Plan | None:
    """Return what a plan is held against: the one it followed in force, else the nearest published it descends from.

    Between them lies all that the plan would change, though it began as a copy of another draft.
    """
    if plan.effective is not None:
        return plans.before(connection, district, plan)
    base = plans.base_of(connection, district, plan)
    while base is not None and base.effective is None:
        base = plans.base_of(connection, district, base)
    return base


def _compare(
    connection: Connection, place: districts.District, plan: plans.Plan, former: plans.Plan | None
) -> Comparison:
    district = place.code
    ground = read_ground(connection, district, place.srid, plan.cell_set)
    own = assignments.of_plan(connection, district, plan.id).set_index("cell_id").grid_id
    labels = own.reindex(ground.cells.id).to_numpy(np.int64)
    if former is None:
        after = measure(pose(ground, labels, plan.target, plan.tolerance_percent), labels)
        return Comparison(None, plan.number, None, figures(after), (), (), (), 0, (), ())
    carried = rebase.carried(connection, district, former.id, plan.cell_set).set_index("cell_id").grid_id
    current = carried.reindex(ground.cells.id).fillna(-1).to_numpy(np.int64)
    problem = pose(ground, current, plan.target, plan.tolerance_percent)
    named = _names(connection, district, former, plan)
    pairs = lineage.differences(connection, district, former.id, plan.id)
    pairs = pairs[pairs.from_grid.isna() | (pairs.from_grid != pairs.to_grid)]
    touched = {*pairs.from_grid.dropna().astype(int), *pairs.to_grid.astype(int)}
    old, new = set(current.tolist()) - {-1}, set(labels.tolist())
    return Comparison(
        former.number,
        plan.number,
        figures(measure(problem, current)) if (current >= 0).all() else None,
        figures(measure(problem, labels)),
        tuple(_pairs(pairs, named)),
        _told(new - old, named),
        _told(old - new, named),
        duties.count_workers(connection, district, sorted(touched)),
        _told(set(duties.vacant(connection, district, plan.id)), named),
        tuple(
            CaseMove(row.number, _code(named, row.from_grid), _code(named, row.to_grid))
            for row in cases.would_move(connection, district, plan.id).itertuples()
        ),
    )


def _names(connection: Connection, district: str, *compared: plans.Plan) -> pd.DataFrame:
    """Return code and community of the grids of plans, by id."""
    frames = [grids.of_plan(connection, district, plan.id)[["id", "code", "community"]] for plan in compared]
    return pd.concat(frames).drop_duplicates("id").set_index("id")


def _pairs(pairs: pd.DataFrame, named: pd.DataFrame) -> list[Pair]:
    ordered = pairs.sort_values(["households", "cells"], ascending=False)
    return [
        Pair(
            None if pd.isna(row.from_grid) else int(row.from_grid),
            None if pd.isna(row.from_grid) else _code(named, int(row.from_grid)),
            int(row.to_grid),
            _code(named, int(row.to_grid)),
            str(named.community[row.to_grid]),
            int(row.cells),
            int(row.households),
        )
        for row in ordered.itertuples()
    ]


def _code(named: pd.DataFrame, grid: int) -> str | None:
    code = named.code.get(grid)
    return None if pd.isna(code) else str(code)


def _told(ids: set[int], named: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(_code(named, grid) or f"#{grid}" for grid in ids))
