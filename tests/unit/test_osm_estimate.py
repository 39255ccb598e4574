"""Households estimated from footprint, floors and kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from geo.estimate import DWELLINGS, HALL_M2, SHED_M2, estimate_households

UNKNOWN = np.nan


def one(kind: str, area: float, floors: float = UNKNOWN, dwellings: float = UNKNOWN) -> int:
    return int(estimate_households([kind], [area], [floors], [dwellings])[0])


@pytest.mark.parametrize(
    ("kind", "area", "floors", "households"),
    [
        ("apartments", 560, 6, 26),
        ("apartments", 560, UNKNOWN, 26),
        ("house", 400, 3, 1),
        ("semidetached_house", 300, 2, 2),
        ("residential", 60, 1, 1),
        ("yes", 300, UNKNOWN, 3),
        ("yes", 40, 1, 0),
        ("school", 2000, 4, 0),
        ("garage", 60, UNKNOWN, 0),
        ("a word nobody knows", 300, 5, 0),
    ],
)
def test_known_buildings(kind: str, area: float, floors: float, households: int) -> None:
    assert one(kind, area, floors) == households


def test_sheds_and_halls_are_empty_whatever_they_are_called() -> None:
    assert one("apartments", SHED_M2 - 1, 6) == 0
    assert one("yes", HALL_M2 + 1) == 0
    assert one("yes", HALL_M2 + 1, 6) > 0


def test_surveyed_dwellings_are_taken_as_they_are() -> None:
    assert one("apartments", 560, 33, dwellings=264) == 264
    assert one("school", 560, dwellings=2) == 2


def test_more_room_a_household_means_fewer_of_them() -> None:
    wide = estimate_households(["apartments"], [560], [6], [UNKNOWN], m2_a_household=220)
    assert wide.tolist() == [13]
    with pytest.raises(InputError, match="no home"):
        estimate_households(["yes"], [100], [1], [UNKNOWN], m2_a_household=0)


@given(
    kind=st.sampled_from([*DWELLINGS, "school"]),
    area=st.floats(1, 20_000),
    floors=st.integers(0, 100),
    more=st.integers(0, 50),
)
def test_it_never_falls_with_floors(kind: str, area: float, floors: int, more: int) -> None:
    assert 0 <= one(kind, area, floors) <= one(kind, area, floors + more)
