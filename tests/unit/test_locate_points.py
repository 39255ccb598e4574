"""Points near borders, with an accuracy, as they are pasted, and without a coordinate system."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.accuracy import Level
from geo.answers import BETTER_POSITION, OUTSIDE, Reason, Status
from geo.candidates import unstated
from geo.crs import from_wgs84, to_metric
from geo.errors import CoordinateError, InputError
from geo.locate import Locator, Source
from tests.unit.test_locate import locator

ROW = locator()  # grids of about 955 m by 1109 m
METRE = 0.01 / 955


def code(number):
    return f"{number:015d}"


def at(lon, lat=31.005, **more):
    return ROW.at(lon, lat, "wgs84", **more)


@pytest.mark.parametrize(
    ("east_m", "status", "named"),
    [(-16, "match", [0]), (-14, "ambiguous", [0, 1]), (0, "ambiguous", [0, 1]), (14, "ambiguous", [1, 0])],
)
def test_an_exact_point_close_to_a_border_names_both_grids(east_m, status, named):
    answer = at(118.01 + east_m * METRE)
    grids = [answer.grid] if answer.grid else [other.grid for other in answer.alternatives]
    assert (answer.status, [grid.code for grid in grids]) == (status, [code(n) for n in named])
    assert ROW.with_border(answer).border_m == pytest.approx(abs(east_m), abs=0.1)
    assert (answer.border_m is None) == (status == "match")
    assert (answer.reasons == (Reason.NEAR_BORDER,)) == (status == "ambiguous")
    distances = [other.distance_m for other in answer.alternatives]
    assert distances == pytest.approx([0, abs(east_m)] if distances else [], abs=0.1)


def test_how_close_is_a_setting_and_may_be_never():
    for metres, status in ((0, Status.MATCH), (5, Status.MATCH), (20, Status.AMBIGUOUS)):
        asked = Locator(ROW.register, margin_m=500, near_border_m=metres)
        assert asked.at(118.01 + 10 * METRE, 31.005, "wgs84").status == status
    assert Locator(ROW.register, margin_m=500, near_border_m=0).at(118.01, 31.005, "wgs84").grid.code == code(
        0
    )


def test_close_to_where_the_grids_end_is_said():
    answer = at(118 + 5 * METRE)
    assert (answer.status, answer.reasons) == (Status.MATCH, (Reason.DISTRICT_EDGE,))
    assert at(118 + 5 * METRE, accuracy_m=20).reasons == (Reason.UNCERTAIN, Reason.DISTRICT_EDGE)


@pytest.mark.parametrize(
    ("radius", "level", "status"),
    [
        (25, Level.P95, "match"),
        (25, Level.P68, "ambiguous"),
        (25, Level.UNKNOWN, "ambiguous"),
        (10, Level.P68, "match"),
    ],
)
def test_radius_and_level_decide_between_match_and_ambiguous(radius, level, status):
    answer = at(118.01 + 14 * METRE, accuracy_m=radius, level=level)
    assert answer.status == status
    assert (answer.grid is None) == (status == "ambiguous")
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert list(answer.probabilities) == [code(1), code(0), OUTSIDE]
    assert (answer.probabilities[code(1)] >= 0.9) == (status == "match")
    if status == "ambiguous":
        assert [other.grid.code for other in answer.alternatives] == [code(1), code(0)]
        assert [other.probability for other in answer.alternatives] == list(answer.probabilities.values())[:2]
        assert [other.distance_m for other in answer.alternatives] == pytest.approx([0, 14], abs=0.1)


@given(st.floats(117.98, 118.06), st.floats(30.98, 31.03), st.floats(1e-9, 500), st.sampled_from(Level))
def test_probabilities_are_ranked_and_sum_to_one(lon, lat, radius, level):
    answer = at(lon, lat, accuracy_m=radius, level=level)
    told = answer.probabilities
    assert sum(told.values()) == pytest.approx(1, abs=1e-9)
    *grids, nowhere = told.values()
    assert list(told)[-1] == OUTSIDE
    assert all(0 <= share <= 1 for share in told.values())
    assert grids == sorted(grids, reverse=True) or np.allclose(grids, sorted(grids, reverse=True), atol=1e-8)
    best = max(grids, default=0.0)
    if max(best, nowhere) < 0.9:
        assert answer.status == Status.AMBIGUOUS
    elif nowhere >= 0.9:
        assert answer.status in {Status.OUTSIDE, Status.APPROXIMATE}
    else:
        assert (answer.status, told[answer.grid.code]) == (Status.MATCH, best)


def test_probabilities_agree_with_sampling():
    answer = at(118.01 + 30 * METRE, 31.0003, accuracy_m=80, level=Level.P95)
    here = shapely.get_coordinates(to_metric([shapely.Point(118.01 + 30 * METRE, 31.0003)], 4549))
    drawn = here + np.random.default_rng(2).normal(0, 80 / 2.4477, (100_000, 2))
    for n in (0, 1):
        shape = to_metric([ROW.register.shapes[n]], 4549)[0]
        shapely.prepare(shape)
        share = shapely.contains_xy(shape, *drawn.T).mean()
        assert answer.probabilities[code(n)] == pytest.approx(share, abs=0.006)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"source": Source.DEVICE}, Reason.NO_ACCURACY),
        ({"accuracy_m": 500.5}, Reason.TOO_WIDE),
        ({"accuracy_m": inf, "source": Source.DEVICE}, Reason.TOO_WIDE),
    ],
)
def test_a_position_that_says_too_little_is_not_answered(more, reason):
    answer = at(118.005, **more)
    assert (answer.status, answer.reasons, answer.grid) == (Status.NO_ANSWER, (reason,), None)
    assert answer.next_step == BETTER_POSITION


def test_a_device_with_an_accuracy_and_a_map_without_are_answered():
    assert at(118.005, accuracy_m=500, source=Source.DEVICE).probabilities
    assert at(118.005, source=Source.MAP).status == Status.MATCH


@pytest.mark.parametrize("accuracy", [0, -1, nan, -inf])
def test_an_accuracy_must_be_above_nothing(accuracy):
    with pytest.raises(InputError, match="accuracy"):
        at(118.005, accuracy_m=accuracy)


def test_beyond_the_margin_is_outside_with_and_without_an_accuracy():
    for more in ({}, {"accuracy_m": 100}):
        answer = at(117.99, **more)
        assert (answer.status, answer.grid) == (Status.OUTSIDE, None)
        assert answer.outside_m == pytest.approx(955, abs=2)
    assert at(-118, accuracy_m=100).probabilities == {OUTSIDE: 1}


def pasted(lon=118.005, lat=31.005, zone=4549):
    return from_wgs84([[lon, lat]], f"EPSG:{zone}")[0]


def test_metres_are_read_whichever_way_they_are_written():
    east, north = pasted()
    full = 40e6 + east
    for x, y, crs, reasons in (
        (east, north, "EPSG:4549", ()),
        (north, east, "EPSG:4549", (Reason.SWAPPED,)),
        (full, north, "EPSG:4549", (Reason.ZONE_PREFIX,)),
        (north, full, "EPSG:4549", (Reason.SWAPPED, Reason.ZONE_PREFIX)),
        (full, north, "EPSG:4528", ()),
        (east, north, "EPSG:4528", (Reason.ZONE_PREFIX,)),
        (north, full, "cgcs2000", (Reason.SWAPPED, Reason.ZONE_PREFIX)),
    ):
        answer = ROW.at(x, y, crs)
        assert (answer.status, answer.grid.code, answer.reasons) == (Status.MATCH, code(0), reasons)


@pytest.mark.parametrize("crs", ["EPSG:4548", "EPSG:4527", "wgs84", "gcj02", "bd09"])
def test_a_prefix_of_another_zone_than_stated_is_refused(crs):
    east, north = pasted()
    with pytest.raises(CoordinateError, match=r"zone|EPSG:4528"):
        ROW.at(40e6 + east, north, crs)


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "cgcs2000"])
def test_metres_without_a_zone_are_no_degrees(crs):
    with pytest.raises(CoordinateError, match="out of the range"):
        ROW.at(*pasted(), crs)


@given(
    st.integers(0, 20), st.floats(-1.4, 1.4), st.floats(18, 53), st.booleans(), st.booleans(), st.booleans()
)
def test_any_place_is_read_the_same_in_every_zone_and_writing(zone, east_deg, lat, swap, prefix, full):
    lon = 75 + 3 * zone + east_deg
    east, north = pasted(lon, lat, 4534 + zone)
    x = east + (25 + zone) * 1e6 * prefix
    asked = (north, x) if swap else (x, north)
    system = f"EPSG:{(4513 if full else 4534) + zone}"
    far = Locator(ROW.register, margin_m=500).at(*asked, system)
    assert far.outside_m == pytest.approx(at(lon, lat).outside_m or 0, abs=0.01)
    assert (Reason.SWAPPED in far.reasons, Reason.ZONE_PREFIX in far.reasons) == (swap, prefix != full)


def test_degrees_without_a_system_show_one_place_a_system():
    told = unstated(118.005, 31.005, [ROW]).candidates
    assert sorted(each["crs"] for each in told) == ["bd09", "cgcs2000", "gcj02", "wgs84"]
    by_crs = {each["crs"]: each for each in told}
    assert (by_crs["wgs84"]["lon"], by_crs["wgs84"]["grid"]) == (118.005, code(0))
    assert by_crs["gcj02"]["lon"] == pytest.approx(118.0000, abs=0.002)
    swapped = unstated(31.005, 118.005, [ROW]).candidates
    assert {each["swapped"] for each in swapped} == {True}
    assert [{**each, "swapped": False} for each in swapped] == told


def test_metres_without_a_system_show_the_zone_they_fit_first():
    east, north = pasted()
    plain = unstated(east, north, [ROW]).candidates
    assert len({each["crs"] for each in plain}) == len(plain) == 21
    assert (plain[0]["crs"], plain[0]["status"], plain[0]["grid"]) == ("EPSG:4549", "match", code(0))
    (prefixed,) = unstated(40e6 + east, north, [ROW]).candidates
    assert (prefixed["crs"], prefixed["grid"]) == ("EPSG:4528", code(0))


@pytest.mark.parametrize("point", [(nan, 31), (inf, -inf), (1e300, 5), (4e7, 5), (500, 500)])
def test_what_is_a_place_in_no_system_has_no_candidates(point):
    error = unstated(*point, [ROW])
    assert (error.candidates, "wgs84" in error.remedy) == ([], True)
