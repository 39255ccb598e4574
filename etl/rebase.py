"""Bring open drafts onto the newest cells, and say what became of what their authors had decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import text

from data import assignments, plans, versions
from data import cells as stored_cells
from data import rebase as stored
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.merge import merge
from etl.plans import with_identities
from etl.posing import Ground, pose, read_ground
from geo.balance.problem import pieces
from geo.errors import ConflictError
from geo.fill import fill

Labels = NDArray[np.int64]

CONFLICTS: dict[str, tuple[str, str]] = {
    "other_community": ("楼栋划入了其他社区", "A building belongs to another community now"),
    "moved_building": ("楼栋移位后换了网格", "A building moved, and its grid is another"),
    "grid_retired": ("网格已被撤销，地块退回现网格", "The grid was retired meanwhile; its cells went back"),
    "changed_by_both": (
        "两个方案都调整了这些地块，保留草案的",
        "Both plans moved these cells; the draft's stay",
    ),
    "grid_gone": ("网格已无地块，已从草案移除", "A grid lost all its cells and left the draft"),
    "in_pieces": ("网格不再连通", "A grid is in pieces that was not before"),
    "lock_lost": ("锁定的地块已不存在", "A locked cell is gone, and its lock with it"),
    "lock_followed": ("锁定转到了重划的地块", "A lock went over to the cell made anew"),
    "new_building": ("新增楼栋", "A new building joined the grid"),
}
"""What a rebase tells a draft's author, in Chinese and English, the gravest first."""


@dataclass(frozen=True)
class Conflict:
    """What a rebase found about one grid.

    Attributes
    ----------
    kind : str
        One of `CONFLICTS`.
    grid_id : int
        The grid: of the draft as it is now, or the one that left it.
    code : str or None
        Its code; None where none was issued yet.
    cells : list of int
        Cells it is about, those of today where there are any.
    buildings : list of str
        Their buildings, by the ledger's code, else the address.
    """

    kind: str
    grid_id: int
    code: str | None
    cells: list[int]
    buildings: list[str]


@dataclass(frozen=True)
class RebaseReport:
    """What a rebase did: how each of the draft's cells came to its grid, and the conflicts.

    ``onto`` is the plan in force that the draft is a change of now, where it was one of another plan before;
    ``kept`` cells were in the draft; ``building`` took the grid of their building, ``covered`` that of the land
    they lie on, ``filled`` that of a neighbour.
    """

    number: int
    revision: int
    from_set: int
    to_set: int
    kept: int
    building: int
    covered: int
    filled: int
    conflicts: list[Conflict]
    onto: int | None = None


def rebase_plan(store: Store, actor: Actor, district: str, number: int) -> RebaseReport:
    """Bring one draft onto the newest cells and the plan in force; one that is there already stays as it is.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    ConflictError
        If it is no draft, or descends from no plan that was ever in force.
    """
    with acting(store, actor, district) as act:
        report = rebase(act, plans.get(act.connection, act.code, number))
        merged = merge(act, plans.get(act.connection, act.code, number))
        if merged is None:
            return report
        versions.advance(act.connection, act.code, "drafts")
        act.record(
            "plan.merge",
            f"plan {number}",
            before={"revision": report.revision},
            after={"revision": merged.revision, "onto": merged.onto, "conflicts": len(merged.found)},
        )
        met = replace(report, revision=merged.revision, onto=merged.onto, conflicts=_named(act, merged.found))
        stored.add_report(act.connection, act.code, plans.get(act.connection, act.code, number), asdict(met))
        return replace(met, conflicts=[*met.conflicts, *report.conflicts])


def rebase_open(act: Act) -> list[RebaseReport]:
    """Bring every draft onto the newest cells; plans that are submitted or approved are frozen, and go stale."""
    latest = stored_cells.latest_set(act.connection, act.code)
    stale = stored.stale_drafts(act.connection, act.code, latest)
    return [rebase(act, plans.get(act.connection, act.code, number)) for number in stale]


def rebase(act: Act, plan: plans.Plan) -> RebaseReport:
    """Do what `rebase_plan` does, in an open act; about a second for 10,000 cells."""
    connection, district = act.connection, act.code
    if plan.state != "draft":
        raise ConflictError(
            f"Plan {plan.number} is {plan.state}, not a draft.", "Send it back, then rebase it."
        )
    latest = stored_cells.latest_set(connection, district)
    if plan.cell_set == latest:
        count = len(assignments.of_plan(connection, district, plan.id))
        return RebaseReport(plan.number, plan.revision, latest, latest, count, 0, 0, 0, [])
    before = _before(act, plan)
    after = _after(act, plan, latest)
    replaced = stored.replace(connection, district, plan, latest, after.cells)
    found = list(_conflicts(before, after, replaced))
    counts = after.cells.origin.value_counts()
    report = RebaseReport(
        number=plan.number,
        revision=plan.revision + 1,
        from_set=plan.cell_set,
        to_set=latest,
        kept=int(counts.get("kept", 0)),
        building=int(counts.get("building", 0)),
        covered=int(counts.get("covered", 0)),
        filled=int(counts.get("none", 0)),
        conflicts=_named(act, found),
    )
    _put_on_record(act, plan, report)
    return report


