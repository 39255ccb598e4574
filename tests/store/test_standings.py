"""The figures of a list of plans are those of the plans themselves."""

from __future__ import annotations

from data import plans, standings
from data.session import Store
from etl.actor import SYSTEM
from etl.compare import compare
from etl.drafts import open_draft
from etl.edits import Move, move
from etl.establish import establish
from etl.publish import publish_as_system
from tests.settle import settle

CODE = "990001"


def standing(store: Store, number: int) -> standings.Standing:
    with store.read(CODE) as connection:
        plan = plans.get(connection, CODE, number)
        return standings.of_plans(connection, CODE, [plan.id])[plan.id]


def test_a_plan_stands_the_same_before_and_after_it_is_published(database_url):
    store = Store(database_url)
    settle(store)
    establish(store, SYSTEM, CODE, target=360)
    assert standing(store, 1).moved is None
    draft = open_draft(store, SYSTEM, CODE).number
    assert standing(store, draft).moved == 0
    houses = [f"B1-0-{row}" for row in range(6)]
    move(store, SYSTEM, CODE, draft, [Move("new", buildings=houses)], revision=1)
    before = standing(store, draft)
    figures = compare(store, CODE, draft).figures_after
    assert (before.grids, before.in_band) == (figures.grids, figures.in_band) == (5, 3)
    assert (before.moved, before.problems) == (120, 0)
    publish_as_system(store, SYSTEM, CODE, draft, waive="test")
    after = standing(store, draft)
    assert (after.grids, after.in_band, after.moved) == (before.grids, before.in_band, before.moved)
    assert after.problems == after.waived == 7  # five grids nobody serves, two out of band
    store.close()
