"""The command line: ``gridgov VERB ...``.

Each verb is a module; each command is a thin function that opens the store, calls one use case and
prints its report. Exit codes: see `api.cli.console.EXIT_CODES`.
"""

from __future__ import annotations

import signal
from typing import Annotated

import typer

import geo
from api.cli import cells, db, demo, export, importing, locate, plans, serve, template
from api.cli.console import guarded

app = typer.Typer(
    name="gridgov",
    help="A platform for districts that govern by community grid (社区网格治理平台).",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Settings are read from GRIDGOV_* variables; see the README. 设置由 GRIDGOV_* 环境变量给出。",
)
app.add_typer(db.app, name="db")
app.add_typer(importing.app, name="import")
app.add_typer(cells.app, name="cells")
app.add_typer(plans.app, name="plan")
app.add_typer(locate.app, name="locate")
app.add_typer(export.app, name="export")
template.add_to(app)
demo.add_to(app)
serve.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gridgov {geo.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Hold the options that stand before the verb."""


def main() -> None:
    """Run the command line; errors of ours end it with one message and a meaningful exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like by Ctrl-C: the database stops too
    with guarded():
        app()
