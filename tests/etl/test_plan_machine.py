"""Random lives of plans: what is stored is what a model of a few dictionaries says, after every act."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from data import plans
from data.session import Store
from etl import drafts, edits, lifecycle
from etl.activation import activate_due
from etl.actor import Actor
from etl.edits import Move
from etl.lifecycle import TRANSITIONS
from etl.rebase import rebase_plan
from geo.errors import ConflictError, ForbiddenError, GridgovError, StaleError
from tests.governed import AUTHOR, HOUR, WAIVED, governed

STEP_BACK = timedelta(minutes=17)
CODES = itertools.count(980001)

people = st.sampled_from([AUTHOR, Actor("second"), Actor("third")])
choice = st.integers(0, 10**6)
"""Stands for one of what there is when the act comes."""


@dataclass
class ModelPlan:
    """What is known of a plan."""

    state: str
    based_on: int | None
    assignment: dict[int, int]
    editors: set[str]
    revision: int = 1
    done: list[dict[int, int]] = field(default_factory=list)
    locked: dict[str, set[int]] = field(default_factory=lambda: {"cell": set(), "grid": set()})
    effective: datetime | None = None
    activated: bool = False

    @property
    def scheduled(self) -> bool:
        """Whether it is published and was not carried out."""
        return self.state == "published" and not self.activated

    def holds(self, cells: dict[int, int]) -> bool:
        """Whether a lock forbids that cells go to these grids."""
        grids = {self.assignment[cell] for cell in cells} | set(cells.values())
        return bool(self.locked["cell"] & set(cells) or self.locked["grid"] & grids)


@dataclass
class Model:
    """What is known of a district.

    ``cases_of`` is the plan that cases were handed over by, ``acts`` counts rows of the audit, and ``now`` is when
    the district was settled: what is to come is minutes away, and a life lasts seconds.
    """

    plans: dict[int, ModelPlan]
    cases_of: int
    acts: int
    now: datetime

    @property
    def in_force(self) -> int:
        """Number of the plan in force: the last that took effect, by the clock or by activation."""
        begun = [
            number
            for number, plan in self.plans.items()
            if plan.state == "published" and (plan.activated or self.is_due(plan))
        ]
        return max(begun, key=lambda number: self.plans[number].effective)

    @property
    def waiting(self) -> int | None:
        """Number of the plan that was published and not carried out."""
        return next((number for number, plan in self.plans.items() if plan.scheduled), None)

    def is_due(self, plan: ModelPlan) -> bool:
        """Whether the time of a scheduled plan has come."""
        return plan.scheduled and plan.effective <= self.now

    def carry_out(self) -> None:
        """Activate what fell due."""
        number = self.waiting
        if number is not None and self.is_due(self.plans[number]):
            self.activate(number)

    def activate(self, number: int) -> None:
        """Let a plan supersede the one before it."""
        for plan in self.plans.values():
            if plan.state == "published" and plan.activated:
                plan.state = "superseded"
        self.plans[number].activated = True
        self.cases_of = number
        self.acts += 1

    def base(self, plan: ModelPlan) -> int | None:
        """Number of the plan it changes: the nearest it descends from that took effect."""
        number = plan.based_on
        while number is not None and not self.plans[number].activated:
            number = self.plans[number].based_on
        return number

    def merge(self, number: int, actor: Actor) -> None:
        """Apply what a draft changes to the plan in force: a merge of three assignments, cell by cell."""
        plan, onto = self.plans[number], self.plans[self.in_force]
        before, now = self.plans[self.base(plan)].assignment, onto.assignment
        retired = set(before.values()) - set(now.values())
        merged = {}
        for cell, grid in plan.assignment.items():
            own = grid != before[cell] or cell in plan.locked["cell"] or grid in plan.locked["grid"]
            merged[cell] = grid if own and grid not in retired else now[cell]
        if merged != plan.assignment:
            plan.editors.add(actor.id)
        plan.assignment, plan.based_on, plan.done = merged, self.in_force, []
        plan.locked["grid"] &= set(merged.values())
        plan.revision += 1

    def refusal(self, number: int, verb: str) -> type[GridgovError] | None:
        """What forbids an act of the table of transitions."""
        plan = self.plans[number]
        if plan.state not in TRANSITIONS[verb].sources:
            return ConflictError
        if verb in ("submit", "publish") and self.base(plan) != self.in_force:
            return StaleError
        if verb == "publish" and self.waiting is not None:
            return ConflictError
        if verb == "withdraw" and plan.activated:
            return ConflictError
        return None


class PlanMachine(RuleBasedStateMachine):
    """Acts of three people on one community of 9 cells."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.codes: dict[int, str] = {}

    @initialize()
    def settle(self) -> None:
        self.place = place = governed(self.store, str(next(CODES)), communities=1, side=3)
        place.query(
            "INSERT INTO cases (district, number, category, grid_id, point)"
            " SELECT c.district, c.id::text, '环境', pc.grid_id, ST_PointOnSurface(c.shape)"
            " FROM cells c JOIN plan_cells pc ON pc.cell_id = c.id RETURNING id"
        )
        first = ModelPlan("published", None, place.assignment(1), set(), activated=True)
        first.effective = place.plan(1).effective
        self.model = Model({1: first}, 1, len(place.acts()), place.now())
        for actor in (AUTHOR, Actor("second")):
            self.open(0, actor)

    def pick(self, wanted: int, *states: str) -> int:
        """Return the number of a plan, one time in four whatever its state."""
        numbers = sorted(self.model.plans, reverse=True)
        suited = [number for number in numbers if self.model.plans[number].state in states]
        pool = suited if suited and wanted % 4 < 3 else numbers
        return pool[wanted // 4 % len(pool)]

    def attempt(
        self, act: Callable[[], Any], refusal: Callable[[], type[GridgovError] | None], rows: int = 1
    ) -> Any:
        """Carry an act out that the model allows, or see it refused; None if it was.

        Whatever fell due is carried out with it, or not at all.
        """
        before = copy.deepcopy(self.model)
        self.model.carry_out()
        expected = refusal()
        if expected is None:
            self.model.acts += rows
            return act()
        with pytest.raises(GridgovError) as raised:
            act()
        assert raised.type is expected, raised.value
        self.model = before
        return None

    @rule(wanted=choice, actor=people)
    def open(self, wanted: int, actor: Actor) -> None:
        source = self.pick(wanted)
        done = self.attempt(
            lambda: drafts.open_draft(self.store, actor, self.place.code, base=source), lambda: None
        )
        copied = self.model.plans[source]
        based_on = self.model.in_force if copied.activated else source
        hands = set() if copied.activated else copied.editors
        self.model.plans[done.number] = ModelPlan(
            "draft", based_on, dict(copied.assignment), {actor.id} | hands
        )

    @rule(wanted=choice, actor=people)
    def rebase(self, wanted: int, actor: Actor) -> None:
        number = self.pick(wanted, "draft")
        stale = self.model.base(self.model.plans[number]) != self.model.in_force
        done = self.attempt(
            lambda: rebase_plan(self.store, actor, self.place.code, number),
            lambda: None if self.model.plans[number].state == "draft" else ConflictError,
            rows=int(stale),
        )
        if done:
            assert (done.onto == self.model.in_force) is stale
        if done and stale:
            self.model.merge(number, actor)

    @rule(wanted=choice, actor=people)
    def roll_back(self, wanted: int, actor: Actor) -> None:
        to = self.pick(wanted, "superseded")
        done = self.attempt(
            lambda: drafts.roll_back(self.store, actor, self.place.code, to=to),
            lambda: None if self.model.plans[to].state == "superseded" else ConflictError,
        )
        if done:
            self.model.plans[done.number] = ModelPlan(
                "draft", self.model.in_force, dict(self.model.plans[to].assignment), {actor.id}
            )

    @rule(wanted=choice, grid=choice, cells=st.sets(st.integers(0, 8), min_size=1, max_size=5), actor=people)
    def move(self, wanted: int, grid: int, cells: set[int], actor: Actor) -> None:
        number = self.pick(wanted, "draft")
        plan = self.model.plans[number]
        known = sorted({its for each in self.model.plans.values() for its in each.assignment.values()})
        goal = [*known, "new", "new"][grid % (len(known) + 2)]
        ordered = sorted(plan.assignment)
        moving = {ordered[i]: goal for i in cells if plan.assignment[ordered[i]] != goal}

        def refusal() -> type[GridgovError] | None:
            standing = {
                *plan.assignment.values(),
                *self.model.plans[self.model.in_force].assignment.values(),
            }
            if plan.state != "draft" or (goal != "new" and goal not in standing) or plan.holds(moving):
                return ConflictError
            return None

        done = self.attempt(
            lambda: edits.move(
                self.store,
                actor,
                self.place.code,
                number,
                [Move(goal, cells=[ordered[i] for i in sorted(cells)])],
                revision=plan.revision,
            ),
            refusal,
            rows=bool(moving),
        )
        if done and moving:
            made = self.place.query("SELECT to_grid FROM plan_moves ORDER BY id DESC LIMIT 1")[0][0]
            self.edit(number, dict.fromkeys(moving, made), actor)

    @rule(wanted=choice, actor=people)
    def undo(self, wanted: int, actor: Actor) -> None:
        number = self.pick(wanted, "draft")
        plan = self.model.plans[number]
        former = plan.done[-1] if plan.done else {}
        done = self.attempt(
            lambda: edits.undo(self.store, actor, self.place.code, number, revision=plan.revision),
            lambda: ConflictError if plan.state != "draft" or not former or plan.holds(former) else None,
        )
        if done:
            self.edit(number, former, actor)
            del self.model.plans[number].done[-2:]

    def edit(self, number: int, moving: dict[int, int], actor: Actor) -> None:
        """Move cells of the model's plan."""
        plan = self.model.plans[number]
        plan.done.append({cell: plan.assignment[cell] for cell in moving})
        plan.assignment |= moving
        plan.editors.add(actor.id)
        plan.revision += 1

    @rule(wanted=choice, kind=st.sampled_from(["cell", "grid"]), which=choice, verb=st.booleans())
    def lock_or_unlock(self, wanted: int, kind: str, which: int, verb: bool) -> None:
        number = self.pick(wanted, "draft")
        plan = self.model.plans[number]
        there = sorted(plan.assignment if kind == "cell" else set(plan.assignment.values()))
        named = there[which % len(there)]
        act = edits.lock if verb else edits.unlock
        done = self.attempt(
            lambda: act(self.store, AUTHOR, self.place.code, number, kind, [named]),
            lambda: None if plan.state == "draft" else ConflictError,
        )
        if done:
            held = self.model.plans[number].locked[kind]
            (held.add if verb else held.discard)(named)

    @rule(wanted=choice)
    def submit(self, wanted: int) -> None:
        number = self.pick(wanted, "draft")
        if self.attempt(lambda: self.place.submit(number), lambda: self.model.refusal(number, "submit")):
            self.model.plans[number].state = "submitted"

    @rule(wanted=choice)
    def send_back(self, wanted: int) -> None:
        number = self.pick(wanted, "submitted")
        if self.attempt(
            lambda: self.place.send_back(number), lambda: self.model.refusal(number, "send_back")
        ):
            self.model.plans[number].state = "draft"

    @rule(wanted=choice, actor=people)
    def approve(self, wanted: int, actor: Actor) -> None:
        number = self.pick(wanted, "submitted")
        had_a_hand = ForbiddenError if actor.id in self.model.plans[number].editors else None
        done = self.attempt(
            lambda: lifecycle.approve(self.store, actor, self.place.code, number, waive=WAIVED),
            lambda: self.model.refusal(number, "approve") or had_a_hand,
        )
        if done:
            self.model.plans[number].state = "approved"

    @rule(wanted=choice, later=st.booleans())
    def publish(self, wanted: int, later: bool) -> None:
        self.bring_out(self.pick(wanted, "approved"), later)

    def bring_out(self, number: int, later: bool) -> None:
        """Publish a plan, now or for an hour from now."""
        at = self.place.query("SELECT district_now(:code)", code=self.place.code)[0][0] + HOUR
        done = self.attempt(
            lambda: self.place.publish(number, at if later else None),
            lambda: self.model.refusal(number, "publish"),
        )
        if done:
            assert done.in_force is not later
            plan = self.model.plans[number]
            plan.state, plan.effective = "published", done.effective
            if not later:
                self.model.activate(number)

    @rule(wanted=choice, later=st.booleans())
    def put_out(self, wanted: int, later: bool) -> None:
        """Bring a draft all the way: chance alone seldom does."""
        number = self.pick(wanted, "draft")
        if self.attempt(lambda: self.place.submit(number), lambda: self.model.refusal(number, "submit")):
            self.attempt(lambda: self.place.approve(number), lambda: None)
            self.model.plans[number].state = "approved"
            self.bring_out(number, later)

    @rule(wanted=choice)
    def withdraw(self, wanted: int) -> None:
        number = self.pick(wanted, "published")
        if self.attempt(lambda: self.place.withdraw(number), lambda: self.model.refusal(number, "withdraw")):
            self.model.plans[number].state = "withdrawn"
            self.model.plans[number].effective = None

    @rule(carried_out=st.booleans())
    def time_passes(self, carried_out: bool) -> None:
        self.shift(2 * HOUR)
        if carried_out:
            self.model.carry_out()
            activate_due(self.store, self.place.code)

    @rule()
    def clock_steps_back(self) -> None:
        if not any(self.model.is_due(plan) for plan in self.model.plans.values()):
            self.shift(-STEP_BACK)

    def shift(self, by: timedelta) -> None:
        """Let time pass, for the store and the model."""
        self.place.pass_time(by)
        for plan in self.model.plans.values():
            if plan.effective:
                plan.effective -= by

    @rule()
    def restart(self) -> None:
        self.store.close()

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        rows = self.place.query(
            "SELECT number, state, revision, lower(valid), activated_at IS NOT NULL FROM plans ORDER BY 1"
        )
        assert rows == [
            (number, plan.state, plan.revision, plan.effective, plan.activated)
            for number, plan in sorted(self.model.plans.items())
        ]
        stored: dict[int, dict[int, int]] = {}
        for number, cell, grid in self.place.query(
            "SELECT p.number, pc.cell_id, pc.grid_id FROM plan_cells pc JOIN plans p ON p.id = pc.plan_id"
        ):
            stored.setdefault(number, {})[cell] = grid
        assert stored == {number: plan.assignment for number, plan in self.model.plans.items()}
        assert self.place.query("SELECT count(*) FROM audit") == [(self.model.acts,)]

    @invariant()
    def one_plan_holds_at_every_instant(self) -> None:
        spans = self.place.query(
            "SELECT number, lower(valid), upper(valid) FROM plans WHERE valid IS NOT NULL ORDER BY 2"
        )
        assert [end for *_, end in spans] == [*(start for _, start, _ in spans[1:]), None]
        with self.store.read(self.place.code) as connection:
            for number, start, end in spans:
                middle = start + (end - start) / 2 if end else start + 99 * HOUR
                for instant in (start, middle):
                    assert plans.in_force(connection, self.place.code, instant).number == number
            assert plans.in_force(connection, self.place.code).number == self.model.in_force

    @invariant()
    def codes_never_change_hands(self) -> None:
        codes = dict(self.place.query("SELECT id, code FROM grids WHERE code IS NOT NULL"))
        assert codes.items() >= self.codes.items()
        assert len(set(codes.values())) == len(codes)
        for plan in self.model.plans.values():
            if plan.effective:
                assert set(plan.assignment.values()) <= set(codes)
        self.codes = codes

    @invariant()
    def cases_lie_with_the_grid_around_them(self) -> None:
        cases = dict(self.place.query("SELECT number::bigint, grid_id FROM cases"))
        assert cases == self.model.plans[self.model.cases_of].assignment


def test_random_lives_of_plans(shared_store):
    run_state_machine_as_test(
        lambda: PlanMachine(shared_store),
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
