"""The only place that opens transactions and commits them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from geo.errors import SetupError

APP_ROLE = "gridgov_app"
"""The database role every statement runs as: no superuser, so row-level security holds for it."""

_ENTER = text("SELECT set_config('role', :role, true), set_config('gridgov.district', :district, true)")

_GROWN = text(
    """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND pg_has_role(c.relowner, 'MEMBER')
    AND pg_relation_size(c.oid) > 1.02 * GREATEST(c.relpages, 0) * current_setting('block_size')::int + 65536
    ORDER BY c.relname
    """
)
"""Tables that grew by a fiftieth since they were counted: by one district of as many as share a database."""

_DRIVER = "postgresql+psycopg"


def address(url: str) -> URL:
    """Return the address of a database, with the driver this program brings.

    Raises
    ------
    SetupError
        If it is no address of a PostgreSQL database.
    """
    try:
        stated = make_url(url)
        if stated.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError(stated.drivername)
    except (ArgumentError, ValueError) as error:
        raise SetupError(
            "GRIDGOV_DATABASE_URL is no address of a PostgreSQL database.",
            f"Write it as {_DRIVER}://user@host/name.",
        ) from error
    return stated.set(drivername=_DRIVER)


def connected(engine: Engine) -> Connection:
    """Return an open connection.

    Raises
    ------
    SetupError
        If the database cannot be reached.
    """
    try:
        return engine.connect()
    except OperationalError as error:
        raise SetupError(
            "The database cannot be reached.",
            f"Check GRIDGOV_DATABASE_URL and that the server runs ({first_line(error)}).",
        ) from error


def first_line(error: OperationalError | ProgrammingError) -> str:
    """Return what the database said, without the lines that may hold values."""
    return str(error.orig).strip().partition("\n")[0]


class Store:
    """The database, as the rest of the program knows it.

    Parameters
    ----------
    url : str
        SQLAlchemy address of a migrated PostGIS database.
    pool_size : int
        Connections kept; more callers than that wait.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine: Engine = create_engine(
            address(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"application_name": "gridgov", "options": "-c timezone=Asia/Shanghai"},
        )

    @contextmanager
    def begin(self, district: str | None = None) -> Iterator[Connection]:
        """Open one transaction that sees one district's rows only.

        It is committed when the block ends and rolled back when the block raises.

        Parameters
        ----------
        district : str, optional
            The tenant; without it only what belongs to no district is visible.

        Raises
        ------
        SetupError
            If the database cannot be reached, or its account may not act as `APP_ROLE`.
        """
        with self._entered(connected(self.engine), district) as connection:
            yield connection

    @contextmanager
    def read(self, district: str | None = None) -> Iterator[Connection]:
        """Open one transaction to read in: all its statements see the district as it was at the first.

        Parameters and errors are those of `begin`.
        """
        connection = connected(self.engine).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with self._entered(connection, district):
            yield connection

    def count_grown(self) -> list[str]:
        """Let the database count the tables that grew; to be called once what made them grow is committed.

        PostgreSQL does so by itself within minutes. Until then its planner takes a table just filled for empty, and a
        district just imported for one without rows: reads right after an import took up to fifty times as long.

        Returns
        -------
        list of str
            The tables. One that another session is at is left to it, one of another owner to PostgreSQL.
        """
        with connected(self.engine) as connection, connection.begin():
            grown = [str(name) for name in connection.execute(_GROWN).scalars()]
            for table in grown:
                connection.execute(text(f"ANALYZE (SKIP_LOCKED) {table}"))
        return grown

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    @staticmethod
    @contextmanager
    def _entered(connection: Connection, district: str | None) -> Iterator[Connection]:
        with connection, connection.begin():
            try:
                connection.execute(_ENTER, {"role": APP_ROLE, "district": district or ""})
            except ProgrammingError as error:
                raise SetupError(
                    f"The database's account may not act as {APP_ROLE} ({first_line(error)}).",
                    f"Let an administrator run: GRANT {APP_ROLE} TO the account of GRIDGOV_DATABASE_URL.",
                ) from error
            yield connection
