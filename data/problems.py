"""Problems: the rules a plan breaks, and who let which pass for which reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read

RULES: dict[str, tuple[str, str]] = {
    "connection": ("网格不连通", "The grid is in pieces"),
    "size": ("户数超出范围", "The grid is out of band"),
    "split_compound": ("小区被拆分", "Compounds are split that fit one grid"),
    "no_duty": ("无人值守", "Nobody has primary duty"),
}
"""What an approver may let pass, in Chinese and English."""


@dataclass(frozen=True)
class Problem:
    """A rule a plan breaks; ``grid_id`` is None where it is about the plan as a whole."""

    rule: str
    detail: str
    grid_id: int | None = None


def write(connection: Connection, district: str, plan_id: int, problems: Iterable[Problem]) -> None:
    """Put on record what a plan breaks now; a waiver of the same rule is kept."""
    waivers = waived(connection, district, plan_id)
    stage(
        connection,
        "new_problems",
        {"grid_id": "bigint", "rule": "text", "detail": "text", "waived_by": "text", "waiver_reason": "text"},
        (
            (problem.grid_id, problem.rule, problem.detail, *waivers.get(problem.rule, (None, None)))
            for problem in problems
        ),
    )
    values = {"district": district, "plan": plan_id}
    for statement in (
        "DELETE FROM plan_problems WHERE district = :district AND plan_id = :plan",
        "INSERT INTO plan_problems (district, plan_id, grid_id, rule, detail, waived_by, waiver_reason)"
        " SELECT :district, :plan, grid_id, rule, detail, waived_by, waiver_reason FROM new_problems",
        "DROP TABLE new_problems",
    ):
        connection.execute(text(statement), values)


def waive(
    connection: Connection, district: str, plan_id: int, *, by: str, reasons: Mapping[str, str]
) -> None:
    """Let the problems of some rules pass, each for a reason that is kept with it."""
    rows = [
        {"district": district, "plan": plan_id, "rule": rule, "by": by, "reason": reason}
        for rule, reason in reasons.items()
    ]
    if rows:
        connection.execute(
            text(
                "UPDATE plan_problems SET waived_by = :by, waiver_reason = :reason"
                " WHERE district = :district AND plan_id = :plan AND rule = :rule"
            ),
            rows,
        )


def forget_waivers(connection: Connection, district: str, plan_id: int) -> None:
    """Take back what was let pass: the plan may change now."""
    connection.execute(
        text(
            "UPDATE plan_problems SET waived_by = NULL, waiver_reason = NULL"
            " WHERE district = :district AND plan_id = :plan"
        ),
        {"district": district, "plan": plan_id},
    )


def waived(connection: Connection, district: str, plan_id: int) -> dict[str, tuple[str, str]]:
    """Return the rules of which every problem of a plan was let pass: by whom, and for which reason."""
    rows = connection.execute(
        text(
            "SELECT rule, min(waived_by), min(waiver_reason) FROM plan_problems"
            " WHERE district = :district AND plan_id = :plan GROUP BY rule HAVING bool_and(waived_by IS NOT NULL)"
        ),
        {"district": district, "plan": plan_id},
    )
    return {rule: (by, reason) for rule, by, reason in rows}


def of_plan(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return what is on record against a plan: rule, grid_id, code, detail, waived_by, waiver_reason."""
    return read(
        connection,
        "SELECT p.rule, p.grid_id, g.code, p.detail, p.waived_by, p.waiver_reason FROM plan_problems p"
        " LEFT JOIN grids g ON g.district = p.district AND g.id = p.grid_id"
        " WHERE p.district = :district AND p.plan_id = :plan ORDER BY p.rule, g.code, p.id",
        district=district,
        plan=plan_id,
    )
