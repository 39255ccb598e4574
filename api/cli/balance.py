"""``gridgov balance``: an instance folder, balanced without a database."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer

from api.cli.console import (
    SHOWN,
    JsonOption,
    SchedulerOption,
    err,
    hint,
    out,
    print_json,
    print_rows,
    progress,
)
from etl.compiled import keep_kernels
from etl.instances import Instance, check_target, pose, read, write
from etl.scheduler import dask_run
from geo.balance import PROFILES, Measures, Problem, Profile, Report, balance, measure
from geo.balance.bounds import ContainerBound, Floor, bounds, floor
from geo.errors import InputError
from geo.progress import Progress as Listener

app = typer.Typer(add_completion=False)

ProfileName = StrEnum("ProfileName", [(name, name) for name in PROFILES])  # type: ignore[misc]

EXAMPLES = """Examples:

gridgov balance synth1 --out plan.csv   ·   gridgov balance synth1 --profile even --seed 7 --out plan.csv --json

gridgov balance town --grids 60 --out plan.csv   ·   gridgov balance town --scratch --grids free --out plan.csv

gridgov balance city --scheduler tcp://10.0.0.5:8786 --out plan.csv

The folder's files, the profiles and what is minimised: docs/balance.md. Ctrl-C once ends the search and writes the
best plan so far; twice writes nothing. 按一次 Ctrl-C 提前结束并写出当前最好的方案，按两次则放弃。"""

ENDING = (
    "Ending with the best plan so far; Ctrl-C again gives up · 正在以当前最好的方案结束；再按 Ctrl-C 放弃"
)
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
MOST_THREADS = 4
"""Of which none is asked for: with more they wait for each other between anneals."""


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
    stopped: bool
    cpu_seconds: float


@app.command(epilog=EXAMPLES)
def balance_(
    folder: Annotated[
        Path, typer.Argument(help="Folder with units.parquet, edges.parquet and meta.json.", metavar="DIR")
    ],
    target: Annotated[Path, typer.Option("--out", help="CSV to write: uid,district.", metavar="FILE")],
    profile: Annotated[
        ProfileName,
        typer.Option(
            help="; ".join(f"{each.name}: {each.english} ({each.chinese})" for each in PROFILES.values())
        ),
    ] = ProfileName.stable,  # type: ignore[attr-defined]
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another plan.")] = 0,
    effort: Annotated[
        int, typer.Option(min=1, help="How long to search; twice as much takes twice as long.")
    ] = 1,
    tolerance: Annotated[int, typer.Option(min=1, max=50, help="Band around the target, percent.")] = 10,
    grids: Annotated[
        str | None,
        typer.Option(
            help="Grids of the whole district, or free: as many as come nearest to the target. "
            "By default what meta.json states for each container.",
            metavar="K|free",
        ),
    ] = None,
    scratch: Annotated[bool, typer.Option("--scratch", help="Forget today's grids: draw all anew.")] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Containers at work at a time; the plan is the same. By default one a processor, up to 4.",
        ),
    ] = None,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Balance an instance folder and write the plan; no database is needed (均衡算例文件夹)."""
    asked = _grids(grids)
    check_target(target, folder)
    with progress() as listener:
        listener("read", 0.0)
        instance = read(folder, counted=asked is None)
        problem = pose(instance, tolerance_percent=tolerance, grids=asked, scratch=scratch)
        listener("read", 1.0)
        if scheduler is None:
            _compile(listener)
        with ending_early() as should_stop:
            began = _cpu_seconds()
            proposal = balance(
                problem,
                profile=PROFILES[profile.value],
                seed=seed,
                effort=effort,
                threads=threads or min(MOST_THREADS, os.cpu_count() or 1),
                run=None if scheduler is None else dask_run(scheduler, should_stop),
                progress=listener,
                should_stop=should_stop,
            )
            cpu_seconds = _cpu_seconds() - began
            write(target, instance, proposal.assignment)
        listener("check", 0.0)
        outcome = _outcome(instance, problem, proposal.report, cpu_seconds)
        listener("check", 1.0)
    if json:
        asked_for = {
            "profile": profile.value,
            "seed": seed,
            "effort": effort,
            "grids": asked,
            "scratch": scratch,
        }
        print_json(
            {"asked": asked_for | {"tolerance_percent": tolerance}} | _as_json(outcome) | {"out": target}
        )
        return
    _print(outcome, PROFILES[profile.value])
    hint(f"{problem.cells:,} rows → {target}")


def _grids(text: str | None) -> int | Literal["free"] | None:
    if text is None or text == "free":
        return text  # type: ignore[return-value] # one literal
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise InputError(f"--grids is {text}.", "Give a whole number from 1 up, or free.")
    return int(text)


@contextmanager
def ending_early() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C, or the first request to end, only be known; the next one ends the program as ever."""
    asked = threading.Event()
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def restore() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    def end(*_: object) -> None:
        asked.set()
        restore()
        # Printing here could interrupt printing; a thread waits for its turn.
        threading.Thread(target=err.print, args=(ENDING,)).start()

    for kind in kinds:
        signal.signal(kind, end)
    try:
        yield asked.is_set
    finally:
        restore()


def _compile(listener: Listener) -> None:
    """Have all that the search runs compiled or read, so that its own time is told: a strip of four cells does."""
    listener("compile", 0.0)
    keep_kernels()
    ones, row = np.ones(4, np.int64), np.arange(4)
    balance(
        Problem(
            households=ones,
            xy=np.c_[row, row].astype(np.float64),
            area=ones.astype(np.float64),
            perimeter=np.full(4, 4.0),
            community=0 * ones,
            compound=0 * ones,
            current=row // 3,
            edges=np.c_[row[:-1], row[1:]],
            shared_m=np.ones(3),
            open=np.ones(3, np.bool_),
            target=2,
            grids=2,
        )
    )
    listener("compile", 1.0)


def _cpu_seconds() -> float:
    """Processor time of this process and its children."""
    return sum(os.times()[:4])


def _outcome(instance: Instance, problem: Problem, report: Report, cpu_seconds: float) -> Outcome:
    today = instance.problem.current
    before: Measures | None = report.before
    if problem.current is not today:  # forgotten for the search, not for the reader
        before = measure(dataclasses.replace(problem, current=today), today)
    if (today < 0).all():
        before = None
    after = report.after
    grids, in_band = (
        np.array([getattr(row, name) for row in after.container_rows], np.int64)
        for name in ("grids", "in_band")
    )
    proven = bounds(problem, grids, out_of_band=grids - in_band)
    return Outcome(
        instance, problem, before, after, proven, floor(problem, proven), report.stopped, cpu_seconds
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


def _as_json(outcome: Outcome) -> dict[str, Any]:
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
        "stopped": outcome.stopped,
        "cpu_seconds": round(outcome.cpu_seconds, 2),
    }


def _print(outcome: Outcome, profile: Profile) -> None:
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
