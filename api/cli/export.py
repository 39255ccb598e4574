"""``gridgov export``: maps and layers as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import geopandas as gpd
import typer
from pyogrio.errors import DataLayerError, DataSourceError
from sqlalchemy import Connection

from api import exports
from api.cli.console import DistrictOption, chosen, opened, out
from data import atlas, plans
from data.districts import District
from data.settings import Settings
from geo.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)

Layer = StrEnum("Layer", [(name, name) for name in ("grids", *atlas.LAYERS)])  # type: ignore[misc]
DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG"}
PlanOption = Annotated[int | None, typer.Option("--plan", help="Plan number; the plan in force by default.")]


@app.command(
    "map", epilog="Examples: gridgov export map overview.html   ·   gridgov export map draft.html --plan 2"
)
def map_(
    target: Annotated[Path, typer.Argument(help="HTML file to write; it opens from disk with no network.")],
    plan: PlanOption = None,
    district: DistrictOption = None,
) -> None:
    """Write the overview map as one self-contained page (导出总览地图)."""
    with _reading(district) as (connection, place):
        page = exports.overview(connection, place, plan)
    _write(target, page)


@app.command(epilog="Example: gridgov export compare compare.html --plan 2")
def compare(
    target: Annotated[Path, typer.Argument(help="HTML file to write.")],
    plan: Annotated[int, typer.Option("--plan", help="The plan proposed.")],
    district: DistrictOption = None,
) -> None:
    """Write the maps before and after a rebalance, side by side (导出均衡前后对比)."""
    with _reading(district) as (connection, place):
        page = exports.comparison(connection, place, plan)
    _write(target, page)


@app.command(
    epilog="Examples: gridgov export layer grids grids.gpkg   ·   gridgov export layer sites sites.geojson"
)
def layer(
    name: Annotated[Layer, typer.Argument(help="Which layer.")],
    target: Annotated[Path, typer.Argument(help="File to write: .geojson or .gpkg.")],
    plan: PlanOption = None,
    district: DistrictOption = None,
) -> None:
    """Write a layer for a desktop GIS, EPSG:4326 (导出图层)."""
    driver = DRIVERS.get(target.suffix.lower())
    if driver is None:
        raise InputError(
            f"Layers cannot be written as '{target.suffix}'.", f"End the name in {' or '.join(DRIVERS)}."
        )
    with _reading(district) as (connection, place):
        if name.value == "grids":
            frame = atlas.plan_grids(connection, place, plans.named_or_in_force(connection, place.code, plan))
        else:
            frame = atlas.layer(connection, place.code, name.value)
    _write_layer(frame, target, driver)
    out.print(f"{len(frame):,} features → {target}")


@contextmanager
def _reading(named: str | None) -> Iterator[tuple[Connection, District]]:
    settings = Settings()
    with opened(settings) as store:
        place = chosen(store, settings, named)
        with store.read(place.code) as connection:
            yield connection, place


def _write(target: Path, page: str) -> None:
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", "Choose another file.") from error
    out.print(f"{len(page.encode()) / 1000:,.0f} kB → {target}")


def _write_layer(frame: gpd.GeoDataFrame, target: Path, driver: str) -> None:
    lists = [
        column for column in frame.columns if frame[column].map(lambda value: isinstance(value, list)).any()
    ]
    flat = frame.assign(**{column: frame[column].map("; ".join) for column in lists})
    try:
        flat.to_file(target, driver=driver)
    except (DataSourceError, DataLayerError) as error:
        raise InputError(f"{target} cannot be written: {error}.", "Choose another file.") from error
