"""What an import does to rows, kept as their images before and after, so that it can be told and undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Connection, text

from data.tables import Base
from geo.errors import ConflictError

NOUNS = (
    "towns",
    "communities",
    "compounds",
    "buildings",
    "workers",
    "sites",
    "facilities",
    "rider_communities",
    "rider_points",
    "streets",
    "barriers",
    "ground",
    "duties",
    "cases",
)
"""Tables an import writes, those that others refer to first."""

_SHOWN = 20
_FLEETING = {"duties": ("grid_id",)}
"""Columns that follow the plan in force: they are no change of the row."""


@dataclass(frozen=True)
class Written:
    """Rows a statement added, and rows it changed or took away."""

    new: int
    changed: int


@dataclass(frozen=True)
class Touched:
    """Rows of one table an import added, changed, brought back from retirement and retired."""

    new: int
    changed: int
    back: int
    gone: int


@dataclass(frozen=True)
class Undone:
    """Rows of one table.

    ``restored`` are what they were again, ``removed`` had been added by the import, ``left`` were changed by
    other acts since and stay as they are.
    """

    restored: int
    removed: int
    left: int


@cache
def _columns(table: str) -> dict[str, bool]:
    """Return the columns of a table but its district and what follows from others, and whether each is a geometry."""
    columns = Base.metadata.tables[table].columns
    return {c.name: isinstance(c.type, Geometry) for c in columns if c.name != "district" and not c.computed}


def image(table: str, alias: str) -> str:
    """Return the SQL of a row's image: its columns as JSON without nulls, geometries as hexadecimal EWKB."""
    pairs = (f"'{c}', {alias}.{c}{'::text' if shape else ''}" for c, shape in _columns(table).items())
    return f"jsonb_strip_nulls(jsonb_build_object({', '.join(pairs)}))"


def record(
    connection: Connection,
    district: str,
    import_id: int,
    table: str,
    statement: str,
    values: Mapping[str, Any],
    *,
    takes_away: bool = False,
) -> Written:
    """Carry out a statement and keep the image of every row it touched, before and after.

    Parameters
    ----------
    table : str
        One of `NOUNS`.
    statement : str
        INSERT, UPDATE or DELETE on ``table AS t``, without RETURNING; it may use ``:district``, ``:import``.
    takes_away : bool
        The statement deletes rows.

    Notes
    -----
    All parts of one statement see the rows as they were before it, which is where the image before comes
    from. A row an import touches twice keeps the image from before the first time.
    """
    after = "CAST(NULL AS jsonb)" if takes_away else image(table, "w")
    done = connection.execute(
        text(
            f"WITH written AS ({statement} RETURNING t.*), pairs AS MATERIALIZED ("
            f" SELECT w.id, CASE WHEN b.id IS NOT NULL THEN {image(table, 'b')} END AS before, {after} AS after"
            f" FROM written w LEFT JOIN {table} b ON b.district = :district AND b.id = w.id"
            "), kept AS ("
            " INSERT INTO import_changes (district, import_id, noun, row_id, before, after)"
            f" SELECT :district, :import, '{table}', id, before, after FROM pairs"
            " ON CONFLICT (district, import_id, noun, row_id) DO UPDATE SET after = excluded.after)"
            " SELECT count(*) FILTER (WHERE before IS NULL) AS new,"
            " count(*) FILTER (WHERE before IS NOT NULL) AS changed FROM pairs"
        ),
        {**values, "district": district, "import": import_id},
    ).one()
    return Written(done.new, done.changed)


def touched(connection: Connection, district: str, import_id: int) -> dict[str, Touched]:
    """Return what an import has done so far to each table it touched, in the order of `NOUNS`."""
    rows = connection.execute(
        text(
            "SELECT noun, count(*) FILTER (WHERE before IS NULL) AS new,"
            " count(*) FILTER (WHERE live = lived) AS changed, count(*) FILTER (WHERE live AND NOT lived) AS back,"
            " count(*) FILTER (WHERE lived AND NOT live) AS gone FROM (SELECT noun, before,"
            "  CASE WHEN before IS NOT NULL THEN before->'retired_at' IS NULL END AS lived,"
            "  after IS NOT NULL AND after->'retired_at' IS NULL AS live FROM import_changes"
            "  WHERE district = :district AND import_id = :import) c GROUP BY noun"
        ),
        {"district": district, "import": import_id},
    )
    counted = {row.noun: Touched(row.new, row.changed, row.back, row.gone) for row in rows}
    return {noun: counted[noun] for noun in NOUNS if noun in counted}


