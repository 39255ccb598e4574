"""The life of a plan: who may bring it from which state to which."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from data import comments, moves, plans, problems, requests, versions
from data.problems import RULES, Problem
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.checks import check
from etl.rebase import rebase
from geo.errors import CheckError, ConflictError, ForbiddenError, InputError, StaleError

AS_FOUND = "Published as found: the district's grids before the platform."
"""Reason on record for what an imported plan breaks."""
MAX_COMMENT = 2000

T = TypeVar("T")


@dataclass(frozen=True)
class Transition:
    """From which states an act brings a plan to which."""

    sources: tuple[str, ...]
    target: str
    said: str


TRANSITIONS: dict[str, Transition] = {
    "submit": Transition(("draft",), "submitted", "submitted"),
    "send_back": Transition(("submitted", "approved"), "draft", "sent back"),
    "approve": Transition(("submitted",), "approved", "approved"),
    "publish": Transition(("approved",), "published", "published"),
    "withdraw": Transition(("draft", "submitted", "approved", "published"), "withdrawn", "withdrawn"),
    "supersede": Transition(("published",), "superseded", "superseded"),
}
"""Every change of state there is. A published plan is withdrawn only before it takes effect, and superseded by the
one that takes effect after it, never by hand; moves, locks and rebasing need a draft."""


@dataclass(frozen=True)
class Changed:
    """How a plan stands after an act.

    ``grids`` are those that an edit touched: grid_id, code, community, cells, households.
    """

    number: int
    state: str
    revision: int
    title: str = ""
    problems: int = 0
    grids: tuple[dict[str, Any], ...] = ()


def submit(store: Store, actor: Actor, district: str, number: int, *, revision: int | None = None) -> Changed:
    """Freeze a draft and ask for approval; what it breaks is put on record.

    Parameters
    ----------
    revision : int, optional
        The revision the caller saw.

    Raises
    ------
    StaleError
        If the plan, the plan in force or the district's cells were changed since.
    CheckError
        If the plan breaks a rule that is never waived.
    """
    with acting(store, actor, district) as act:
        plan = taken(act, number, "submit", revision)
        found = check(act, plan)
        problems.write(act.connection, act.code, plan.id, found.problems)
        return moved_on(act, plan, "submit", after={"problems": _counts(found.problems)})


def send_back(
    store: Store, actor: Actor, district: str, number: int, *, reason: str, revision: int | None = None
) -> Changed:
    """Give a plan back to its author, with a reason, on today's cells; what was waived is asked again."""
    with acting(store, actor, district) as act:
        plan = taken(act, number, "send_back", revision)
        comments.add(act.connection, act.code, plan.id, actor.id, _said(reason))
        problems.forget_waivers(act.connection, act.code, plan.id)
        done = moved_on(act, plan, "send_back")
        return replace(done, revision=rebase(act, plans.get(act.connection, act.code, number)).revision)


def approve(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    *,
    waive: Mapping[str, str] | None = None,
    said: str | None = None,
    revision: int | None = None,
) -> Changed:
    """Approve a submitted plan.

    Parameters
    ----------
    waive : mapping of str to str, optional
        A reason for each rule (of `data.problems.RULES`) whose problems are let pass; ``all`` stands for
        every other.
    said : str, optional
        What the approver has to say.

    Raises
    ------
    ForbiddenError
        If the approver had a hand in the plan.
    CheckError
        If it breaks rules for which no reason was given.
    """
    with acting(store, actor, district) as act:
        plan = taken(act, number, "approve", revision)
        if actor.id in moves.editors(act.connection, act.code, plan):
            raise ForbiddenError(
                f"{actor.id} had a hand in plan {number}.", "Let another account approve it."
            )
        return approved(act, plan, waive=waive, said=said)


def approved(
    act: Act, plan: plans.Plan, *, waive: Mapping[str, str] | None = None, said: str | None = None
) -> Changed:
    """Let a submitted plan's problems pass and approve it, in an open act."""
    found = problems.of_plan(act.connection, act.code, plan.id)
    reasons = _reasons(plan, set(found.rule), waive or {})
    open_rules = sorted(set(found.rule) - set(reasons))
    if open_rules:
        counts = found.groupby("rule").size()
        raise CheckError(
            f"Plan {plan.number} breaks {len(found)} rules that an approver may waive.",
            "Send it back, or give a reason for each rule: waive size, connection, ...",
            [f"{rule}: {counts[rule]} ({RULES[rule][1]})" for rule in open_rules],
        )
    problems.waive(act.connection, act.code, plan.id, by=act.actor.id, reasons=reasons)
    return moved_on(act, plan, "approve", by=act.actor.id, said=said, after={"waived": reasons})


