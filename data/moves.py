"""Moves (划转): cells that go from one grid of a draft to another, and what was moved when by whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from data.frames import read
from data.plans import Plan


@dataclass(frozen=True)
class Entry:
    """One entry of a plan's list of moves; codes are None where a grid has none yet."""

    revision: int
    actor: str
    at: str
    from_grid: int | None
    from_code: str | None
    to_grid: int
    to_code: str | None
    cells: int
    households: int
    undoes: int | None


def record(
    connection: Connection, district: str, plan: Plan, moves: Iterable[tuple[int | None, int, list[int], int]]
) -> None:
    """Record moves of a plan that was made with them: from grid, to grid, cells, households."""
    rows = [
        {
            "district": district,
            "plan": plan.id,
            "revision": plan.revision,
            "actor": plan.author,
            "from": from_grid,
            "to": to_grid,
            "cells": cells,
            "households": households,
        }
        for from_grid, to_grid, cells, households in moves
    ]
    if rows:
        connection.execute(
            text(
                "INSERT INTO plan_moves (district, plan_id, revision, from_grid, to_grid, cells, households, actor)"
                " VALUES (:district, :plan, :revision, :from, :to, :cells, :households, :actor)"
            ),
            rows,
        )


def cells_of(
    connection: Connection, district: str, plan: Plan, *, cells: Sequence[int] = (), grids: Sequence[int] = ()
) -> list[int]:
    """Return the cells of a plan that are named: themselves, or by their grid."""
    rows = connection.execute(
        text(
            "SELECT cell_id FROM plan_cells"
            " WHERE district = :district AND plan_id = :plan AND cell_id = ANY(:cells)"
            " UNION SELECT cell_id FROM plan_cells"
            " WHERE district = :district AND plan_id = :plan AND grid_id = ANY(:grids) ORDER BY cell_id"
        ),
        {"district": district, "plan": plan.id, "cells": list(cells), "grids": list(grids)},
    )
    return list(rows.scalars())


def cells_of_buildings(
    connection: Connection, district: str, plan: Plan, codes: Sequence[str]
) -> dict[str, list[int]]:
    """Return the cells that buildings, by the ledger's code, have in a plan; one without any is left out."""
    rows = connection.execute(
        text(
            "SELECT b.external_code, array_agg(pc.cell_id ORDER BY pc.cell_id) FROM buildings b"
            " JOIN cells c ON c.district = b.district AND c.building_id = b.id"
            " JOIN plan_cells pc ON pc.district = c.district AND pc.plan_id = :plan AND pc.cell_id = c.id"
            " WHERE b.district = :district AND b.external_code = ANY(:codes) GROUP BY b.external_code"
        ),
        {"district": district, "plan": plan.id, "codes": list(codes)},
    )
    return {row[0]: row[1] for row in rows}


def standing(connection: Connection, district: str, plan: Plan, cells: Sequence[int]) -> pd.DataFrame:
    """Return how cells stand in a plan, those it has.

    Returns
    -------
    DataFrame
        cell_id, grid_id, community_id, building_id, households, locked.
    """
    return read(
        connection,
        "SELECT pc.cell_id, pc.grid_id, c.community_id, c.building_id, c.households, EXISTS (SELECT FROM plan_locks l"
        "  WHERE l.district = pc.district AND l.plan_id = pc.plan_id"
        "  AND (l.cell_id = pc.cell_id OR l.grid_id = pc.grid_id)) AS locked"
        " FROM plan_cells pc JOIN layers.cells c ON c.district = pc.district AND c.id = pc.cell_id"
        " WHERE pc.district = :district AND pc.plan_id = :plan AND pc.cell_id = ANY(:cells) ORDER BY pc.cell_id",
        district=district,
        plan=plan.id,
        cells=list(cells),
    )


def apply(
    connection: Connection,
    district: str,
    plan: Plan,
    targets: Mapping[int, int],
    *,
    leaving: Iterable[int],
    revision: int,
    actor: str,
    undoes: int | None = None,
) -> None:
    """Put cells of a draft into grids, record the moves, and drop grids that are left without a cell.

    Parameters
    ----------
    targets : mapping of int to int
        Grid id of each cell that moves; all are in the plan, and none is in that grid already.
    leaving : iterable of int
        The grids the cells are in until now.
    revision : int
        The revision this makes.
    """
    values = {
        "district": district,
        "plan": plan.id,
        "cells": list(targets),
        "grids": list(targets.values()),
        "leaving": list(leaving),
        "revision": revision,
        "actor": actor,
        "undoes": undoes,
    }
    moved = (
        "WITH moved AS (SELECT * FROM unnest(CAST(:cells AS bigint[]), CAST(:grids AS bigint[]))"
        " AS m (cell, grid)) "
    )
    for statement in (
        moved + "INSERT INTO plan_grids (district, plan_id, grid_id) SELECT DISTINCT :district,"
        " CAST(:plan AS bigint), grid FROM moved ON CONFLICT DO NOTHING",
        moved
        + "INSERT INTO plan_moves (district, plan_id, revision, from_grid, to_grid, cells, households, actor,"
        " undoes) SELECT pc.district, pc.plan_id, :revision, pc.grid_id, m.grid, array_agg(m.cell ORDER BY m.cell),"
        " sum(c.households), :actor, :undoes FROM moved m"
        " JOIN plan_cells pc ON pc.district = :district AND pc.plan_id = :plan AND pc.cell_id = m.cell"
        " JOIN layers.cells c ON c.district = pc.district AND c.id = pc.cell_id"
        " GROUP BY pc.district, pc.plan_id, pc.grid_id, m.grid",
        moved + "UPDATE plan_cells pc SET grid_id = m.grid FROM moved m"
        " WHERE pc.district = :district AND pc.plan_id = :plan AND pc.cell_id = m.cell",
        "DELETE FROM plan_locks l WHERE l.district = :district AND l.plan_id = :plan AND l.grid_id = ANY(:leaving)"
        " AND NOT EXISTS (SELECT FROM plan_cells pc WHERE pc.district = l.district AND pc.plan_id = l.plan_id"
        " AND pc.grid_id = l.grid_id)",
        "DELETE FROM plan_grids pg WHERE pg.district = :district AND pg.plan_id = :plan AND pg.grid_id = ANY(:leaving)"
        " AND NOT EXISTS (SELECT FROM plan_cells pc WHERE pc.district = pg.district AND pc.plan_id = pg.plan_id"
        " AND pc.grid_id = pg.grid_id)",
    ):
        connection.execute(text(statement), values)


