"""``gridgov locate batch``: whose grid each point or address of a file is in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from api.batch import locate_file
from api.cli.console import DistrictOption, JsonOption, print_json, print_pairs, progress
from api.cli.locators import AsOfOption, located

EPILOG = (
    "Examples: gridgov locate batch addresses.csv out.csv · gridgov locate batch pins.csv out.csv --crs wgs84"
)


def batch(
    source: Annotated[
        Path,
        typer.Argument(
            help="CSV with a column address (地址), or lon and lat (经度, 纬度); accuracy_m (精度) if known."
        ),
    ],
    target: Annotated[
        Path, typer.Argument(help="CSV to write: the same rows with the answer's columns added.")
    ],
    crs: Annotated[
        str | None, typer.Option(help="Coordinate system of lon and lat; needed when they are given.")
    ] = None,
    as_of: AsOfOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a whole file, row by row (批量查询)."""
    with located(district, as_of) as locator, progress() as listener:
        counts: Counter[str] = locate_file(locator, source, target, crs=crs, progress=listener)
    if json:
        print_json(counts)
    else:
        print_pairs(f"{counts.total():,} rows → {target}", dict(counts.most_common()))
