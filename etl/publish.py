"""Publish a plan, now or for later: check it, issue codes, draw its grids, let it hold; one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from data import grids, plans, problems, versions
from data.problems import Problem
from data.session import Store
from etl.acting import Act, acting
from etl.activation import Activation, carry_out_due
from etl.actor import SYSTEM, Actor
from etl.checks import Checked, check
from etl.lifecycle import approved, moved_on, once, taken
from geo.errors import CheckError, ConflictError, InputError
from geo.times import here


@dataclass(frozen=True)
class PublishReport:
    """What a publication did.

    ``effective`` is when the plan takes effect; what follows ``duties_bound`` is only carried out then, and 0
    before. ``problems`` are those that were let pass. See `etl.activation.Activation`.
    """

    number: int
    effective: datetime
    in_force: bool
    grids: int
    codes_issued: int
    problems: list[Problem]
    duties_bound: int
    duties_carried: int = 0
    duties_idle: int = 0
    cases_moved: int = 0


def publish(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    *,
    at: datetime | None = None,
    revision: int | None = None,
    key: str | None = None,
) -> PublishReport:
    """Put an approved plan in force, now or at an instant to come.

    Codes are issued and grids drawn at once, so that everybody can be ready; at the instant the plan holds, by
    its range and the clock alone, and what falls due then is carried out by `etl.activation`.

    Parameters
    ----------
    at : datetime, optional
        When it shall take effect, +08:00 where no zone is stated; now by default.
    revision : int, optional
        The revision the caller saw.
    key : str, optional
        Idempotency key: the same request under it is carried out once.

    Raises
    ------
    NotFoundError
        If there is no such plan.
    ConflictError
        If the plan is not approved, or another is scheduled already.
    StaleError
        If the plan, the plan in force or the district's cells were changed since.
    CheckError
        If the plan breaks a rule that is never waived, or one that was not when it was approved.
    InputError
        If ``at`` is past.
    """
    with acting(store, actor, district) as act:

        def do() -> PublishReport:
            return _publish(act, taken(act, number, "publish", revision), at)

        asked = {"act": "publish", "number": number, "at": at, "revision": revision}
        return once(act, key, asked, do, PublishReport)


def publish_as_system(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    *,
    waive: str | None = None,
    at: datetime | None = None,
    revision: int | None = None,
) -> PublishReport:
    """Submit, approve and publish a draft in one transaction, with an explicit approval by the system on record.

    For where nobody else is there to approve: a first plan, the demo, a district run by one person. Parameters
    and errors are those of `publish`; ``waive`` is the reason for which waivable problems are let pass.
    """
    with acting(store, actor, district) as act:
        return pass_as_system(act, number, waive=waive, at=at, revision=revision)


def pass_as_system(
    act: Act,
    number: int,
    *,
    waive: str | None = None,
    at: datetime | None = None,
    revision: int | None = None,
) -> PublishReport:
    """Do what `publish_as_system` does, in an open act."""
    plan = taken(act, number, "submit", revision)
    found = check(act, plan)
    problems.write(act.connection, act.code, plan.id, found.problems)
    moved_on(act, plan, "submit")
    reasons = {"all": waive.strip()} if waive and waive.strip() else {}
    system = replace(act, actor=SYSTEM)
    try:
        approved(
            system, plans.get(act.connection, act.code, number), waive=reasons, said=f"for {act.actor.id}"
        )
    except CheckError as error:
        raise CheckError(error.fault, error.remedy, found.told(found.problems)) from error
    return _put_out(act, plans.get(act.connection, act.code, number), found, at)


def _publish(act: Act, plan: plans.Plan, at: datetime | None) -> PublishReport:
    found = check(act, plan)
    problems.write(act.connection, act.code, plan.id, found.problems)
    waived = problems.waived(act.connection, act.code, plan.id)
    fresh = [problem for problem in found.problems if problem.rule not in waived]
    if fresh:
        raise CheckError(
            f"Plan {plan.number} breaks rules that it did not break when it was approved.",
            "Send it back, and let it be approved again.",
            found.told(fresh),
        )
    return _put_out(act, plan, found, at)


def _put_out(act: Act, plan: plans.Plan, found: Checked, at: datetime | None) -> PublishReport:
    """Publish an approved plan that was checked in this transaction."""
    connection, district = act.connection, act.code
    effective = _effective(act, at)
    issued = grids.issue_codes(connection, district, plan.id)
    grids.write_published(connection, district, plan.id, found.drawn)
    plans.publish(connection, district, plan.id, effective)
    moved_on(act, plan, "publish", after={"effective": effective, "codes_issued": issued})
    versions.advance(connection, district, "grids", "plans", "locate")
    carried_out = carry_out_due(connection, district)
    done = carried_out[-1] if carried_out else Activation(plan.number, 0, 0, 0)
    return PublishReport(
        plan.number,
        effective,
        bool(carried_out),
        len(found.drawn),
        issued,
        found.problems,
        found.duties_bound,
        done.duties_carried,
        done.duties_idle,
        done.cases_moved,
    )


def _effective(act: Act, at: datetime | None) -> datetime:
    waiting = plans.scheduled(act.connection, act.code)
    if waiting is not None:
        raise ConflictError(
            f"Plan {waiting.number} is published for {waiting.effective:%Y-%m-%d %H:%M} already.",
            f"Wait until then, or withdraw it first: gridgov plan withdraw {waiting.number}.",
        )
    now = plans.instant(act.connection, act.code)
    if at is None:
        return now
    stated = here(at)
    if stated <= now:
        raise InputError(
            f"{stated:%Y-%m-%d %H:%M} is past.", "Name an instant to come, or none to publish now."
        )
    return stated
