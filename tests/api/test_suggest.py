"""GET /suggest on the town."""

from __future__ import annotations

import pytest

from data import versions
from geo.address.suggest import Suggester
from geo.answers import Status
from tests import town


def suggest(client, q, **query):
    return client.get("/api/v1/suggest", params={"q": q, **query})


def texts(client, q, **query):
    return [each["text"] for each in suggest(client, q, **query).json()["suggestions"]]


def test_one_building_comes_with_its_grid(client):
    response = suggest(client, "kangn 1")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert response.headers["gridgov-plan"] == "2"
    assert response.json()["suggestions"] == [
        {
            "text": "康宁花园1幢",
            "kind": "building",
            "spans": [[0, 2], [4, 5]],
            "compound": "康宁花园",
            "community": "富民社区",
            "town": "望江街道",
            "buildings": 1,
            "external_code": "B1",
            "grid": {"code": town.grid_code(1), "external_code": "L1"},
        }
    ]


def test_the_index_is_there_before_anybody_asks(client):
    (served,) = client.app.state.served.every()
    assert isinstance(vars(served.locator.book)["suggester"], Suggester)


def test_names_of_every_kind_are_suggested(client):
    found = {
        (each["kind"], each["text"], each["buildings"])
        for q in ("kn", "老", "湖东", "湖东路16", "wj", "富民", "健康路")
        for each in suggest(client, q).json()["suggestions"]
    }
    assert found >= {
        ("compound", "康宁花园", 3),
        ("compound", "老幸福大院", 3),
        ("road", "湖东路", 5),
        ("house", "湖东路166号", 3),
        ("house", "湖东路168号", 1),
        ("town", "望江街道", 8),
        ("community", "富民社区", 6),
        ("house", "健康路38号", 1),
    }


def test_what_is_split_or_lies_in_no_grid_names_none(client):
    (split,) = suggest(client, "康宁花园2").json()["suggestions"]
    assert (split["external_code"], split["grid"]) == ("B2", None)
    (unplaced,) = suggest(client, "湖东路170").json()["suggestions"]
    assert (unplaced["external_code"], unplaced["grid"]) == ("B8", None)


def test_what_is_suggested_can_be_asked_about(client):
    asked = ("康宁花园1", "碧水小区1", "湖东路168", "jkl38", "老幸福大院3")
    for each in (each for q in asked for each in suggest(client, q).json()["suggestions"]):
        answer = client.get("/api/v1/resolve", params={"q": each["text"]}).json()
        assert answer["status"] == Status.MATCH
        assert answer["building"]["external_code"] == each["external_code"]
        assert answer["grid"]["code"] == each["grid"]["code"]


def test_as_many_as_are_asked_for(client):
    assert len(texts(client, "h", limit=1)) == 1
    assert texts(client, "湖东路", limit=2) == texts(client, "湖东路")[:2]


@pytest.mark.parametrize(
    "q", ["😀", " ", "' OR 1=1 --", "<script>alert(1)</script>", "٣", "#", "火星路", "\u202e"]
)
def test_what_is_like_nothing_gets_an_empty_list(client, q):
    response = suggest(client, q)
    assert (response.status_code, response.json()) == (200, {"suggestions": []})


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "\x00"},
        {"q": "康\x00宁"},
        {"q": "康\n宁"},
        {"q": "长" * 101},
        {"q": "长", "limit": 0},
        {"q": "长", "limit": 51},
        {"q": "长", "limit": "1e999"},
        {"q": "长", "limit": "nan"},
        {"q": "长", "as_of": "2026-01-01"},
        {"q": "长", "district": "34"},
        {"q": ["长", "江"]},
    ],
)
def test_bad_input_is_refused_in_words(client, query):
    response = client.get("/api/v1/suggest", params=query)
    assert response.status_code == 422
    assert all(
        fault["parameter"] in {"q", "limit", "as_of", "district"} for fault in response.json()["errors"]
    )


def test_a_query_as_long_as_a_page_is_refused(client):
    assert suggest(client, "a" * 10_000).status_code == 414


def test_half_a_character_is_refused(client):
    assert client.get("/api/v1/suggest?q=%ED%A0%80").status_code == 422
    assert client.get("/api/v1/suggest?q=%FF").status_code == 422


def test_a_district_that_is_not_there_is_not_found(client):
    assert suggest(client, "长", district="990101").status_code == 404


def test_nothing_typed_is_logged(client, caplog):
    caplog.set_level("DEBUG")
    for q in ("康宁花园1", "康宁花园" * 50):
        suggest(client, q)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert len([record for record in ours if record.name == "gridgov.access"]) == 2
    assert not [record for record in ours if "康宁" in record.getMessage()]


def test_suggestions_follow_the_register(store, serving):
    town.build(store)
    with serving() as served:
        assert texts(served, "新江") == []
        with store.begin("340504") as connection:
            connection.exec_driver_sql("UPDATE compounds SET name = '新江花园' WHERE external_code = 'X1'")
            versions.advance(connection, "340504", "compounds", versions.LOCATE)
        served.app.state.served.catch_up("340504")
        assert texts(served, "xjhy")[0] == "新江花园"
        assert texts(served, "kn") == []
