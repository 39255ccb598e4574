"""What `api.cli.balance` prints: figures before and after, what is proven that no plan can better, what would help."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.cli.console import SHOWN, out, print_rows
from etl.instances import Instance
from geo.balance import Measures, Problem, Profile, Report, measure
from geo.balance.advice import Advice, advise
from geo.balance.bounds import ContainerBound, Floor, bounds_of, floor

STOPPED = (
    "Ended early: the best plan so far. It is legal; another run need not give the same · "
    "提前结束：方案合法，为当前最好结果，再次运行不一定相同"
)


CONTAINER_COLUMNS = {
    "weight": "Households · 户数",
    "grids_stated": "Grids stated · 所列网格数",
    "grids": "Grids · 网格",
    "in_band": "In band · 达标",
    "in_band_at_most": "At most · 理论上限",
    "worst_deviation_percent_at_least": "Worst at best, % · 最大偏差下限",
}


@dataclass(frozen=True)
class Outcome:
    """A finished search: figures of today's grids where there are any, of the plan, and what no plan can better.

    Bounds of moves are of plans with no more grids out of band than this one has in each container.
    """

    instance: Instance
    problem: Problem
    before: Measures | None
    after: Measures
    bounds: tuple[ContainerBound, ...]
    floor: Floor
    advice: tuple[Advice, ...]
    stopped: bool
    cpu_seconds: float


def came_of(instance: Instance, problem: Problem, report: Report, cpu_seconds: float) -> Outcome:
    """Measure what came of a search, also against today's grids that it did not look at."""
    today = instance.problem.current
    before: Measures | None = report.before
    if problem.current is not today:  # forgotten for the search, not for the reader
        before = measure(dataclasses.replace(problem, current=today), today)
    if (today < 0).all():
        before = None
    after = report.after
    proven = bounds_of(problem, after)
    return Outcome(
        instance,
        problem,
        before,
        after,
        bounds=proven,
        floor=floor(problem, proven),
        advice=advise(problem, proven),
        stopped=report.stopped,
        cpu_seconds=cpu_seconds,
    )


def _figures(outcome: Outcome, measures: Measures | None) -> dict[str, Any] | None:
    """Give the figures of all grids together; nothing is moved where nothing was known."""
    if measures is None:
        return None
    rows = {"grid_rows", "container_rows"}
    found = {each.name: getattr(measures, each.name) for each in dataclasses.fields(measures)}
    found = {name: value for name, value in found.items() if name not in rows}
    if (outcome.problem.current < 0).all():
        found |= {"households_moved": None, "moved_share": None}
    return found | {"share_in_band": measures.share_in_band, "legal": measures.legal}


def _containers(outcome: Outcome) -> list[dict[str, Any]]:
    """Give a row for each container, by the instance's own numbers."""
    stated, own = outcome.instance.stated, outcome.instance.own_numbers.tolist()
    rows = [
        dataclasses.asdict(bound)
        | {"container": own[bound.container], "in_band": row.in_band, "within_reach": bound.within_reach}
        | {"grids_stated": None if stated is None else int(stated[bound.container])}
        for bound, row in zip(outcome.bounds, outcome.after.container_rows, strict=True)
    ]
    return sorted(rows, key=lambda row: int(row["container"]))


