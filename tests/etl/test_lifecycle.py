from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from data import problems, versions
from etl import drafts, edits, lifecycle
from etl.actor import Actor
from etl.edits import Move
from etl.plans import rebalance
from etl.proposing import Wish
from etl.publish import publish
from etl.rebase import rebase_plan
from geo.errors import (
    CheckError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    StaleError,
)
from tests.governed import APPROVER, AUTHOR, EDITOR, HOUR, WAIVED, Governed

STATES = ("draft", "submitted", "approved", "scheduled", "published", "superseded", "withdrawn")
ACTS = {
    "submit": Governed.submit,
    "send_back": Governed.send_back,
    "approve": Governed.approve,
    "publish": Governed.publish,
    "withdraw": Governed.withdraw,
    "move": lambda place, number: place.move(number, Move("new", cells=place.cells(place.grids()[0])[:1])),
    "undo": Governed.undo,
    "lock": lambda place, number: edits.lock(
        place.store, AUTHOR, place.code, number, "grid", place.grids()[:1]
    ),
    "unlock": lambda place, number: edits.unlock(
        place.store, AUTHOR, place.code, number, "grid", place.grids()[:1]
    ),
}
ALLOWED = {
    ("draft", "submit"): "submitted",
    ("submitted", "send_back"): "draft",
    ("approved", "send_back"): "draft",
    ("submitted", "approve"): "approved",
    ("approved", "publish"): "published",
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "withdraw"): "withdrawn",
    ("approved", "withdraw"): "withdrawn",
    ("scheduled", "withdraw"): "withdrawn",
    ("draft", "move"): "draft",
    ("draft", "lock"): "draft",
    ("draft", "unlock"): "draft",
}


def by_state(place: Governed) -> dict[str, int]:
    """Give the district a plan in every state; a scheduled plan comes last, for it keeps others from publication."""
    made = {"superseded": 1, "published": place.brought("published")}
    return made | {state: place.brought(state) for state in STATES if state not in made}


def together(*acts) -> list[object]:
    """Begin acts at the same instant, each in a thread; return what each answered or raised."""
    start = Barrier(len(acts))

    def run(act):
        start.wait()
        try:
            return act()
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_every_allowed_act_leads_to_its_state(place):
    for (state, act), target in ALLOWED.items():
        number = place.brought(state)
        ACTS[act](place, number)
        assert place.plan(number).state == target, (state, act)


def test_every_other_act_is_refused_and_changes_nothing(place):
    made = by_state(place)
    before = place.digest()
    for state, number in made.items():
        for act in ACTS:
            if (state, act) not in ALLOWED:
                with pytest.raises(ConflictError):
                    ACTS[act](place, number)
    assert place.digest() == before


def test_the_table_of_transitions_is_what_the_acts_do():
    stated = {
        (state, verb, transition.target)
        for verb, transition in lifecycle.TRANSITIONS.items()
        for state in transition.sources
    }
    changes = {
        ("published" if state == "scheduled" else state, act, target)
        for (state, act), target in ALLOWED.items()
        if target != state
    }
    assert stated == changes | {("published", "supersede", "superseded")}


def test_every_act_of_a_life_is_on_record(place):
    number = place.brought("published")
    assert place.acts()[-5:] == [
        "plan.open",
        "plan.submit",
        "plan.approve",
        "plan.publish",
        "plan.activate",
    ]
    rows = place.query(
        "SELECT actor, before->>'state', after->>'state' FROM audit WHERE subject = :plan ORDER BY id",
        plan=f"plan {number}",
    )
    assert rows == [
        ("author", None, None),
        ("author", "draft", "submitted"),
        ("approver", "submitted", "approved"),
        ("approver", "approved", "published"),
        ("system", None, None),
    ]


def test_nobody_approves_what_they_had_a_hand_in(place):
    number = place.open()
    west, east, *_ = place.grids()
    place.move(number, Move(east, cells=place.cells(west)[-1:]), actor=EDITOR)
    place.undo(number)
    place.submit(number)
    before = place.digest()
    for actor in (AUTHOR, EDITOR):
        with pytest.raises(ForbiddenError, match="had a hand"):
            place.approve(number, actor)
    assert place.digest() == before
    place.approve(number)
    assert place.plan(number).approved_by == "approver"


