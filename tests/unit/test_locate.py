"""What is answered to a point or an address, without a database; the API's tests ask it whole."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import shapely

from geo.address import Entry
from geo.addresses import Place
from geo.answers import (
    ALTERNATIVES,
    NEXT_STEP,
    REASONS,
    Building,
    Community,
    District,
    Grid,
    OnDuty,
    Plan,
    Reason,
    Status,
)
from geo.locate import Locator, Register

CENTRE = Community("340504001001", None, False, "富民社区", "active", None, None)
PLAN = Plan(1, "first", datetime(2026, 1, 1, tzinfo=UTC), None)


def locator(places=(), grids=20, ledger=lambda number: None):
    """Return a locator of grids 0.01 degrees wide in a row from 118 E."""
    return Locator(
        Register(
            District("340504", "雨山区"),
            4549,
            PLAN,
            7,
            [Grid(f"{n:015d}", ledger(n), False, "basic", 300, CENTRE) for n in range(grids)],
            np.array([shapely.box(118 + n / 100, 31, 118 + (n + 1) / 100, 31.01) for n in range(grids)]),
            places=places,
        ),
        margin_m=500,
    )


def place(name, lon=None, **more):
    return Place(Building(name, name, lon, None if lon is None else 31.005), Entry(name), **more)


def test_every_status_and_reason_is_told_in_both_languages():
    for words in (*(NEXT_STEP[status] for status in Status), *(REASONS[reason] for reason in Reason)):
        assert words.zh
        assert words.en


def test_an_answer_names_plan_and_version():
    answer = locator().at(118.005, 31.005, "wgs84")
    assert (answer.plan, answer.data_version, answer.district.code) == (PLAN, 7, "340504")
    assert answer.next_step == NEXT_STEP[Status.MATCH]


@pytest.mark.parametrize(
    ("lon", "status"),
    [
        (118.005, Status.MATCH),
        (117.996, Status.APPROXIMATE),
        (117.99, Status.OUTSIDE),
        (-118, Status.OUTSIDE),
    ],
)
def test_the_margin_decides_what_is_outside(lon, status):
    answer = locator().at(lon, 31.005, "wgs84")
    assert answer.status == status
    assert (answer.outside_m is None) == (status == Status.MATCH)


def test_alternatives_are_bounded_and_by_code():
    places = [place("枫林小区1幢", cells=((None, f"{n:015d}"),)) for n in reversed(range(20))]
    answer = locator(places).resolve("枫林小区1幢")
    assert answer.status == Status.AMBIGUOUS
    assert [other.grid.code for other in answer.alternatives] == [f"{n:015d}" for n in range(ALTERNATIVES)]


def test_two_buildings_of_one_name_in_one_grid_match_the_grid():
    places = [place("枫林小区1幢", cells=((None, f"{3:015d}"),)) for _ in range(2)]
    answer = locator(places).resolve("枫林小区1幢")
    assert (answer.status, answer.grid.code, answer.building) == (Status.MATCH, f"{3:015d}", None)
    assert answer.reasons == (Reason.SEVERAL_BUILDINGS,)


def test_an_entrance_that_does_not_exist_leaves_the_question_open():
    split = place("枫林小区1幢", cells=((1, f"{1:015d}"), (2, f"{2:015d}")))
    assert locator([split]).resolve("枫林小区1幢2单元").grid.code == f"{2:015d}"
    assert locator([split]).resolve("枫林小区1幢3单元").status == Status.AMBIGUOUS


def test_a_new_building_in_no_grid_has_no_answer():
    answer = locator([place("枫林小区1幢", lon=117.9)]).resolve("枫林小区1幢")
    assert (answer.status, answer.grid) == (Status.NO_ANSWER, None)


def test_a_district_without_grids_answers_outside():
    assert locator(grids=0).at(118, 31, "wgs84").status == Status.OUTSIDE


def test_a_point_on_a_new_building_is_pending():
    found = locator([place("new", 118.005, land=shapely.box(118.0049, 31.0049, 118.0051, 31.0051))])
    on, beside = found.at(118.00495, 31.005, "wgs84"), found.at(118.006, 31.005, "wgs84")
    assert (on.status, on.reasons, on.pending) == (Status.MATCH, (Reason.PENDING,), True)
    assert (beside.status, beside.pending) == (Status.MATCH, False)


@pytest.mark.parametrize(
    "written", [f"{3:015d}", f" {3:015d} ", "０００００００００００００００３"[-15:], "C07-G3", "c07-g3"]
)
def test_the_code_of_a_grid_is_answered_with_it(written):
    answer = locator(ledger=lambda number: f"C07-G{number}").resolve(written)
    assert (answer.status, answer.precision, answer.confidence) == (Status.MATCH, "grid", 1.0)
    assert answer.grid.code == f"{3:015d}"
    assert shapely.box(118.03, 31, 118.04, 31.01).contains(shapely.Point(answer.place))


def test_a_ledgers_code_of_several_grids_leaves_them_open():
    answer = locator(ledger=lambda number: f"C07-G{number // 2}").resolve("C07-G1")
    assert (answer.status, answer.grid) == (Status.AMBIGUOUS, None)
    assert [other.grid.code for other in answer.alternatives] == [f"{2:015d}", f"{3:015d}"]


@pytest.mark.parametrize("code", ["3", "3幢", "A3", "12-3", "12-2-303"])
def test_a_ledgers_code_that_may_be_the_number_of_a_house_is_none(code):
    answer = locator(grids=1, ledger=lambda number: code).resolve(code)
    assert (answer.status, answer.grid) == (Status.NONE, None)


def test_another_version_and_others_on_duty_are_told_by_the_same_indexes():
    first = locator([place("new", 118.005)])
    code = first.register.grids[0].code
    second = first.restated(8, {code: (OnDuty("primary"),)})
    assert second.book is first.book
    for asked in (lambda told: told.at(118.005, 31.005, "wgs84"), lambda told: told.resolve("new")):
        assert (asked(first).data_version, asked(first).grid.on_duty) == (7, ())
        assert (asked(second).data_version, asked(second).grid.on_duty) == (8, (OnDuty("primary"),))