def entries(connection: Connection, district: str, plan_id: int, *, after: int = 0) -> list[Entry]:
    """Return the moves of a plan made after a revision, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT m.revision, m.actor, m.at, m.from_grid, f.code, m.to_grid, t.code, cardinality(m.cells),"
            " m.households, m.undoes FROM plan_moves m"
            " LEFT JOIN grids f ON f.district = m.district AND f.id = m.from_grid"
            " JOIN grids t ON t.district = m.district AND t.id = m.to_grid"
            " WHERE m.district = :district AND m.plan_id = :plan AND m.revision > :after ORDER BY m.id"
        ),
        {"district": district, "plan": plan_id, "after": after},
    )
    return [Entry(row[0], row[1], row[2].isoformat(), *row[3:]) for row in rows]


def last_standing(connection: Connection, district: str, plan_id: int) -> tuple[int, dict[int, int]] | None:
    """Return the newest revision of hand moves that was not taken back, and where its cells were before.

    Returns
    -------
    (int, dict of int to int) or None
        The revision, and the former grid id of each cell; None where there is nothing to take back.
    """
    rows = connection.execute(
        text(
            "SELECT m.revision, m.from_grid, m.cells FROM plan_moves m"
            " WHERE m.district = :district AND m.plan_id = :plan AND m.revision = ("
            "  SELECT max(n.revision) FROM plan_moves n WHERE n.district = :district AND n.plan_id = :plan"
            "  AND n.revision > 1 AND n.undoes IS NULL AND NOT EXISTS (SELECT FROM plan_moves u"
            "   WHERE u.district = n.district AND u.plan_id = n.plan_id AND u.undoes = n.revision))"
        ),
        {"district": district, "plan": plan_id},
    ).all()
    if not rows:
        return None
    return rows[0].revision, {cell: row.from_grid for row in rows for cell in row.cells}


def editors(connection: Connection, district: str, plan: Plan) -> set[str]:
    """Return everybody who had a hand in a plan, in what it was copied from too; see `hands`."""
    rows = connection.execute(
        text("SELECT DISTINCT actor FROM plan_moves WHERE district = :district AND plan_id = :plan"),
        {"district": district, "plan": plan.id},
    )
    return {plan.author, *rows.scalars(), *plan.report.get("hands", ())}


def hands(connection: Connection, district: str, source: Plan | None) -> list[str]:
    """Return who had a hand in what a copy of a plan begins with, for its ``report["hands"]``.

    Nobody's hand counts in what was in force: somebody else approved that.
    """
    if source is None or source.activated_at is not None:
        return []
    return sorted(editors(connection, district, source))


def decided(connection: Connection, district: str, plan: Plan) -> set[int]:
    """Return the cells of a draft that were moved by hand."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT unnest(cells) FROM plan_moves WHERE district = :district AND plan_id = :plan"
            " AND revision > 1 AND undoes IS DISTINCT FROM 0"
        ),
        {"district": district, "plan": plan.id},
    )
    return set(rows.scalars())


def touched(connection: Connection, district: str, plan: Plan, grids: Iterable[int]) -> list[dict[str, Any]]:
    """Return how some grids of a plan stand: grid_id, code, community, cells, households; 0 cells if it is gone."""
    rows = connection.execute(
        text(
            "SELECT g.id AS grid_id, g.code, c.name AS community, n.cells, n.households FROM grids g"
            " JOIN communities c ON c.district = g.district AND c.id = g.community_id"
            " CROSS JOIN LATERAL (SELECT count(*) AS cells, COALESCE(sum(v.households), 0)::bigint AS households"
            "  FROM plan_cells pc JOIN layers.cells v ON v.district = pc.district AND v.id = pc.cell_id"
            "  WHERE pc.district = g.district AND pc.plan_id = :plan AND pc.grid_id = g.id) n"
            " WHERE g.district = :district AND g.id = ANY(:grids) ORDER BY g.id"
        ),
        {"district": district, "plan": plan.id, "grids": list(grids)},
    )
    return [dict(row) for row in rows.mappings()]