def test_a_copy_is_not_approved_by_those_who_had_a_hand_in_its_source(place):
    west, east, *_ = place.grids()
    source = place.open()
    place.move(source, Move(east, cells=place.cells(west)[-1:]), actor=EDITOR)
    copy = place.open(Actor("copyist"), base=source)
    balanced = rebalance(place.store, Actor("copyist"), place.code, Wish(base=copy)).number
    place.put_out(place.open(Actor("other")))
    rebase_plan(place.store, Actor("copyist"), place.code, copy)
    rebase_plan(place.store, Actor("copyist"), place.code, balanced)
    for number in (copy, balanced):
        place.submit(number)
        for actor in (AUTHOR, EDITOR, Actor("copyist")):
            with pytest.raises(ForbiddenError, match="had a hand"):
                place.approve(number, actor)
    place.approve(copy)
    place.publish(copy)
    place.submit(again := place.open(Actor("copyist")))
    place.approve(again, AUTHOR)


def test_waivers_need_a_reason_and_end_when_the_plan_is_sent_back(place):
    number = place.brought("submitted")
    approve = partial(lifecycle.approve, place.store, APPROVER, place.code, number)
    for waive in (None, {"all": "  "}, {"size": "no other way"}):
        with pytest.raises(CheckError, match="may waive"):
            approve(waive=waive)
    with pytest.raises(InputError, match="no rule 'sise'"):
        approve(waive={"sise": "a slip"})
    approve(waive={"no_duty": "hired in May"}, said="well drawn")
    with place.store.read(place.code) as connection:
        assert problems.waived(connection, place.code, place.plan(number).id) == {
            "no_duty": ("approver", "hired in May")
        }
    assert place.plan(number).approval == "well drawn"
    place.send_back(number)
    assert (place.plan(number).approved_by, place.plan(number).approval) == (None, None)
    place.submit(number)
    with pytest.raises(CheckError, match="may waive"):
        approve()


def test_what_was_not_broken_when_it_was_approved_stops_a_publication(place):
    number = place.brought("approved")
    place.query(
        "UPDATE buildings SET households = 90 WHERE external_code IN ('B1-0-0', 'B1-0-1') RETURNING id"
    )
    with pytest.raises(CheckError, match="did not break when it was approved") as refused:
        place.publish(number)
    assert [line for line in refused.value.problems if line.startswith("size: ")]
    assert place.in_force() == 1


def test_an_actor_acts_in_its_districts_only(place):
    number = place.brought("draft")
    before = place.digest()
    stranger = replace(AUTHOR, scope=frozenset({"990999"}))
    for act in (
        partial(lifecycle.submit, place.store, stranger, place.code, number),
        partial(drafts.open_draft, place.store, stranger, place.code),
        partial(publish, place.store, stranger, place.code, number),
    ):
        with pytest.raises(ForbiddenError, match="may not act on district"):
            act()
    assert place.digest() == before
    lifecycle.submit(place.store, replace(AUTHOR, scope=frozenset({place.code})), place.code, number)


def test_a_stale_revision_is_refused_by_every_act(place):
    number = place.brought("draft")
    seen = place.plan(number).revision
    west, east, *_ = place.grids()
    place.move(number, Move(east, cells=place.cells(west)[:1]))
    with pytest.raises(StaleError, match="revision 2, not 1") as refused:
        lifecycle.submit(place.store, AUTHOR, place.code, number, revision=seen)
    assert [change["cells"] for change in refused.value.changes] == [1]
    place.submit(number)
    with pytest.raises(StaleError):
        lifecycle.approve(place.store, APPROVER, place.code, number, waive=WAIVED, revision=seen)
    place.approve(number)
    with pytest.raises(StaleError):
        place.publish(number, revision=seen)
    assert place.publish(number, revision=2).in_force


