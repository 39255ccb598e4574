"""Malformed problems are refused by name, and the figures of any assignment are right."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from geo.balance import Locks, Problem, balance, containers, measure
from geo.balance.apportion import apportion
from geo.balance.region import numbered
from geo.errors import BalanceError

pytestmark = pytest.mark.unit


def street(**other: Any) -> Problem:
    """Six square cells of 10 m in a row, in two communities."""
    given: dict[str, Any] = {
        "households": np.array([100, 200, 30, 300, 0, 310]),
        "xy": np.c_[np.arange(6) * 10.0, np.zeros(6)],
        "area": np.full(6, 100.0),
        "perimeter": np.full(6, 40.0),
        "community": np.array([0, 0, 0, 1, 1, 1]),
        "compound": np.array([-1, 7, 7, -1, -1, -1]),
        "current": np.array([2, 2, 4, 4, 6, 6]),
        "edges": np.c_[np.arange(5), np.arange(1, 6)],
        "shared_m": np.full(5, 10.0),
        "open": np.ones(5, bool),
        "target": 300.0,
    }
    return Problem(**{**given, **other})


def changed(values: np.ndarray, at: object, value: object) -> np.ndarray:
    copy = values.copy()
    copy[at] = value
    return copy


NONE = np.full(6, -1)
EDGES = street().edges


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"households": np.array([1, 2, 3])}, r"xy has shape"),
        ({"households": np.full(6, 1.5)}, "households .* type float64"),
        ({"households": np.array([1, 1, -3, 1, 1, 1])}, "households of row 2 is -3"),
        ({"area": changed(np.ones(6), 4, np.nan)}, "area of row 4 is nan"),
        ({"perimeter": np.full(6, np.inf)}, "perimeter of row 0 is inf"),
        ({"xy": changed(np.zeros((6, 2)), (3, 1), np.nan)}, "xy of row 3 is nan"),
        ({"current": changed(NONE, 5, -2)}, "current of row 5 is -2"),
        ({"community": np.zeros(5, int)}, "community has shape"),
        ({"open": np.ones(5, int)}, "open .* type int64"),
        ({"shared_m": np.full(4, 1.0)}, "shared_m has shape"),
        ({"shared_m": np.full(5, -1.0)}, "shared_m of row 0 is -1.0"),
        ({"edges": np.zeros((5, 3), int)}, "edges has shape"),
        ({"edges": changed(EDGES, 2, (2, 6))}, r"Edge 2 \(2, 6\) leads to a cell that is not there"),
        ({"edges": changed(EDGES, 1, (1, 1))}, r"Edge 1 \(1, 1\) joins a cell to itself"),
        ({"edges": changed(EDGES, 0, (1, 0))}, r"Edge 0 \(1, 0\) has its larger cell first"),
        ({"edges": changed(EDGES, 4, (0, 1))}, r"Edge 4 \(0, 1\) is there twice"),
        ({"households": np.full(6, 2**62)}, "27,670,116,110,564,327,424 households together"),
        (
            {"expected": np.full(6, 2**62), "expected_percent": 100},
            "27,670,116,110,564,327,424 households together",
        ),
        (
            {"households": changed(street().households, 4, 10_000_001)},
            "Container 1, of community 1, has 10,000,611 households",
        ),
        ({"target": 0}, "target is 0"),
        ({"tolerance_percent": -1}, "tolerance_percent is -1"),
        ({"grids": 0}, "grids is 0"),
        ({"locks": Locks(np.zeros(3, int))}, "pinned has shape"),
        ({"locks": Locks(NONE, frozenset({3}))}, "Grid 3 is frozen but has no cell today"),
        ({"locks": Locks(NONE, frozenset({-1}))}, "Grid -1 is frozen"),
        ({"locks": Locks(changed(NONE, 0, 4), frozenset({2}))}, "Cell 0 is pinned to 4"),
        ({"locks": Locks(changed(NONE, 0, 4), frozenset({4}))}, "Cell 0 is pinned to 4"),
        ({"locks": Locks(changed(NONE, [0, 5], 9))}, "pinned to grid 9 lie in different communities"),
        (
            {
                "current": np.array([2, 3, 4, 6, 6, 6]),
                "locks": Locks(changed(NONE, [0, 2], 9), frozenset({3})),
            },
            "pinned to grid 9 lie in .* or are cut apart by a barrier or a frozen grid",
        ),
    ],
)
def test_a_malformed_problem_is_refused_with_its_fault_named(wrong: dict[str, Any], fault: str) -> None:
    with pytest.raises(BalanceError, match=fault) as refused:
        street(**wrong)
    assert refused.value.remedy


def test_a_problem_without_cells_is_refused() -> None:
    none: dict[str, Any] = {
        name: np.zeros(0, int) for name in ("households", "community", "compound", "current")
    }
    with pytest.raises(BalanceError, match="no cells"):
        street(**none)


@pytest.mark.parametrize("grids", [1, 7])
def test_an_impossible_number_of_grids_is_refused(grids: int) -> None:
    with pytest.raises(BalanceError, match="at least 2 are needed and at most 6 possible"):
        balance(street(grids=grids))


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"effort": 0}])
def test_a_wrong_seed_or_effort_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BalanceError, match="seed is"):
        balance(street(), **wrong)


def test_figures_of_a_plan_with_every_fault() -> None:
    problem = street(open=np.array([False, True, True, True, True]))
    today = measure(problem, problem.current)
    rows = {row.label: row for row in today.grid_rows}
    assert [row.households for row in rows.values()] == [300, 330, 310]
    assert [row.in_band for row in rows.values()] == [True, True, True]
    assert today.disconnected == (2, 4)
    assert today.crossing_communities == (4,)
    assert today.crossing_barriers == (2,)
    assert (today.households_moved, today.moved_share) == (0, 0.0)
    assert not today.legal
    assert today.split_compounds == 1
    assert rows[6].perimeter_m == pytest.approx(60.0)
    assert rows[6].compactness == pytest.approx(4 * np.pi * 200 / 3600)


def test_the_band_is_decided_in_whole_numbers() -> None:
    problem = street()
    assert problem.in_band(np.array([269, 270, 330, 331])).tolist() == [False, True, True, False]


def test_moved_households_are_those_of_cells_with_another_label() -> None:
    problem = street(current=np.array([2, 2, 4, 4, -1, -1]))
    after = measure(problem, np.array([2, 4, 4, 4, 8, 8]))
    assert after.households_moved == 200
    assert after.moved_share == pytest.approx(200 / 630)
    assert {row.label: (row.gained, row.lost) for row in after.grid_rows} == {
        2: (0, 200),
        4: (200, 0),
        8: (0, 0),
    }


def test_cells_in_no_grid_are_counted() -> None:
    nothing = measure(street(), NONE)
    assert (nothing.grids, nothing.unassigned_cells, nothing.share_in_band) == (0, 6, 0.0)
    some = measure(street(), np.array([1, 1, -1, 2, 2, 2]))
    assert (some.grids, some.unassigned_cells, some.legal) == (2, 1, False)


def test_one_label_a_cell_is_needed() -> None:
    with pytest.raises(BalanceError, match="6 cells"):
        measure(street(), np.zeros(5, int))


@pytest.mark.parametrize(
    ("households", "at_most"),
    [
        ([100, 200, 30, 0, 0, 0], 1),  # exactly the top of the band
        ([100, 200, 31, 0, 0, 0], 0),
        ([100, 100, 70, 0, 0, 0], 1),  # exactly its foot
        ([100, 100, 69, 0, 0, 0], 0),
        ([331, 0, 0, 0, 0, 0], 0),  # a cell that is too heavy by itself
    ],
)
def test_containers_that_cannot_be_in_band_are_known(households: list[int], at_most: int) -> None:
    problem = street(households=np.array(households))
    first, second = measure(problem, containers(problem)).container_rows
    assert (first.in_band_at_most, first.within_reach) == (at_most, at_most == 1)
    assert not second.within_reach


def test_grids_are_apportioned_by_least_squares() -> None:
    problem = street(households=np.array([300, 300, 400, 100, 200, 120]))
    still = np.zeros(6, bool)

    def counts(**asked: Any) -> list[int]:
        return apportion(dataclasses.replace(problem, **asked), numbered(problem, still), still).tolist()

    assert counts() == [3, 1]
    assert counts(grids=5) == [3, 2]
    assert counts(grids=np.array([2, 3])) == [2, 3]
