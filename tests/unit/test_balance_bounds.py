"""Bounds are never above what some plan reaches, and exact where every plan can be looked at."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo.balance import Locks, Problem
from geo.balance.advice import Kind, advise
from geo.balance.bounds import bounds, floor, gap
from geo.balance.reach import all_sums, bits, least_sum, shifted, span
from geo.balance.rims import Mesh, crossing, lightest
from geo.errors import BalanceError
from tests.bench.balance import SYNTH1, read
from tests.divisions import Best, best, board, moved, neighbours, per_container, street, towns

pytestmark = pytest.mark.unit

WIDE = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEARCHED = pytest.mark.parametrize("exhaust", [0, 12])
"""Whether small containers are divided in every possible way, or held to the conditions for large ones."""


@SEARCHED
@WIDE
@given(towns(), st.data())
def test_no_plan_is_better_than_its_bounds(exhaust: int, problem: Problem, data: st.DataObject) -> None:
    divisions = per_container(problem)
    sizes = [sorted({len(plan) for plan in each}) for each in divisions]
    grids = np.array([data.draw(st.sampled_from(size)) for size in sizes])
    out = np.array([data.draw(st.integers(0, count)) for count in grids.tolist()])
    for row in bounds(problem, grids, out_of_band=out, exhaust=exhaust):
        reached = best(problem, divisions[row.container], row.grids)
        assert reached is not None
        assert row.in_band_at_most >= reached.in_band
        assert row.worst_deviation_percent_at_least <= reached.worst
        assert row.out_of_band == max(out[row.container], row.grids - row.in_band_at_most)
        if row.out_of_band in reached.moved:
            assert row.moved_at_least <= reached.moved[row.out_of_band]
        if exhaust:
            assert row.in_band_at_most == reached.in_band
            assert row.worst_deviation_percent_at_least == pytest.approx(reached.worst)


@WIDE
@given(towns(cells=8), st.data())
def test_a_district_moves_no_less_than_its_floor_though_labels_cross_containers(
    problem: Problem, data: st.DataObject
) -> None:
    divisions = per_container(problem)
    assume(len(divisions) > 1)
    grids = np.array([data.draw(st.sampled_from(sorted({len(p) for p in each}))) for each in divisions])
    bound = bounds(problem, grids, exhaust=0)
    least = floor(problem, bound)
    allowed = [row.out_of_band for row in bound]
    reached = []
    for parts in itertools.product(*divisions):
        out = [sum(not problem.in_band(problem.weight[list(grid)].sum()) for grid in plan) for plan in parts]
        if [len(plan) for plan in parts] == grids.tolist() and all(np.array(out) <= allowed):
            reached.append(moved(problem, tuple(itertools.chain(*parts))))
    assert least.moved_at_least >= sum(row.moved_at_least for row in bound)
    assert not reached or least.moved_at_least <= min(reached)


def test_a_label_in_two_containers_stays_in_one_only() -> None:
    problem = board(2, 3, households=10, current=5, community=[0, 0, 0, 1, 1, 1])
    bound = bounds(problem, np.array([1, 1]))
    assert [row.moved_at_least for row in bound] == [0, 0]
    least = floor(problem, bound)
    assert (least.moved_at_least, least.moved_share_at_least) == (30, 0.5)


@pytest.mark.parametrize(
    ("households", "grids", "in_band", "worst", "moves"),
    [
        ([30], 1, 1, 0.0, 0),
        ([40], 1, 0, 100 / 3, 0),
        ([0, 0, 0], 2, 0, 100.0, 0),
        ([0, 0, 0], 1, 0, 100.0, 0),
        ([30, 0, 30], 2, 2, 0.0, 30),
        ([15, 15, 15], 2, 1, 50.0, 15),
        ([45, 15, 30], 3, 1, 50.0, 45),
        ([31, 29, 30], 3, 3, 10 / 3, 59),
        ([20, 30, 20, 20], 3, 1, 100 / 3, 50),
    ],
)
@SEARCHED
def test_a_street_of_one_grid_today(
    exhaust: int, households: list[int], grids: int, in_band: int, worst: float, moves: int
) -> None:
    problem = board(1, len(households), households=households, current=1)
    divisions = per_container(problem)[0]
    reached = best(problem, divisions, grids)
    assert reached == Best(in_band, pytest.approx(worst), reached.moved)
    assert reached.moved[grids - in_band] == moves
    (row,) = bounds(problem, np.array([grids]), exhaust=exhaust)
    assert (row.container, row.community, row.cells, row.weight) == (0, 0, len(households), sum(households))
    assert row.in_band_at_most >= in_band
    assert row.worst_deviation_percent_at_least <= worst + 1e-9
    assert row.moved_at_least <= moves


@pytest.mark.parametrize(
    ("households", "grids", "in_band"),
    [
        ([18, 12, 18, 18], 2, 1),  # 66 in all would be 33 twice, but no cells have 33
        ([21, 21, 21], 2, 0),  # no cells have from 27 to 33
        ([25, 10, 25], 2, 0),  # 35 and 25, though sums alone would have 60 in two
        ([20, 45, 20], 3, 0),  # too heavy, and it parts what is too light
        ([10, 10, 10, 100, 10, 10, 10], 3, 2),
        ([20, 20, 20, 0, 20, 10], 3, 1),  # 20 alone is too light, twice too heavy
    ],
)
def test_what_sums_and_connection_forbid_is_seen_without_trying_every_plan(
    households: list[int], grids: int, in_band: int
) -> None:
    problem = street(households)
    reached = best(problem, per_container(problem)[0], grids)
    (row,) = bounds(problem, np.array([grids]), exhaust=0)
    assert reached is not None
    assert (reached.in_band, row.in_band_at_most) == (in_band, in_band)


def test_a_cut_cell_leaves_its_sides_what_they_cannot_divide() -> None:
    # Three arms of 20, 20 and 20 around 30: sums allow three grids of 30, but an arm has the middle or is alone.
    star = np.array([[0, 1], [1, 2], [0, 3], [3, 4], [0, 5], [5, 6]])
    more = {"edges": star, "shared_m": np.full(6, 10.0), "open": np.ones(6, bool)}
    problem = street([30, 10, 10, 10, 10, 10, 10], **more)
    reached = best(problem, per_container(problem)[0], 3)
    (row,) = bounds(problem, np.array([3]), exhaust=0)
    assert reached is not None
    assert reached.in_band <= row.in_band_at_most < 3
    assert row.worst_deviation_percent_at_least > 10.0


@pytest.mark.parametrize(
    ("households", "current", "grids", "at_least"),
    [
        ([13, 1, 12, 10, 20], [1, 1, 1, 1, 2], 2, 10),  # 3 too many and 7 too few, but 10 at the border
        ([13, 16, 7, 10, 10, 10, 7, 15], [1, 1, 1, 2, 2, 2, 3, 3], 3, 17),  # handed on by the one between
    ],
)
def test_floors_know_that_cells_are_whole_and_grids_connected(
    households: list[int], current: list[int], grids: int, at_least: int
) -> None:
    problem = street(households, current)
    (row,) = bounds(problem, np.array([grids]), exhaust=0)
    reached = best(problem, per_container(problem)[0], grids)
    assert reached is not None
    assert row.moved_at_least == at_least == reached.moved[row.out_of_band]


@WIDE
@given(towns(), st.data())
def test_the_lightest_set_from_a_border_is_found(problem: Problem, data: st.DataObject) -> None:
    n, near = problem.cells, neighbours(problem)
    mesh = Mesh(problem.weight.tolist(), [sum(1 << other for other in each) for each in near])
    border, among = data.draw(st.integers(0, 2**n - 1)), data.draw(st.integers(0, 2**n - 1))
    need = data.draw(st.integers(1, 80))
    able = []
    for chosen in range(1 << n):
        cells = set(bits(chosen))
        total = sum(mesh.weight[cell] for cell in cells)
        if chosen & ~among or total < need:
            continue
        reached = cells & set(bits(border))
        while grown := {other for cell in reached for other in near[cell] & cells} - reached:
            reached |= grown
        if reached == cells:
            able.append(total)
    found = lightest(mesh, border, among, need)
    if able:
        assert found == min(able)
    else:
        assert found > sum(mesh.weight[cell] for cell in bits(among))


def test_where_steps_do_not_suffice_the_lightest_set_is_bounded_by_sums() -> None:
    n = 60
    near = [((1 << n) - 1) & ~(1 << cell) for cell in range(n)]
    mesh = Mesh([20 + cell % 7 for cell in range(n)], near)
    assert lightest(mesh, (1 << n) - 1, (1 << n) - 1, 400) == 400
    assert lightest(Mesh([20] * n, near), (1 << n) - 1, (1 << n) - 1, 405) == 420


@WIDE
@given(towns(), st.data())
def test_the_lightest_way_between_two_sets_is_found(problem: Problem, data: st.DataObject) -> None:
    n, near = problem.cells, neighbours(problem)
    mesh = Mesh(problem.weight.tolist(), [sum(1 << other for other in each) for each in near])
    start = data.draw(st.integers(0, 2**n - 1))
    goal = data.draw(st.integers(0, 2**n - 1)) & ~start
    ways = []
    for chosen in range(1 << n):
        if chosen & (start | goal):
            continue
        cells = set(bits(chosen | start))
        reached = set(bits(start))
        while grown := {other for cell in reached for other in near[cell] & cells} - reached:
            reached |= grown
        if any(near[cell] & set(bits(goal)) for cell in reached):
            ways.append(sum(mesh.weight[cell] for cell in bits(chosen)))
    assert crossing(mesh, start, goal) == min(ways, default=None)


@given(st.sets(st.integers(0, 40)), st.integers(0, 40), st.integers(0, 40))
def test_sets_of_numbers_are_added(numbers: set[int], low: int, high: int) -> None:
    given_ = sum(1 << each for each in numbers)
    added = {each + more for each in numbers for more in range(low, high + 1)}
    assert set(bits(shifted(given_, low, high))) == added
    assert set(bits(span(low, low + high))) == set(range(low, low + high + 1))


@given(st.lists(st.integers(0, 30), max_size=7), st.integers(0, 100))
def test_sums_of_subsets_are_all_there(weights: list[int], need: int) -> None:
    able = {sum(some) for size in range(8) for some in itertools.combinations(weights, size)}
    assert set(bits(all_sums(weights))) == able
    assert least_sum(weights, need) == min((each for each in able if each >= need), default=need)


def test_grounds_of_more_weight_than_sums_are_listed_for_are_still_bounded() -> None:
    problem = street([3_000_000, 1_000_000, 2_000_000], target=2_000_000)
    (row,) = bounds(problem, np.array([3]), exhaust=0)
    assert row.in_band_at_most == 1
    assert row.worst_deviation_percent_at_least == 50.0


def test_frozen_grids_stay_and_count() -> None:
    problem = street([30, 10, 10, 50, 20, 20, 20], [1, 1, 1, 2, 3, 3, 3])
    frozen = dataclasses.replace(problem, locks=Locks(np.full(7, -1), frozenset({2})))
    (row,) = bounds(frozen, np.array([4]))
    # Of three others, only the cell of 30 can be in band; the frozen grid of 50 is off by two thirds.
    assert (row.grids, row.in_band_at_most, row.out_of_band) == (4, 1, 3)
    assert row.worst_deviation_percent_at_least == pytest.approx(200 / 3)
    with pytest.raises(BalanceError, match=r"2 grids are asked for in container 0; at least 3 .* at most 7"):
        bounds(frozen, np.array([2]))


def test_a_cell_pinned_away_from_its_label_moves() -> None:
    problem = street([10, 20, 20, 10], [1, 1, 2, 2])
    pins = Locks(np.array([-1, 2, -1, 1]))
    (free,) = bounds(problem, np.array([2]))
    (pinned,) = bounds(dataclasses.replace(problem, locks=pins), np.array([2]))
    assert (free.moved_at_least, pinned.moved_at_least) == (0, 30)


def test_a_plan_is_held_against_its_floor() -> None:
    problem = street([10, 20, 20, 20, 10], [1, 1, 2, 2, 2])
    as_it_is = gap(problem, problem.current)
    assert (as_it_is.in_band, as_it_is.households_moved, as_it_is.floor.out_of_band) == (1, 0, 1)
    assert (as_it_is.in_band_missing, as_it_is.moved_beyond, as_it_is.moved_ratio) == (0, 0, 1.0)
    other = gap(problem, np.array([1, 2, 2, 2, 2]))
    assert (other.in_band, other.in_band_missing) == (0, 1)
    assert (other.households_moved, other.moved_beyond, other.moved_ratio) == (20, 20, np.inf)


def test_a_plan_that_is_not_legal_has_no_gap() -> None:
    problem = street([10, 20, 20, 20, 10], [1, 1, 2, 2, 2])
    frozen = dataclasses.replace(problem, locks=Locks(np.full(5, -1), frozenset({1})))
    for plan in ([1, 2, 1, 2, 2], [1, 1, -1, 2, 2]):
        with pytest.raises(BalanceError, match="legal"):
            gap(problem, np.array(plan))
    assert gap(frozen, problem.current).moved_beyond == 0
    for plan in ([1, 2, 2, 2, 2], [1, 1, 1, 2, 2]):
        with pytest.raises(BalanceError, match="legal"):
            gap(frozen, np.array(plan))


@pytest.mark.parametrize(
    ("grids", "fault"),
    [
        (np.array([1, 1]), "1 containers have numbers of grids of shape"),
        (np.array([1.0]), "type float64"),
        (np.array([0]), "0 grids are asked for in container 0; at least 1 are needed and at most 3"),
        (np.array([4]), "4 grids are asked for"),
    ],
)
def test_impossible_numbers_of_grids_are_refused(grids: np.ndarray, fault: str) -> None:
    with pytest.raises(BalanceError, match=fault) as refused:
        bounds(street([10, 20, 30]), grids)
    assert refused.value.remedy


def test_more_out_of_band_than_there_are_grids_is_all_of_them() -> None:
    problem = street([10, 20, 20, 20, 10], [1, 1, 2, 2, 2])
    for exhaust in (0, 12):
        (row,) = bounds(problem, np.array([2]), out_of_band=np.array([5]), exhaust=exhaust)
        assert row.moved_at_least == 0


def test_one_number_out_of_band_a_container_is_needed() -> None:
    with pytest.raises(BalanceError, match="out of band of shape"):
        bounds(street([10, 20, 30]), np.array([1]), out_of_band=np.array([0, 0]))


def test_the_bench_instance_must_move_more_than_its_sums_say() -> None:
    problem = read(SYNTH1)
    grids = np.array(json.loads((SYNTH1 / "meta.json").read_text())["k_per_container"])
    bound = bounds(problem, grids)
    least = floor(problem, bound)
    assert (least.grids, least.in_band_at_most) == (452, 450)
    assert [row.container for row in bound if not row.within_reach] == [22, 24]
    assert least.moved_share_at_least >= 0.105
    assert {each.kind for each in advise(problem, bound)} == set(Kind)
