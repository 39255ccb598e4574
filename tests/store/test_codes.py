"""Codes: any that was ever issued says what it is now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data import codes, grids, history
from data.session import Store
from etl.actor import SYSTEM
from etl.lifecycle import withdraw
from geo.errors import NotFoundError
from tests.charts import CODE, Charted, columns


@pytest.fixture
def district(database_url):
    store = Store(database_url)
    yield Charted(store)
    store.close()


def resolve(district, code, at=None):
    with district.store.read(CODE) as connection:
        return codes.resolve(connection, CODE, code, at)


def shares(district, code, at=None):
    return {heir.code: heir.share for heir in resolve(district, code, at).grids}


def run(store, statement, **values):
    with store.begin(CODE) as connection:
        connection.execute(text(statement), values)


def issued(store):
    with store.read(CODE) as connection:
        return connection.scalars(text("SELECT code FROM grids WHERE code IS NOT NULL ORDER BY code")).all()


def test_a_split_is_told_by_share_of_households(district):
    district.publish(columns(*"aaaaaa"))
    a = district.code("a")
    assert (resolve(district, a).status, shares(district, a)) == ("in_force", {a: 1.0})
    district.publish(columns(*"bbbbcc"))
    found = resolve(district, a)
    assert found.status == "retired"
    assert {heir.code: heir.share for heir in found.grids} == {
        district.code("b"): 0.67,
        district.code("c"): 0.33,
    }
    assert found.until == resolve(district, district.code("b")).since


def test_a_chain_is_told_directly_and_not_by_multiplying(district):
    for chart in ("aaaaaa", "bbbccc", "ddddcc", "eeeeef", "gggggg"):
        district.publish(columns(*chart))
    assert {code: shares(district, code) for code in issued(district.store)} == {
        code: {district.code("g"): 1.0} for code in issued(district.store)
    }


def test_what_a_code_was_at_an_earlier_instant(district):
    first = district.publish(columns(*"aaaaaa")).effective
    second = district.publish(columns(*"bbbccc")).effective
    district.publish(columns(*"dddddd"))
    a, b, c, d = map(district.code, "abcd")
    assert shares(district, a, first) == {a: 1.0}
    assert shares(district, a, second) == {b: 0.5, c: 0.5}
    assert shares(district, a) == {d: 1.0}
    assert resolve(district, d, second).status == "scheduled"
    assert shares(district, a, first - timedelta(days=1)) == {}


def test_a_code_that_comes_back_holds_again(district):
    for chart in ("aaabbb", "cccccc", "aaabbb"):
        district.publish(columns(*chart))
    a, c = district.code("a"), district.code("c")
    assert (resolve(district, a).status, shares(district, a)) == ("in_force", {a: 1.0})
    assert shares(district, c) == {a: 0.5, district.code("b"): 0.5}
    assert len(issued(district.store)) == 3
    with district.store.read(CODE) as connection:
        (told,) = history.histories(connection, CODE, a)
    assert [period.plan for period in told.periods] == [1, 3]
    assert resolve(district, a).since == told.periods[1].since


def test_without_households_shares_are_of_area(database_url):
    store = Store(database_url)
    empty = Charted(store, households=0)
    empty.publish(columns(*"aaaaaa"))
    empty.publish(columns(*"bbbbbc"))
    assert shares(empty, empty.code("a")) == {empty.code("b"): 0.83, empty.code("c"): 0.17}
    store.close()


def test_shares_of_few_households_are_of_area(district):
    district.publish(columns(*"aaaaaa"))
    district.publish(columns(*"bbbbbc"))
    run(district.store, "UPDATE buildings SET households = 0")
    run(district.store, "UPDATE buildings SET households = 9 WHERE external_code = 'B1-0-0'")
    assert shares(district, district.code("a")) == {district.code("b"): 0.83, district.code("c"): 0.17}
    run(district.store, "UPDATE buildings SET households = 10 WHERE external_code = 'B1-0-0'")
    assert shares(district, district.code("a")) == {district.code("b"): 1.0}


def test_a_plan_for_later_has_codes_that_do_not_hold_yet(district):
    district.publish(columns(*"aaaaaa"))
    later = datetime.now(UTC) + timedelta(days=1)
    number = district.publish(columns(*"bbbccc"), at=later).number
    a, b = district.code("a"), district.code("b")
    assert (resolve(district, a).status, resolve(district, a).until) == ("in_force", later)
    assert (resolve(district, b).status, resolve(district, b).since) == ("scheduled", later)
    assert shares(district, b) == {a: 1.0}
    assert shares(district, b, later) == {b: 1.0}
    withdraw(district.store, SYSTEM, CODE, number, reason="not agreed")
    found = resolve(district, b)
    assert (found.status, found.since, found.until) == ("never_in_force", None, None)
    assert {heir.code: heir.share for heir in found.grids} == {a: 1.0}


def test_a_code_of_a_withdrawn_plan_is_never_given_to_another_grid(district):
    district.publish(columns(*"aaaaaa"))
    number = district.publish(columns(*"bbbccc"), at=datetime.now(UTC) + timedelta(days=1)).number
    withdraw(district.store, SYSTEM, CODE, number, reason="not agreed")
    district.publish(columns(*"dddeee"))
    codes_of = [district.code(name) for name in "abcde"]
    assert len(set(codes_of)) == 5
    assert sorted(codes_of[3:]) > sorted(codes_of[1:3])


def test_a_ledgers_code_is_all_its_parts(district):
    district.publish(columns(*"aaabbb"))
    with district.store.begin(CODE) as connection:
        connection.execute(
            text(
                "INSERT INTO grid_external_codes (district, external_code, grid_id, share)"
                " VALUES (:d, 'L1', :a, 0.5), (:d, 'L1', :b, 0.5)"
            ),
            {"d": CODE, "a": district.ids["a"], "b": district.ids["b"]},
        )
    district.publish(columns(*"aaaccd"))
    found = resolve(district, "L1")
    assert [(part.code, part.status) for part in found.parts] == [
        (district.code("a"), "in_force"),
        (district.code("b"), "retired"),
    ]
    assert (found.status, found.until) == ("in_force", None)
    assert shares(district, "L1") == {
        district.code("a"): 0.5,
        district.code("c"): 0.33,
        district.code("d"): 0.17,
    }


def test_what_was_never_issued_is_not_found(district):
    district.draft(columns(*"aaaaaa"))
    with pytest.raises(NotFoundError, match="No grid"):
        resolve(district, "990001900001001")


def test_grids_of_a_plan_not_published_have_no_code(district):
    district.draft(columns(*"aaaaaa"))
    with district.store.begin(CODE) as connection:
        grids.name_external(
            connection,
            CODE,
            pd.DataFrame(
                [{"external_code": "L1", "grid_id": district.ids["a"], "share": 1.0, "largest": True}]
            ),
        )
    with pytest.raises(NotFoundError, match="No grid"):
        resolve(district, "L1")


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(charts=st.lists(st.lists(st.sampled_from("abcdef"), min_size=6, max_size=6), min_size=2, max_size=5))
@example(charts=["aaabbb", "aaaaaa", "cccddd", "aaabbb", "eeefff"])
def test_every_code_ever_issued_resolves_to_the_whole_of_it(fresh_database, charts):
    with fresh_database() as url:
        store = Store(url)
        district = Charted(store)
        for chart in charts:
            district.publish(columns(*chart))
        for code in issued(store):
            found = resolve(district, code)
            assert sum(heir.share for heir in found.grids) == pytest.approx(1.0)
            assert (found.status == "in_force") == (found.grids[0].code == code and found.until is None)
        store.close()


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=9),
    st.integers(0, 10_000),
)
def test_shares_in_hundredths_keep_their_sum(weights, rest):
    total = sum(weights) + rest
    exact = [weight / total for weight in weights]
    rounded = codes.in_hundredths(exact)
    assert abs(sum(rounded) - sum(exact)) <= 0.005 + 1e-9
    assert rest or sum(rounded) == pytest.approx(1)
    assert all(abs(a - b) < 0.01 + 1e-9 for a, b in zip(exact, rounded, strict=True))
