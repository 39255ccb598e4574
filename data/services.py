"""Duties, departments and cases as a ledger delivers them: known by their grid's code, not by an id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from data import bulk

_HANDLER = """
    (SELECT e.external_code, e.grid_id, e.share FROM grid_external_codes e WHERE e.district = :district
     UNION ALL SELECT g.code, g.id, 1 FROM grids g WHERE g.district = :district AND g.code IS NOT NULL)
"""


def rider_compounds(connection: Connection, district: str) -> dict[str, str]:
    """Return which rider community each compound has, by external code."""
    rows = connection.execute(
        text(
            "SELECT c.external_code, r.external_code FROM rider_communities r"
            " JOIN compounds c ON c.district = r.district AND c.id = r.compound_id WHERE r.district = :district"
        ),
        {"district": district},
    )
    return {row[0]: row[1] for row in rows}


def stated_duties(connection: Connection, district: str) -> dict[tuple[str, str, str, date], date | None]:
    """Return until when the duties of a ledger hold, by worker, its code of the grid, role and first day."""
    rows = connection.execute(
        text(
            "SELECT w.external_code, d.stated_grid, d.role, lower(d.valid), upper(d.valid) FROM duties d"
            " JOIN workers w ON w.district = d.district AND w.id = d.worker_id"
            " WHERE d.district = :district AND d.stated_grid IS NOT NULL"
        ),
        {"district": district},
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


def grid_codes(connection: Connection, district: str) -> set[str]:
    """Return every code, ours and the ledger's, that names a published grid."""
    rows = connection.execute(text(f"SELECT h.external_code FROM {_HANDLER} h"), {"district": district})
    return set(rows.scalars())


def put_duties(
    connection: Connection, district: str, import_id: int, rows: Iterable[Sequence[Any]]
) -> tuple[int, int]:
    """Add duties, and replace those whose last day differs.

    Parameters
    ----------
    rows : iterable of (str, str, str, date, date or None)
        Worker, the ledger's code of the grid, role, first day, first day it no longer holds.

    Returns
    -------
    (int, int)
        Duties added and duties replaced. New ones are not bound to a grid yet.
    """
    columns = {"worker": "text", "grid": "text", "role": "text", "since": "date", "until": "date"}
    bulk.stage(connection, "staged_duties", columns, rows)
    same = (
        "d.district = :district AND d.worker_id = w.id AND d.stated_grid = s.grid AND d.role = s.role"
        " AND lower(d.valid) = s.since"
    )
    staged = "staged_duties s JOIN workers w ON w.district = :district AND w.external_code = s.worker"
    values = {"district": district, "import": import_id}
    replaced = connection.execute(
        text(f"DELETE FROM duties d USING {staged} WHERE {same} AND upper(d.valid) IS DISTINCT FROM s.until"),
        values,
    )
    added = connection.execute(
        text(
            "INSERT INTO duties (district, worker_id, stated_grid, role, valid, import_id)"
            f" SELECT :district, w.id, s.grid, s.role, daterange(s.since, s.until), :import FROM {staged}"
            f" WHERE NOT EXISTS (SELECT FROM duties d WHERE {same})"
        ),
        values,
    )
    return int(added.rowcount - replaced.rowcount), int(replaced.rowcount)


def put_cases(connection: Connection, district: str, rows: Iterable[Sequence[Any]]) -> tuple[int, int]:
    """Add cases, and change those that are stated otherwise; departments are made from their names.

    A case that was handed over since stays where it is until another grid is stated for it.

    Parameters
    ----------
    rows : iterable of (str, str, str, str or None, str or None, date, date or None, str)
        Number, category, state, code of the grid, name of the department, opened, closed, point as
        `data.register.wkb`.

    Returns
    -------
    (int, int)
        Cases added and cases changed.
    """
    columns = {
        "number": "text",
        "category": "text",
        "state": "text",
        "grid": "text",
        "department": "text",
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
        "point": "geometry",
    }
    bulk.stage(connection, "staged_cases", columns, rows)
    values = {"district": district}
    connection.execute(
        text(
            "INSERT INTO departments (district, name) SELECT DISTINCT :district, department FROM staged_cases"
            " WHERE department IS NOT NULL ON CONFLICT (district, name) DO NOTHING"
        ),
        values,
    )
    stated = ("category", "state", "stated_grid", "department_id", "opened_at", "closed_at", "point")
    listed = ", ".join(stated)
    done = connection.execute(
        text(
            f"INSERT INTO cases AS t (district, number, grid_id, {listed})"
            " SELECT :district, s.number, h.grid_id, s.category, s.state, s.grid, d.id, s.opened_at, s.closed_at,"
            " s.point"
            " FROM staged_cases s"
            f" LEFT JOIN LATERAL (SELECT grid_id FROM {_HANDLER} h WHERE h.external_code = s.grid"
            "   ORDER BY h.share DESC, h.grid_id LIMIT 1) h ON true"
            " LEFT JOIN departments d ON d.district = :district AND d.name = s.department"
            " ON CONFLICT (district, number) DO UPDATE SET grid_id = CASE"
            " WHEN t.stated_grid IS DISTINCT FROM excluded.stated_grid THEN excluded.grid_id ELSE t.grid_id END, "
            + ", ".join(f"{c} = excluded.{c}" for c in stated)
            + " WHERE ROW("
            + ", ".join(f"t.{c}" for c in stated)
            + ") IS DISTINCT FROM ROW("
            + ", ".join(f"excluded.{c}" for c in stated)
            + ") RETURNING (xmax = 0) AS added"
        ),
        values,
    )
    added = [row.added for row in done]
    return sum(added), len(added) - sum(added)
