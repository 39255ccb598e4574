"""Bring a database to the schema this version of the program needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from data.session import APP_ROLE, address, connected
from geo.errors import SetupError

EXTENSIONS = ("postgis", "btree_gist", "pg_trgm")


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, bound to a connection where one is given."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Prepare extensions and the application's role, then migrate up to ``revision``.

    Parameters
    ----------
    url : str
        SQLAlchemy address of the database.
    revision : str
        An Alembic revision; the newest by default.

    Raises
    ------
    SetupError
        If the database cannot be reached or the account may not prepare it.
    """
    with _begun(url) as connection:
        _prepare(connection)
        command.upgrade(config(connection), revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate down to ``revision``; everything stored by the migrations undone is lost."""
    with _begun(url) as connection:
        command.downgrade(config(connection), revision)


def versions(url: str) -> tuple[str | None, str | None]:
    """Return the revision the database has and the newest there is."""
    with _begun(url) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(config()).get_current_head()


@contextmanager
def _begun(url: str) -> Iterator[Connection]:
    with connected(create_engine(address(url), poolclass=NullPool)) as connection, connection.begin():
        yield connection


def _prepare(connection: Connection) -> None:
    role = f"DO $$ BEGIN CREATE ROLE {APP_ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    statements = [f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS]
    statements += [role, f"GRANT {APP_ROLE} TO CURRENT_USER"]
    for statement in statements:
        try:
            connection.execute(text(statement))
        except (OperationalError, ProgrammingError) as error:
            raise SetupError(
                f"The database account may not run: {statement.split(' BEGIN ')[-1]}.",
                "Ask an administrator to run it in this database, then try again.",
            ) from error
