"""The command line: ``gridgov VERB ...``.

Each verb is a module; each command is a thin function that opens the store, calls one use case and
prints its report. Exit codes: see `api.cli.console.EXIT_CODES`.
"""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core

import geo
from api.cli.console import guarded


@dataclass(frozen=True)
class Verb:
    """A verb: the module of `api.cli` whose ``app`` has its commands, and one line of help."""

    module: str
    help: str


VERBS = {
    "db": Verb("db", "The database: schema, state, the private cluster (数据库)."),
    "import": Verb("importing", "Bring in a ledger or OpenStreetMap (导入台账或地图)."),
    "cells": Verb("cells", "Cells: buildings and their land (地块)."),
    "plan": Verb("plans", "Plans: which cell is in which grid (方案)."),
    "grid": Verb("grids", "Grids: what a code names, and a grid through time (网格编码与沿革)."),
    "locate": Verb("locate", "Whose grid is it? (查网格). Exit code 1 means: no grid was found."),
    "suggest": Verb("suggest", "What may be meant by the beginning of a name (输入提示)."),
    "alias": Verb("aliases", "Aliases: names people use that the register lacks (别名)."),
    "evidence": Verb("evidence", "Evidence slips: is it genuine, and what was answered? (核验凭证)"),
    "export": Verb("export", "Maps and layers as files (导出地图和图层)."),
    "balance": Verb("balance", "Balance an instance folder, without a database (均衡算例文件夹)."),
    "template": Verb("template", "Write the templates of a ledger, one file a kind of thing (生成台账模板)."),
    "account": Verb("accounts", "Accounts: who may sign in, and do what (账号)."),
    "audit": Verb("audit", "Who did what, and when (审计)."),
    "demo": Verb(
        "demo", "Load the demo district if it is not there yet, and serve it until Ctrl-C (演示区)."
    ),
    "job": Verb("jobs", "Jobs: what runs apart, and how it stands (后台任务)."),
    "worker": Verb("worker", "Carry out jobs until Ctrl-C (执行后台任务)."),
    "serve": Verb("serve", "Serve the pages and the API until Ctrl-C (启动服务)."),
}


class Verbs(typer.core.TyperGroup):
    """The verbs, each imported when it is called: a command does not wait for libraries it does not use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the verbs."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return what the list of verbs shows of one; `resolve_command` returns the verb itself."""
        verb = VERBS.get(cmd_name)
        return verb and typer.core.TyperCommand(cmd_name, help=verb.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the verb that is called."""
        name, found, rest = super().resolve_command(ctx, args)
        if found is not None and name in VERBS:
            found = typer.main.get_command(import_module(f"api.cli.{VERBS[name].module}").app)
            found.help = found.help or VERBS[name].help
        return name, found, rest


app = typer.Typer(
    cls=Verbs,
    name="gridgov",
    help="A platform for districts that govern by community grid (社区网格治理平台).",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Settings are read from GRIDGOV_* variables; see the README. 设置由 GRIDGOV_* 环境变量给出。",
)


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal in another encoding shows ? and goes on
    with guarded():
        app()
