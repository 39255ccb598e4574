"""The only place that opens transactions and commits them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from geo.errors import SetupError

APP_ROLE = "gridgov_app"
"""The database role every statement runs as: no superuser, so row-level security holds for it."""

_ENTER = text("SELECT set_config('role', :role, true), set_config('gridgov.district', :district, true)")


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
            url,
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
            If the database cannot be reached.
        """
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise SetupError(
                "The database cannot be reached.",
                f"Check GRIDGOV_DATABASE_URL and that the server runs ({_first_line(error)}).",
            ) from error
        with connection, connection.begin():
            connection.execute(_ENTER, {"role": APP_ROLE, "district": district or ""})
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _first_line(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]
