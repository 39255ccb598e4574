"""What is asked of the balancer is what it is given, its reasons are kept, and its work can be ended at any moment."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from data import assignments, grids, plans, register
from etl import proposing
from etl.actor import SYSTEM
from etl.establish import establish
from etl.plans import rebalance
from etl.proposing import Wish, propose
from geo.balance import Explanation
from geo.errors import InputError, NotFoundError
from tests.settle import settle

CODE = "990001"
BAND = {"target": 360, "tolerance_percent": 10}
FIRST, SECOND = "990001900001", "990001900002"


@pytest.fixture
def town(store):
    """Two communities whose grids are of very different size, with a plan in force."""
    settle(store, stated=lambda community, column, row: f"G{community}-{'W' if column < 1 else 'E'}")
    establish(store, SYSTEM, CODE, **BAND)
    return store


def stored(store, number):
    with store.read(CODE) as connection:
        plan = plans.get(connection, CODE, number)
        return plan, plans.reasons(connection, CODE, plan.id)


def assigned(store, number):
    with store.read(CODE) as connection:
        plan = plans.get(connection, CODE, number)
        return assignments.of_plan(connection, CODE, plan.id).set_index("cell_id").grid_id


def test_reasons_are_kept_by_the_ids_of_grids_and_read_whole(town):
    report = rebalance(town, SYSTEM, CODE, Wish(**BAND, profile="even", seed=3))
    plan, told = stored(town, report.number)
    found = Explanation.read(told["reasons"])
    assert sum(move.households for move in found.moves) == report.after.households_moved > 0
    before, after = assigned(town, 1), assigned(town, report.number)
    assert sum(move.cells for move in found.moves) == (before != after).sum()
    for move in found.moves:
        assert ((before == move.source) & (after == move.destination)).sum() >= move.cells
    assert {move.rule for move in found.moves} <= {"above", "below"}
    assert all(move.buildings == move.cells for move in found.moves)
    assert plan.report["asked"]["profile"] == "even"
    assert plan.report["after"]["near_target"] == report.after.near_target
    assert "reasons" not in plan.report
    floor = told["bounds"]["floor"]
    assert floor["grids"] == report.after.grids
    assert 0 < floor["moved_at_least"] <= report.after.households_moved
    assert report.after.in_band <= floor["in_band_at_most"]


def test_only_the_communities_named_change(town):
    report = rebalance(town, SYSTEM, CODE, Wish(**BAND, communities=(SECOND,)))
    before, after = assigned(town, 1), assigned(town, report.number)
    with town.read(CODE) as connection:
        second = register.community_ids(connection, CODE)[SECOND]
        touched = {*before[before != after], *after[before != after]}
        home = grids.communities_of(connection, CODE, [int(grid) for grid in touched])
    assert set(home.values()) == {second}
    assert report.after.in_band == report.before.in_band + 2


def test_what_is_not_there_is_refused(town):
    with pytest.raises(NotFoundError, match="990001900009"):
        rebalance(town, SYSTEM, CODE, Wish(**BAND, communities=(FIRST, "990001900009")))
    with pytest.raises(InputError, match="cheap"):
        rebalance(town, SYSTEM, CODE, Wish(**BAND, profile="cheap"))


def test_households_expected_are_balanced_where_that_is_asked(town):
    with town.begin(CODE) as connection:
        connection.execute(
            text(
                "UPDATE buildings SET expected_households = 40, expected_on = '2030-01-01' FROM communities c"
                " WHERE c.id = buildings.community_id AND c.code = :code"
            ),
            {"code": FIRST},
        )
    today = propose(town, CODE, Wish(**BAND))
    later = propose(town, CODE, Wish(**BAND, expected_percent=100))
    sooner = propose(town, CODE, Wish(**BAND, expected_percent=100, expected_on=date(2029, 12, 31)))
    assert today.proposal.report.after.in_band_today == 4
    assert today.proposal.report.after.in_band_expected == 2
    assert later.proposal.report.after.grids == 6
    assert later.proposal.report.after.in_band_expected == 6
    assert (sooner.proposal.assignment == today.proposal.assignment).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_work_that_is_told_to_end_ends_between_two_stages_and_leaves_nothing(town, monkeypatch, threads):
    class EndedError(BaseException):
        """As a job is ended."""

    monkeypatch.setattr(proposing, "LISTEN_S", 0.0)
    heard = []

    def listener(stage, share):
        heard.append((stage, share))
        if len(heard) > 7:
            raise EndedError

    with pytest.raises(EndedError):
        rebalance(town, SYSTEM, CODE, Wish(**BAND, effort=1000), threads=threads, progress=listener)
    assert heard[:4] == [("compile", 0.0), ("compile", 1.0), ("start", 0.0), ("start", 1.0)]
    assert {stage for stage, _ in heard[4:]} == {"start"}  # before any part of the district was done
    with town.read(CODE) as connection:
        assert [plan.number for plan in plans.every(connection, CODE)] == [1]


@pytest.mark.parametrize(
    "last", [("start", 0.0), ("improve", 1.0), ("prove", 0.0), ("prove", 0.5), ("prove", 1.0)]
)
def test_work_that_is_told_to_end_leaves_nothing_at_any_stage(town, last):
    class EndedError(BaseException):
        """As a job is ended."""

    def listener(stage, share):
        if (stage, share) == last:
            raise EndedError

    with pytest.raises(EndedError):
        rebalance(town, SYSTEM, CODE, Wish(**BAND), progress=listener)
    with town.read(CODE) as connection:
        assert [plan.number for plan in plans.every(connection, CODE)] == [1]
