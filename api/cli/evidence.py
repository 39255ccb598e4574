"""``gridgov evidence``: what an evidence slip is worth."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import JsonOption, hint, opened, print_json, print_pairs
from api.cli.grids import STATUS
from api.evidence import Slips, Verified, verified
from api.questions import Point, written_address
from data import keys
from data.settings import Settings
from geo.accuracy import Level
from geo.points import Source

app = typer.Typer(no_args_is_help=True, add_completion=False)

_SAME = {
    True: "the same · 相同",
    False: "another one · 不同",
    None: "not named; see --help · 未指明",
}


@app.callback()
def root() -> None:
    """Evidence slips (凭证)."""


@app.command(
    epilog="Examples: gridgov evidence verify SLIP · gridgov evidence verify SLIP --point 118.4578 31.6519 --crs wgs84"
    " · gridgov evidence verify SLIP --address '康宁三村3幢'"
)
def verify(
    slip: Annotated[str, typer.Argument(help="The slip, as gridgov locate --evidence and the API give it.")],
    address: Annotated[str | None, typer.Option(help="The address it may be about, as it was given.")] = None,
    point: Annotated[
        tuple[float, float] | None, typer.Option(help="The point it may be about, as it was given.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the point.")] = None,
    accuracy: Annotated[float | None, typer.Option(help="Its accuracy, metres, if one was given.")] = None,
    level: Annotated[Level, typer.Option(help="Its level, if one was given.")] = Level.UNKNOWN,
    source: Annotated[Source | None, typer.Option(help="Its source, if one was given.")] = None,
    json: JsonOption = False,
) -> None:
    """Say what was answered, by which plan, and whether it is genuine (核验凭证). Exit code 1: it is not."""
    asked = None if address is None else written_address(address)
    if point is not None:
        x, y = point
        asked = Point(x=x, y=y, crs=crs, accuracy_m=accuracy, accuracy_level=level, source=source).written()
    settings = Settings()
    with opened(settings) as store:
        with store.read() as connection:
            slips = Slips(keys.of_evidence(connection, settings))
        found = verified(store, slips, slip, None, asked)
    if json:
        print_json(found.model_dump())
    else:
        _print(found)
    if not found.valid:
        raise typer.Exit(1)


def _print(found: Verified) -> None:
    told, plan, district = found.told, found.plan, found.district
    if told is None or plan is None or district is None:
        hint("This slip was not given out here, or was changed. 凭证无效：不是本系统签发，或已被改动。")
        return
    force = "in force · 生效中" if found.in_force else f"{plan.state}, not in force now · 现未生效"
    print_pairs(
        "A genuine slip · 凭证有效",
        {
            "Answered · 答复时间": told.at,
            "Status · 结果": told.status.value,
            "District · 区": f"{district.code} {district.name}",
            "Plan · 方案": f"{plan.number} {plan.title} ({force})",
            "Grid · 网格": told.grid,
            "The code now · 编码现况": STATUS.get(found.grid_status or "", None),
            "To the border, m · 距边界": told.border_m,
            "Data version · 数据版本": told.data_version,
            "Input · 所询": _SAME[found.same_input],
        },
    )
