"""``gridgov locate``: whose grid a point, an address or a file of them is in."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import locate_batch as batch
from api.cli.console import DistrictOption, JsonOption, hint, out, print_json, print_pairs
from api.cli.locators import AsOfOption, PlanOption, asked
from api.questions import Point, written_address
from geo.accuracy import Level
from geo.answers import REASONS, Alternative, Answer, Grid, Plan, Status
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


EvidenceOption = Annotated[
    bool, typer.Option("--evidence", help="Sign the answer: gridgov evidence verify tells what it is worth.")
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
    plan: PlanOption = None,
    evidence: EvidenceOption = False,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say whose grid a point is in (按坐标查网格)."""
    with asked(district, as_of, plan) as (locator, slips):
        if crs is None:
            raise unstated(x, y, [locator])
        answer = locator.at(x, y, crs, accuracy_m=accuracy, level=level, source=source)
        told = Point(x=x, y=y, crs=crs, accuracy_m=accuracy, accuracy_level=level, source=source).written()
        slip = slips().sign(locator, answer, "point", told) if evidence else None
        answer = locator.with_sites(locator.with_border(answer))
    _print_answer(answer, slip, json)


@app.command(epilog="Example: gridgov locate address '康宁三村3幢2单元501室'")
def address(
    text: Annotated[str, typer.Argument(help="The address, as it was given.")],
    as_of: AsOfOption = None,
    plan: PlanOption = None,
    evidence: EvidenceOption = False,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say whose grid an address is in (按地址查网格)."""
    with asked(district, as_of, plan) as (locator, slips):
        answer = locator.resolve(text)
        slip = slips().sign(locator, answer, "address", written_address(text)) if evidence else None
        answer = locator.with_sites(answer)
    _print_answer(answer, slip, json)


app.command(epilog=batch.EPILOG)(batch.batch)


def _print_answer(answer: Answer, slip: str | None, json: bool) -> None:
    if json:
        more = {"evidence": slip} if slip else {}
        print_json({**vars(answer), "pending": answer.pending, "next_step": answer.next_step, **more})
    else:
        _print_words(answer)
        if slip:
            out.print(f"Evidence · 凭证  {slip}", soft_wrap=True)
    if answer.status not in FOUND:
        raise typer.Exit(1)


def _print_words(answer: Answer) -> None:
    pairs: dict[str, object] = {"Status · 结果": answer.status.value}
    if answer.confidence is not None:
        pairs["Confidence · 可信度"] = f"{answer.confidence:.1%} {answer.precision or ''}".strip()
    if answer.building:
        pairs["Building · 楼栋"] = answer.building.name
    if answer.grid:
        pairs |= _of_grid(answer.grid)
    if answer.border_m is not None:
        pairs["To the border, m · 距边界"] = round(answer.border_m)
    if answer.outside_m is not None:
        pairs["Outside by, m · 区外距离"] = round(answer.outside_m)
    for near in answer.sites:
        hours = f" {near.site.hours}" if near.site.hours else ""
        place = f"{near.site.name}{hours}, {near.distance_m:,.0f} m"
        pairs[f"Nearest, {near.service or '-'} · 最近阵地"] = place
    print_pairs("", pairs | _of_plan(answer.plan))
    for fault in answer.faults:
        out.print(f"  {fault.words.en} {fault.words.zh}")
    for reason in answer.reasons:
        out.print(f"  {REASONS[reason].en} {REASONS[reason].zh}")
    for other in answer.alternatives:
        named = other.building.name if other.building else ""
        codes = f"{other.grid.code} {other.grid.external_code or ''} {other.grid.community.name}"
        out.print(f"  ? {codes} {named} {_how_likely(other)}".rstrip())
    hint(f"{answer.next_step.en} {answer.next_step.zh}")


def _of_grid(grid: Grid) -> dict[str, object]:
    community = grid.community
    pairs: dict[str, object] = {
        "Grid · 网格": f"{grid.code}{' (provisional · 临时)' if grid.provisional else ''}",
        "Ledger's code · 台账编码": grid.external_code,
        "Community · 社区": " ".join(filter(None, (community.town, community.name, community.phone))),
    }
    for duty in grid.on_duty:
        pairs[f"On duty, {duty.role} · 值守"] = " ".join(filter(None, (duty.worker, duty.phone)))
    if not grid.on_duty:
        pairs["On duty · 值守"] = "nobody: call the community · 空缺，请联系社区"
    return pairs


def _of_plan(plan: Plan) -> dict[str, object]:
    since = f"{plan.valid_from:%Y-%m-%d %H:%M}" if plan.valid_from else plan.state
    until = f"{plan.valid_until:%Y-%m-%d %H:%M}" if plan.valid_until else ""
    pairs: dict[str, object] = {"Plan · 方案": f"{plan.number} {plan.title} ({since} – {until})"}
    if plan.change:
        change = plan.change
        pairs["Then · 其后"] = f"plan {change.number} {change.title}, {change.at:%Y-%m-%d %H:%M}"
    return pairs


def _how_likely(other: Alternative) -> str:
    likely = other.probability if other.probability is not None else other.confidence
    away = "" if other.distance_m is None else f"{other.distance_m:,.0f} m"
    return " ".join(filter(None, ("" if likely is None else f"{likely:.0%}", away)))