def _said(outcome: Outcome) -> list[dict[str, Any]]:
    """Give what would help containers, in words too, by the instance's own numbers."""
    own = outcome.instance.own_numbers.tolist()
    return [
        dataclasses.asdict(each)
        | {"container": own[each.container], "other": None if each.other is None else own[each.other]}
        | {"english": each.english(lambda number: f"container {own[number]}")}
        | {"chinese": each.chinese(lambda number: f"片区{own[number]}")}
        for each in outcome.advice
    ]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give all figures as one object."""
    instance, problem = outcome.instance, outcome.problem
    return {
        "instance": {
            "name": instance.name,
            "weight": instance.weight,
            "units": problem.cells,
            "target": problem.target,
            "grids": instance.grids,
        },
        "before": _figures(outcome, outcome.before),
        "after": _figures(outcome, outcome.after),
        "bounds": outcome.floor,
        "containers": _containers(outcome),
        "advice": _said(outcome),
        "stopped": outcome.stopped,
        "cpu_seconds": round(outcome.cpu_seconds, 2),
    }


def show(outcome: Outcome, profile: Profile) -> None:
    """Print the figures as tables."""
    instance, problem = outcome.instance, outcome.problem
    before, after = (_shown(outcome, each) for each in (outcome.before, outcome.after))
    best = _at_best(outcome)
    rows = [(name, before.get(key), after[key], best.get(key)) for key, name in _names(problem).items()]
    print_rows(
        f"{instance.name}: {problem.cells:,} units, {outcome.after.households:,} {instance.weight}, "
        f"{problem.target:,.6g} ± {problem.tolerance_percent}%\n{profile.name}: {profile.english} · {profile.chinese}",
        ("", "Before · 之前", "After · 之后", "At best · 理论极限"),
        rows,
    )
    out.print(f"Processor time here · 本机处理器时间: {outcome.cpu_seconds:.1f} s")
    if outcome.stopped:
        out.print(STOPPED)
    found = _containers(outcome)
    _print_containers(
        "Containers that cannot be wholly in band · 无法全部达标的片区",
        ("weight", "grids", "in_band", "in_band_at_most", "worst_deviation_percent_at_least"),
        [row for row in found if not row["within_reach"]],
    )
    for advice in _said(outcome)[:SHOWN]:
        out.print(f"  {advice['english']} · {advice['chinese']}")
    _print_containers(
        "Containers with other numbers of grids than stated · 网格数与所列不同的片区",
        ("weight", "grids_stated", "grids"),
        [row for row in found if row["grids_stated"] not in (None, row["grids"])],
    )


def _print_containers(title: str, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    headers = ("Container · 片区", *(CONTAINER_COLUMNS[name] for name in names))
    print_rows(title, headers, [(row["container"], *(row[name] for name in names)) for row in rows[:SHOWN]])
    if len(rows) > SHOWN:
        out.print(f"... {len(rows) - SHOWN:,} more · 其余见 --json")


def _names(problem: Problem) -> dict[str, str]:
    tolerance = problem.tolerance_percent
    return {
        "grids": "Grids · 网格",
        "in_band": f"Within {tolerance}% · 达标",
        "near_target": f"Within {tolerance / 2:g}% · 半容差内",
        "worst": "Worst deviation · 最大偏差",
        "moved": "Households moved · 划转户数",
        "split_compounds": "Small compounds split · 被拆分的小型小区",
        "excess_pieces": "Excess pieces of compounds · 小区多余分片",
        "compactness": "Compactness (Polsby-Popper) · 紧凑度",
        "disconnected": "Grids in pieces · 不连通网格",
    }


def _shown(outcome: Outcome, measures: Measures | None) -> dict[str, Any]:
    """Spell the figures of a column of the table."""
    if measures is None:
        return {}
    moved = f"{measures.households_moved:,} ({measures.moved_share:.1%})"
    return {
        "grids": measures.grids,
        "in_band": f"{measures.in_band:,} ({measures.share_in_band:.1%})",
        "near_target": measures.near_target,
        "worst": f"{measures.worst_deviation_percent:.1f}%",
        "moved": moved if measures is outcome.after and (outcome.problem.current >= 0).any() else None,
        "split_compounds": measures.split_compounds,
        "excess_pieces": measures.excess_pieces,
        "compactness": f"{measures.mean_compactness:.2f}",
        "disconnected": len(measures.disconnected),
    }


def _at_best(outcome: Outcome) -> dict[str, Any]:
    """Spell what is proven that no plan with these numbers of grids can better."""
    least = outcome.floor
    moved = f"≥ {least.moved_at_least:,} ({least.moved_share_at_least:.1%})"
    return {
        "in_band": f"≤ {least.in_band_at_most:,}",
        "worst": f"≥ {least.worst_deviation_percent_at_least:.1f}%",
        "moved": moved if (outcome.problem.current >= 0).any() else None,
    }
