"""Reads that must be fast: one statement a read, in one round trip, over a few connections of their own.

Measured here on one item of 10 kB: asyncpg with one statement takes 90 µs, the same statement through psycopg 134,
psycopg's pipeline of four statements 204. A statement by itself is a transaction, so the tenant set in it ends with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection, Engine

from data.session import APP_ROLE
from geo.errors import InputError, SetupError, UnavailableError

TENANT = "(SELECT set_config('gridgov.district', CAST($1 AS text), true) AS district OFFSET 0)"
"""What a query begins with: ``FROM {TENANT} t CROSS JOIN LATERAL (an aggregate that reads t.district) r``.

The aggregate needs the district, so it runs after the tenant was set; were it otherwise, row-level security would
show it nothing. ``$1`` is the district's code.
"""
_PATIENCE_S = 5.0
"""How long a read waits for a connection."""


class Reader:
    """Connections for reads by one statement.

    Parameters
    ----------
    engine : Engine
        Names the database.
    size : int
        How many connections there may be; more readers than that wait.
    timeout_s : float
        After how long the database gives a statement up.
    """

    def __init__(self, engine: Engine, *, size: int, timeout_s: float) -> None:
        self._address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._size = size
        self._settings = {
            "application_name": "gridgov",
            "role": APP_ROLE,
            "timezone": "Asia/Shanghai",
            "default_transaction_read_only": "on",
            "statement_timeout": str(round(timeout_s * 1000)),
            "jit": "off",  # it costs more than any of these reads
        }
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make ready; nothing is connected before the first read."""
        self._pool = await asyncpg.create_pool(
            self._address,
            min_size=0,
            max_size=self._size,
            server_settings=self._settings,
            init=_take_bytes,
            reset=_leave,
            statement_cache_size=200,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._pool:
            await self._pool.close()

    async def rows(self, query: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        """Return the rows of a query that begins with `TENANT`; text comes as bytes, UTF-8.

        Raises
        ------
        InputError
            If a value cannot be worked with.
        UnavailableError
            If the database cannot be reached, or takes too long.
        """
        async with self._connection() as connection:
            try:
                found: list[asyncpg.Record] = await connection.fetch(query, *values)
            except asyncpg.QueryCanceledError:
                raise UnavailableError(
                    "The question takes too long to answer.",
                    "Ask for less: fewer features, a simpler filter.",
                ) from None
            except asyncpg.DataError as error:
                raise InputError(
                    f"A value cannot be worked with ({type(error).__name__}).", "Check filter and box."
                ) from None
        return found

    async def row(self, query: str, values: Sequence[Any]) -> asyncpg.Record:
        """Return the one row of a query that has one; see `rows`."""
        (found,) = await self.rows(query, values)
        return found

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise UnavailableError("The server is starting.", "Try again in a moment.")
        try:
            async with self._pool.acquire(timeout=_PATIENCE_S) as connection:
                yield connection
        except TimeoutError:
            raise UnavailableError("Too many requests at once.", "Try again in a moment.") from None
        except asyncpg.InvalidParameterValueError as error:
            raise SetupError(
                f"The database's account may not act as {APP_ROLE}.",
                f"Let an administrator run: GRANT {APP_ROLE} TO the account of GRIDGOV_DATABASE_URL.",
            ) from error
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise UnavailableError("The database cannot be reached now.", "Try again in a moment.") from error


def run(connection: Connection, query: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return the one row of such a query in an open transaction of `Store.read`, text as text."""
    driver = connection.connection.driver_connection
    if driver is None:  # pragma: no cover - a checked-out connection always has one
        raise RuntimeError("the connection was given back")
    with psycopg.RawCursor(driver, row_factory=dict_row) as cursor:
        (found,) = cursor.execute(query, values).fetchall()
    return found


async def _leave(_: Any) -> None:
    """Leave a connection as it is: reads change nothing in it."""


async def _take_bytes(connection: Any) -> None:
    """Take text as the bytes it comes as: it is sent on as it is."""
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=str.encode, decoder=bytes, format="binary"
    )
