"""``gridgov plan``: the acts that bring a plan from draft to force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from api.cli.console import (
    DistrictOption,
    JsonOption,
    chosen,
    hint,
    opened,
    out,
    print_json,
    print_pairs,
    print_rows,
)
from data.problems import RULES
from data.session import Store
from data.settings import Settings
from etl import drafts, edits, lifecycle, publish, rebase
from etl.actor import Actor, operator
from etl.edits import NEW, Move
from etl.lifecycle import Changed
from etl.publish import PublishReport
from etl.rebase import CONFLICTS, RebaseReport
from geo.errors import InputError

app = typer.Typer(add_completion=False)

NumberArgument = Annotated[int, typer.Argument(help="Number of the plan (方案号).", min=1)]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with the plan.")]
RevisionOption = Annotated[
    int | None, typer.Option(help="Refuse if the plan was edited since this revision.", min=1)
]
WaiveOption = Annotated[
    list[str] | None,
    typer.Option(
        help="RULE=REASON lets the problems of a rule pass; REASON alone those of all others. Repeatable."
    ),
]
AtOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        help="When it shall take effect, +08:00; now by default.",
    ),
]


@app.command("open", epilog='Examples: gridgov plan open   ·   gridgov plan open 3 --title "Spring changes"')
def open_(
    base: Annotated[int | None, typer.Argument(help="Plan to copy; the one in force by default.")] = None,
    title: Annotated[str | None, typer.Option(help="What the draft is called.")] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Open a draft from any plan, on today's cells (开草案)."""
    _done(
        district,
        json,
        lambda store, actor, code: drafts.open_draft(store, actor, code, base=base, title=title),
        "gridgov plan move {number} --revision {revision} --building CODE --to GRID",
    )


