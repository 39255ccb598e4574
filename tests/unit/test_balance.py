"""The balancer on made-up towns: always legal, deterministic, locks kept, never worse than its start."""

from __future__ import annotations

import dataclasses
import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo.balance import PROFILES, Locks, Problem, Profile, balance, containers, measure
from geo.balance.engine import tasks_of
from geo.balance.solve import rank
from geo.errors import BalanceError
from tests.divisions import board, neighbours, plans

pytestmark = pytest.mark.unit

WIDE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


town = partial(board, target=60.0)


@st.composite
def towns(draw: st.DrawFn) -> Problem:
    """Boards with barriers, communities, empty cells, and today's grids that may be in pieces or missing."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    n = rows * columns
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    today = rng.integers(-1, draw(st.integers(0, 5)), n)
    problem = town(
        rows,
        columns,
        households=rng.integers(0, 30, n) * (rng.random(n) < 0.8),
        current=np.where(today < 0, -1, today * draw(st.sampled_from([1, 7]))),
        community=np.repeat(rng.integers(0, 2, rows), columns),
        compound=rng.integers(-1, 3, n),
    )
    barrier = rng.random(len(problem.edges)) < draw(st.sampled_from([0.0, 0.1, 0.4]))
    return dataclasses.replace(problem, open=~barrier)


def grids_of(assignment: np.ndarray) -> int:
    return len(np.unique(assignment))


@WIDE
@given(towns(), st.integers(0, 3))
def test_every_proposal_is_legal_and_is_found_again(problem: Problem, seed: int) -> None:
    proposal = balance(problem, seed=seed)
    after = proposal.report.after
    assert after == measure(problem, proposal.assignment)
    assert after.legal
    assert after.disconnected + after.crossing_communities + after.crossing_barriers == ()
    home = containers(problem)
    assert all(len(np.unique(home[proposal.assignment == row.label])) == 1 for row in after.grid_rows)
    assert {row.container for row in after.grid_rows} == set(home.tolist())
    assert sum(row.in_band for row in after.container_rows) <= after.in_band_at_most
    assert np.array_equal(proposal.assignment, balance(problem, seed=seed).assignment)


@WIDE
@given(towns(), st.data())
def test_the_number_of_grids_is_the_one_asked_for(problem: Problem, data: st.DataObject) -> None:
    least = int(containers(problem).max()) + 1
    asked = data.draw(st.integers(least, problem.cells))
    proposal = balance(dataclasses.replace(problem, grids=asked))
    assert proposal.report.after.grids == asked
    assert proposal.report.after.legal


@WIDE
@given(towns())
def test_labels_are_carried_and_new_ones_lie_above(problem: Problem) -> None:
    proposal = balance(problem)
    today = set(problem.current[problem.current >= 0].tolist())
    for row in proposal.report.after.grid_rows:
        shares = ((proposal.assignment == row.label) & (problem.current == row.label)).any()
        assert shares if row.label in today else row.label > problem.current.max()


@settings(WIDE, max_examples=20)
@given(towns(), st.sampled_from([2**31, 340504001007001, 2**62]))
def test_labels_may_be_codes_of_many_digits(problem: Problem, offset: int) -> None:
    coded = dataclasses.replace(problem, current=np.where(problem.current < 0, -1, problem.current + offset))
    plain, found = balance(problem).assignment, balance(coded).assignment
    offset = offset if (problem.current >= 0).any() else 0  # all labels are new then, from 0
    assert (found - offset == plain).all()


@WIDE
@given(towns(), st.sampled_from(list(PROFILES.values())))
def test_the_objective_is_never_worse_than_at_the_start(problem: Problem, profile: Profile) -> None:
    problem = dataclasses.replace(problem, community=np.zeros_like(problem.community))
    assume(containers(problem).max() == 0)
    start = balance(problem, profile=profile, should_stop=lambda: True)
    end = balance(problem, profile=profile)
    assert _objective(problem, end.assignment, profile) <= _objective(problem, start.assignment, profile)


def _objective(problem: Problem, assignment: np.ndarray, profile: Profile) -> tuple[float, ...]:
    """Rank of a plan of one container."""
    grid = np.unique(assignment, return_inverse=True)[1]
    asked = dataclasses.replace(problem, grids=int(grid.max()) + 1)
    (task,) = tasks_of(asked, np.zeros(problem.cells, bool), profile)
    *lexical, energy = rank(task, grid)
    return (*lexical, round(energy, 6))


@WIDE
@given(towns(), st.data())
def test_frozen_grids_keep_their_cells(problem: Problem, data: st.DataObject) -> None:
    today = sorted(set(problem.current[problem.current >= 0].tolist()))
    assume(today)
    frozen = frozenset(data.draw(st.sets(st.sampled_from(today), min_size=1)))
    locks = Locks(pinned=np.full(problem.cells, -1), frozen=frozen)
    after = balance(dataclasses.replace(problem, locks=locks)).assignment
    for label in frozen:
        assert np.array_equal(after == label, problem.current == label)
    faults = measure(problem, after)
    assert set(faults.disconnected) <= frozen
    assert faults.unassigned_cells == 0


@WIDE
@given(towns(), st.data())
def test_pinned_cells_get_their_grid_or_the_pins_are_refused(problem: Problem, data: st.DataObject) -> None:
    cells = data.draw(st.sets(st.integers(0, problem.cells - 1), max_size=4))
    pinned = np.full(problem.cells, -1)
    for cell in cells:
        pinned[cell] = data.draw(st.integers(0, 6))
    try:
        after = balance(dataclasses.replace(problem, locks=Locks(pinned))).assignment
    except BalanceError as error:
        fault = error.fault
    else:
        fault = ""
        assert np.array_equal(after[pinned >= 0], pinned[pinned >= 0])
        assert measure(problem, after).legal
    assert not fault or ("pinned" in fault and len(cells) > 1)


@WIDE
@given(towns(), st.data())
def test_a_pair_held_apart_lies_in_two_grids_or_is_named(problem: Problem, data: st.DataObject) -> None:
    assume(problem.cells > 1)
    cells = st.sets(st.integers(0, problem.cells - 1), min_size=2, max_size=2)
    apart = np.array(data.draw(st.lists(cells.map(sorted), min_size=1, max_size=3)))
    locks = Locks(np.full(problem.cells, -1), apart=apart)
    try:
        after = balance(dataclasses.replace(problem, locks=locks)).assignment
    except BalanceError as error:
        fault = error.fault
    else:
        fault = ""
        assert (after[apart[:, 0]] != after[apart[:, 1]]).all()
        assert measure(problem, after).legal
    assert not fault or "kept apart" in fault


def test_a_pair_is_held_apart_though_evenness_would_join_it() -> None:
    locks = Locks(np.full(12, -1), apart=np.array([[0, 1], [4, 11]]))
    after = balance(town(1, 12, locks=locks, grids=4)).assignment
    assert after[0] != after[1]
    assert after[4] != after[11]


@WIDE
@given(towns(), st.data())
def test_a_pair_held_together_lies_in_one_grid_or_is_refused(problem: Problem, data: st.DataObject) -> None:
    home = containers(problem)
    cell = st.integers(0, problem.cells - 1)
    drawn = data.draw(st.lists(st.tuples(cell, cell), max_size=4))
    together = np.array([(u, v) for u, v in drawn if u != v and home[u] == home[v]], int).reshape(-1, 2)
    pinned = np.full(problem.cells, -1)
    for cell_pinned in data.draw(st.sets(cell, max_size=2)):
        pinned[cell_pinned] = data.draw(st.integers(0, 6))
    try:
        after = balance(dataclasses.replace(problem, locks=Locks(pinned, together=together))).assignment
    except BalanceError as error:
        fault = error.fault
    else:
        fault = ""
        assert np.array_equal(*after[together].T)
        assert np.array_equal(after[pinned >= 0], pinned[pinned >= 0])
        assert measure(problem, after).legal
    assert not fault or "together" in fault or "pinned" in fault


def test_a_pair_is_held_together_though_evenness_would_part_it() -> None:
    locks = Locks(np.full(12, -1), together=np.array([[2, 7]]))
    problem = town(1, 12, current=np.repeat([1, 2], 6), locks=locks, grids=2)
    after = balance(problem).assignment
    assert len(np.unique(after[2:8])) == 1
    assert measure(problem, after).legal


def test_locks_that_contradict_each_other_are_refused() -> None:
    both = np.array([[0, 5]])
    with pytest.raises(BalanceError, match="held apart"):
        balance(town(1, 6, locks=Locks(np.full(6, -1), together=both, apart=np.array([[2, 3]]))))
    with pytest.raises(BalanceError, match="pinned to grids 1 and 2"):
        balance(town(1, 6, locks=Locks(np.array([1, -1, -1, -1, -1, 2]), together=both)))
    between = town(
        1, 6, current=[1, 1, 2, 2, 3, 3], locks=Locks(np.full(6, -1), frozenset({2}), together=both)
    )
    with pytest.raises(BalanceError, match="two sides of frozen grids"):
        balance(between)
    with pytest.raises(BalanceError, match="cannot be kept"):
        dataclasses.replace(between, locks=Locks(np.full(6, -1), frozenset({3}), together=both))


@WIDE
@given(towns(), st.data())
def test_containers_that_are_not_named_stay_as_they_are(problem: Problem, data: st.DataObject) -> None:
    home = containers(problem)
    problem = dataclasses.replace(problem, current=home * 10 + problem.current.clip(0, 5))
    only = data.draw(st.sets(st.integers(0, int(home.max()))))
    after = balance(problem, only=only).assignment
    outside = ~np.isin(home, list(only))
    assert np.array_equal(after[outside], problem.current[outside])
    assert set(measure(problem, after).disconnected) <= set(after[outside].tolist())


def test_a_container_that_is_not_there_is_refused() -> None:
    with pytest.raises(BalanceError, match="no container 3"):
        balance(town(2, 2), only=[3])


def test_a_large_container_is_balanced_by_parts() -> None:
    rng = np.random.default_rng(3)
    today = np.arange(900).reshape(30, 30) // 120 * 10 + np.arange(30) // 4
    problem = town(
        30,
        30,
        households=rng.integers(0, 21, 900),
        current=today,
        compound=rng.integers(-1, 40, 900),
        target=180.0,
        grids=50,
        locks=Locks(np.where(np.arange(900) == 31, 60, -1), apart=np.array([[0, 1], [500, 530]])),
    )
    proposal = balance(problem)
    report = proposal.report
    assert (report.after.legal, report.after.grids) == (True, 50)
    assert report.after.in_band > report.before.in_band
    assert report.after.in_band >= 48
    assert proposal.assignment[31] == 60
    assert proposal.assignment[0] != proposal.assignment[1]
    assert proposal.assignment.tobytes() == balance(problem).assignment.tobytes()


@settings(WIDE, max_examples=20)
@given(towns())
def test_any_number_of_threads_gives_the_same_bytes(problem: Problem) -> None:
    alone = balance(problem).assignment
    assert alone.tobytes() == balance(problem, threads=3).assignment.tobytes()


def test_what_is_expected_later_can_be_balanced() -> None:
    later = np.repeat([30, 10], 6)
    today = town(1, 12, expected=later, grids=4)
    after = balance(dataclasses.replace(today, expected_percent=100)).report.after
    assert sorted(row.expected for row in after.grid_rows) == [60] * 4
    assert (after.in_band_expected, after.in_band_today) == (4, 1)
    before = balance(dataclasses.replace(today, target=30.0)).report.after
    assert sorted(row.households for row in before.grid_rows) == [30] * 4


def test_pins_of_one_grid_are_connected_through_a_town_of_others() -> None:
    pinned = np.full(36, -1)
    pinned[[0, 35]] = 9
    problem = town(6, 6, current=np.repeat(np.arange(6), 6), locks=Locks(pinned))
    after = balance(problem)
    assert after.assignment[0] == after.assignment[35] == 9
    assert after.report.after.legal


def test_pins_that_fence_each_other_in_are_refused_by_name() -> None:
    pinned = np.full(9, -1)
    pinned[[0, 8]], pinned[[2, 4, 6]] = 1, 2
    with pytest.raises(BalanceError, match="pinned to one grid"):
        balance(town(3, 3, locks=Locks(pinned)))


def test_a_balanced_plan_is_left_as_it_is() -> None:
    today = np.arange(36).reshape(6, 6) // 12 * 2 + np.arange(6) // 3 % 2
    proposal = balance(town(6, 6, current=today))
    assert np.array_equal(proposal.assignment, today.ravel())
    assert proposal.report.after.households_moved == 0


def test_a_plan_in_pieces_is_repaired_and_its_largest_part_keeps_the_label() -> None:
    today = np.array([5, 5, 5, 5, 5, 5, 8, 8, 8, 8, 8, 5])
    proposal = balance(town(1, 12, current=today))
    assert proposal.report.before.disconnected == (5,)
    assert proposal.assignment.tolist() == [5] * 6 + [8] * 6
    assert proposal.report.after.households_moved == 10


def test_a_grid_across_communities_becomes_one_in_each() -> None:
    today = np.repeat([4, 4], 6)
    proposal = balance(
        town(2, 6, households=np.repeat([10, 11], 6), current=today, community=[0] * 6 + [1] * 6)
    )
    assert proposal.report.before.crossing_communities == (4,)
    assert proposal.assignment.tolist() == [5] * 6 + [4] * 6


def test_a_heavy_grid_is_cut_and_a_light_one_dissolved() -> None:
    heavy = balance(town(4, 6, current=3))
    assert sorted(row.households for row in heavy.report.after.grid_rows) == [60] * 4
    assert {3, 4, 5, 6} == set(heavy.assignment.tolist())
    light = balance(town(4, 3, current=np.arange(12)))
    assert [row.households for row in light.report.after.grid_rows] == [60, 60]


def test_containers_without_households_get_a_grid_and_are_reported_out_of_reach() -> None:
    problem = town(2, 6, households=[10] * 6 + [0] * 6, community=[0] * 6 + [1] * 6)
    after = balance(problem).report.after
    assert (after.grids, after.in_band, after.share_in_band) == (2, 1, 0.5)
    assert [row.community for row in after.containers_out_of_reach] == [1]


def test_closed_borders_are_never_crossed() -> None:
    problem = town(2, 6)
    river = (problem.edges[:, 1] - problem.edges[:, 0]) == 6
    proposal = balance(dataclasses.replace(problem, open=~river))
    assert grids_of(proposal.assignment[:6]) == grids_of(proposal.assignment[6:]) == 1
    assert not set(proposal.assignment[:6]) & set(proposal.assignment[6:])


def test_stopping_early_gives_a_legal_proposal_that_says_so() -> None:
    asked = itertools.count()
    proposal = balance(town(6, 6), should_stop=lambda: next(asked) > 0)
    assert proposal.report.stopped
    assert proposal.report.after.legal
    assert not balance(town(6, 6)).report.stopped


def test_progress_ends_at_the_whole() -> None:
    heard: list[tuple[str, float]] = []
    balance(
        town(3, 6, community=[0] * 6 + [1] * 12), progress=lambda stage, share: heard.append((stage, share))
    )
    assert heard[0] == ("start", 0.0)
    assert heard[-1] == ("improve", 1.0)
    assert [share for stage, share in heard if stage == "improve"] == pytest.approx([1 / 3, 1.0, 1.0])


def test_a_whole_district_may_be_frozen() -> None:
    problem = town(2, 2, current=[1, 2, 2, 1], locks=Locks(np.full(4, -1), frozenset({1, 2})))
    assert balance(problem).assignment.tolist() == [1, 2, 2, 1]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_small_towns_get_the_best_of_all_plans(profile: Profile) -> None:
    """Against every connected plan of a board of 3 by 3, for the same objective."""
    rng = np.random.default_rng(5)
    for _ in range(12):
        households, grids = rng.integers(0, 26, 9), int(rng.integers(2, 5))
        problem = town(
            3,
            3,
            households=households,
            target=max(1.0, float(households.sum() / grids)),
            grids=grids,
            compound=rng.integers(-1, 2, 9),
            current=rng.integers(0, grids, 9),
        )
        every = plans(frozenset(range(9)), neighbours(problem))
        assignments = [
            np.array([next(grid for grid, cells in enumerate(plan) if cell in cells) for cell in range(9)])
            for plan in every
            if len(plan) == grids
        ]
        best = min(_objective(problem, each, profile) for each in assignments)
        assert _objective(problem, balance(problem, profile=profile).assignment, profile) == best
