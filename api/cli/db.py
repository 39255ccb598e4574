"""``gridgov db``: the database's schema and the private cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import JsonOption, out, print_json, print_pairs
from data import cluster, migrate
from data.settings import Settings
from geo.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command(epilog="Example: GRIDGOV_DATABASE_URL=postgresql+psycopg://user@host/gridgov gridgov db upgrade")
def upgrade() -> None:
    """Bring the schema to the newest version (升级数据库结构)."""
    settings = Settings()
    if settings.database_url:
        migrate.upgrade(settings.database_url)
    else:
        with cluster.running(settings.data_dir) as url:
            migrate.upgrade(url)
    out.print("The database has the newest schema.")


@app.command(epilog="Example: gridgov db downgrade 0001 --yes")
def downgrade(
    revision: Annotated[str, typer.Argument(help="Revision to go back to; 'base' removes every table.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm that what the newer schema stores is lost.")
    ] = False,
) -> None:
    """Take the schema back to an older version; data of the newer one is lost (回退数据库结构)."""
    if not yes:
        raise InputError("Going back loses stored data.", "Repeat with --yes if that is meant.")
    settings = Settings()
    if settings.database_url:
        migrate.downgrade(settings.database_url, revision)
    else:
        with cluster.running(settings.data_dir) as url:
            migrate.downgrade(url, revision)
    out.print(f"The database has schema {revision}.")


@app.command(epilog="Example: gridgov db status --json")
def status(json: JsonOption = False) -> None:
    """Say where the data is, whether its server runs and which schema it has (查看数据库状态)."""
    settings = Settings()
    url = settings.database_url or cluster.status(settings.data_dir).url
    current, newest = migrate.versions(url) if url else (None, None)
    state = {
        "database": "external" if settings.database_url else "private cluster",
        "folder": None if settings.database_url else str(settings.data_dir),
        "server": "external" if settings.database_url else cluster.status(settings.data_dir).state,
        "schema": current,
        "newest": newest,
    }
    if json:
        print_json(state)
    else:
        print_pairs("Database · 数据库", state)


@app.command(epilog="Example: gridgov db stop")
def stop() -> None:
    """Stop the private cluster if something left it running (停止私有数据库)."""
    cluster.stop(Settings().data_dir)
    out.print("The private cluster is stopped.")
