"""``gridgov cells``: the atoms of every grid."""

from __future__ import annotations

import typer

from api.cli.console import DistrictOption, JsonOption, chosen, opened, print_json, print_pairs, progress
from api.kinds import kinds
from data.settings import Settings
from etl.actor import operator
from etl.jobs import run_here

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Hold the verbs of cells."""


@app.command(epilog="Example: gridgov cells build --district 340504")
def build(district: DistrictOption = None, json: JsonOption = False) -> None:
    """Tile every community with cells; unchanged ones keep their ids (生成地块)."""
    settings = Settings()
    with opened(settings) as store, progress() as listener:
        code = chosen(store, settings, district).code
        kind = kinds(settings)["build_cells"]
        report = run_here(store, operator(), code, kind, {}, listener, settings.files)
    if json:
        print_json(report)
        return
    print_pairs(
        f"Cells of {code} · 地块",
        {
            "Cell set · 地块集": report.number,
            "Communities · 社区": report.communities,
            "Buildings · 楼栋": report.buildings,
            "Cells · 地块": report.cells,
            "New · 新增": report.added,
            "Retired · 停用": report.retired,
            "Unchanged · 不变": report.kept,
            "Buildings split by entrance · 按单元划分的楼栋": report.split_buildings,
            "Land without buildings · 无楼栋地块": report.land_cells,
        },
    )
