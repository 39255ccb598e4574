"""Every move, broken compound and grid out of band has one reason, the same whatever the labels are."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.balance import Locks, Problem, containers, measure
from geo.balance.breaks import FREE, LOCKED, SHAPE, SIZE, WALLED
from geo.balance.reasons import COUNT, FROZEN, HEAVY, UNPROVEN, Explanation, explain
from geo.balance.rules import RULES
from geo.balance.sentences import RULES as RULE_WORDS
from geo.balance.sentences import told, told_break, told_move, told_stay

pytestmark = pytest.mark.unit

WIDE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def row(households: list[int], current: list[int], **other: Any) -> Problem:
    """Square cells of 10 m in a row, a target of 100 households ± 10%."""
    n = len(households)
    edges = np.c_[np.arange(n - 1), np.arange(1, n)]
    return board(np.array(households), np.array(current), edges, **other)


def board(households: np.ndarray, current: np.ndarray, edges: np.ndarray, **other: Any) -> Problem:
    n = len(households)
    given_: dict[str, Any] = {
        "households": households,
        "xy": np.c_[np.arange(n) * 10.0, np.zeros(n)],
        "area": np.full(n, 100.0),
        "perimeter": np.full(n, 40.0),
        "community": np.zeros(n, np.int64),
        "compound": np.full(n, -1),
        "current": current,
        "edges": edges,
        "shared_m": np.full(len(edges), 10.0),
        "open": np.ones(len(edges), bool),
        "target": 100.0,
    }
    return Problem(**{**given_, **other})


@st.composite
def plans(draw: st.DrawFn) -> tuple[Problem, np.ndarray]:
    """Boards with barriers, communities and locks, today's grids in any state, and any assignment at all."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    n = rows * columns
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    at = np.arange(n).reshape(rows, columns)
    edges = np.r_[np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]]
    current = rng.integers(-1, draw(st.integers(1, 6)), n)
    assignment = np.where(rng.random(n) < draw(st.sampled_from([0.1, 0.6])), rng.integers(-1, 8, n), current)
    frozen = frozenset(np.unique(current[current >= 0])[:1].tolist()) if draw(st.booleans()) else frozenset()
    problem = board(
        rng.integers(0, 60, n) * (rng.random(n) < 0.8),
        current,
        edges,
        community=np.repeat(rng.integers(0, 2, rows), columns),
        compound=rng.integers(-1, 3, n),
        open=rng.random(len(edges)) < 0.8,
        locks=Locks(np.full(n, -1), frozen, apart=rng.permutation(n)[: n // 2 * 2].reshape(-1, 2)[:2]),
    )
    return problem, assignment


@WIDE
@given(plans())
def test_every_moved_cell_is_in_exactly_one_row(plan: tuple[Problem, np.ndarray]) -> None:
    problem, assignment = plan
    found, after = explain(problem, assignment), measure(problem, assignment)
    moved = (problem.current >= 0) & (assignment >= 0) & (problem.current != assignment)
    assert sum(move.households for move in found.moves) == after.households_moved
    assert sum(move.cells for move in found.moves) == moved.sum()
    fresh = (problem.current < 0) & (assignment >= 0) & (problem.current >= 0).any()
    assert sum(move.cells for move in found.placed) == fresh.sum()
    for s, d in {(move.source, move.destination) for move in found.moves}:
        between = [move for move in found.moves if (move.source, move.destination) == (s, d)]
        cells = (problem.current == s) & (assignment == d)
        assert sum(move.cells for move in between) == cells.sum()
        assert sum(move.households for move in between) == problem.households[cells].sum()
        assert len({move.rule for move in between}) == len(between)


@WIDE
@given(plans())
def test_every_broken_compound_and_every_grid_out_of_band_is_named(
    plan: tuple[Problem, np.ndarray],
) -> None:
    problem, assignment = plan
    found, after = explain(problem, assignment), measure(problem, assignment)
    assert sorted(broken.compound for broken in found.breaks) == sorted(after.broken)
    assert sum(len(broken.grids) - max(broken.fewest, 1) for broken in found.breaks) == after.excess_pieces
    assert {stay.grid for stay in found.stays} == {row.label for row in after.grid_rows if not row.in_band}
    assert len(found.stays) == after.grids - after.in_band


@WIDE
@given(plans(), st.integers(0, 2**32 - 1))
def test_labels_decide_nothing(plan: tuple[Problem, np.ndarray], seed: int) -> None:
    problem, assignment = plan
    new = np.append(np.random.default_rng(seed).permutation(50)[:10], -1)  # the last for cells in no grid
    locks = dataclasses.replace(
        problem.locks, frozen=frozenset(int(new[label]) for label in problem.locks.frozen)
    )
    other = dataclasses.replace(problem, current=new[problem.current], locks=locks)
    assert explain(other, new[assignment]) == _relabelled(explain(problem, assignment), new)


def _relabelled(found: Explanation, new: np.ndarray) -> Explanation:
    def label(old: int | None) -> int | None:
        return None if old is None else int(new[old])

    grids = ("source", "destination", "origin", "end", "grid", "part", "into")

    def each(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            dataclasses.replace(
                row, **{name: label(getattr(row, name)) for name in grids if hasattr(row, name)}
            )
            for row in rows
        )

    breaks = (
        dataclasses.replace(broken, grids=tuple(label(grid) for grid in broken.grids))
        for broken in each(found.breaks)
    )
    return dataclasses.replace(
        found,
        moves=each(found.moves),
        placed=each(found.placed),
        breaks=tuple(breaks),
        stays=each(found.stays),
    )


@WIDE
@given(plans())
def test_it_is_found_again_survives_being_stored_and_is_said_in_both_languages(
    plan: tuple[Problem, np.ndarray],
) -> None:
    problem, assignment = plan
    found = explain(problem, assignment, building=np.arange(problem.cells) // 2)
    assert found == explain(problem, assignment, building=np.arange(problem.cells) // 2)
    assert Explanation.read(json.loads(json.dumps(found.plain()))) == found
    said = told(found, "<{}>".format)
    assert len(said) == sum(map(len, (found.moves, found.placed, found.breaks, found.stays)))
    for words, move in zip(said, (*found.moves, *found.placed), strict=False):
        assert f"<{move.destination}>" in words.zh
        assert f"<{move.destination}>" in words.en
        assert "{" not in words.zh + words.en
        assert "None" not in words.zh + words.en


@WIDE
@given(plans())
def test_a_compound_said_to_join_freely_does(plan: tuple[Problem, np.ndarray]) -> None:
    problem, assignment = plan
    before = measure(problem, assignment)
    for broken in explain(problem, assignment).breaks:
        if broken.into is None:
            continue
        goes = (problem.compound == broken.compound) & (problem.weight > 0)
        if broken.part is not None:
            goes &= assignment == broken.part
        joined = np.where(goes, broken.into, assignment)
        after = measure(problem, joined)
        weight = next(row.weight for row in after.grid_rows if row.label == broken.into)
        assert (weight, broken.lost) == (broken.weight, max(0, before.in_band - after.in_band))
        assert after.grids == before.grids
        assert (broken.reason == FREE) == (after.in_band >= before.in_band)


def test_every_rule_has_words() -> None:
    assert set(RULE_WORDS) == set(RULES)


def rules_of(problem: Problem, assignment: list[int]) -> set[tuple[int, int, str]]:
    return {
        (move.source, move.destination, move.rule) for move in explain(problem, np.array(assignment)).moves
    }


def test_a_grid_above_the_band_gives_and_the_sentence_says_so() -> None:
    problem = row([60, 40, 31, 80], [12, 12, 12, 13])
    found = explain(problem, np.array([12, 12, 13, 13]), building=np.arange(4))
    assert [(move.rule, move.cells, move.households) for move in found.moves] == [("above", 1, 31)]
    assert told(found, "{:03}".format)[0] == (
        "网格012 原有 131 户，超出上限 110：1 栋 31 户划入网格013。",
        "Grid 012 had 131 households, above the most of 110: 1 building, 31 households to grid 013.",
    )
    assert told(explain(problem, np.array([12, 12, 13, 13])), str)[0].zh.endswith(
        "1 个地块 31 户划入网格13。"
    )


def test_few_households_are_not_counted_out() -> None:
    found = explain(row([100, 8, 71], [1, 1, 2]), np.array([1, 2, 2]))
    said = told_move(found.moves[0], found, str, withheld_below=10)
    assert "不足 10 户" in said.zh
    assert "fewer than 10 households" in said.en
    assert "8" not in said.zh + said.en


def test_few_households_of_a_grid_or_a_compound_are_not_counted_out_either() -> None:
    light = explain(row([7, 100, 100], [1, 2, 3]), np.array([2, 2, 3]))
    said = told_move(light.moves[0], light, str, withheld_below=10)
    assert (said.zh.count("不足 10 户"), said.en.count("fewer than 10 households")) == (2, 2)

    left = explain(row([7, 100, 100], [1, 2, 3]), np.array([1, 2, 3]))
    told_of = [told_stay(stay, left, str, withheld_below=10) for stay in left.stays]
    assert [("不足 10 户" in each.zh, "fewer than 10 households" in each.en) for each in told_of] == [
        (True, True)
    ]

    problem = dataclasses.replace(row([3, 4, 97, 100], [1, 2, 2, 3]), compound=np.array([5, 5, -1, -1]))
    parted = explain(problem, problem.current)
    broken = told_break(parted.breaks[0], str, withheld_below=10)
    assert "5（不足 10 户）" in broken.zh
    assert "5 (fewer than 10 households)" in broken.en


def test_a_grid_below_the_band_is_filled() -> None:
    assert rules_of(row([60, 40, 60], [1, 1, 2]), [1, 2, 2]) == {(1, 2, "below")}


def test_a_grid_is_dissolved_for_its_size_or_its_number() -> None:
    light = row([50, 30, 60], [1, 2, 3])
    assert rules_of(light, [1, 1, 3]) == {(2, 1, "dissolved")}
    said = told(explain(light, np.array([1, 1, 3])), str)[0]
    assert "由 3 个减为 2 个" in said.zh
    assert "2 grids in place of 3" in said.en


def test_a_grid_is_opened_where_there_is_too_much() -> None:
    problem = row([100, 95, 20], [1, 1, 2])
    assert rules_of(problem, [1, 7, 2]) == {(1, 7, "opened")}
    assert "超出上限 110，新设网格7" in told(explain(problem, np.array([1, 7, 2])), str)[0].zh


def test_repairs_name_what_was_wrong() -> None:
    problem = row([50, 50, 50, 50], [1, 2, 1, 2])
    assert rules_of(problem, [1, 1, 2, 2]) == {(1, 2, "repair_pieces"), (2, 1, "repair_pieces")}
    wall = row([60, 50, 50, 50], [1, 1, 1, 2], open=np.array([True, False, True]))
    assert rules_of(wall, [1, 1, 2, 2]) == {(1, 2, "repair_barrier")}
    border = row([60, 50, 50, 50], [1, 1, 1, 2], community=np.array([0, 0, 5, 5]))
    assert rules_of(border, [1, 1, 2, 2]) == {(1, 2, "repair_community")}


def test_a_chain_names_its_ends() -> None:
    problem = row([100, 20, 80, 20, 80], [1, 1, 2, 2, 3])
    found = explain(problem, np.array([1, 2, 2, 3, 3]))
    assert {(move.source, move.rule) for move in found.moves} == {(1, "above"), (2, "below")}
    longer = row([100, 20, 80, 20, 80, 20, 60], [1, 1, 2, 2, 3, 3, 4])
    found = explain(longer, np.array([1, 2, 2, 3, 3, 4, 4]))
    passed = next(move for move in found.moves if move.source == 2)
    assert (passed.rule, passed.origin, passed.end) == ("chain", 1, 4)
    said = next(words for words in told(found, str) if "逐级调剂" in words.zh)
    assert said == (
        "由网格1 向网格4 逐级调剂：网格2 的 1 个地块 20 户划入网格3。",
        "Passed on from grid 1 towards grid 4: 1 cell, 20 households from grid 2 to grid 3.",
    )


def test_a_swap_is_no_chain_to_the_grid_itself() -> None:
    problem = row([95, 20, 5, 85], [1, 1, 2, 2])
    assert rules_of(problem, [1, 2, 1, 2]) == {(1, 2, "above"), (2, 1, "nearer")}


def test_a_compound_is_made_whole() -> None:
    problem = row([85, 15, 20, 75], [1, 1, 2, 2], compound=np.array([-1, 9, 9, -1]))
    found = explain(problem, np.array([1, 2, 2, 2]))
    assert [(move.rule, move.joined) for move in found.moves] == [("whole", (9,))]
    assert "减少小区9 的拆分：" in told(found, str)[0].zh
    assert found.breaks == ()
    torn = row([85, 15, 20, 75, 90], [1, 1, 2, 2, 3], compound=np.array([-1, 9, 9, 9, -1]))
    assert explain(torn, np.array([1, 2, 2, 3, 3])).moves[0].joined == ()


def test_locks_come_first() -> None:
    locks = Locks(np.array([-1, 2, -1]))
    assert rules_of(row([80, 40, 60], [1, 1, 2], locks=locks), [1, 2, 2]) == {(1, 2, "lock")}
    pair = Locks(np.full(3, -1), together=np.array([[1, 2]]))
    assert rules_of(row([80, 40, 60], [1, 1, 2], locks=pair), [1, 2, 2]) == {(1, 2, "lock")}
    apart = Locks(np.full(3, -1), apart=np.array([[0, 1]]))
    assert rules_of(row([80, 40, 60], [1, 1, 2], locks=apart), [1, 2, 2]) == {(1, 2, "lock")}


def test_what_improves_no_size_is_for_the_shape_or_has_no_reason_of_its_own() -> None:
    nearer = row([85, 20, 90], [1, 1, 2])
    assert rules_of(nearer, [1, 2, 2]) == {(1, 2, "exchange")}
    assert rules_of(row([88, 17, 76], [1, 1, 2], tolerance_percent=30), [1, 2, 2]) == {(1, 2, "nearer")}


def breaks_of(problem: Problem, assignment: list[int]) -> list[str]:
    return [broken.reason for broken in explain(problem, np.array(assignment)).breaks]


def test_breaks_are_proven_by_walls_and_locks() -> None:
    compound = np.array([-1, 9, 9, -1])
    wall = row([70, 30, 30, 70], [1, 1, 2, 2], compound=compound, open=np.array([True, False, True]))
    assert breaks_of(wall, [1, 1, 2, 2]) == [WALLED]
    pins = Locks(np.array([-1, 1, 2, -1]))
    assert breaks_of(row([70, 30, 30, 70], [1, 1, 2, 2], compound=compound, locks=pins), [1, 1, 2, 2]) == [
        LOCKED
    ]
    frozen = Locks(np.full(4, -1), frozenset({1}))
    assert breaks_of(row([70, 30, 30, 70], [1, 1, 2, 2], compound=compound, locks=frozen), [1, 1, 2, 2]) == [
        LOCKED
    ]


def test_breaks_that_are_not_proven_say_what_joining_would_do() -> None:
    compound = np.array([-1, 9, 9, -1])
    (size,) = explain(row([70, 30, 30, 70], [1, 1, 2, 2], compound=compound), np.array([1, 1, 2, 2])).breaks
    assert (size.reason, size.into, size.weight, size.lost) == (SIZE, 1, 130, 2)
    assert breaks_of(row([90, 5, 5, 90], [1, 1, 2, 2], compound=compound), [1, 1, 2, 2]) == [FREE]
    assert breaks_of(row([30, 30], [1, 2], compound=np.array([9, 9])), [1, 2]) == [SHAPE]
    large = row([60, 60, 60, 60], [1, 2, 3, 4], compound=np.full(4, 9))
    assert breaks_of(large, [1, 2, 3, 4]) == [SHAPE]
    large = row([90, 60, 60, 30, 60], [1, 2, 3, 4, 4], compound=np.array([9, 9, 9, 9, -1]))
    (part,) = explain(large, np.array([1, 2, 3, 4, 4])).breaks
    assert (part.reason, part.part, part.into, part.weight, part.lost) == (FREE, 4, 3, 90, 0)


def test_what_stays_out_of_band_is_proven_or_said_not_to_be() -> None:
    def reasons(problem: Problem, assignment: list[int], **known: Any) -> list[str]:
        return [stay.reason for stay in explain(problem, np.array(assignment), **known).stays]

    assert reasons(row([150, 100], [1, 2]), [1, 2]) == [HEAVY]
    assert reasons(row([60, 60], [1, 1]), [1, 1]) == [COUNT]
    uneven = row([60, 60, 80, 20], [1, 1, 2, 2])
    assert reasons(uneven, [1, 1, 2, 2]) == [UNPROVEN]
    assert reasons(uneven, [1, 1, 2, 2], at_most={0: 1}) == [COUNT]
    locks = Locks(np.full(4, -1), frozenset({1}))
    assert reasons(dataclasses.replace(uneven, locks=locks), [1, 1, 2, 2]) == [FROZEN]


def test_containers_of_the_examples_are_as_meant() -> None:
    wall = row([60, 50, 50, 50], [1, 1, 1, 2], open=np.array([True, False, True]))
    assert containers(wall).tolist() == [0, 0, 1, 1]