@dataclass(frozen=True)
class _Side:
    """A draft on one cell set.

    ``cells`` has cell_id, grid_id, community_id, building_id and ``piece``, numbering the connected pieces of
    grids; of the newer set also ``origin``.
    """

    cells: pd.DataFrame

    def pieces(self) -> pd.Series:
        """Return in how many pieces each grid is."""
        return self.cells.groupby("grid_id").piece.nunique()


def _before(act: Act, plan: plans.Plan) -> _Side:
    ground = read_ground(act.connection, act.code, act.district.srid, plan.cell_set)
    assigned = assignments.of_plan(act.connection, act.code, plan.id).set_index("cell_id").grid_id
    return _side(ground, plan, assigned.loc[ground.cells.id].to_numpy(np.int64))


def _after(act: Act, plan: plans.Plan, latest: int) -> _Side:
    """Give every cell of today its grid: carried over, else filled in from around it."""
    ground = read_ground(act.connection, act.code, act.district.srid, latest)
    carried = stored.carried(act.connection, act.code, plan.id, latest)
    known = carried.grid_id.fillna(-1).to_numpy(np.int64)
    if (known < 0).any():
        problem = pose(ground, known, plan.target, plan.tolerance_percent)
        assigned = with_identities(act.connection, act.code, ground, fill(problem, known), known)
    else:
        assigned = known
    side = _side(ground, plan, assigned)
    side.cells["origin"] = carried.origin
    return side


def _side(ground: Ground, plan: plans.Plan, assigned: Labels) -> _Side:
    problem = pose(ground, assigned, plan.target, plan.tolerance_percent)
    cells = pd.DataFrame(ground.cells[["id", "community_id", "building_id"]])
    return _Side(
        cells.rename(columns={"id": "cell_id"}).assign(grid_id=assigned, piece=pieces(problem, assigned))
    )


_Found = tuple[str, int, pd.DataFrame]
"""Kind, grid and the rows of cells (cell_id, building_id) it is about."""


def _conflicts(before: _Side, after: _Side, replaced: pd.DataFrame) -> Iterator[_Found]:
    old, new = before.cells, after.cells
    yield from _of_buildings(old, new)
    for grid, rows in old[~old.grid_id.isin(new.grid_id)].groupby("grid_id"):
        yield "grid_gone", grid, rows
    broken = after.pieces().gt(before.pieces().reindex(after.pieces().index, fill_value=1))
    for grid, rows in new[new.grid_id.isin(broken.index[broken])].groupby("grid_id"):
        largest = rows.piece.value_counts().index[0]
        yield "in_pieces", grid, rows[rows.piece != largest]
    for (follows, grid), rows in replaced.groupby(["follows", "grid_id"]):
        yield ("lock_followed" if follows else "lock_lost"), grid, rows


def _of_buildings(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[_Found]:
    """Find buildings that came, moved to another grid, or went to another community."""
    fresh = new[(new.origin != "kept") & new.building_id.notna()]
    former = old[old.building_id.isin(fresh.building_id)].groupby("building_id")
    community = fresh.building_id.map(former.community_id.first())
    held = former.grid_id.agg(set).reindex(fresh.building_id)
    stayed = np.array(
        [isinstance(h, set) and g in h for h, g in zip(held, fresh.grid_id, strict=True)], dtype=bool
    )
    came = community.isna()
    elsewhere = ~came & (community != fresh.community_id)
    kinds = {
        "new_building": came,
        "other_community": elsewhere,
        "moved_building": ~(came | elsewhere | stayed),
    }
    for kind, rows in kinds.items():
        for grid, those in fresh[rows].groupby("grid_id"):
            yield kind, grid, those


def _named(act: Act, found: list[_Found]) -> list[Conflict]:
    """Name grids and buildings as people know them; the gravest conflicts first."""
    codes = _lookup(act, _CODES, {int(grid) for _, grid, _ in found})
    names = _lookup(
        act, _NAMES, {int(building) for *_, rows in found for building in rows.building_id.dropna()}
    )
    order = list(CONFLICTS)
    named = [
        Conflict(
            kind,
            int(grid),
            codes[int(grid)],
            sorted(rows.cell_id.astype(int)),
            sorted(names[int(building)] for building in rows.building_id.dropna().unique()),
        )
        for kind, grid, rows in found
    ]
    return sorted(named, key=lambda conflict: (order.index(conflict.kind), conflict.grid_id))


_CODES = "SELECT id, code AS name FROM grids WHERE district = :district AND id = ANY(:ids)"
_NAMES = (
    "SELECT id, COALESCE(external_code, address, id::text) AS name FROM buildings"
    " WHERE district = :district AND id = ANY(:ids)"
)


def _lookup(act: Act, query: str, ids: set[int]) -> dict[int, Any]:
    rows = act.connection.execute(text(query), {"district": act.code, "ids": sorted(ids)})
    return {row.id: row.name for row in rows}


def _put_on_record(act: Act, plan: plans.Plan, report: RebaseReport) -> None:
    stored.add_report(act.connection, act.code, plan, asdict(report))
    versions.advance(act.connection, act.code, "drafts")
    conflicts = pd.Series([conflict.kind for conflict in report.conflicts], dtype=str).value_counts()
    act.record(
        "plan.rebase",
        f"plan {plan.number}",
        before={"cell_set": report.from_set, "revision": plan.revision},
        after={"cell_set": report.to_set, "revision": report.revision, "conflicts": conflicts.to_dict()},
    )
