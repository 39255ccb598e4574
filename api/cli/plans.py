"""``gridgov plan``: drafts, proposals, publication."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli import plan_acts
from api.cli.balancing import ProfileName, ProfileOption, SchedulerOption
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
    progress,
)
from api.kinds import MOST_EFFORT, named
from api.reasons import Reasons, plain, reasons_of
from data import grids, plans
from data import problems as recorded
from data.settings import Settings
from etl.actor import operator
from etl.compare import compare as compare_plans
from etl.jobs import run_here
from etl.plans import DraftReport, draft_stated
from geo.answers import Words

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(plan_acts.app)

NAMES = {
    "grids": "Grids · 网格",
    "in_band": "Within the band · 达标",
    "near_target": "Within half the band · 接近目标",
    "in_band_today": "Within the band by today's households · 按现有户数达标",
    "in_band_expected": "Within the band by those expected · 按预计户数达标",
    "in_band_at_most": "At most possible · 理论上限",
    "share_in_band": "Share within the band · 达标率",
    "households": "Households · 户数",
    "households_moved": "Households moved · 划转户数",
    "moved_share": "Share moved · 划转比例",
    "worst_deviation_percent": "Worst deviation, % · 最大偏差",
    "mean_compactness": "Compactness (Polsby-Popper) · 紧凑度",
    "split_compounds": "Compounds split needlessly · 被拆分小区",
    "broken_compounds": "Compounds in more grids than they need · 拆分过多的小区",
    "excess_pieces": "Grids too many of them · 小区多占网格数",
    "disconnected": "Grids in pieces · 不连通网格",
}
SHARES = {"share_in_band", "moved_share"}


@app.command("list", epilog="Example: gridgov plan list --json")
def list_(district: DistrictOption = None, json: JsonOption = False) -> None:
    """List the district's plans, the newest first (方案列表)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            found = plans.every(connection, code)
    if json:
        print_json(found)
        return
    rows = [
        (
            p.number,
            p.state,
            p.origin,
            p.title,
            p.author,
            p.valid.lower if p.valid else None,
            p.valid.upper if p.valid else None,
        )
        for p in found
    ]
    headers = (
        "No. · 号",
        "State · 状态",
        "Origin · 来源",
        "Title · 名称",
        "Author · 作者",
        "From · 自",
        "Until · 至",
    )
    print_rows(f"Plans of {code} · 方案", headers, rows)


@app.command(
    epilog="Examples: gridgov plan rebalance   ·   gridgov plan rebalance --profile whole --grids 452   ·   "
    "gridgov plan rebalance --community 340504001007 --expected 100"
)
def rebalance(
    district: DistrictOption = None,
    base: Annotated[int | None, typer.Option(help="Plan to start from; the one in force by default.")] = None,
    target: Annotated[int | None, typer.Option(min=1, help="Households a grid should have.")] = None,
    tolerance: Annotated[
        int | None, typer.Option(min=1, max=50, help="Band around the target, percent.")
    ] = None,
    grid_count: Annotated[
        int | None, typer.Option("--grids", min=1, help="Grids the district shall have.")
    ] = None,
    profile: ProfileOption = ProfileName.stable,  # type: ignore[attr-defined]
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another proposal.")] = 0,
    effort: Annotated[
        int,
        typer.Option(min=1, max=MOST_EFFORT, help="How long to search; twice as much takes twice as long."),
    ] = 1,
    expected: Annotated[
        int,
        typer.Option(
            min=0, max=100, help="Balance 0: households of today, 100: those expected, between: a mix."
        ),
    ] = 0,
    expected_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what is expected by this day; all by default."),
    ] = None,
    community: Annotated[
        list[str] | None,
        typer.Option(help="Code of a community that may change, given once or more; all by default."),
    ] = None,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Let the balancer draft a plan, and say why it moves what it moves (均衡网格，生成草案)."""
    settings = Settings() if scheduler is None else Settings(scheduler=scheduler)
    with opened(settings) as store, progress() as listener:
        code = chosen(store, settings, district).code
        asked = {
            "base": base,
            "target": target,
            "tolerance_percent": tolerance,
            "grid_count": grid_count,
            "profile": str(profile),
            "seed": seed,
            "effort": effort,
            "expected_percent": expected,
            "expected_on": expected_on and expected_on.date().isoformat(),
            "communities": community or [],
        }
        kind = named(settings, "rebalance")
        report = run_here(store, operator(), code, kind, asked, listener, settings.files)
    _print_draft(report, json)


@app.command(epilog="Example: gridgov plan stated --district 340504")
def stated(district: DistrictOption = None, json: JsonOption = False) -> None:
    """Draft today's plan from the ledger's own column of grids (按台账现状生成草案)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        report = draft_stated(
            store, operator(), code, target=settings.target, tolerance_percent=settings.tolerance_percent
        )
    _print_draft(report, json)


