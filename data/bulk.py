"""Many rows at once: COPY into a temporary table, from which SQL takes them.

COPY cannot write to a table under row-level security, and a staging table lets one statement
compare what is new with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text


def stage(
    connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Fill a new temporary table that lasts for the transaction, or until one of its name is filled anew.

    Parameters
    ----------
    connection : Connection
        An open transaction.
    table : str
        Name of the temporary table; a constant of the program, never input.
    columns : mapping of str to str
        Name and PostgreSQL type of each column, in the order of the values. Geometries go in as WKB
        bytes or hexadecimal text in a ``geometry`` column.
    rows : iterable of sequence
        The values; None is NULL.
    """
    defined = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table}"))
    connection.execute(text(f"CREATE TEMP TABLE {table} ({defined}) ON COMMIT DROP"))
    listed = ", ".join(f'"{name}"' for name in columns)
    driver = connection.connection.driver_connection
    if driver is None:  # pragma: no cover - a checked-out connection always has one
        raise RuntimeError("the connection was given back")
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute(text(f"ANALYZE {table}"))
