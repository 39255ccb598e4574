"""``gridgov export``: maps and layers as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from api import exports, tile_archive
from api.cli.console import DistrictOption, chosen, err, hint, opened, out, progress
from data import atlas, imports, layers, plans
from data.districts import District
from data.settings import Settings
from geo.errors import InputError
from maps.files import About, driver_of, write_layer
from maps.legend import Words
from maps.sheets import PAPERS, Sheets

app = typer.Typer(no_args_is_help=True, add_completion=False)

Paper = StrEnum("Paper", [(name, name) for name in PAPERS])  # type: ignore[misc]
Form = StrEnum("Form", ["pdf", "png"])
MapKind = StrEnum("MapKind", [(name, name) for name in exports.MAPS])  # type: ignore[misc]
Layer = StrEnum("Layer", [(name, name) for name in ("grids", *atlas.LAYERS)])  # type: ignore[misc]
PlanOption = Annotated[int | None, typer.Option("--plan", help="Plan number; the plan in force by default.")]


@app.command(
    "map",
    epilog="Examples: gridgov export map overview.html   ·   gridgov export map far.html --kind coverage",
)
def map_(
    target: Annotated[Path, typer.Argument(help="HTML file to write; it opens from disk with no network.")],
    kind: Annotated[MapKind, typer.Option("--kind", help="What it shows.")] = MapKind["overview"],
    plan: PlanOption = None,
    district: DistrictOption = None,
) -> None:
    """Write a map of the district as one self-contained page (导出总览、偏差或覆盖地图)."""
    with _reading(district) as (connection, place):
        page = exports.MAPS[kind](connection, place, plan)
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
    epilog="Examples: gridgov export layer grids grids.gpkg   ·   gridgov export layer sites sites.shp"
)
def layer(
    name: Annotated[Layer, typer.Argument(help="Which layer.")],
    target: Annotated[Path, typer.Argument(help="File to write: .geojson, .gpkg or .shp.")],
    plan: PlanOption = None,
    district: DistrictOption = None,
) -> None:
    """Write a layer for a desktop GIS, EPSG:4326 (导出图层)."""
    driver_of(target)
    with _reading(district) as (connection, place):
        if name.value == "grids":
            frame = atlas.plan_grids(connection, place, plans.named_or_in_force(connection, place.code, plan))
        else:
            frame = atlas.layer(connection, place.code, name.value)
        credited = imports.attribution(connection, place.code)
    shown = layers.get(name.value)
    about = About(name.value, Words(shown.zh, shown.en), credited, place.made_up)
    for file in write_layer(frame, about, target):
        out.print(f"{file.stat().st_size / 1000:,.0f} kB → {file}")
    out.print(f"{len(frame):,} features")


@app.command(
    epilog="Examples: gridgov export sheets sheets.pdf --base-url https://grid.example.org"
    "   ·   gridgov export sheets wall --paper a3 --format png --community 990101001003"
)
def sheets(
    target: Annotated[Path, typer.Argument(help="One PDF file (.pdf), or a folder for a file a grid.")],
    grid: Annotated[list[str], typer.Option("--grid", help="Only this grid; may be repeated.")] = [],  # noqa: B006
    community: Annotated[
        list[str], typer.Option("--community", help="Only grids of this community; may be repeated.")
    ] = [],  # noqa: B006
    plan: PlanOption = None,
    paper: Annotated[Paper, typer.Option("--paper", help="Size of the paper.")] = Paper["a4"],
    form: Annotated[Form, typer.Option("--format", help="Of the files in a folder.")] = Form.pdf,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address phones reach the server at, for the QR code.")
    ] = None,
    staff: Annotated[
        bool, typer.Option("--staff", help="With workers' names and phones: for staff, not for the street.")
    ] = False,
    district: DistrictOption = None,
) -> None:
    """Write a page to hang on the wall for each grid (导出网格图)."""
    single = target.suffix.lower() == ".pdf"
    if target.suffix.lower() in (".png", ".html") or (single and form is Form.png):
        raise InputError(f"{target} cannot hold sheets.", "Name a file that ends in .pdf, or a folder.")
    with _reading(district) as (connection, place):
        settings = Settings()
        made = exports.sheets(
            connection, place, plan, paper=paper, staff=staff, base_url=base_url or settings.base_url
        )
    chosen = made.choose(grid, community)
    if not single:
        target.mkdir(parents=True, exist_ok=True)
    pages = made.write(chosen, target) if single else made.write_each(chosen, target, form)
    with progress() as listener:
        for number, page in enumerate(pages, start=1):
            listener("sheets", number / len(chosen))
            if page.left_out:
                err.print(f"{page.grid}: not numbered on the map · 图上未注: {'、'.join(page.left_out)}")
    _tell_sheets(made, len(chosen), target)


@app.command(
    epilog="Examples: gridgov export pmtiles district.pmtiles"
    "   ·   gridgov export pmtiles next.pmtiles --plan 3 --layers grids,communities --max-zoom 14"
)
def pmtiles(
    target: Annotated[
        Path, typer.Argument(help="PMTiles file to write: one file, for any web server or app.")
    ],
    plan: PlanOption = None,
    names: Annotated[
        str | None,
        typer.Option("--layers", help="Names with commas between; all that are public by default."),
    ] = None,
    max_zoom: Annotated[
        int | None, typer.Option("--max-zoom", min=0, help="The deepest zoom; each layer's own by default.")
    ] = None,
    district: DistrictOption = None,
) -> None:
    """Write vector tiles of a plan as one file for static hosting and offline maps (导出矢量瓦片)."""
    with _reading(district) as (connection, place), progress() as listener:
        shown = plans.named_or_in_force(connection, place.code, plan)
        wanted = tile_archive.named(names, max_zoom)
        written = tile_archive.write(connection, place, shown, wanted, target, listener)
    out.print(f"{written:,} tiles, {target.stat().st_size / 1000:,.0f} kB → {target}")


def _tell_sheets(made: Sheets, count: int, target: Path) -> None:
    out.print(f"{count:,} sheets → {target}")
    if made.font.missing:
        hint(f"The font lacks {made.font.missing}: install fonts-noto-cjk. 字体缺字。", err)
    if not made.has_links:
        hint(
            "There is no QR code: name the server's address with --base-url. 未给网址，图上没有二维码。", err
        )


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
