"""What the pages of plans show: who is offered which act, problems by rule, a plan held against the one before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

import pandas as pd
from sqlalchemy import Connection

from api.permissions import may
from api.words import STATES, state_of
from data import moves, plans
from data.plans import Plan
from data.problems import RULES
from etl.actor import Actor
from etl.checks import check_current
from etl.lifecycle import TRANSITIONS
from etl.rebase import CONFLICTS
from geo.errors import StaleError
from maps.legend import Words

OPEN = ("draft", "submitted", "approved")
"""States of a plan that may yet be published."""


@dataclass(frozen=True)
class Facts:
    """What decides whether an act is possible.

    Attributes
    ----------
    editors : set of str
        Everybody who had a hand in the plan.
    waiting : Plan or None
        The plan that is published for a time to come.
    outdated : bool
        Whether another plan took effect, or the cells changed, since the plan was made.
    """

    plan: Plan
    actor: Actor
    editors: set[str]
    waiting: Plan | None
    outdated: bool


Bar = Callable[[Facts], Words | None]
"""Why an act that state and role would allow is not possible; None where it is."""


@dataclass(frozen=True)
class Act:
    """Something a page lets people do to a plan.

    Attributes
    ----------
    verb : str
        Last part of the address it is sent to.
    action : str
        Of `api.permissions.ACTIONS`.
    states : tuple of str
        Of `api.words.STATES`: where it is possible.
    bars : tuple of Bar
        What else may stand in the way.
    asks : str
        Which fields its form has: ``reason``, ``waivers``, ``time`` or none.
    confirm : Words or None
        What a script asks before it is sent.
    where : callable, optional
        Where it makes sense at all; elsewhere it is not shown.
    """

    verb: str
    action: str
    words: Words
    states: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    asks: str = ""
    confirm: Words | None = None
    where: Callable[[Facts], bool] | None = None


@dataclass(frozen=True)
class Offer:
    """An act offered to somebody; where ``bar`` says why not, the button is shown and cannot be pressed."""

    act: Act
    bar: Words | None


@dataclass(frozen=True)
class Broken:
    """The problems of one rule; ``waived_by`` is None while somebody has to let them pass."""

    rule: str
    words: Words
    found: list[tuple[str | None, str]]
    waived_by: str | None
    reason: str | None


def _own_hand(facts: Facts) -> Words | None:
    if facts.actor.id not in facts.editors:
        return None
    return Words(
        "您参与了编制，须由其他账号批准。", "You had a hand in it: another account has to approve it."
    )


def _another_waits(facts: Facts) -> Words | None:
    waiting = facts.waiting
    if waiting is None:
        return None
    return Words(
        f"方案 {waiting.number} 已定时发布，待其生效或撤回后再发布。",
        f"Plan {waiting.number} is scheduled: wait for it, or withdraw it first.",
    )


def _outdated(facts: Facts) -> Words | None:
    if not facts.outdated:
        return None
    return Words(
        "编制之后地块或现行方案已有变化，须先更新。",
        "The cells or the plan in force changed since it was made: bring it up to date first.",
    )


def _sources(verb: str) -> tuple[str, ...]:
    """Return where an act begins; of published plans those that have not taken effect."""
    return tuple("scheduled" if state == "published" else state for state in TRANSITIONS[verb].sources)


_PUBLISH_BARS = (_outdated, _another_waits)

ACTS = (
    Act("submit", "plan.submit", Words("提交审批", "Submit"), _sources("submit"), (_outdated,)),
    Act(
        "rebase",
        "plan.edit",
        Words("更新到最新", "Bring up to date"),
        ("draft",),
        where=attrgetter("outdated"),
    ),
    Act(
        "approve",
        "plan.approve",
        Words("批准", "Approve"),
        _sources("approve"),
        (_own_hand, _outdated),
        asks="waivers",
    ),
    Act(
        "publish",
        "plan.publish",
        Words("立即发布", "Publish now"),
        _sources("publish"),
        _PUBLISH_BARS,
        confirm=Words("立即发布并生效？", "Publish it, in force at once?"),
    ),
    Act(
        "publish",
        "plan.publish",
        Words("定时发布", "Publish for later"),
        _sources("publish"),
        _PUBLISH_BARS,
        asks="time",
    ),
    Act("send_back", "plan.send_back", Words("退回", "Send back"), _sources("send_back"), asks="reason"),
    Act("withdraw", "plan.withdraw", Words("撤回", "Withdraw"), _sources("withdraw"), asks="reason"),
    Act("roll_back", "plan.draft", Words("恢复此方案", "Roll back to it"), ("superseded",)),
    Act("open", "plan.draft", Words("以此开新方案", "Open a draft from it"), tuple(STATES)),
)
"""Every button of a plan's page, in the order they are shown."""


def offers(facts: Facts) -> list[Offer]:
    """Return the acts that a plan's state and an actor's roles take in."""
    state = state_of(facts.plan)
    return [
        Offer(act, next(filter(None, (bar(facts) for bar in act.bars)), None))
        for act in ACTS
        if state in act.states and may(facts.actor, act.action) and (act.where is None or act.where(facts))
    ]


def facts_of(connection: Connection, district: str, plan: Plan, actor: Actor) -> Facts:
    """Read what decides which acts are possible."""
    return Facts(
        plan,
        actor,
        moves.editors(connection, district, plan),
        plans.scheduled(connection, district),
        _is_outdated(connection, district, plan),
    )


def _is_outdated(connection: Connection, district: str, plan: Plan) -> bool:
    if plan.state not in OPEN:
        return False
    try:
        check_current(connection, district, plan)
    except StaleError:
        return True
    return False


def conflicts_of(plan: Plan) -> list[tuple[Words, str, list[str]]]:
    """Return what the last time a draft was brought up to date met: what, in which grid, with which buildings."""
    rebases = plan.report.get("rebases") or [{"conflicts": []}]
    return [
        (Words(*CONFLICTS[met["kind"]]), met["code"] or f"#{met['grid_id']}", met["buildings"])
        for met in rebases[-1]["conflicts"]
    ]


def broken_rules(found: pd.DataFrame) -> list[Broken]:
    """Gather problems, as `data.problems.of_plan` returns them, by their rule."""
    rows = found.astype(object).where(found.notna(), None)
    return [
        Broken(
            rule,
            Words(*RULES[rule]),
            list(zip(of_rule.code, of_rule.detail, strict=True)),
            of_rule.waived_by.iloc[0],
            of_rule.waiver_reason.iloc[0],
        )
        for rule, of_rule in rows.groupby("rule", sort=False)
    ]
