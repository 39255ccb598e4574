from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from data import cases, codes, versions
from data.session import Store
from etl import drafts
from etl.activation import activate_due
from etl.edits import Move
from etl.plans import rebalance
from etl.proposing import Wish
from etl.rebase import rebase_plan
from geo.errors import ConflictError
from tests.etl.test_lifecycle import together
from tests.governed import AUTHOR, HOUR

SECOND = timedelta(seconds=1)


def scheduled(place, *wanted: Move) -> int:
    """Schedule a plan for an hour from now; by default it merges the first two grids into the second."""
    west, east, *_ = place.grids()
    number = place.open()
    place.move(number, *(wanted or [Move(east, grids=[west])]))
    place.put_out(number, place.now() + HOUR)
    return number


def add_case(place) -> None:
    """Open a case in the first grid."""
    place.query(
        "INSERT INTO cases (district, number, category, grid_id, point)"
        " SELECT c.district, 'K1', '环境', pc.grid_id, ST_PointOnSurface(c.shape) FROM cells c"
        " JOIN plan_cells pc ON pc.cell_id = c.id WHERE c.id = :cell RETURNING id",
        cell=place.cells(place.grids()[0])[0],
    )


def test_a_scheduled_plan_waits_for_its_time(place):
    add_case(place)
    before = place.query("SELECT grid_id FROM cases")
    number = scheduled(place)
    plan = place.plan(number)
    assert plan.scheduled
    assert activate_due(place.store, place.code) == []
    assert (place.in_force(), place.in_force(plan.effective - SECOND), place.in_force(plan.effective)) == (
        1,
        1,
        number,
    )
    assert place.query("SELECT grid_id FROM cases") == before
    assert place.query("SELECT count(*) FROM grid_successions") == [(0,)]
    assert place.query(
        "SELECT count(*) FROM plan_grids WHERE plan_id = :plan AND shape IS NULL", plan=plan.id
    ) == [(0,)]
    assert None not in place.codes(number).values()


def test_at_its_time_a_plan_is_in_force_by_the_clock_alone_and_what_falls_due_follows(place):
    add_case(place)
    west, east, *_ = place.grids()
    number = scheduled(place)
    place.pass_time(HOUR)
    assert place.in_force() == number
    assert (place.plan(1).state, place.plan(number).activated_at) == ("published", None)
    with place.store.read(place.code) as connection:
        before = versions.current(connection, place.code)
    assert activate_due(place.store, place.code) == [number]
    assert activate_due(place.store, place.code) == []
    assert (place.plan(1).state, place.plan(number).state) == ("superseded", "published")
    assert not place.plan(number).scheduled
    assert place.query("SELECT grid_id FROM cases") == [(east,)]
    assert place.query("SELECT from_grid, to_grid FROM grid_successions WHERE from_grid <> to_grid") == [
        (west, east)
    ]
    with place.store.read(place.code) as connection:
        after = versions.current(connection, place.code)
        assert codes.resolve(connection, place.code, place.codes(1)[west]).status == "retired"
        assert cases.would_move(connection, place.code, place.plan(number).id).empty
    raised = {layer for layer, version in after.items() if version != before.get(layer)}
    assert raised == {"grids", "plans", "cases", "locate"}


def test_time_passes_by_itself(place):
    number = place.brought("approved")
    place.publish(number, place.now() + 0.5 * SECOND)
    assert place.in_force() == 1
    time.sleep(0.6)
    assert place.in_force() == number
    assert activate_due(place.store, place.code) == [number]


def test_whoever_comes_first_carries_a_plan_out_and_nobody_else(place):
    number = scheduled(place)
    place.pass_time(HOUR)
    stores = [Store(place.store.engine.url.render_as_string(hide_password=False)) for _ in range(4)]
    found = together(*(partial(activate_due, store, place.code) for store in stores))
    for store in stores:
        store.close()
    assert sorted(found) == [[], [], [], [number]]
    assert place.acts().count("plan.activate") == 2  # the first plan's, and this one's
    assert place.query("SELECT count(*) FROM grid_successions") == [(2,)]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=40)])
def test_a_missed_activation_is_carried_out_by_the_next_act(place, late):
    number = scheduled(place)
    place.pass_time(HOUR + late)
    opened = place.open()
    assert place.plan(number).activated_at is not None
    assert place.plan(1).state == "superseded"
    assert place.plan(opened).based_on == place.plan(number).id
    assert place.acts()[-2:] == ["plan.activate", "plan.open"]


def test_a_missed_activation_survives_a_restart(place):
    number = scheduled(place)
    place.pass_time(2 * HOUR)
    restarted = Store(place.store.engine.url.render_as_string(hide_password=False))
    assert activate_due(restarted, place.code) == [number]
    restarted.close()
    assert place.plan(number).effective + HOUR < place.plan(number).activated_at


