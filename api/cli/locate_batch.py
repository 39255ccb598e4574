"""``gridgov locate batch``: whose grid each point or address of a file is in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.batch_files import STREAM, Form, Listener, locate_file
from api.cli.console import STAGES, DistrictOption, JsonOption, err, print_json, print_pairs
from api.cli.locators import AsOfOption, PlanOption, asked
from data.settings import Settings

EPILOG = (
    "Examples: gridgov locate batch addresses.csv out.csv · gridgov locate batch pins.ndjson out.csv --crs wgs84 ·"
    " ... | gridgov locate batch - - --form ndjson"
)
LINE_S = 10.0
"""How often a line tells how far it is where there is no terminal."""


def batch(
    source: Annotated[
        Path,
        typer.Argument(
            help="CSV with a column address (地址), or lon and lat (经度, 纬度) and, if known, accuracy_m (精度),"
            " crs (坐标系); or NDJSON; or - for what is piped in."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            help="CSV to write, the same rows with the answer's columns added; or NDJSON; or - to pipe it on."
        ),
    ],
    crs: Annotated[
        str | None,
        typer.Option(help="Coordinate system of points that state none; needed when there are any."),
    ] = None,
    form: Annotated[Form, typer.Option(help="Form of what is piped.")] = Form.CSV,
    as_of: AsOfOption = None,
    plan: PlanOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a whole file, row by row (批量查询)."""
    line_bytes = Settings().batch_line_bytes
    with asked(district, as_of, plan) as (locator, _), _watched() as listener:
        counts = locate_file(
            locator, source, target, line_bytes=line_bytes, crs=crs, otherwise=form, listener=listener
        )
    if target == STREAM:
        err.print(f"{counts.total():,} rows: {dict(counts.most_common())}")
    elif json:
        print_json(counts)
    else:
        print_pairs(f"{counts.total():,} rows → {target}", dict(counts.most_common()))


@contextmanager
def _watched() -> Iterator[Listener]:
    """Show rows, rows a second and what is left: on a terminal as a bar, else by a line now and then."""
    begun = time.monotonic()
    if not err.is_terminal:
        told = begun

        def line(rows: int, share: float | None) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= LINE_S:
                told = now
                err.print(
                    f"{STAGES['locate']} {_pace(rows, now - begun)}{'' if share is None else f' {share:.0%}'}"
                )

        yield line
        return
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[pace]}")),
        *(TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task(STAGES["locate"], total=1.0, pace="")

        def bar(rows: int, share: float | None) -> None:
            pace = _pace(rows, time.monotonic() - begun)
            bars.update(task, total=None if share is None else 1.0, completed=share or 0.0, pace=pace)

        yield bar


def _pace(rows: int, seconds: float) -> str:
    return f"{rows:,} rows, {rows / max(seconds, 1e-3):,.0f}/s"