def withdraw(
    store: Store, actor: Actor, district: str, number: int, *, reason: str, revision: int | None = None
) -> Changed:
    """Take back a plan that has not taken effect; the plan before it holds on.

    Raises
    ------
    ConflictError
        If it took effect already.
    """
    with acting(store, actor, district) as act:
        plan = taken(act, number, "withdraw", revision)
        if plan.state == "published" and not plan.scheduled:
            raise _took_effect(plan)
        comments.add(act.connection, act.code, plan.id, actor.id, _said(reason))
        if plan.scheduled:
            plans.unpublish(act.connection, act.code, plan)
            versions.advance(act.connection, act.code, "grids", "plans", "locate")
        done = moved_on(act, plan, "withdraw")
        if plan.effective is not None and plan.effective <= plans.instant(act.connection, act.code):
            raise _took_effect(plan)  # while it was being withdrawn
        return done


def _took_effect(plan: plans.Plan) -> ConflictError:
    return ConflictError(
        f"Plan {plan.number} took effect on {plan.effective:%Y-%m-%d %H:%M}.",
        f"Roll back instead: gridgov plan rollback {plan.number}.",
    )


def comment(
    store: Store, actor: Actor, district: str, number: int, said: str, *, key: str | None = None
) -> Changed:
    """Say something about a plan, whatever its state."""
    with acting(store, actor, district) as act:

        def do() -> Changed:
            plan = plans.get(act.connection, act.code, number)
            comments.add(act.connection, act.code, plan.id, actor.id, _said(said))
            versions.advance(act.connection, act.code, "drafts")
            act.record("plan.comment", f"plan {number}")
            return Changed(number, plan.state, plan.revision, plan.title)

        return once(act, key, {"act": "comment", "number": number, "said": said}, do, Changed)


def taken(act: Act, number: int, verb: str, revision: int | None) -> plans.Plan:
    """Return a plan that an act of `TRANSITIONS` may change.

    Raises
    ------
    ConflictError
        If its state forbids the act.
    StaleError
        If it was edited since the revision the caller saw.
    """
    plan = plans.get(act.connection, act.code, number)
    transition = TRANSITIONS[verb]
    if plan.state not in transition.sources:
        raise ConflictError(
            f"Plan {number} is {plan.state}; it cannot be {transition.said}.",
            f"That needs a plan that is {' or '.join(transition.sources)}.",
        )
    check_revision(act, plan, revision)
    return plan


def check_revision(act: Act, plan: plans.Plan, revision: int | None) -> None:
    """See that a plan is as its editor saw it.

    Raises
    ------
    StaleError
        If it was edited since; carries the moves made after that revision, and what carried it over to other
        cells.
    """
    if revision is not None and plan.revision != revision:
        made = moves.entries(act.connection, act.code, plan.id, after=revision)
        carried = [each for each in plan.report.get("rebases", ()) if each["revision"] > revision]
        raise StaleError(
            f"Plan {plan.number} is at revision {plan.revision}, not {revision}.",
            "Look at what changed, then try again from the new revision.",
            [*map(asdict, made), *carried],
        )


def moved_on(
    act: Act,
    plan: plans.Plan,
    verb: str,
    *,
    by: str | None = None,
    said: str | None = None,
    after: Mapping[str, Any] | None = None,
) -> Changed:
    """Bring a plan to the state an act leads to, and put the act on record."""
    target = TRANSITIONS[verb].target
    if target == "published":
        by, said = plan.approved_by, plan.approval
    plans.set_state(act.connection, act.code, plan.id, target, by=by, said=said)
    versions.advance(act.connection, act.code, "drafts")
    act.record(
        f"plan.{verb}",
        f"plan {plan.number}",
        before={"state": plan.state, "revision": plan.revision},
        after={"state": target, "revision": plan.revision, **(after or {})},
    )
    found = problems.of_plan(act.connection, act.code, plan.id)
    return Changed(plan.number, target, plan.revision, plan.title, len(found))


def once(act: Act, key: str | None, asked: Mapping[str, Any], do: Callable[[], T], kind: type[T]) -> T:
    """Carry a request out, or return what was answered when it came under the same key before.

    Raises
    ------
    ConflictError
        If the key was used for another request.
    """
    if key is None:
        return do()
    digest = hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
    stored = TypeAdapter(kind)
    kept = requests.answered(act.connection, act.code, act.actor.id, key, digest)
    if kept is not None:
        return stored.validate_python(kept)
    answer = do()
    plain = stored.dump_python(answer, mode="json")
    requests.keep(act.connection, act.code, act.actor.id, key, digest, plain)
    return answer


def _reasons(plan: plans.Plan, rules: set[str], waive: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(waive) - set(RULES) - {"all"})
    if unknown:
        raise InputError(
            f"There is no rule {unknown[0]!r} to waive.", f"Rules: {', '.join(RULES)}; all means the others."
        )
    first = plan.origin == "imported" and plan.based_on is None
    rest = waive.get("all", "").strip() or (AS_FOUND if first else "")
    given = {rule: waive.get(rule, "").strip() or rest for rule in rules}
    return {rule: reason for rule, reason in given.items() if reason}


def _counts(found: list[Problem]) -> dict[str, int]:
    return {rule: n for rule in RULES if (n := sum(problem.rule == rule for problem in found))}


def _said(text: str) -> str:
    said = text.strip()
    if not said or len(said) > MAX_COMMENT:
        raise InputError(
            "A reason or comment is missing or too long.", f"Say it in 1 to {MAX_COMMENT} characters."
        )
    return said
