"""From a question to what is told: whose locator is asked, and what goes with the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from api.hot import Told
from api.permissions import may
from api.questions import AddressAsked, PointAsked, Question
from api.served import Ready
from api.state import State
from etl.actor import PUBLIC, Actor
from geo.answers import Answer, Status
from geo.errors import InputError
from geo.locate import Locator

Ask = Callable[[Locator], Answer]
"""Puts the question to a locator."""


async def chosen(state: State, actor: Actor, asked: Question, *, anywhere: bool = False) -> Sequence[Ready]:
    """Return what is to be asked: one district at the instant named, from the version named on.

    Parameters
    ----------
    anywhere : bool
        Whether every district may be asked where none is named; an instant, a plan and a version are those of one.
    """
    district = asked.district
    if district is None and len(actor.scope) == 1:
        district = next(iter(actor.scope))
    if asked.min_version:
        await state.reach(district, asked.min_version)
    if asked.plan is not None:
        if asked.as_of is not None:
            raise InputError("A plan is named and an instant too.", "Give plan or as_of.")
        meant = state.served(district).district.code
        drafts = may(actor, "plan.read") and actor.reaches(meant)
        return [await state.ready_for(meant, asked.plan, drafts=drafts)]
    if asked.as_of is not None:
        return [await state.ready_at(district, asked.as_of)]
    if anywhere and not asked.min_version:
        return state.ready_anywhere(district)
    return [state.ready(district)]


def told(
    state: State,
    actor: Actor,
    asked: PointAsked | AddressAsked,
    served: Sequence[Ready],
    ask: Ask,
    place: Ask | None = None,
) -> Told:
    """Ask, and write what is answered; of several districts that which holds the place or is nearest.

    Parameters
    ----------
    place : callable, optional
        Asks where the place is, for answers that do not say.
    """
    answer, (district, teller, then) = _nearest([(ask(each.teller.locator), each) for each in served], place)
    staff = actor is not PUBLIC and may(actor, "duty.read") and actor.reaches(district.code)
    more: dict[str, Any] = {}
    if asked.include is not None:
        if "border" in asked.include:
            answer = teller.locator.with_border(answer)
        if "sites" in asked.include:
            more["sites"] = teller.sites(answer)
        if "evidence" in asked.include:
            if answer.plan.valid_from is None:
                raise InputError("A plan that is not published proves nothing.", "Leave evidence out.")
            more["evidence"] = state.slips.sign(teller.locator, answer, asked.kind, asked.written())
    later = ask(then.locator) if then else None
    return Told(teller.tell(answer, staff=staff, then=later, more=more), teller.headers)


def _nearest(found: list[tuple[Answer, Ready]], place: Ask | None) -> tuple[Answer, Ready]:
    if len(found) == 1:
        return found[0]

    def away_m(each: tuple[Answer, Ready]) -> float:
        answer, ready = each
        if answer.status is Status.NO_ANSWER and place:
            answer = place(ready.teller.locator)
        return answer.outside_m or 0.0

    return min(found, key=away_m)
