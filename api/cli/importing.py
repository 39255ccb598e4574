"""``gridgov import``: ledgers and OpenStreetMap extracts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import (
    DistrictOption,
    JsonOption,
    chosen,
    hint,
    opened,
    print_json,
    print_pairs,
    progress,
)
from api.cli.import_report import (
    print_established,
    print_list,
    print_one,
    print_refused,
    print_report,
    print_undone,
)
from api.kinds import cells_anew
from data import cells as stored_cells
from data import imports
from data.session import Store
from data.settings import Settings
from etl.actor import SYSTEM, operator
from etl.cells import CellReport
from etl.establish import Established, establish
from etl.jobs import run_here
from etl.ledger import ImportReport, RefusedImportError, import_ledger
from etl.undo import undo_import
from geo.errors import InputError
from geo.progress import Progress

app = typer.Typer(no_args_is_help=True, add_completion=False)

NamedDistrict = Annotated[
    str | None,
    typer.Option(
        "--district", "-d", help="District code; 340504:NAME adds it. Not needed when there is only one."
    ),
]
PublishOption = Annotated[
    bool, typer.Option("--publish", help="Go on to cells, a first plan and its publication.")
]
SkipOption = Annotated[
    bool, typer.Option("--skip-refused", help="Load the good rows; by default nothing is loaded.")
]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="The files are a part of the register: what they lack stays.")
]
RetireOption = Annotated[
    bool,
    typer.Option("--retire", help="Believe files that would retire or move a large part of what is stored."),
]
CellsOption = Annotated[
    bool,
    typer.Option("--cells/--no-cells", help="With a plan in force, go on to make the touched cells anew."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")]
RefusedOption = Annotated[
    Path, typer.Option("--refused", help="CSV file the refused rows are written to, if there are any.")
]


@app.command(epilog="Example: gridgov import ledger ./ledger --district 340504:NAME --crs wgs84 --publish")
def ledger(
    folder: Annotated[Path, typer.Argument(help="Folder of ledger files; see gridgov template.")],
    district: NamedDistrict = None,
    crs: Annotated[
        str | None,
        typer.Option(help="Coordinate system of files that state none: wgs84, gcj02, bd09, EPSG:4549 ..."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="File that names the columns of other headers.")
    ] = None,
    publish: PublishOption = False,
    skip_refused: SkipOption = False,
    partial: PartialOption = False,
    retire: RetireOption = False,
    cells: CellsOption = True,
    dry_run: DryRunOption = False,
    refused: RefusedOption = Path("refused.csv"),
    json: JsonOption = False,
) -> None:
    """Import a folder of ledger files; whole or not at all (导入台账)."""

    def run(store: Store, code: str, name: str | None, listener: Progress) -> ImportReport:
        return import_ledger(
            store,
            operator(),
            code,
            folder,
            name=name,
            crs=crs,
            mapping=mapping,
            skip_refused=skip_refused,
            partial=partial,
            retire=retire,
            dry_run=dry_run,
            derived_radius_m=Settings().derived_radius_m,
            progress=listener,
        )

    _import(run, _Way(district, publish and not dry_run, cells, refused, json))


@app.command(
    epilog="Examples: gridgov import osm town.osm.bz2 -d 990001:Town --publish   ·   gridgov import osm 'Vaduz'"
)
def osm(
    source: Annotated[
        str, typer.Argument(help="File (.osm, .osm.bz2, .osm.gz), or the name of a place when online.")
    ],
    district: NamedDistrict = None,
    admin_level: Annotated[
        int | None,
        typer.Option(min=2, max=12, help="Level of the areas taken as communities; found by default."),
    ] = None,
    publish: PublishOption = False,
    partial: PartialOption = False,
    retire: RetireOption = False,
    cells: CellsOption = True,
    dry_run: DryRunOption = False,
    refused: RefusedOption = Path("refused.csv"),
    json: JsonOption = False,
) -> None:
    """Import buildings, streets, barriers and communities from OpenStreetMap (导入 OSM)."""
    from etl.osm import import_osm  # here, because osmnx takes seconds that a ledger need not wait for

    def run(store: Store, code: str, name: str | None, listener: Progress) -> ImportReport:
        place = Path(source) if Path(source).exists() else source
        return import_osm(
            store,
            operator(),
            code,
            place,
            name=name,
            admin_level=admin_level,
            partial=partial,
            retire=retire,
            dry_run=dry_run,
            progress=listener,
        )

    _import(run, _Way(district, publish and not dry_run, cells, refused, json))


@dataclass(frozen=True)
class _Followed:
    """What followed an import while a plan was in force: cells made anew, and buildings no plan has yet."""

    cells: CellReport
    pending: int


@dataclass(frozen=True)
class _Way:
    """How an import is to go on, and what is printed."""

    district: str | None
    publish: bool
    cells: bool
    refused: Path
    json: bool


def _import(run: Callable[[Store, str, str | None, Progress], ImportReport], way: _Way) -> None:
    settings = Settings()
    done: Established | None = None
    followed: _Followed | None = None
    with opened(settings) as store, progress() as listener:
        code, name = _district(store, settings, way.district)
        try:
            report = run(store, code, name, listener)
        except RefusedImportError as error:
            print_refused(error.report, way.refused, way.json)
            raise
        if way.publish:
            done = establish(
                store,
                SYSTEM,
                code,
                target=settings.target,
                tolerance_percent=settings.tolerance_percent,
                entrance_band=settings.entrance_band,
                progress=listener,
            )
        elif way.cells and report.import_id is not None:
            followed = _follow(store, settings, code, listener)
    if way.json:
        print_json({"import": report, "established": done, "followed": followed})
        return
    print_report(report)
    if report.refusals:
        print_refused(report, way.refused, way.json)
    if done:
        print_established(done)
    if followed:
        _print_followed(followed)
    elif report.import_id is not None and not done:
        hint("gridgov cells build")


def _follow(store: Store, settings: Settings, code: str, listener: Progress) -> _Followed | None:
    """Make the touched cells anew where a plan is in force, so that drafts are drawn on what there is."""
    made: CellReport | None = cells_anew(
        store,
        settings,
        code,
        lambda kind: run_here(store, operator(), code, kind, {}, listener, settings.files),
    )
    if made is None:
        return None
    with store.read(code) as connection:
        return _Followed(made, len(stored_cells.pending(connection, code)))


def _print_followed(followed: _Followed) -> None:
    print_pairs(
        "Cells · 地块",
        {
            "New · 新增": followed.cells.added,
            "Retired · 停用": followed.cells.retired,
            "Drafts brought up to date · 更新草案": len(followed.cells.rebased),
            "Pending buildings · 待划入楼栋": followed.pending,
        },
    )


@app.command("list", epilog="Example: gridgov import list --json")
def list_(district: DistrictOption = None, json: JsonOption = False) -> None:
    """List the imports of the district, refused and undone ones too (导入批次)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            found = imports.every(connection, code)
    if json:
        print_json(found)
    else:
        print_list(code, found)