@app.command(
    epilog="Examples: gridgov plan move 3 --revision 1 --building B00017 --to 340504001001002   ·   "
    "gridgov plan move 3 --revision 2 --grid 340504001001002 --to 340504001001003"
)
def move(
    number: NumberArgument,
    to: Annotated[str, typer.Option(help=f"Code or id of a grid, or {NEW}.")],
    revision: Annotated[int, typer.Option(help="The revision that was seen.", min=1)],
    cell: Annotated[list[int] | None, typer.Option(help="Cell by id; repeatable.")] = None,
    building: Annotated[list[str] | None, typer.Option(help="Building by the ledger's code.")] = None,
    grid: Annotated[list[str] | None, typer.Option(help="Whole grid by code or id: merges it.")] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Move cells, buildings or whole grids of a draft to another grid (划转)."""
    wanted = Move(_named(to), cell or (), building or (), [_named(each) for each in grid or ()])
    _done(
        district,
        json,
        lambda store, actor, code: edits.move(store, actor, code, number, [wanted], revision=revision),
        "gridgov plan undo {number} --revision {revision} takes it back",
    )


def _named(grid: str) -> int | str:
    """Read a grid's name: an id is shorter than any code."""
    return int(grid) if grid.isdigit() and len(grid) < 12 else grid


@app.command(epilog="Example: gridgov plan undo 3 --revision 2")
def undo(
    number: NumberArgument,
    revision: Annotated[int, typer.Option(help="The revision that was seen.", min=1)],
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Take the last moves of a draft back (撤销划转)."""
    _done(
        district,
        json,
        lambda store, actor, code: edits.undo(store, actor, code, number, revision=revision),
    )


@app.command(epilog="Examples: gridgov plan lock 3 grid 340504001001002   ·   gridgov plan lock 3 cell 17 18")
def lock(
    number: NumberArgument,
    kind: Annotated[Literal["grid", "cell"], typer.Argument(help="What is locked.")],
    ids: Annotated[list[str], typer.Argument(help="Grids by code or id, cells by id.")],
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Hold grids or cells of a draft against hand and balancer (锁定)."""
    _done(
        district,
        json,
        lambda store, actor, code: edits.lock(store, actor, code, number, kind, _ids(kind, ids)),
    )


@app.command(epilog="Example: gridgov plan unlock 3 grid 340504001001002")
def unlock(
    number: NumberArgument,
    kind: Annotated[Literal["grid", "cell"], typer.Argument(help="What is unlocked.")],
    ids: Annotated[list[str], typer.Argument(help="Grids by code or id, cells by id.")],
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Let grids or cells of a draft be moved again (解锁)."""
    _done(
        district,
        json,
        lambda store, actor, code: edits.unlock(store, actor, code, number, kind, _ids(kind, ids)),
    )


def _ids(kind: str, ids: list[str]) -> list[int | str]:
    if kind == "grid":
        return [_named(each) for each in ids]
    wrong = next((each for each in ids if not each.isdigit()), None)
    if wrong is not None:
        raise InputError(f"'{wrong}' is no id of a cell.", "Cells are named by number.")
    return [int(each) for each in ids]


@app.command("comment", epilog='Example: gridgov plan comment 3 "The school moves in September."')
def comment(
    number: NumberArgument,
    text: Annotated[str, typer.Argument(help="What is said.")],
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say something about a plan (评论)."""
    _done(district, json, lambda store, actor, code: lifecycle.comment(store, actor, code, number, text))


@app.command("rebase", epilog="Example: gridgov plan rebase 3")
def rebase_(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Bring a draft up to today's cells and the plan in force, and list conflicts (更新草案)."""
    report: RebaseReport = _run(
        district, lambda store, actor, code: rebase.rebase_plan(store, actor, code, number)
    )
    if json:
        print_json(report)
        return
    print_pairs(
        f"Draft {number} is up to date · 草案已更新",
        {
            "Revision · 版本": report.revision,
            "Cell set · 地块集": f"{report.from_set} → {report.to_set}",
            "A change of plan · 基于方案": report.onto,
            "Cells kept · 保留地块": report.kept,
            "By their building · 随楼栋": report.building,
            "By the land around · 随地块": report.covered + report.filled,
        },
    )
    rows = [
        (
            " · ".join(CONFLICTS[each.kind]),
            each.code or f"#{each.grid_id}",
            len(each.cells),
            ", ".join(each.buildings),
        )
        for each in report.conflicts
    ]
    print_rows("Conflicts · 冲突", ("What · 情况", "Grid · 网格", "Cells · 地块", "Buildings · 楼栋"), rows)


@app.command(epilog="Example: gridgov plan submit 3")
def submit(
    number: NumberArgument,
    revision: RevisionOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Freeze a draft and ask for approval (提交审批)."""
    _done(
        district,
        json,
        lambda store, actor, code: lifecycle.submit(store, actor, code, number, revision=revision),
        "somebody else: gridgov plan approve {number}",
    )


@app.command("send-back", epilog='Example: gridgov plan send-back 3 --reason "Grid 4 is in two pieces."')
def send_back(
    number: NumberArgument, reason: ReasonOption, district: DistrictOption = None, json: JsonOption = False
) -> None:
    """Give a submitted or approved plan back to its author (退回)."""
    _done(
        district,
        json,
        lambda store, actor, code: lifecycle.send_back(store, actor, code, number, reason=reason),
    )


@app.command(epilog='Example: gridgov plan approve 3 --waive size="new estate, full next year"')
def approve(
    number: NumberArgument,
    waive: WaiveOption = None,
    say: Annotated[str | None, typer.Option(help="What the approver has to say.")] = None,
    revision: RevisionOption = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Approve a plan one had no hand in (批准)."""
    _done(
        district,
        json,
        lambda store, actor, code: lifecycle.approve(
            store, actor, code, number, waive=_reasons(waive), said=say, revision=revision
        ),
        "gridgov plan publish {number}",
    )


def _reasons(waive: list[str] | None) -> dict[str, str]:
    """Read RULE=REASON, or a reason for all."""
    reasons: dict[str, str] = {}
    for each in waive or []:
        rule, equals, reason = each.partition("=")
        known = equals and rule in RULES
        reasons[rule if known else "all"] = reason if known else each
    return reasons


@app.command(
    "publish", epilog="Examples: gridgov plan publish 3   ·   gridgov plan publish 3 --at 2026-12-01"
)
def publish_(
    number: NumberArgument,
    at: AtOption = None,
    as_system: Annotated[
        bool,
        typer.Option("--approve-as-system", help="Submit a draft and let the system approve it, on record."),
    ] = False,
    waive: Annotated[
        str | None,
        typer.Option(help="With --approve-as-system: the reason to let waivable problems pass."),
    ] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Put an approved plan in force, now or at a time to come (发布方案)."""
    if waive and not as_system:
        raise InputError("A publication waives nothing.", "gridgov plan approve NUMBER --waive REASON does.")

    def act(store: Store, actor: Actor, code: str) -> PublishReport:
        if as_system:
            return publish.publish_as_system(store, actor, code, number, waive=waive, at=at)
        return publish.publish(store, actor, code, number, at=at)

    report: PublishReport = _run(district, act)
    if json:
        print_json(report)
        return
    title = (
        f"Plan {number} is in force · 方案已生效"
        if report.in_force
        else f"Plan {number} takes effect on {report.effective:%Y-%m-%d %H:%M} · 方案将按时生效"
    )
    print_pairs(
        title,
        {
            "Grids · 网格": report.grids,
            "Codes issued · 新发编码": report.codes_issued,
            "Duties bound · 关联值守": report.duties_bound,
            "Duties carried over · 转接值守": report.duties_carried,
            "Duties without a grid · 无网格值守": report.duties_idle,
            "Cases moved · 移交工单": report.cases_moved,
            "Problems on record · 在案问题": len(report.problems),
        },
    )


@app.command(epilog='Example: gridgov plan withdraw 3 --reason "Not before the census."')
def withdraw(
    number: NumberArgument, reason: ReasonOption, district: DistrictOption = None, json: JsonOption = False
) -> None:
    """Take back a plan that has not taken effect (撤回)."""
    _done(
        district,
        json,
        lambda store, actor, code: lifecycle.withdraw(store, actor, code, number, reason=reason),
    )


@app.command(epilog="Examples: gridgov plan rollback   ·   gridgov plan rollback --to 1")
def rollback(
    to: Annotated[int | None, typer.Option(help="Plan to return to; the one before by default.")] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Draft a return to a plan that was in force: same grids, same codes (回退)."""
    _done(
        district,
        json,
        lambda store, actor, code: drafts.roll_back(store, actor, code, to=to),
        "gridgov plan submit {number}",
    )


def _run(district: str | None, act: Callable[[Store, Actor, str], Any]) -> Any:
    settings = Settings()
    with opened(settings) as store:
        return act(store, operator(), chosen(store, settings, district).code)


def _done(
    district: str | None,
    json: bool,
    act: Callable[[Store, Actor, str], Changed],
    then: str | None = None,
) -> None:
    """Carry an act out, tell how the plan stands, and what can be done next."""
    done = _run(district, act)
    if json:
        print_json(done)
        return
    out.print(
        f"Plan {done.number} ({done.title}) is {done.state}, revision {done.revision}"
        + (f", {done.problems} problems on record" if done.problems else ""),
        style="bold",
        soft_wrap=True,
        highlight=False,
    )
    rows = [
        (g["code"] or f"#{g['grid_id']}", g["community"], g["cells"], g["households"]) for g in done.grids
    ]
    print_rows(
        "Grids touched · 涉及网格",
        ("Grid · 网格", "Community · 社区", "Cells · 地块", "Households · 户数"),
        rows,
    )
    if then:
        hint(then.format(number=done.number, revision=done.revision))
