"""Reads that must be fast: one statement a read, in one round trip, over a few connections of their own.

Measured here on one item of 10 kB: asyncpg with one statement takes 90 µs, the same statement through psycopg 134,
psycopg's pipeline of four statements 204. A statement by itself is a transaction, so the tenant set in it ends with it.
The connections are kept here, since handing one out and taking it back costs asyncpg's own pool a third of a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
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
_UNREACHABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


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
        self._free: asyncio.Semaphore | None = None
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []

    async def open(self) -> None:
        """Make ready; nothing is connected before the first read."""
        self._free = asyncio.Semaphore(self._size)

    async def close(self) -> None:
        """Close every connection."""
        self._free = None
        while self._idle:
            await self._idle.pop().close()

    async def rows(self, query: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        """Return the rows of a query that begins with `TENANT`; text comes as bytes, UTF-8.

        Raises
        ------
        InputError
            If a value cannot be worked with.
        UnavailableError
            If the database cannot be reached, or takes too long.
        """
        free = await self._turn()
        connection = None
        try:
            connection = self._idle.pop() if self._idle else await self._connected()
            return await connection.fetch(query, *values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise _told(error) from error
        finally:
            if connection is not None and not connection.is_closed():
                self._idle.append(connection)
            free.release()

    async def row(self, query: str, values: Sequence[Any]) -> asyncpg.Record:
        """Return the one row of a query that has one; see `rows`."""
        (found,) = await self.rows(query, values)
        return found

    async def batches(
        self, query: str, values: Sequence[Any], size: int = 1_000
    ) -> AsyncGenerator[list[asyncpg.Record], None]:
        """Give the rows of such a query some at a time, all of one moment.

        It may last as long as a slow client takes, so it has a connection of its own, which none of those that
        `rows` waits for is.

        Raises
        ------
        InputError
            If a value cannot be worked with.
        UnavailableError
            If the database cannot be reached, or takes too long for a batch.
        """
        connection = None
        try:
            connection = await self._connected()
            async with connection.transaction(readonly=True):
                cursor = await connection.cursor(query, *values)
                while rows := await cursor.fetch(size):
                    yield rows
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise _told(error) from error
        finally:
            if connection is not None:
                connection.terminate()

    async def _turn(self) -> asyncio.Semaphore:
        """Wait until a connection may be used."""
        free = self._free
        if free is None:
            raise UnavailableError("The server is starting.", "Try again in a moment.")
        try:
            if not free.locked():
                await free.acquire()
            else:
                async with asyncio.timeout(_PATIENCE_S):
                    await free.acquire()
        except TimeoutError:
            raise UnavailableError("Too many requests at once.", "Try again in a moment.") from None
        return free

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._address, server_settings=self._settings, statement_cache_size=200, timeout=_PATIENCE_S
        )
        # Text is taken as the bytes it comes as: it is sent on as it is. Geometries are WKB.
        await connection.set_type_codec(
            "text", schema="pg_catalog", encoder=str.encode, decoder=bytes, format="binary"
        )
        await connection.set_type_codec(
            "geometry", schema="public", encoder=bytes, decoder=bytes, format="binary"
        )
        return connection


def _told(error: Exception) -> Exception:
    """Return what an error of a read is told as; one that is ours stays as it is."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return UnavailableError(
            "The question takes too long to answer.", "Ask for less: fewer features, a simpler filter."
        )
    if isinstance(error, asyncpg.DataError):
        if isinstance(error, asyncpg.InvalidParameterValueError) and "role" in str(error):
            return SetupError(
                f"The database's account may not act as {APP_ROLE}.",
                f"Let an administrator run: GRANT {APP_ROLE} TO the account of GRIDGOV_DATABASE_URL.",
            )
        return InputError(f"A value cannot be worked with ({type(error).__name__}).", "Check filter and box.")
    if isinstance(error, _UNREACHABLE):
        return UnavailableError("The database cannot be reached now.", "Try again in a moment.")
    return error


def run(connection: Connection, query: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return the one row of such a query in an open transaction of `Store.read`, text as text."""
    driver = connection.connection.driver_connection
    if driver is None:  # pragma: no cover - a checked-out connection always has one
        raise RuntimeError("the connection was given back")
    with psycopg.RawCursor(driver, row_factory=dict_row) as cursor:
        (found,) = cursor.execute(query, values).fetchall()
    return found