Number = Annotated[int, typer.Argument(min=1, help="Number of the import; see gridgov import list.")]


@app.command(epilog="Example: gridgov import show 3")
def show(number: Number, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Show what an import changed, or why it was refused (查看导入)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            found = imports.get(connection, code, number)
    if json:
        print_json(found)
    else:
        print_one(found)


@app.command(epilog="Example: gridgov import undo 3")
def undo(
    number: Number, district: DistrictOption = None, cells: CellsOption = True, json: JsonOption = False
) -> None:
    """Take a whole import back; what it added is retired (撤销导入)."""
    settings = Settings()
    with opened(settings) as store, progress() as listener:
        code = chosen(store, settings, district).code
        report = undo_import(store, operator(), code, number)
        followed = _follow(store, settings, code, listener) if cells else None
    if json:
        print_json({**asdict(report), "followed": followed})
        return
    print_undone(report)
    if followed:
        _print_followed(followed)
    else:
        hint("gridgov cells build")


def _district(store: Store, settings: Settings, named: str | None) -> tuple[str, str | None]:
    """Split ``340504:NAME``; a bare code must exist, and none means the only district."""
    code, colon, name = (named or "").partition(":")
    if not colon:
        return chosen(store, settings, named).code, None
    if not re.fullmatch(r"[0-9]{6}", code) or not name.strip():
        raise InputError(
            f"'{named}' does not name a district.", "Give 6 digits, a colon and a name: 340504:NAME."
        )
    return code, name.strip()
