"""Many points at once are answered exactly as each alone."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.accuracy import Level
from geo.bulk import Verdict, bulk_of, exact, one, uncertain
from geo.crs import from_wgs84
from geo.errors import InputError
from tests.squares import SIDE, SOUTH, STEP, WEST, squares

SYSTEMS = ("EPSG:4326", "EPSG:4490", "gcj02", "bd09", "EPSG:4549", "EPSG:4528", "EPSG:4530")


GAPS = squares({3, 4, 20})
NEW = squares({3, 4, 20}, pending=[(WEST + 0.5 * STEP, SOUTH + 0.5 * STEP)])


def told(answer):
    """Return what can be compared of a verdict or a refusal."""
    return (type(answer), str(answer)) if isinstance(answer, InputError) else astuple(answer)


def agree(locator, x, y, crs):
    many = exact(locator, np.asarray(x, dtype=float), np.asarray(y, dtype=float), crs)
    assert [told(answer) for answer in many] == [
        told(one(locator, float(a), float(b), crs)) for a, b in zip(x, y, strict=True)
    ]
    return many


lons = st.floats(WEST - 0.01, WEST + 0.016, allow_nan=False)
lats = st.floats(SOUTH - 0.01, SOUTH + 0.016, allow_nan=False)
steps = st.integers(-1, SIDE + 1)
nudges = st.sampled_from([0.0, 1e-9, -1e-9, 1e-5, -1e-5, 1.3e-4, -1.3e-4, 1.6e-4, -1.6e-4])
on_edges = st.tuples(
    st.builds(lambda n, by: WEST + n * STEP + by, steps, nudges),
    st.builds(lambda n, by: SOUTH + n * STEP + by, steps, nudges),
)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
places = st.one_of(st.tuples(lons, lats), on_edges, anywhere)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(places, min_size=1, max_size=25),
    missing=st.sets(st.integers(0, SIDE * SIDE - 1), max_size=20),
    near=st.sampled_from([0.0, 15.0, 70.0]),
    margin=st.sampled_from([0.0, 20.0, 400.0, 5000.0]),
    pending=st.lists(st.tuples(lons, lats), max_size=3),
)
def test_many_points_are_answered_as_each_alone(points, missing, near, margin, pending):
    locator = squares(missing, near, margin, pending)
    x, y = zip(*points, strict=True)
    first = agree(locator, x, y, "EPSG:4326")
    again = exact(locator, np.array(x), np.array(y), "EPSG:4326")
    assert [told(answer) for answer in again] == [told(answer) for answer in first]


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(lons, lats), min_size=1, max_size=12),
    crs=st.sampled_from(SYSTEMS),
    swapped=st.booleans(),
)
def test_points_of_every_system_are_answered_as_each_alone(points, crs, swapped):
    xy = from_wgs84(points, "EPSG:4549" if crs == "EPSG:4528" and swapped else crs)
    agree(GAPS, xy[:, int(swapped)], xy[:, 1 - int(swapped)], crs)


@pytest.mark.parametrize(
    ("crs", "shift"), [("EPSG:4549", 0.0), ("EPSG:4528", -40e6), ("EPSG:4549", 40e6), ("cgcs2000", 0.0)]
)
def test_metres_are_read_however_they_are_written(crs, shift):
    zone = "EPSG:4528" if crs == "cgcs2000" else crs
    spots = WEST + STEP * np.linspace(-1, SIDE + 1, 12), np.full(12, SOUTH + 1.3 * STEP)
    east, north = from_wgs84(np.column_stack(spots), zone).T
    for x, y in ((east + shift, north), (north, east + shift)):
        found = agree(GAPS, x, y, crs)
        told_how = {reason for each in found for reason in each.reasons}
        assert ("swapped" in told_how, "zone_prefix" in told_how) == (
            x is north,
            bool(shift) or crs == "cgcs2000",
        )


numbers = st.one_of(
    st.floats(),
    st.sampled_from(
        [np.nan, np.inf, -np.inf, 1e308, 180.0, 180.1, 90.1, 4e7, 404_500.0, 3_431_710.0, 40_404_500.0]
    ),
    lons,
    lats,
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(numbers, numbers), max_size=15), crs=st.sampled_from(SYSTEMS))
def test_a_point_that_cannot_be_used_spoils_no_other(rows, crs):
    agree(GAPS, [row[0] for row in rows], [row[1] for row in rows], crs)


radii = st.one_of(
    st.floats(0.001, 600), st.sampled_from([0.0, -1.0, np.nan, np.inf, 500.0, 500.1, 1e-9, 40.0])
)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(places, st.tuples(numbers, numbers)), radii, st.sampled_from(Level)), max_size=12
    ),
    crs=st.sampled_from(["EPSG:4326", "gcj02"]),
)
def test_uncertain_points_are_answered_as_each_alone(rows, crs):
    x, y = (np.array([spot[axis] for spot, _, _ in rows], dtype=float) for axis in (0, 1))
    accuracy, levels = np.array([radius for _, radius, _ in rows]), [level for _, _, level in rows]
    many = uncertain(NEW, x, y, crs, accuracy, levels)
    for n, found in enumerate(many):
        alone = one(NEW, float(x[n]), float(y[n]), crs, accuracy_m=float(accuracy[n]), level=levels[n])
        if isinstance(alone, InputError):
            assert told(found) == told(alone)
        else:
            assert found.confidence == pytest.approx(alone.confidence, abs=1e-9)
            assert (found.status, found.reasons, found.grid) == (alone.status, alone.reasons, alone.grid)
            assert found.alternatives == alone.alternatives


def test_the_classes_are_all_there():
    """The points above would prove nothing if they fell into one class."""
    locator = squares({20}, pending=[(WEST + 0.5 * STEP, SOUTH + 0.5 * STEP)])
    x = WEST + STEP * np.array([0.5, 1.5, 2.0, 0.02, 2.5, -0.5, -9.0, np.nan])
    y = SOUTH + STEP * np.array([0.5, 1.5, 1.5, 1.5, 3.5, 0.5, 0.5, 0.5])
    found = agree(locator, x, y, "EPSG:4326")
    shown = ["invalid" if isinstance(each, InputError) else (each.status, *each.reasons) for each in found]
    assert shown == [
        ("match", "pending"),
        ("match",),
        ("ambiguous", "near_border"),
        ("match", "district_edge"),
        ("approximate", "gap"),
        ("approximate", "gap"),
        ("outside",),
        "invalid",
    ]


def test_a_district_without_grids_answers_outside():
    agree(squares(range(SIDE * SIDE)), [WEST, 0.0], [SOUTH, 0.0], "EPSG:4326")


def test_what_is_told_of_a_class_is_one_object():
    first, second = exact(squares(), np.full(2, WEST + STEP / 2), np.full(2, SOUTH + STEP / 2), "EPSG:4326")
    assert first is second


def test_what_was_learnt_goes_with_its_locator():
    locator = squares()
    kept = bulk_of(locator.points)
    assert bulk_of(locator.points) is kept
    assert bulk_of(locator.restated(8, {}).points) is not kept


@pytest.mark.parametrize(("accuracy", "confident"), [(5.0, True), (300.0, False)])
def test_a_point_with_an_accuracy_tells_how_likely_its_grid_is(accuracy, confident):
    found = one(squares(), WEST + 2.5 * STEP, SOUTH + 2.5 * STEP, "wgs84", accuracy_m=accuracy)
    assert isinstance(found, Verdict)
    assert (found.confidence is not None and found.confidence > 0.9) == confident
