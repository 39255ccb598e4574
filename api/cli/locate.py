"""``gridgov locate``: whose grid a point, an address or a file of them is in."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import locate_batch as batch
from api.cli.console import DistrictOption, JsonOption, hint, out, print_json, print_pairs
from api.cli.locators import AsOfOption, located
from geo.accuracy import Level
from geo.answers import REASONS, Alternative, Answer, Status
from geo.candidates import unstated
from geo.locate import Source

app = typer.Typer(no_args_is_help=True, add_completion=False)

FOUND = frozenset({Status.MATCH, Status.APPROXIMATE, Status.AMBIGUOUS})
CrsOption = Annotated[
    str | None,
    typer.Option(
        help="Coordinate system: wgs84, gcj02, bd09, cgcs2000, EPSG:4549 ... Needed; without it every one is shown."
    ),
]

AccuracyOption = Annotated[
    float | None,
    typer.Option(help="Radius that holds the true place, metres; left out for a point that is exact."),
]
LevelOption = Annotated[Level, typer.Option(help="Percent of positions that the radius holds.")]
SourceOption = Annotated[
    Source | None, typer.Option(help="Where the point comes from; a device's needs --accuracy.")
]


@app.command(epilog="Example: gridgov locate point 118.4578 31.6519 --crs gcj02")
def point(
    x: Annotated[float, typer.Argument(help="Longitude, or easting in metres.")],
    y: Annotated[float, typer.Argument(help="Latitude, or northing in metres.")],
    crs: CrsOption = None,
    accuracy: AccuracyOption = None,
    level: LevelOption = Level.UNKNOWN,
    source: SourceOption = None,
    as_of: AsOfOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say whose grid a point is in (按坐标查网格)."""
    with located(district, as_of) as locator:
        if crs is None:
            raise unstated(x, y, [locator])
        answer = locator.with_sites(locator.at(x, y, crs, accuracy_m=accuracy, level=level, source=source))
    _print_answer(answer, json)


@app.command(epilog="Example: gridgov locate address '康宁三村3幢2单元501室'")
def address(
    text: Annotated[str, typer.Argument(help="The address, as it was given.")],
    as_of: AsOfOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say whose grid an address is in (按地址查网格)."""
    with located(district, as_of) as locator:
        answer = locator.with_sites(locator.resolve(text))
    _print_answer(answer, json)


app.command(epilog=batch.EPILOG)(batch.batch)


def _print_answer(answer: Answer, json: bool) -> None:
    if json:
        print_json({**vars(answer), "pending": answer.pending})
    else:
        _print_words(answer)
    if answer.status not in FOUND:
        raise typer.Exit(1)


def _print_words(answer: Answer) -> None:
    pairs: dict[str, object] = {"Status · 结果": answer.status.value}
    if answer.building:
        pairs["Building · 楼栋"] = answer.building.name
    if grid := answer.grid:
        community = grid.community
        ours = f"{grid.code}{' (provisional · 临时)' if grid.provisional else ''}"
        pairs |= {
            "Grid · 网格": ours,
            "Ledger's code · 台账编码": grid.external_code,
            "Community · 社区": " ".join(filter(None, (community.town, community.name, community.phone))),
        }
        for duty in grid.on_duty:
            pairs[f"On duty, {duty.role} · 值守"] = " ".join(filter(None, (duty.worker, duty.phone)))
        if not grid.on_duty:
            pairs["On duty · 值守"] = "nobody: call the community · 空缺，请联系社区"
    if answer.border_m is not None:
        pairs["To the border, m · 距边界"] = round(answer.border_m)
    if answer.outside_m is not None:
        pairs["Outside by, m · 区外距离"] = round(answer.outside_m)
    for near in answer.sites:
        hours = f" {near.site.hours}" if near.site.hours else ""
        pairs[f"Nearest, {near.service or '-'} · 最近阵地"] = (
            f"{near.site.name}{hours}, {near.distance_m:,.0f} m"
        )
    pairs["Plan · 方案"] = str(answer.plan.number)
    print_pairs("", pairs)
    for reason in answer.reasons:
        out.print(f"  {REASONS[reason].en} {REASONS[reason].zh}")
    for other in answer.alternatives:
        named = other.building.name if other.building else _how_near(other)
        out.print(
            f"  ? {other.grid.code} {other.grid.external_code or ''} {other.grid.community.name} {named}"
        )
    hint(f"{answer.next_step.en} {answer.next_step.zh}")


def _how_near(other: Alternative) -> str:
    likely = "" if other.probability is None else f"{other.probability:.0%} "
    return likely + ("" if other.distance_m is None else f"{other.distance_m:,.0f} m")
