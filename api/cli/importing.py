"""``gridgov import``: ledgers and OpenStreetMap extracts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import (
    SHOWN,
    JsonOption,
    chosen,
    opened,
    out,
    print_json,
    print_pairs,
    print_rows,
    progress,
)
from data.session import Store
from data.settings import Settings
from etl.actor import SYSTEM, operator
from etl.establish import Established, establish
from etl.ledger import ImportReport, RefusedImportError, import_ledger
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
            dry_run=dry_run,
            derived_radius_m=Settings().derived_radius_m,
            progress=listener,
        )

    _import(run, district, publish and not dry_run, refused, json)


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
            dry_run=dry_run,
            progress=listener,
        )

    _import(run, district, publish and not dry_run, refused, json)


def _import(
    run: Callable[[Store, str, str | None, Progress], ImportReport],
    district: str | None,
    publish: bool,
    refused: Path,
    json: bool,
) -> None:
    settings = Settings()
    done: Established | None = None
    with opened(settings) as store, progress() as listener:
        code, name = _district(store, settings, district)
        try:
            report = run(store, code, name, listener)
        except RefusedImportError as error:
            _print_refused(error.report, refused, json)
            raise
        if publish:
            done = establish(
                store,
                SYSTEM,
                code,
                target=settings.target,
                tolerance_percent=settings.tolerance_percent,
                entrance_band=settings.entrance_band,
                progress=listener,
            )
    if json:
        print_json({"import": report, "established": done})
        return
    _print_report(report)
    if report.refusals:
        _print_refused(report, refused, json)
    if done:
        print_established(done)


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


def _print_report(report: ImportReport) -> None:
    done = "Would import · 试运行" if report.dry_run else "Imported · 导入"
    rows = [
        (
            noun,
            count.read,
            count.new,
            count.changed,
            count.unchanged,
            count.refused,
            count.waiting,
            count.missing,
        )
        for noun, count in report.counts.items()
    ]
    headers = (
        "",
        "Read · 读取",
        "New · 新增",
        "Changed · 变更",
        "Same · 相同",
        "Refused · 拒绝",
        "Waiting · 待发布",
        "Missing · 缺少",
    )
    print_rows(f"{done}: {report.source}", headers, rows)
    if report.nothing_to_do and not report.refusals:
        out.print("Nothing to do: the store holds all of this already. 无需更改。")
    notes = {
        "Buildings without a position · 无坐标楼栋": len(report.unplaced),
        "Provisional codes · 临时编码": len(report.provisional),
        "Derived boundaries · 推定边界": len(report.derived),
        "Shapes mended · 已修复图形": len(report.repaired),
    }
    print_pairs("", {name: count for name, count in notes.items() if count})


def _print_refused(report: ImportReport, path: Path, json: bool) -> None:
    if json:
        report.write_csv(path)
        print_json({"import": report})
        return
    rows = [
        (f"{r.file}:{r.line}", r.field, r.value, f"{r.reason.en} {r.reason.zh} {r.hint}".strip())
        for r in report.refusals[:SHOWN]
    ]
    print_rows(
        "Refused rows · 被拒绝的行", ("Where · 位置", "Field · 字段", "Value · 值", "Reason · 原因"), rows
    )
    report.write_csv(path)
    more = f"{len(report.refusals) - SHOWN} more; " if len(report.refusals) > SHOWN else ""
    out.print(f"{more}all {len(report.refusals)} are in {path}")


def print_established(done: Established) -> None:
    """Print what followed an import: cells and the plan."""
    pairs = {"Cells · 地块": done.cells.cells, "Cell set · 地块集": done.cells.number}
    if done.draft and done.published:
        after = done.draft.after
        pairs |= {
            "Plan in force · 生效方案": done.published.number,
            "Grids · 网格": after.grids,
            "Within the band · 达标": after.in_band,
            "Grids in pieces · 不连通网格": after.disconnected,
            "Problems on record · 在案问题": len(done.published.problems),
        }
    print_pairs("District · 辖区", pairs)
    if done.draft is None:
        out.print("A plan was in force already and stays. Propose a new one with gridgov plan rebalance.")