def later(connection: Connection, district: str, import_id: int) -> list[int]:
    """Return the later imports, not undone, that touched rows an import touched; the newest first."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT o.import_id FROM import_changes c JOIN import_changes o ON o.district = c.district"
            " AND o.noun = c.noun AND o.row_id = c.row_id AND o.import_id > c.import_id"
            " JOIN imports i ON i.district = o.district AND i.id = o.import_id AND i.state = 'loaded'"
            " WHERE c.district = :district AND c.import_id = :import ORDER BY o.import_id DESC"
        ),
        {"district": district, "import": import_id},
    )
    return list(rows.scalars())


def undo(connection: Connection, district: str, import_id: int, noun: str) -> Undone:
    """Bring the rows of a table back to what they were before an import.

    What it added is retired, or deleted where nothing can be retired (duties and cases).

    Raises
    ------
    ConflictError
        If a code that a row had before was given to another since.
    """
    values = {"district": district, "import": import_id, "noun": noun}
    left = _set_apart(connection, noun, values)
    if taken := _taken(connection, noun, values):
        raise ConflictError(
            f"Codes that {noun} had before were given to others since: {', '.join(taken[:_SHOWN])}.",
            "Import a corrected file instead.",
        )
    removed = connection.execute(text(_removal(noun)), values).rowcount
    restored = connection.execute(text(_restoration(noun)), values).rowcount
    if "retired_at" not in _columns(noun):
        restored += connection.execute(text(_return(noun)), values).rowcount
    connection.execute(text("DROP TABLE undoing"))
    return Undone(restored, removed, left)


def _set_apart(connection: Connection, noun: str, values: Mapping[str, Any]) -> int:
    """Stage what can be undone; return how many rows were changed since by other acts and are left alone."""
    fleeting = ", ".join(f"'{column}'" for column in _FLEETING.get(noun, ()))
    same = f"{image(noun, 't')} - ARRAY[{fleeting}]::text[] = c.after - ARRAY[{fleeting}]::text[]"
    staged = connection.execute(
        text(
            "CREATE TEMP TABLE undoing ON COMMIT DROP AS SELECT c.row_id, c.before, c.after"
            f" FROM import_changes c LEFT JOIN {noun} t ON t.district = c.district AND t.id = c.row_id"
            " WHERE c.district = :district AND c.import_id = :import AND c.noun = :noun"
            f" AND CASE WHEN c.after IS NULL THEN t.id IS NULL ELSE coalesce({same}, false) END"
        ),
        values,
    ).rowcount
    counted = connection.execute(
        text(
            "SELECT count(*) FROM import_changes WHERE district = :district AND import_id = :import AND noun = :noun"
        ),
        values,
    ).scalar_one()
    return int(counted) - int(staged)


def _taken(connection: Connection, noun: str, values: Mapping[str, Any]) -> list[str]:
    """Return the codes that rows would get back and that others have now, retired ones too."""
    found = " UNION ".join(
        f"SELECT t.{key} FROM undoing u JOIN {noun} t ON t.district = :district AND t.id <> u.row_id"
        f" AND t.{key} = u.before->>'{key}'"
        for key in ("external_code", "code")
        if key in _columns(noun)
    )
    return list(connection.execute(text(f"{found} ORDER BY 1"), values).scalars()) if found else []


def _removal(noun: str) -> str:
    mine = f"{noun} t USING undoing u WHERE t.district = :district AND t.id = u.row_id AND u.before IS NULL"
    if "retired_at" in _columns(noun):
        return f"UPDATE {noun} t SET retired_at = now() FROM" + mine.partition(" USING")[2]
    if noun != "cases":
        return f"DELETE FROM {mine}"
    lines = "WHERE k.district = :district AND k.case_id IN (SELECT row_id FROM undoing WHERE before IS NULL)"
    return (
        f"WITH events AS (DELETE FROM case_events k {lines}),"
        f" contacts AS (DELETE FROM case_contacts k {lines}) DELETE FROM {mine}"
    )


def _restoration(noun: str) -> str:
    columns = [c for c in _columns(noun) if c != "id"]
    return (
        f"UPDATE {noun} t SET {', '.join(f'{c} = r.{c}' for c in columns)} FROM undoing u"
        f" CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS {noun}), u.before) r"
        " WHERE t.district = :district AND t.id = u.row_id AND u.before IS NOT NULL AND u.after IS NOT NULL"
    )


def _return(noun: str) -> str:
    """Return the SQL that puts back what was deleted."""
    fleeting = _FLEETING.get(noun, ())
    columns = ", ".join(c for c in _columns(noun) if c not in fleeting)
    return (
        f"INSERT INTO {noun} (district, {columns}) SELECT :district, {columns} FROM undoing u"
        f" CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS {noun}), u.before) r WHERE u.after IS NULL"
    )
