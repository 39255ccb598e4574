"""``gridgov balance``: an instance folder, balanced without a database."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.cli.balance_report import as_json, came_of, show
from api.cli.balancing import ProfileName, ProfileOption, SchedulerOption
from api.cli.console import (
    JsonOption,
    err,
    hint,
    print_json,
    progress,
)
from etl.compiled import ready_kernels
from etl.instances import check_target, pose, read, write
from etl.scheduler import dask_run
from geo.balance import PROFILES, balance
from geo.errors import InputError

app = typer.Typer(add_completion=False)

EXAMPLES = """Examples:

gridgov balance synth1 --out plan.csv   ·   gridgov balance synth1 --profile even --seed 7 --out plan.csv --json

gridgov balance town --grids 60 --out plan.csv   ·   gridgov balance town --scratch --grids free --out plan.csv

gridgov balance city --scheduler tcp://10.0.0.5:8786 --out plan.csv

The folder's files, the profiles and what is minimised: docs/balance.md. Ctrl-C once ends the search and writes the
best plan so far; twice writes nothing. 按一次 Ctrl-C 提前结束并写出当前最好的方案，按两次则放弃。"""

ENDING = (
    "Ending with the best plan so far; Ctrl-C again gives up · 正在以当前最好的方案结束；再按 Ctrl-C 放弃"
)
MOST_THREADS = 4
"""Of which none is asked for: with more they wait for each other between anneals."""


@app.command(epilog=EXAMPLES)
def balance_(
    folder: Annotated[
        Path, typer.Argument(help="Folder with units.parquet, edges.parquet and meta.json.", metavar="DIR")
    ],
    target: Annotated[Path, typer.Option("--out", help="CSV to write: uid,district.", metavar="FILE")],
    profile: ProfileOption = ProfileName.stable,  # type: ignore[attr-defined]
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Another seed gives another plan.")] = 0,
    effort: Annotated[
        int, typer.Option(min=1, max=2**31 - 1, help="How long to search; twice as much takes twice as long.")
    ] = 1,
    tolerance: Annotated[int, typer.Option(min=1, max=50, help="Band around the target, percent.")] = 10,
    grids: Annotated[
        str | None,
        typer.Option(
            help="Grids of the whole district, or free: as many as come nearest to the target. "
            "By default what meta.json states for each container.",
            metavar="K|free",
        ),
    ] = None,
    scratch: Annotated[bool, typer.Option("--scratch", help="Forget today's grids: draw all anew.")] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Containers at work at a time; the plan is the same. By default one a processor, up to 4.",
        ),
    ] = None,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Balance an instance folder and write the plan; no database is needed (均衡算例文件夹)."""
    asked = _grids(grids)
    check_target(target, folder)
    with progress() as listener:
        listener("read", 0.0)
        instance = read(folder, counted=asked is None)
        problem = pose(instance, tolerance_percent=tolerance, grids=asked, scratch=scratch)
        listener("read", 1.0)
        if scheduler is None:
            ready_kernels(listener)
        with ending_early() as should_stop:
            began = _cpu_seconds()
            proposal = balance(
                problem,
                profile=PROFILES[profile.value],
                seed=seed,
                effort=effort,
                threads=threads or min(MOST_THREADS, os.cpu_count() or 1),
                run=None if scheduler is None else dask_run(scheduler, should_stop),
                progress=listener,
                should_stop=should_stop,
            )
            cpu_seconds = _cpu_seconds() - began
            write(target, instance, proposal.assignment)
        listener("check", 0.0)
        outcome = came_of(instance, problem, proposal.report, cpu_seconds)
        listener("check", 1.0)
    if json:
        asked_for = {
            "profile": profile.value,
            "seed": seed,
            "effort": effort,
            "grids": asked,
            "scratch": scratch,
        }
        print_json(
            {"asked": asked_for | {"tolerance_percent": tolerance}} | as_json(outcome) | {"out": target}
        )
        return
    show(outcome, PROFILES[profile.value])
    hint(f"{problem.cells:,} rows → {target}")


def _grids(text: str | None) -> int | Literal["free"] | None:
    if text is None or text == "free":
        return text  # type: ignore[return-value] # one literal
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) >= 1):
        raise InputError(f"--grids is {text}.", "Give a whole number from 1 up, or free.")
    return int(text)


@contextmanager
def ending_early() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C, or the first request to end, only be known; the next one ends the program as ever."""
    asked = threading.Event()
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}

    def end(*_: object) -> None:
        asked.set()
        # What a shell ignores of programs in the background ends this one too, asked twice.
        for kind, handler in before.items():
            signal.signal(kind, signal.default_int_handler if handler is signal.SIG_IGN else handler)
        # Printing here could interrupt printing; a thread waits for its turn.
        threading.Thread(target=err.print, args=(ENDING,)).start()

    for kind in before:
        signal.signal(kind, end)
    try:
        yield asked.is_set
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _cpu_seconds() -> float:
    """Processor time of this process and its children."""
    return sum(os.times()[:4])
