"""Evidence slips: genuine or not, about this input or another, with nothing kept and nothing told of the place."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text

from api.evidence import Slips
from data import keys
from data.settings import Settings
from geo.times import CHINA
from tests import town

POINT = {"lon": 118.5025, "lat": 31.705, "crs": "wgs84"}
ADDRESS = {"q": "康宁花园1幢"}


def slip(client, path="locate", **asked):
    answer = client.get(f"/api/v1/{path}", params={**asked, "include": "evidence"})
    assert answer.status_code == 200, answer.text
    return answer.json()["evidence"]


def verify(client, token, **again):
    answer = client.get(f"/api/v1/evidence/{token}", params=again)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert client.post(f"/api/v1/evidence/{token}", json=again).json() == answer.json()
    return answer.json()


def test_a_slip_says_what_was_answered_when_and_by_which_plan(client):
    found = verify(client, slip(client, **POINT))
    told = found["told"]
    assert (found["valid"], found["in_force"], found["grid_status"]) == (True, True, "in_force")
    assert (found["plan"]["number"], found["district"]["code"]) == (2, "340504")
    assert (told["kind"], told["status"], told["grid"]) == ("point", "match", town.grid_code(1))
    assert (told["border_m"], told["data_version"]) == (pytest.approx(236.9, abs=1), 3)
    assert abs(datetime.fromisoformat(told["at"]) - datetime.now(CHINA)) < timedelta(minutes=5)
    assert found["same_input"] is None


def test_a_slip_of_an_address_has_the_distance_of_its_building_to_the_border(client):
    told = verify(client, slip(client, "resolve", **ADDRESS))["told"]
    assert (told["kind"], told["grid"]) == ("address", town.grid_code(1))
    assert told["border_m"] == pytest.approx(236.9, abs=1)
    nothing = verify(client, slip(client, "resolve", q="康宁花园9幢"))
    assert (nothing["told"]["status"], nothing["told"]["grid"], nothing["grid_status"]) == (
        "none",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (POINT, True),
        ({"x": 118.5025, "y": 31.705, "crs": "EPSG:4326"}, True),
        ({**POINT, "lon": 118.50251}, False),
        ({**POINT, "crs": "gcj02"}, False),
        ({**POINT, "accuracy_m": 5}, False),
        (ADDRESS, False),
    ],
)
def test_whoever_names_the_input_is_told_whether_it_is_the_same(client, again, same):
    assert verify(client, slip(client, **POINT), **again)["same_input"] is same


def test_an_address_is_the_same_as_it_was_asked(client):
    token = slip(client, "resolve", **ADDRESS)
    assert verify(client, token, **ADDRESS)["same_input"]
    assert not verify(client, token, q="康宁花园2幢")["same_input"]
    for wrong in (
        {"q": "康宁花园1幢", "lon": 1},
        {"lon": 118.5},
        {"crs": "wgs84"},
        {"unknown": 1},
        {"q": ""},
    ):
        refused = client.get(f"/api/v1/evidence/{token}", params=wrong)
        assert (refused.status_code // 100, refused.headers["content-type"]) == (
            4,
            "application/problem+json",
        )


@pytest.mark.parametrize(
    ("query", "body", "parameter"),
    [
        ("lon=1&lon=2&lat=3&crs=wgs84", None, ["lon"]),
        ("district=340504&district=340503", {}, ["district"]),
        ("district=340503", {"district": "340504"}, ["district"]),
        ("lon=1_18.5&lat=31.7&crs=wgs84", None, ["lon"]),
    ],
)
def test_what_is_given_twice_is_refused(client, query, body, parameter):
    address = f"/api/v1/evidence/{slip(client, **POINT)}?{query}"
    answer = client.get(address) if body is None else client.post(address, json=body)
    assert answer.status_code == 422
    assert [fault["parameter"] for fault in answer.json()["errors"]] == parameter


def test_what_was_asked_in_two_lines_is_verified_so(client):
    asked = {"q": "康宁花园\n1幢"}
    assert verify(client, slip(client, "resolve", **asked), **asked)["same_input"]


def test_a_point_that_is_not_whole_is_told_what_it_lacks(client):
    token = slip(client, **POINT)
    for asked, said in (
        ({"accuracy_level": 68}, "lon and lat"),
        ({"lon": 1, "lat": 2}, "no coordinate system"),
    ):
        refused = client.get(f"/api/v1/evidence/{token}", params=asked)
        assert (refused.status_code, said in refused.json()["detail"]) == (400, True)


def test_a_slip_of_another_form_is_not_read(client):
    slips = client.app.state.served.slips
    signed = slip(client, **POINT).split(".")[0]
    parts = urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
    for form, good in ((b"[1,", True), (b"[2,", False)):
        written = parts.replace(b"[1,", form, 1)
        token = slips._keys[0].signer.sign(urlsafe_b64encode(written).rstrip(b"=")).decode()
        assert (slips.read(token) is not None) is good


def test_a_slip_tells_nothing_of_the_place_and_two_of_one_place_differ(client):
    first, second = slip(client, **POINT), slip(client, **POINT)
    assert first != second
    signed, other = (urlsafe_b64decode(token.split(".")[0] + "==") for token in (first, second))
    assert b"118.5" not in signed
    assert b"31.7" not in signed
    nonce, digest = slice(0, 9), slice(9, 25)
    assert signed[nonce] != other[nonce]
    assert signed[digest] != other[digest]
    assert signed[25:40] == other[25:40]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), to=st.sampled_from("Aa0_-.z"))
def test_a_slip_with_any_character_changed_is_not_valid(client, place, to):
    token = slip(client, **POINT)
    place %= len(token) - 1  # the last of base 64 holds bits that say nothing
    changed = token[:place] + to + token[place + 1 :]
    found = verify(client, changed)
    assert found["valid"] == (changed == token)
    if not found["valid"]:
        assert set(found.values()) == {False, None}


@pytest.mark.parametrize("token", ["x", "x.y", ".x", "e30.", "长", "a" * 1000, "😀", "%00", "a" * 1001])
def test_what_is_no_slip_is_not_valid_or_refused(client, token):
    answer = client.get(f"/api/v1/evidence/{token}")
    assert answer.status_code in (200, 400, 422)
    assert answer.status_code != 200 or answer.json()["valid"] is False


def test_every_process_and_every_start_takes_the_slips_of_the_others(store, serving):
    town.build(store)
    with serving() as one, serving() as other:
        token = slip(one, **POINT)
        assert verify(other, token)["valid"]
    with serving(evidence_key="k" * 16) as later:
        assert verify(later, token)["valid"]
        ours = slip(later, **POINT)
    with serving(evidence_key=f"{'n' * 16},{'k' * 16}") as rotated:
        assert verify(rotated, ours)["valid"]
        newest = slip(rotated, **POINT)
        assert verify(rotated, newest, **POINT)["same_input"]
    with serving(evidence_key="k" * 16) as older:
        assert not verify(older, newest)["valid"]
        assert verify(older, ours, **POINT)["same_input"]


def test_a_slip_outlives_its_plan(store, serving):
    town.build(store)
    with serving() as client:
        token = slip(client, lon=118.535, lat=31.705, crs="wgs84")
        with store.begin("340504") as connection:
            connection.execute(
                text("UPDATE plans SET state = 'superseded', valid = tstzrange(lower(valid), now())"
                     " WHERE number = 2")
            )  # fmt: skip
        found = verify(client, token)
        assert (found["valid"], found["in_force"], found["plan"]["state"]) == (True, False, "superseded")
        assert found["grid_status"] == "retired"
        assert found["plan"]["valid_until"]


def test_a_key_that_is_set_must_be_long(store):
    with store.read() as connection:
        kept = keys.of_evidence(connection, Settings())
        assert [len(key) for key in kept] == [64]
        assert keys.of_evidence(connection, Settings(evidence_key=f" {'a' * 16}, ")) == ["a" * 16, *kept]
    with pytest.raises(ValidationError, match="16 characters or more"):
        Settings(evidence_key="a" * 16 + ",short")
    assert Slips(kept).read("nothing") is None