def test_a_plan_made_for_a_scheduled_one_follows_it_at_once(place):
    """Both take effect in one transaction: the one that was missed, and the one that is published."""
    first = scheduled(place)
    second = rebalance(place.store, AUTHOR, place.code, Wish(base=first, target=160, grid_count=4)).number
    place.submit(second)
    place.approve(second)
    place.pass_time(HOUR)
    report = place.publish(second)
    assert report.in_force
    assert [place.plan(number).state for number in (1, first, second)] == [
        "superseded",
        "superseded",
        "published",
    ]
    assert place.plan(first).valid.upper == place.plan(second).effective


def test_until_its_time_a_plan_can_be_withdrawn_and_the_one_before_holds_on(place):
    number = scheduled(place)
    effective = place.plan(number).effective
    assert place.plan(1).valid.upper == effective
    place.withdraw(number)
    assert place.plan(number).state == "withdrawn"
    assert (place.plan(1).state, place.plan(1).valid.upper) == ("published", None)
    place.pass_time(2 * HOUR)
    assert activate_due(place.store, place.code) == []
    assert place.in_force() == 1
    assert place.brought("published") == place.in_force()


def test_from_its_time_on_it_cannot(place):
    number = scheduled(place)
    place.pass_time(HOUR)
    with pytest.raises(ConflictError, match="took effect"):
        place.withdraw(number)
    assert place.in_force() == number


def test_a_plan_that_takes_effect_while_it_is_withdrawn_is_not(place):
    number = place.brought("approved")
    place.publish(number, place.now() + 0.7 * SECOND)
    with ThreadPoolExecutor(1) as pool:
        with place.store.begin(place.code) as connection:
            connection.execute(text("LOCK TABLE plan_comments IN SHARE MODE"))  # the reason waits for it
            withdrawal = pool.submit(place.withdraw, number)
            time.sleep(0.8)
        with pytest.raises(ConflictError, match="took effect"):
            withdrawal.result()
    assert place.in_force() == number
    assert activate_due(place.store, place.code) == [number]


def test_one_plan_waits_at_a_time(place):
    number = scheduled(place)
    rival = place.brought("approved")
    before = place.digest()
    for at in (None, place.now() + 0.5 * HOUR, place.now() + 2 * HOUR, place.plan(number).effective):
        with pytest.raises(ConflictError, match=f"Plan {number} is published for"):
            place.publish(rival, at)
    assert place.digest() == before
    place.withdraw(number)
    assert place.publish(rival).in_force


def test_codes_of_a_withdrawn_plan_are_never_given_to_others(place):
    west, *_ = place.grids()
    wanted = Move("new", cells=place.cells(west)[:4])
    number = scheduled(place, wanted)
    (new,) = set(place.codes(number)) - set(place.codes(1))
    issued = place.codes(number)[new]
    place.withdraw(number)
    again = place.open()
    place.move(again, wanted)
    place.put_out(again)
    (other,) = set(place.codes(again)) - set(place.codes(1))
    assert other != new
    assert place.codes(again)[other] == f"{int(issued) + 1:015d}"
    restored = place.open(base=number)
    assert rebase_plan(place.store, AUTHOR, place.code, restored).conflicts
    assert place.put_out(restored).codes_issued == 0
    assert place.codes(restored)[new] == issued


def test_a_clock_that_steps_back_puts_no_former_plan_in_force(place):
    number = scheduled(place)
    place.pass_time(HOUR)
    activate_due(place.store, place.code)
    place.pass_time(-HOUR)
    assert place.plan(number).effective > place.now()
    assert place.in_force() == number
    assert activate_due(place.store, place.code) == []
    with pytest.raises(ConflictError, match="took effect"):
        place.withdraw(number)


def test_a_plan_published_now_is_in_force_now_though_the_clock_stepped_back(place):
    first = place.brought("published")
    place.pass_time(-HOUR)
    second = place.brought("approved")
    report = place.publish(second)
    assert report.in_force
    assert place.in_force() == second
    assert place.plan(first).state == "superseded"
    assert place.brought("published") == place.in_force()


def test_a_roll_back_can_wait_for_its_time_too(place):
    number = place.open()
    west, east, *_ = place.grids()
    place.move(number, Move(east, grids=[west]))
    place.put_out(number)
    back = drafts.roll_back(place.store, AUTHOR, place.code).number
    place.put_out(back, place.now() + HOUR)
    assert place.in_force() == number
    place.pass_time(HOUR)
    assert activate_due(place.store, place.code) == [back]
    assert place.codes(place.in_force()) == place.codes(1)


def test_an_activation_that_fails_changes_nothing_and_is_carried_out_later(place):
    number = scheduled(place)
    place.pass_time(HOUR)
    before = place.digest()
    with place.store.engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE grid_successions ADD CONSTRAINT no_room CHECK (false) NOT VALID")
        )
    try:
        with pytest.raises(Exception, match="no_room"):
            activate_due(place.store, place.code)
        assert place.digest() == before
        assert place.in_force() == number
    finally:
        with place.store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE grid_successions DROP CONSTRAINT no_room"))
    assert activate_due(place.store, place.code) == [number]