@app.command(
    epilog="Examples: gridgov plan show   ·   gridgov plan show 2 --grids   ·   gridgov plan show 2 --reasons"
)
def show(
    number: Annotated[int | None, typer.Argument(help="Plan number; the plan in force by default.")] = None,
    district: DistrictOption = None,
    with_grids: Annotated[bool, typer.Option("--grids", help="List its grids.")] = False,
    with_reasons: Annotated[
        bool, typer.Option("--reasons", help="Say why the balancer moved what it moved.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show a plan: state, figures, problems, grids (查看方案)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            plan = plans.named_or_in_force(connection, code, number)
            problems = recorded.of_plan(connection, code, plan.id)
            listed = grids.of_plan(connection, code, plan.id).drop(columns="geometry")
            reasons = reasons_of(connection, code, plan) if with_reasons else None
    if json:
        print_json(
            {
                **dataclasses.asdict(plan),
                **({"reasons": plain(reasons)} if with_reasons else {}),
                "problems": problems.to_dict("records"),
                "grids": listed.astype(object).where(listed.notna(), None).to_dict("records"),
            }
        )
        return
    _print_plan(plan)
    counts = problems.groupby("rule").size()
    print_rows("Problems · 问题", ("Rule · 规则", "Count · 数"), list(counts.items()))
    if with_grids:
        columns = ["code", "external_code", "community", "households", "buildings"]
        shown = listed[columns].astype(object).where(listed[columns].notna(), None)
        headers = (
            "Code · 编码",
            "Ledger's · 台账编码",
            "Community · 社区",
            "Households · 户数",
            "Buildings · 楼栋",
        )
        print_rows("Grids · 网格", headers, shown.to_numpy().tolist())
    if with_reasons:
        _print_reasons(plan, reasons)


@app.command(epilog="Examples: gridgov plan compare 2   ·   gridgov plan compare 3 --with 1 --json")
def compare(
    number: Annotated[int, typer.Argument(help="Plan that is asked about.", min=1)],
    other: Annotated[
        int | None, typer.Option("--with", min=1, help="Held against it; by default the plan it follows.")
    ] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Compare two plans: moves, households, workers, open cases (方案对比)."""
    settings = Settings()
    with opened(settings) as store:
        found = compare_plans(store, chosen(store, settings, district).code, number, other)
    if json:
        print_json(found)
        return
    before = dataclasses.asdict(found.figures_before) if found.figures_before else {}
    after = dataclasses.asdict(found.figures_after)
    rows = [(NAMES[name], _figure(name, before.get(name)), _figure(name, after[name])) for name in NAMES]
    print_rows(f"Plan {found.before} → {found.after} · 方案对比", ("", "Before · 之前", "After · 之后"), rows)
    print_pairs(
        "What it means · 影响",
        {
            "Grids new · 新网格": len(found.grids_new),
            "Grids gone · 撤销网格": len(found.grids_gone),
            "Workers concerned · 涉及网格员": found.workers,
            "Grids without a worker · 无人值守": len(found.vacant),
            "Open cases that change hands · 移交工单": len(found.cases),
        },
    )
    moves = [
        (
            pair.from_code or f"#{pair.from_grid}",
            pair.to_code or f"#{pair.to_grid}",
            pair.cells,
            pair.households,
        )
        for pair in found.moves
    ]
    print_rows("Moves · 划转", ("From · 自", "To · 至", "Cells · 地块", "Households · 户数"), moves)


def _print_draft(report: DraftReport, json: bool) -> None:
    if json:
        print_json(report)
        return
    after = dataclasses.asdict(report.after)
    before = dataclasses.asdict(report.before) if report.before else {}
    rows = [(NAMES[name], _figure(name, before.get(name)), _figure(name, after[name])) for name in NAMES]
    headers = ("", "Before · 之前", "After · 之后")
    print_rows(f"Draft {report.number}: {report.title}", headers, rows)
    number = report.number
    hint(
        f"gridgov plan show {number} --reasons · gridgov plan compare {number} · gridgov plan submit {number}"
    )


def _print_reasons(plan: plans.Plan, reasons: Reasons | None) -> None:
    if reasons is None:
        out.print("The balancer told no reasons of this plan · 本方案没有均衡理由")
        return
    if reasons.edited:
        out.print(f"It was edited since: revision {plan.revision} · 均衡之后另有改动")
    for community in reasons.communities:
        out.print(f"\n{community.name}", style="bold")
        for grid in community.grids:
            out.print(f"{grid.grid}  {grid.before:,} → {grid.after:,}")
            _print_said(grid.said)
        _print_said(community.breaks)
        _print_said(community.stays)
    if reasons.limits:
        out.print("\nWhat no plan can do · 任何方案都做不到的", style="bold")
    for limit in reasons.limits:
        _print_said([limit.said])
        _print_said(limit.advice)


def _print_said(said: Sequence[Words]) -> None:
    for words in said:
        out.print(f"  {words.zh}\n  {words.en}", highlight=False, markup=False, soft_wrap=True)


def _print_plan(plan: plans.Plan) -> None:
    valid, after = plan.valid, plan.report.get("after", {})
    print_pairs(
        f"Plan {plan.number}: {plan.title}",
        {
            "State · 状态": plan.state,
            "Origin · 来源": plan.origin,
            "In force from · 生效": valid.lower if valid else None,
            "In force until · 失效": valid.upper if valid else None,
            "Cell set · 地块集": str(plan.cell_set),
            "Target · 目标": f"{plan.target} ± {plan.tolerance_percent}%",
            "Author · 作者": plan.author,
            "Approved by · 批准": plan.approved_by,
            **{NAMES[name]: _figure(name, after[name]) for name in NAMES if name in after},
        },
    )


def _figure(name: str, value: Any) -> Any:
    if name in SHARES and value is not None:
        return f"{100 * value:.1f}%"
    return f"{value:.2f}" if isinstance(value, float) else value
