"""GET /locate and /resolve on the town."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest

from api import schemas
from geo import crs
from geo.times import CHINA
from tests import town

MIDDLE = 31.705


def locate(client, **query):
    return client.get("/api/v1/locate", params=query)


def resolve(client, text):
    return client.get("/api/v1/resolve", params={"q": text}).json()


def test_a_point_is_answered_with_all_a_dispatcher_needs(client):
    response = locate(client, lon=118.5025, lat=MIDDLE, crs="wgs84")
    answer = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert answer["status"] == "match"
    assert answer["next_step"]["zh"]
    assert answer["plan"]["number"] == 2
    assert answer["grid"]["code"] == town.grid_code(1)
    assert answer["grid"]["external_code"] == "L1"
    assert answer["grid"]["community"]["town"] == "望江街道"
    assert answer["grid"]["duty"] == {"on_duty": ["primary"], "channel": "富民社区", "phone": "0555-0000000"}
    assert answer["next_change"] is None
    assert not {"sites", "evidence"} & set(answer)
    assert (answer["border_m"], answer["outside_m"]) == (None, None)
    told = locate(client, lon=118.5025, lat=MIDDLE, crs="wgs84", include="border").json()
    assert told["border_m"] == pytest.approx(236.9, abs=1)
    assert told == answer | {"border_m": told["border_m"]}


def test_what_is_written_is_what_is_described(client):
    """The model documents what is written apart from it: no name more or less, no other type."""
    asked = [
        {"lon": 118.5025, "lat": MIDDLE, "include": "sites"},
        {"lon": 118.51, "lat": MIDDLE},
        {"lon": 118.5101, "lat": MIDDLE, "accuracy_m": 60},
        {"lon": 118.499, "lat": MIDDLE, "include": "sites"},
        {"lon": 118.3, "lat": MIDDLE},
    ]
    answers = [locate(client, **point, crs="wgs84").content for point in asked]
    answers += [
        client.get("/api/v1/resolve", params={"q": text}).content
        for text in ("康宁花园1幢", "康宁花园2幢", "碧水小区1幢", "nowhere")
    ]
    for written in answers:
        told = json.loads(written)
        whole = schemas.Answer.model_validate_json(written, strict=True).model_dump(mode="json")
        assert told == {name: value for name, value in whole.items() if name in told}
        assert set(whole) - set(told) <= {"sites", "evidence"}


def test_sites_are_named_once_a_service(client):
    answer = locate(client, lon=118.51, lat=MIDDLE, crs="wgs84", include="sites").json()
    near = [(each["service"], each["site"]["name"]) for each in answer["sites"]]
    assert near == [
        ("休息", "康宁党群服务中心"),
        ("饮水", "康宁党群服务中心"),
        (None, "健康路党群驿站"),  # states none; the one that is being built serves nobody
    ]
    distances = [each["distance_m"] for each in answer["sites"]]
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(663, abs=1)
    told = client.get("/api/v1/resolve", params={"q": "健康路38号", "include": "sites"}).json()
    assert [each["service"] for each in told["sites"]] == [None, "休息", "饮水"]
    assert resolve(client, "康宁花园9幢").get("sites") is None
    nowhere = client.get("/api/v1/resolve", params={"q": "康宁花园9幢", "include": "sites"}).json()
    assert nowhere["sites"] == []


def test_the_same_is_asked_in_a_body(client):
    point = {"lon": 118.5025, "lat": MIDDLE, "crs": "wgs84", "accuracy_m": 5, "include": "sites"}
    asked = client.post("/api/v1/locate", json=point)
    assert (asked.status_code, asked.content) == (200, locate(client, **point).content)
    text = {"q": "康宁花园１号楼302室"}
    asked = client.post("/api/v1/resolve", json=text)
    assert (asked.status_code, asked.json()) == (200, resolve(client, text["q"]))


POINT = '"lon": 118.5, "lat": 31.7, "crs": "wgs84"'


@pytest.mark.parametrize(
    ("path", "body", "status", "parameter"),
    [
        ("locate", "", 422, ""),
        ("locate", "[]", 422, ""),
        ("locate", "null", 422, ""),
        ("locate", "[" * 100_000, 422, ""),
        ("locate", '{"lon": NaN, "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": Infinity, "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": 1e999, "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": "118.5", "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": true, "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": [118.5], "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", '{"lon": 31.7, "lat": 118.5, "crs": "wgs84"}', 422, None),
        ("locate", '{"lon": 118.5, "lon": 118.6, "lat": 31.7, "crs": "wgs84"}', 422, "lon"),
        ("locate", "{" + POINT + ', "unknown": 1}', 422, "unknown"),
        ("locate", "{" + POINT + ', "accuracy_level": 68}', 422, "accuracy_level"),
        ("locate", "{" + POINT + ', "plan": 9999999999}', 422, "plan"),
        ("locate", "{" + POINT + ', "include": "all"}', 422, "include"),
        ("resolve", '{"q": ""}', 422, "q"),
        ("resolve", '{"q": 5}', 422, "q"),
        ("resolve", '{"q": "a\\u0000b"}', 422, "q"),
        ("resolve", '{"q": "\\ud800"}', 422, ""),
        ("resolve", '{"q": "' + "长" * 10_000 + '"}', 422, "q"),
        ("resolve", b'{"q": "\xff"}', 422, ""),
        ("resolve", "{}", 422, "q"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_with_the_name_of_what_is_wrong(
    client, path, body, status, parameter
):
    response = client.post(
        f"/api/v1/{path}",
        content=body if isinstance(body, bytes) else body.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    if parameter is not None:
        assert [fault["parameter"] for fault in response.json()["errors"]] == [parameter]


def test_a_body_is_json_and_says_so(client):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        sent = client.post("/api/v1/resolve", content=b'{"q": "a"}', headers={"Content-Type": content_type})
        assert (sent.status_code, sent.headers["content-type"]) == (415, "application/problem+json")
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert client.post("/api/v1/resolve", content=b'{"q": "a"}', headers=kind).status_code == 200
    assert client.post("/api/v1/resolve?q=a", json={"q": "a"}).status_code == 422
    assert client.post("/api/v1/resolve?district=340504", json={"q": "a"}).status_code == 200
    assert client.post("/api/v1/resolve?district=340509", json={"q": "a"}).status_code == 404
    both = client.post("/api/v1/resolve?district=340504", json={"q": "a", "district": "340504"})
    assert (both.status_code, both.json()["errors"][0]["parameter"]) == (422, "district")
    assert client.put("/api/v1/resolve", json={"q": "a"}).status_code == 405


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("lon=118.5&lon=118.6&lat=31.7&crs=wgs84", "lon"),
        ("lon=118.5&lat=31.7&crs=wgs84&unknown=1", "unknown"),
        ("lon=118.5&lat=31.7&crs=wgs84&include=sites,all", "include"),
        ("lon=118.5&lat=31.7&crs=wgs84&plan=0", "plan"),
        ("lon=1_18.5&lat=31.7&crs=wgs84", "lon"),
        ("lon=118.5&lat=31.7&crs=wgs84&accuracy_m=1_0", "accuracy_m"),
        ("lon=118.5&lat=31.7&crs=wgs84&plan=1_0", "plan"),
        ("lon=%ff&lat=31.7&crs=wgs84", ""),
        ("&".join(f"p{n}=1" for n in range(60)), ""),
    ],
)
def test_what_is_asked_twice_or_not_known_is_refused_by_its_name(client, query, parameter):
    response = client.get(f"/api/v1/locate?{query}")
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert [fault["parameter"] for fault in response.json()["errors"]] == [parameter]


@pytest.mark.parametrize("path", ["locate?lon=118.5025&lat=31.705&crs=wgs84&", "overview?"])
def test_a_plus_that_became_a_space_is_read_as_it_was_meant(client, path):
    day = (datetime.now(CHINA) - timedelta(days=1)).date()
    asked = [
        client.get(f"/api/v1/{path}as_of={day}T08:00:00{zone}")
        for zone in ("+08:00", "%2B08:00", "%2B0800", "")
    ]
    assert [answer.status_code for answer in asked] == [200] * 4
    assert len({answer.text for answer in asked}) == 1
    for wrong in (f"{day}T08:00:00++08:00", f"{day}T08:00:00+east"):
        assert client.get(f"/api/v1/{path}as_of={wrong}").status_code == 422


def test_a_vacancy_of_duty_is_shown(client):
    answer = locate(client, lon=118.535, lat=MIDDLE, crs="wgs84").json()
    assert answer["grid"]["duty"]["on_duty"] == []


def test_a_small_count_is_withheld(client):
    answer = locate(client, lon=118.525, lat=MIDDLE, crs="wgs84").json()
    assert answer["grid"]["code"] == town.grid_code(3)
    assert answer["grid"]["households"] is None


def test_a_shared_border_belongs_to_the_smallest_code(client):
    for degrees, number in ((118.51, 1), (118.52, 2), (118.53, 3)):
        answer = locate(client, lon=degrees, lat=MIDDLE, crs="wgs84").json()
        assert (answer["status"], answer["grid"]) == ("ambiguous", None)
        assert answer["alternatives"][0]["grid"]["code"] == town.grid_code(number)
        assert answer["border_m"] == pytest.approx(0, abs=0.1)


def test_the_band_along_borders_is_a_setting(store, serving):
    town.build(store)
    for band, status in ((0, "match"), (15, "match"), (200, "ambiguous")):
        with serving(near_border_m=band) as served:
            assert locate(served, lon=118.5108, lat=MIDDLE, crs="wgs84").json()["status"] == status


def test_an_accuracy_is_answered_with_probabilities(client):
    query = {"lon": 118.5101, "lat": MIDDLE, "crs": "wgs84", "source": "device"}
    near = locate(client, **query, accuracy_m=60, accuracy_level="68").json()
    assert (near["status"], near["grid"], near["reasons"][0]["code"]) == ("ambiguous", None, "uncertain")
    ranked = [other["grid"]["code"] for other in near["alternatives"]]
    assert ranked == [town.grid_code(2), town.grid_code(1)]
    assert sum(near["probabilities"].values()) == pytest.approx(1, abs=1e-9)
    assert near["alternatives"][0]["probability"] == near["probabilities"][town.grid_code(2)]
    sure = locate(client, **query, accuracy_m=5).json()
    assert (sure["status"], sure["grid"]["code"]) == ("match", town.grid_code(2))
    for more, reason in (({}, "no_accuracy"), ({"accuracy_m": 501}, "too_wide")):
        none = locate(client, **query, **more).json()
        assert (none["status"], none["grid"], none["reasons"][0]["code"]) == ("no_answer", None, reason)


def test_without_a_coordinate_system_each_one_is_shown(client):
    response = locate(client, lon=118.5025, lat=MIDDLE)
    problem = response.json()
    assert (response.status_code, problem["detail"]) == (422, "The coordinate system is not stated.")
    told = {each["crs"]: each for each in problem["candidates"]}
    assert set(told) == {"wgs84", "cgcs2000", "gcj02", "bd09"}
    assert (told["wgs84"]["grid"], told["wgs84"]["status"]) == (town.grid_code(1), "match")
    assert "candidates" not in locate(client, lon=118.5, lat=31.7, crs="mars").json()


def test_metres_are_read_northing_first_and_with_their_zone(client):
    east, north = crs.from_wgs84([[118.5025, MIDDLE]], "EPSG:4549")[0]
    for x, y, said in ((east, north, []), (north, 40e6 + east, ["swapped", "zone_prefix"])):
        answer = locate(client, x=x, y=y, crs="EPSG:4549").json()
        assert answer["grid"]["code"] == town.grid_code(1)
        assert [reason["code"] for reason in answer["reasons"]] == said
    first = locate(client, x=east, y=north).json()["candidates"][0]
    assert (first["crs"], first["grid"]) == ("EPSG:4549", town.grid_code(1))


def test_no_position_is_logged(client, caplog):
    caplog.set_level("DEBUG")
    point = {"lon": 118.50251, "lat": 31.70511}
    for more in ({}, {"crs": "wgs84"}, {"crs": "wgs84", "accuracy_m": 20}, {"crs": "mars"}):
        locate(client, **point, **more)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert len([record for record in ours if record.name == "gridgov.access"]) == 4
    assert not [record for record in ours if re.search(r"118\.50251|31\.70511", record.getMessage())]


def test_the_coordinate_system_decides(client):
    same = [
        locate(client, lon=118.5025, lat=MIDDLE, crs="EPSG:4490"),
        locate(client, x=118.5025, y=MIDDLE, crs="wgs84"),
    ]
    assert [answer.json()["grid"]["code"] for answer in same] == [town.grid_code(1)] * 2
    moved = locate(client, lon=118.5112, lat=MIDDLE, crs="gcj02").json()  # 500 m to the west in WGS 84
    assert moved["grid"]["code"] == town.grid_code(1)


def test_outside_says_how_far(client):
    far = locate(client, lon=118.45, lat=MIDDLE, crs="wgs84").json()
    assert (far["status"], far["grid"]) == ("outside", None)
    assert far["outside_m"] == pytest.approx(4741, abs=10)
    other_side = locate(client, lon=-60, lat=-20, crs="wgs84").json()
    assert other_side["status"] == "outside"
    assert other_side["outside_m"] > 1e7


def test_just_outside_names_the_nearest_grid(client):
    near = locate(client, lon=118.499, lat=MIDDLE, crs="wgs84").json()
    assert near["status"] == "approximate"
    assert near["grid"]["code"] == town.grid_code(1)
    assert near["reasons"][0]["code"] == "gap"
    assert [other["grid"]["code"] for other in near["alternatives"]] == [
        town.grid_code(2),
        town.grid_code(3),
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"lon": 118.5, "lat": 31.7}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "mars"}, 422),
        ({"lon": 31.7, "lat": 118.5, "crs": "wgs84"}, 422),
        ({"lon": 118.5, "crs": "wgs84"}, 400),
        ({"lon": 118.5, "lat": 31.7, "x": 1, "crs": "wgs84"}, 400),
        ({"lon": "nan", "lat": 31.7, "crs": "wgs84"}, 422),
        ({"lon": "1e999", "lat": 31.7, "crs": "wgs84"}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "wgs84", "accuracy_m": 0}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "wgs84", "accuracy_m": "nan"}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "wgs84", "accuracy_m": "1e999"}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "wgs84", "accuracy_m": 9, "accuracy_level": "50"}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": "wgs84", "source": "guess"}, 422),
        ({"lon": 118.5, "lat": 31.7, "crs": ""}, 422),
        ({"lon": 118.5}, 400),
        ({"lon": "east", "lat": 31.7, "crs": "wgs84"}, 422),
    ],
)
def test_a_point_that_cannot_be_used_is_refused(client, query, status):
    response = locate(client, **query)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_an_address_is_answered_with_building_and_grid(client):
    answer = resolve(client, "康宁花园１号楼302室")
    assert answer["status"] == "match"
    assert answer["building"]["external_code"] == "B1"
    assert answer["grid"]["external_code"] == "L1"


@pytest.mark.parametrize(
    "text",
    [
        "雨山区湖东路166号康宁花园3幢",
        "湖东路166号3幢",
        "老幸福大院3号楼501",
        "康宁花园3-1-501",
        "富民社区康宁花园3",
    ],
)
def test_a_building_is_found_by_each_of_its_names(client, text):
    answer = resolve(client, text)
    assert (answer["status"], answer["building"]["external_code"]) == ("match", "B3")


def test_a_split_building_needs_its_entrance(client):
    open_question = resolve(client, "康宁花园2幢")
    assert (open_question["status"], open_question["grid"]) == ("ambiguous", None)
    assert [other["grid"]["code"] for other in open_question["alternatives"]] == [
        town.grid_code(1),
        town.grid_code(2),
    ]
    assert resolve(client, "康宁花园2幢2单元101室")["grid"]["code"] == town.grid_code(2)
    assert resolve(client, "康宁花园2-1-101")["grid"]["code"] == town.grid_code(1)


def test_a_building_without_a_position_is_in_the_grid_the_ledger_states(client):
    answer = resolve(client, "湖东路168号")
    assert answer["status"] == "match"
    assert answer["grid"]["code"] == town.grid_code(1)  # L1 also names grid 3, of another community
    assert [reason["code"] for reason in answer["reasons"]] == ["stated_only"]


def test_a_building_in_no_grid_is_said(client):
    answer = resolve(client, "湖东路170号")
    assert (answer["status"], answer["grid"]) == ("no_answer", None)
    assert answer["building"]["external_code"] == "B8"


def test_a_name_of_two_buildings_is_ambiguous_until_more_is_said(client):
    both = resolve(client, "碧水小区1幢")
    assert both["status"] == "ambiguous"
    assert len(both["alternatives"]) == 2
    assert resolve(client, "安居社区碧水小区1幢")["building"]["external_code"] == "B5"


def test_a_new_building_is_answered_by_the_grid_that_covers_it(client):
    answer = resolve(client, "富民社区碧水小区1幢")
    assert answer["grid"]["code"] == town.grid_code(2)
    assert [reason["code"] for reason in answer["reasons"]] == ["pending"]
    assert answer["pending"]
    assert not resolve(client, "康宁花园1幢")["pending"]


@pytest.mark.parametrize(
    "text", ["康宁花园9幢", "北京市健康路38号", "😀", "<script>alert(1)</script>", "' OR 1=1 --"]
)
def test_what_the_register_does_not_have_is_none(client, text):
    answer = resolve(client, text)
    assert (answer["status"], answer["grid"], answer["building"]) == ("none", None, None)


def test_no_worker_is_named(client):
    for path in ("locate?lon=118.5025&lat=31.705&crs=wgs84", "resolve?q=康宁花园1幢", "grids", "overview"):
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200
        assert town.WORKER not in response.text
        assert town.PHONE not in response.text
