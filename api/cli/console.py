"""What every command shares: options, the store, progress, tables, errors without a traceback."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import OperationalError

from data import cluster, districts, migrate
from data.session import Store, first_line
from data.settings import SECRET, Settings
from geo import errors
from geo.progress import Progress as Listener

# What is printed may hold [brackets] and :colons: of a ledger; they are text, never markup.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)

EXIT_CODES: dict[type[errors.GridgovError], int] = {
    errors.InputError: 2,
    errors.NotFoundError: 3,
    errors.ConflictError: 4,
    errors.BalanceError: 5,
    errors.SetupError: 6,
    errors.SignInError: 7,
    errors.ForbiddenError: 7,
}
"""0 is success, 1 an honest "no" (an address or point without an answer), 130 an interruption."""

SHOWN = 20
"""Lines of a long list that are printed."""

STAGES = {
    "read": "Reading · 读取",
    "check": "Checking · 检查",
    "load": "Loading · 入库",
    "store": "Storing · 入库",
    "cells": "Making cells · 生成地块",
    "boundaries": "Drawing boundaries · 推定边界",
    "compile": "Preparing, up to a minute the first time · 准备计算，首次约一分钟",
    "start": "Repairing today's grids · 修复现状网格",
    "improve": "Balancing · 均衡网格",
    "prove": "Proving what no plan can better · 证明上限",
    "demo district": "Making the demo district · 生成演示区",
    "locate": "Locating · 查询",
    "sheets": "Drawing sheets · 绘制网格图",
    "tiles": "Cutting tiles · 切瓦片",
    "wait": "Waiting for its turn · 排队等待",
}

DistrictOption = Annotated[
    str | None, typer.Option("--district", "-d", help="District code; not needed when there is only one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of a table.")]


@contextmanager
def guarded() -> Iterator[None]:
    """Turn our errors into one message on standard error and an exit code."""
    try:
        yield
    except errors.GridgovError as error:
        _end(error)
    except ValidationError as error:
        faults = [
            f"GRIDGOV_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}{_as_stated(fault)}."
            for fault in error.errors()
        ]
        _end(errors.SetupError(" ".join(faults), "docs/settings.md tells what each setting may be."))
    except OperationalError as error:
        _end(errors.SetupError(f"The database failed: {first_line(error)}.", "See to it, then try again."))
    except UnicodeEncodeError:
        _end(errors.InputError("A name that was given is not UTF-8.", "Rename it, then try again."))
    except OSError as error:
        said = f"{error.filename}: {error.strerror}." if error.filename else f"{error}."
        _end(errors.InputError(said, "Check the path, its permissions and the room left on the disk."))


def _as_stated(fault: ErrorDetails) -> str:
    """Show what a setting is, unless it is secret."""
    return "" if SECRET.intersection(fault["loc"]) else f" (it is {fault['input']!r})"


def _end(error: errors.GridgovError) -> NoReturn:
    """Print an error and leave."""
    err.print(Text.assemble(("Error ", "bold red"), error.fault))
    problems = getattr(error, "problems", [])
    if isinstance(error, errors.UnstatedError):
        for told in error.candidates:
            place = f"{told['lon']:.6f} {told['lat']:.6f}"
            err.print(
                f"  {told['crs']}: {place} {told['status']} {told['grid'] or ''} {told['community'] or ''}"
            )
    for problem in problems[:SHOWN]:
        err.print(f"  - {problem}")
    if len(problems) > SHOWN:
        err.print(f"  ... {len(problems) - SHOWN} more")
    if error.remedy:
        hint(error.remedy, err)
    raise SystemExit(exit_code(error)) from None


def hint(text: str, console: Console = out) -> None:
    """Print what can be done next."""
    console.print(Text.assemble(("→ ", "dim"), text))


def exit_code(error: errors.GridgovError) -> int:
    """Return the exit code of the nearest listed kind of error."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), 1)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the store: the database that is set, else the private cluster, kept at the newest schema.

    Raises
    ------
    SetupError
        If the database set has another schema than this program.
    """
    if settings.database_url is None:
        with cluster.running(settings.data_dir) as url:
            current, newest = migrate.versions(url)
            if current != newest:
                migrate.upgrade(url)
            with _closing(Store(url, pool_size=settings.pool_size)) as store:
                yield store
        return
    current, newest = migrate.versions(settings.database_url)
    if current != newest:
        raise errors.SetupError(
            f"The database has schema {current or 'none'}, this program needs {newest}.",
            "Run gridgov db upgrade.",
        )
    with _closing(Store(settings.database_url, pool_size=settings.pool_size)) as store:
        yield store


@contextmanager
def _closing(store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        store.close()


def chosen(store: Store, settings: Settings, named: str | None) -> districts.District:
    """Return the district meant: the option, else ``GRIDGOV_DISTRICT``, else the only one."""
    with store.read() as connection:
        return districts.choose(connection, named or settings.district)


@contextmanager
def progress() -> Iterator[Listener]:
    """Show stages as bars on a terminal, as lines where there is none."""
    if not err.is_terminal:
        begun: set[str] = set()

        def line(stage: str, share: float) -> None:
            if stage not in begun:
                begun.add(stage)
                err.print(f"{STAGES.get(stage, stage)} ...")

        yield line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def bar(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield bar


def print_json(value: Any) -> None:
    """Print a report as JSON; dataclasses, named tuples, dates, numpy values and paths are known."""
    sys.stdout.buffer.write(
        orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    )
    sys.stdout.buffer.write(b"\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "lower") and hasattr(value, "upper"):
        return {"from": value.lower, "until": value.upper}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be shown as JSON")


def print_pairs(title: str, pairs: Mapping[str, Any]) -> None:
    """Print names and values below each other."""
    _print_title(title)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in pairs.items():
        table.add_row(name, _shown(value))
    out.print(table)


def print_rows(title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers stand to the right."""
    _print_title(title)
    table = Table(box=None, pad_edge=False)
    for position, header in enumerate(headers):
        figures = rows and all(isinstance(row[position], int | float | None) for row in rows)
        table.add_column(
            header, justify="right" if figures else "left", overflow="fold", no_wrap=position == 0
        )
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    out.print(table)


def _print_title(title: str) -> None:
    if title:
        out.print(title, style="bold", soft_wrap=True)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
