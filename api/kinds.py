"""The kinds of jobs there are: one table, and the parameters each takes.

To add one: a model of its parameters, a function from `Work` to the report of its use case, a row in `kinds`.
Use cases are imported when they are called: a worker that waits needs none of their libraries.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api import batch_jobs, import_kinds
from data import districts, plans
from data.districts import District
from data.session import Store
from data.settings import Settings
from etl.actor import Actor
from etl.jobs import Kind, Work, submit
from geo.errors import NotFoundError

if TYPE_CHECKING:
    from etl.cells import CellReport
    from etl.plans import DraftReport
    from etl.retention import Forgotten

DAILY = ("retention",)
"""Kinds that the worker asks for once a day in every district."""

LARGEST_NUMBER = 2**31 - 1
MOST_EFFORT = 100
THREADS = min(4, os.cpu_count() or 1)
"""Parts of a district that are balanced at a time."""

Carried = TypeVar("Carried")


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class Rebalance(Nothing):
    """What the balancer is asked; what is left out is as the settings have it."""

    base: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER, description="Plan to start from.")
    target: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)
    tolerance_percent: int | None = Field(default=None, ge=1, le=50)
    grid_count: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)
    profile: Literal["stable", "even", "whole"] = Field(
        default="stable",
        description="What is wanted most: few moves (少变动), tight balance (更均衡), compounds whole (保小区).",
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_NUMBER, description="Another seed gives another proposal.")
    effort: int = Field(
        default=1, ge=1, le=MOST_EFFORT, description="How long to search; twice as much takes twice as long."
    )
    expected_percent: int = Field(
        default=0,
        ge=0,
        le=100,
        description="What is balanced: 0 households of today, 100 those expected, between them a mix.",
    )
    expected_on: date | None = Field(
        default=None, description="Only what is expected by then; all by default."
    )
    communities: list[Annotated[str, Field(max_length=12)]] = Field(
        default=[], max_length=1000, description="Codes of those that may change; all by default."
    )


class OfPlan(Nothing):
    """A plan by its number; the one in force where it may be left out."""

    plan: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)


class OfOnePlan(Nothing):
    """A plan by its number."""

    plan: int = Field(ge=1, le=LARGEST_NUMBER)


class WantedSheets(OfPlan):
    """Grid sheets for anybody to see: a job's never name workers."""

    paper: Literal["a4", "a3"] = Field(default="a4", description="Size of the paper.")
    grids: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[], max_length=1000, description="Codes of grids; all by default."
    )
    communities: list[Annotated[str, Field(max_length=12)]] = Field(
        default=[], max_length=1000, description="Codes of communities; all by default."
    )


@dataclass(frozen=True)
class Page:
    """A file that was made; ``file`` is its name in the folder of files."""

    file: str
    bytes: int


def kinds(settings: Settings) -> dict[str, Kind[Any]]:
    """Return every kind of job by its name."""

    def rebalance(work: Work[Rebalance]) -> DraftReport:
        from etl import plans
        from etl.proposing import Wish

        asked = work.params.model_dump()
        asked["target"] = asked["target"] or settings.target
        asked["tolerance_percent"] = asked["tolerance_percent"] or settings.tolerance_percent
        asked["communities"] = tuple(asked["communities"])
        return plans.rebalance(
            work.store,
            work.actor,
            work.district,
            Wish(**asked),
            threads=THREADS,
            scheduler=settings.scheduler,
            progress=work.progress,
        )

    def build_cells(work: Work[Nothing]) -> CellReport:
        from etl import cells

        return cells.build_cells(
            work.store,
            work.actor,
            work.district,
            entrance_band=settings.entrance_band,
            progress=work.progress,
        )

    every: tuple[Kind[Any], ...] = (
        Kind(
            "rebalance",
            "均衡网格 · Balancing the grids",
            Rebalance,
            rebalance,
            stages={"compile": 5, "start": 5, "improve": 75, "prove": 15},
            act="plan.propose",
        ),
        Kind(
            "build_cells",
            "生成地块 · Making cells",
            Nothing,
            build_cells,
            stages={"cells": 85, "store": 15},
            act="cells.build",
        ),
        *import_kinds.rows(
            settings, lambda work: ask_for_cells(work.store, settings, work.actor, work.district)
        ),
        batch_jobs.row(settings),
        Kind("export_overview", "导出总览地图 · Overview map", OfPlan, _map("overview")),
        Kind("export_deviation", "导出户数偏差地图 · Household deviation", OfPlan, _map("deviation")),
        Kind("export_coverage", "导出阵地覆盖地图 · Coverage of sites", OfPlan, _map("coverage")),
        Kind("export_comparison", "导出对比地图 · Comparison", OfOnePlan, _comparison),
        Kind(
            "export_sheets",
            "导出网格图 · Grid sheets",
            WantedSheets,
            lambda work: _sheets(work, settings.base_url),
            stages={"sheets": 100},
        ),
        Kind("activate", "执行到期方案 · Carrying out due plans", Nothing, _activate),
        Kind("retention", "清理过期数据 · Deleting what is over", Nothing, _retention),
    )
    return {kind.name: kind for kind in every}


