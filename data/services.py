"""Duties, departments and cases as a ledger delivers them: known by their grid's code, not by an id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from data import bulk, changes
from data.changes import Written

_HANDLER = """
    (SELECT e.external_code, e.grid_id, e.share FROM grid_external_codes e WHERE e.district = :district
     UNION ALL SELECT g.code, g.id, 1 FROM grids g WHERE g.district = :district AND g.code IS NOT NULL)
"""

_STATED = f"""
    SELECT h.grid_id, EXISTS (SELECT FROM plan_grids pg JOIN plans p ON p.district = pg.district
        AND p.id = pg.plan_id AND p.valid @> (SELECT district_now(:district))
        WHERE pg.district = :district AND pg.grid_id = h.grid_id) AS in_force
    FROM {_HANDLER} h WHERE h.external_code = s.grid ORDER BY in_force DESC, h.share DESC, h.grid_id LIMIT 1
"""
_COVERING = """
    SELECT g.id FROM plans p JOIN plan_grids pg ON pg.district = p.district AND pg.plan_id = p.id
    JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id
    WHERE p.district = :district AND p.valid @> (SELECT district_now(:district)) AND ST_Covers(pg.shape, s.point)
    ORDER BY g.code LIMIT 1
"""
_HANDED = (
    "CASE WHEN h.grid_id IS NULL OR h.in_force OR s.state = 'closed' THEN h.grid_id"
    " ELSE coalesce(f.id, h.grid_id) END"
)
"""Who gets a case: the grid stated while it is in force, else, while the case is open, the one at its place."""


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
) -> Written:
    """Add duties, and replace those whose last day differs.

    Parameters
    ----------
    rows : iterable of (str, str, str, date, date or None)
        Worker, the ledger's code of the grid, role, first day, first day it no longer holds.

    Returns
    -------
    Written
        Duties added and duties replaced. New ones are not bound to a grid yet.
    """
    columns = {"worker": "text", "grid": "text", "role": "text", "since": "date", "until": "date"}
    bulk.stage(connection, "staged_duties", columns, rows)
    same = (
        "{0}.district = :district AND {0}.worker_id = w.id AND {0}.stated_grid = s.grid AND {0}.role = s.role"
        " AND lower({0}.valid) = s.since"
    )
    # A duty whose grid was retired ended there and goes on in rows that continue it; its end is that of the last.
    stated = (
        "duties d JOIN workers w ON w.district = d.district AND w.id = d.worker_id"
        f" JOIN staged_duties s ON w.external_code = s.worker WHERE {same.format('d')}"
    )
    continued = f"t.district = :district AND EXISTS (SELECT FROM {stated} AND d.id = t.continues"
    cut = changes.record(
        connection,
        district,
        import_id,
        "duties",
        f"DELETE FROM duties t WHERE {continued} AND s.until <= lower(t.valid))",
        {},
        takes_away=True,
    ).changed
    prolonged = changes.record(
        connection,
        district,
        import_id,
        "duties",
        "UPDATE duties t SET valid = daterange(lower(t.valid), (SELECT s.until FROM"
        f" {stated} AND d.id = t.continues)) WHERE {continued} AND upper(t.valid) IS DISTINCT FROM s.until)"
        " AND NOT EXISTS (SELECT FROM duties n WHERE n.district = t.district AND n.continues = t.continues"
        " AND n.valid >> t.valid)",
        {},
    ).changed
    replaced = changes.record(
        connection,
        district,
        import_id,
        "duties",
        "DELETE FROM duties t USING staged_duties s JOIN workers w ON w.district = :district"
        f" AND w.external_code = s.worker WHERE {same.format('t')} AND upper(t.valid) IS DISTINCT FROM s.until"
        " AND NOT EXISTS (SELECT FROM duties n WHERE n.district = t.district AND n.continues = t.id)",
        {},
        takes_away=True,
    ).changed
    added = changes.record(
        connection,
        district,
        import_id,
        "duties",
        "INSERT INTO duties AS t (district, worker_id, stated_grid, role, valid, import_id)"
        " SELECT :district, w.id, s.grid, s.role, daterange(s.since, s.until), :import FROM staged_duties s"
        " JOIN workers w ON w.district = :district AND w.external_code = s.worker"
        f" WHERE NOT EXISTS (SELECT FROM duties d WHERE {same.format('d')})",
        {},
    ).new
    return Written(added - replaced, max(cut, replaced) + prolonged)


def put_cases(
    connection: Connection, district: str, import_id: int, actor: str, rows: Iterable[Sequence[Any]]
) -> Written:
    """Add cases, and change those that are stated otherwise; departments are made from their names.

    A case that was handed over since stays where it is until another grid is stated for it. One stated for a
    grid that is not in force any more goes to the grid in force that covers its place, with a line of history.

    Parameters
    ----------
    rows : iterable of (str, str, str, str or None, str or None, date, date or None, str)
        Number, category, state, code of the grid, name of the department, opened, closed, point as
        `data.register.wkb`.

    Returns
    -------
    Written
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
    written = changes.record(
        connection,
        district,
        import_id,
        "cases",
        f"INSERT INTO cases AS t (district, number, grid_id, {listed})"
        f" SELECT :district, s.number, {_HANDED}, s.category, s.state, s.grid, d.id, s.opened_at, s.closed_at, s.point"
        f" FROM staged_cases s LEFT JOIN LATERAL ({_STATED}) h ON true LEFT JOIN LATERAL ({_COVERING}) f ON true"
        " LEFT JOIN departments d ON d.district = :district AND d.name = s.department"
        " ON CONFLICT (district, number) DO UPDATE SET grid_id = CASE"
        " WHEN t.stated_grid IS DISTINCT FROM excluded.stated_grid THEN excluded.grid_id ELSE t.grid_id END, "
        + ", ".join(f"{c} = excluded.{c}" for c in stated)
        + " WHERE ROW("
        + ", ".join(f"t.{c}" for c in stated)
        + ") IS DISTINCT FROM ROW("
        + ", ".join(f"excluded.{c}" for c in stated)
        + ")",
        {},
    )
    _note_handed(connection, district, import_id, actor)
    return written


def _note_handed(connection: Connection, district: str, import_id: int, actor: str) -> None:
    """Add a line of history to cases an import gave to another grid than the one stated."""
    connection.execute(
        text(
            "INSERT INTO case_events (district, case_id, actor, text)"
            " SELECT :district, k.id, :actor, 'Grid ' || s.grid || ' is not in force; ' || g.code || ' has it'"
            " FROM staged_cases s JOIN cases k ON k.district = :district AND k.number = s.number"
            " JOIN import_changes c ON c.district = :district AND c.import_id = :import AND c.noun = 'cases'"
            "  AND c.row_id = k.id AND c.before->>'grid_id' IS DISTINCT FROM c.after->>'grid_id'"
            " JOIN grids g ON g.district = :district AND g.id = k.grid_id"
            f" JOIN LATERAL ({_STATED}) h ON h.grid_id <> k.grid_id"
        ),
        {"district": district, "import": import_id, "actor": actor},
    )