def test_a_plan_is_published_once(place):
    number = place.brought("approved")
    answers = together(*[partial(place.publish, number)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["ConflictError", "PublishReport"]
    assert place.acts().count("plan.publish") == 2  # the first plan's, and this one's
    assert place.in_force() == number


def test_of_two_plans_published_at_once_one_is_stale(place):
    rivals = [place.brought("approved") for _ in range(2)]
    answers = together(*(partial(place.publish, number) for number in rivals))
    assert sorted(type(answer).__name__ for answer in answers) == ["PublishReport", "StaleError"]
    won = next(answer.number for answer in answers if not isinstance(answer, StaleError))
    assert place.in_force() == won
    assert sorted(place.plan(number).state for number in rivals) == ["approved", "published"]


def test_a_plan_whose_base_is_no_longer_in_force_is_stale(place):
    drafted, approved = place.brought("draft"), place.brought("approved")
    newer = place.brought("published")
    for act in (partial(place.submit, drafted), partial(place.publish, approved)):
        with pytest.raises(StaleError, match=f"Plan {newer} took effect"):
            act()
    assert place.in_force() == newer


def test_a_request_sent_twice_is_carried_out_once(place):
    number = place.brought("approved")
    send = partial(publish, place.store, APPROVER, place.code, number, key="K")
    first = send()
    before = place.digest()
    assert send() == first
    assert place.digest() == before
    with pytest.raises(ConflictError, match="another request"):
        send(revision=1)
    with pytest.raises(ConflictError, match="cannot be published"):
        publish(place.store, EDITOR, place.code, number, key="K")
    assert place.digest() == before


def test_a_key_answers_within_one_act_only(place):
    opened = drafts.open_draft(place.store, AUTHOR, place.code, key="K")
    assert drafts.open_draft(place.store, AUTHOR, place.code, key="K") == opened
    assert drafts.open_draft(place.store, EDITOR, place.code, key="K").number == opened.number + 1
    with pytest.raises(ConflictError, match="another request"):
        drafts.open_draft(place.store, AUTHOR, place.code, title="something else", key="K")
    with pytest.raises(ConflictError, match="another request"):
        lifecycle.comment(place.store, AUTHOR, place.code, opened.number, "well", key="K")


def test_a_refused_request_may_be_sent_again_under_its_key(place):
    number = place.brought("submitted")
    with pytest.raises(ConflictError):
        place.publish(number, key="K")
    place.approve(number)
    assert place.publish(number, key="K").in_force


def test_requests_of_one_key_sent_at_once_have_one_effect(place):
    answers = together(*[partial(drafts.open_draft, place.store, AUTHOR, place.code, key="K")] * 4)
    assert len({answer.number for answer in answers}) == 1
    assert place.acts().count("plan.open") == 1


def test_a_roll_back_is_a_new_plan_with_the_old_codes(place):
    west, east, *_ = place.grids()
    number = place.open()
    place.move(number, Move(east, grids=[west]))
    place.put_out(number)
    assert west not in place.codes(number)
    back = drafts.roll_back(place.store, AUTHOR, place.code).number
    assert place.plan(back).origin == "rolled_back"
    assert place.in_force() == number
    assert place.put_out(back).codes_issued == 0
    assert place.codes(back) == place.codes(1)
    assert place.assignment(back) == place.assignment(1)
    assert place.in_force() == back


def test_only_a_plan_that_was_in_force_can_be_rolled_back_to(place):
    with pytest.raises(ConflictError, match="no plan before"):
        drafts.roll_back(place.store, AUTHOR, place.code)
    made = by_state(place)
    for state in STATES:
        if state != "superseded":
            with pytest.raises(ConflictError, match=f"Plan {made[state]} is"):
                drafts.roll_back(place.store, AUTHOR, place.code, to=made[state])
    with pytest.raises(NotFoundError, match="no plan 99"):
        drafts.roll_back(place.store, AUTHOR, place.code, to=99)


def test_a_draft_may_begin_as_any_plan(place):
    made = by_state(place)
    for state, number in made.items():
        opened = place.open(base=number)
        assert place.assignment(opened) == place.assignment(number), state
    before = place.digest()
    with pytest.raises(InputError, match="title"):
        place.open(title="x" * 121)
    with pytest.raises(NotFoundError, match="no plan 99"):
        place.open(base=99)
    assert place.digest() == before


def test_the_database_refuses_two_plans_at_one_instant(place):
    number = place.brought("approved")
    with pytest.raises(IntegrityError, match="ex_plans_one_in_force"):
        place.query(
            "UPDATE plans SET state = 'published', valid = tstzrange(now() + interval '1 year', NULL)"
            " WHERE number = :number RETURNING id",
            number=number,
        )


def test_drafts_raise_no_version_that_answers_are_keyed_by(place):
    def current():
        with place.store.read(place.code) as connection:
            return versions.current(connection, place.code)

    before = current()
    number = place.brought("approved")
    place.withdraw(number)
    raised = {layer for layer, version in current().items() if version != before.get(layer)}
    assert raised == {"drafts"}
    before = current()
    number = place.brought("scheduled")
    place.withdraw(number)
    raised = {layer for layer, version in current().items() if version != before.get(layer)}
    assert raised == {"drafts", "grids", "plans", "locate"}


@pytest.mark.parametrize("said", ["", "   ", "x" * 2001])
def test_a_reason_is_said_in_so_many_words(place, said):
    number = place.brought("submitted")
    before = place.digest()
    for act in (lifecycle.send_back, lifecycle.withdraw):
        with pytest.raises(InputError, match="reason or comment"):
            act(place.store, APPROVER, place.code, number, reason=said)
    with pytest.raises(InputError, match="reason or comment"):
        lifecycle.comment(place.store, Actor("anybody"), place.code, number, said)
    assert place.digest() == before


def test_an_effective_time_that_is_past_is_refused(place):
    number = place.brought("approved")
    before = place.digest()
    for at in (place.now(), place.now() - HOUR, place.plan(1).effective):
        with pytest.raises(InputError, match="is past"):
            place.publish(number, at)
    assert place.digest() == before