def named(settings: Settings, name: str) -> Kind[Any]:
    """Return the kind of job of that name.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    known = kinds(settings)
    if name not in known:
        raise NotFoundError(f"There is no kind of job '{name[:64]}'.", f"Kinds: {', '.join(known)}.")
    return known[name]


def cells_anew(
    store: Store, settings: Settings, district: str, carry_out: Callable[[Kind[Nothing]], Carried]
) -> Carried | None:
    """Have the cells that an import, or its undoing, touched made anew where a plan is in force.

    Parameters
    ----------
    carry_out : callable
        Does the job, or asks for it.
    """
    with store.read(district) as connection:
        if plans.in_force(connection, district) is None:
            return None
    return carry_out(kinds(settings)["build_cells"])


def ask_for_cells(store: Store, settings: Settings, actor: Actor, district: str) -> int | None:
    """Ask for the job of `cells_anew`; return its number, None where no plan is in force."""
    return cells_anew(store, settings, district, lambda kind: submit(store, actor, district, kind).id)


def _map(kind: str) -> Callable[[Work[OfPlan]], Page]:
    def made(work: Work[OfPlan]) -> Page:
        from api import exports

        with _read(work) as (connection, place):
            page = exports.MAPS[kind](connection, place, work.params.plan)
        return _written(work, ".html", lambda file: file.write_text(page, encoding="utf-8"))

    return made


def _comparison(work: Work[OfOnePlan]) -> Page:
    from api import exports

    with _read(work) as (connection, place):
        page = exports.comparison(connection, place, work.params.plan)
    return _written(work, ".html", lambda file: file.write_text(page, encoding="utf-8"))


def _sheets(work: Work[WantedSheets], base_url: str | None) -> Page:
    from api import exports

    asked = work.params
    with _read(work) as (connection, place):
        made = exports.sheets(connection, place, asked.plan, paper=asked.paper, base_url=base_url)
    chosen = made.choose(asked.grids, asked.communities)

    def write(file: Path) -> None:
        for number, _ in enumerate(made.write(chosen, file), start=1):
            work.progress("sheets", number / len(chosen))

    return _written(work, ".pdf", write)


@contextmanager
def _read(work: Work[Any]) -> Iterator[tuple[Connection, District]]:
    with work.store.read(work.district) as connection:
        yield connection, districts.get(connection, work.district)


def _written(work: Work[Any], ending: str, write: Callable[[Path], object]) -> Page:
    """Write a file under the job's number: done twice, it is the same file."""
    name = f"{work.district}-{work.job}{ending}"
    work.files.mkdir(parents=True, exist_ok=True)
    partial = work.files / f"{name}.part"
    write(partial)
    partial.replace(work.files / name)
    return Page(name, (work.files / name).stat().st_size)


def _activate(work: Work[Nothing]) -> dict[str, list[int]]:
    from etl import activation

    return {"plans": activation.activate_due(work.store, work.district)}


def _retention(work: Work[Nothing]) -> Forgotten:
    from etl import retention

    return retention.forget(work.store, work.actor, work.district, work.files)
