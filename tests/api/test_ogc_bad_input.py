"""Whatever stands in a request for map layers, it is answered or refused with why; nothing breaks."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.layer import PUBLIC
from data.layers import LAYERS
from tests.api.test_ogc_core import LAYER_NAMES, OGC

GRIDS = f"{OGC}/collections/grids/items"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("bbox", value)
            for value in (
                "",
                "1",
                "1,2,3",
                "1,2,3,4,5",
                "1,2,3,4,5,6,7",
                "nan,1,2,3",
                "1,2,inf,4",
                "1,2,3,-inf",
                "a,b,c,d",
                "1,2,3,4,",
                "1;2;3;4",
                "10,10,20,5",
                "0,0,181,1",
                "0,-91,1,1",
                "0,0,9,1,1,1",
                "0x1,2,3,4",
                "1_0,20,30,40",
                "１,2,3,4",
                "1e400,2,3,4",
                "1 1,2,3,4",
            )
        ),
        *(("limit", value) for value in ("0", "-1", "1.5", "", "x", "1e3", "+5", "１", " 5", "00")),
        *(
            ("datetime", value)
            for value in (
                "",
                "x",
                "2026",
                "2026-13-01",
                "2026-02-30",
                "2026-07-01T25:00:00Z",
                "2026-07-01T00:00:00",
                "2026-07-02/2026-07-01",
                "2026-07-01/x",
                "2026-07-01/2026-07-02/2026-07-03",
                "0000-01-01",
                "0001-01-01T00:00:00+23:59",
                "9999-12-31T23:59:59-23:59",
                "now",
            )
        ),
        *(("plan", value) for value in ("0", "-1", "x", "", "1.0", "9" * 20, "2147483648", "１")),
        *(("crs", value) for value in ("", "4326", "EPSG:99999", "gcj02", "http://example.org/")),
        *(("f", value) for value in ("exe", "", "JSON", "json,html")),
        *(
            ("sortby", value)
            for value in ("", "nothing", "code,code", "--code", "code,,kind", "shape", "district")
        ),
        *(("properties", value) for value in ("nothing", "code,shape", "district")),
        *(("next", value) for value in ("", "x", "W10=", "e30", "bnVsbA", "[]", "W251bGxd", "\x7f")),
        *(("min_version", value) for value in ("-1", "x", "", "1.0", "9" * 30)),
        ("nothing", "1"),
        ("BBOX", "1,2,3,4"),
        ("offset", "1"),
        ("resulttype", "hits"),
    ],
)
def test_a_bad_value_is_400(client, name, value):
    answer = client.get(GRIDS, params={name: value})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "bbox=%ff", "limit=1;limit=2", "&".join(f"a{i}=1" for i in range(60))]
)
def test_a_query_that_cannot_be_read_is_400(client, query):
    assert client.get(f"{GRIDS}?{query}").status_code == 400


def test_a_plan_and_a_time_are_not_both_named(client):
    assert client.get(GRIDS, params={"plan": "1", "datetime": "2026-07-01"}).status_code == 400


def test_a_plan_is_a_parameter_of_grids_alone(client):
    assert client.get(f"{OGC}/collections/communities/items", params={"plan": "1"}).status_code == 400
    assert client.get(f"{OGC}/collections/communities/items/1", params={"plan": "1"}).status_code == 400


@pytest.mark.parametrize("district", ["1", "x", "", "340599", "'; --"])
def test_an_unknown_district_is_refused(client, district):
    assert client.get(GRIDS, params={"district": district}).status_code in (400, 404)


NAMES = [
    *(
        "bbox",
        "bbox-crs",
        "datetime",
        "limit",
        "filter",
        "filter-lang",
        "filter-crs",
        "crs",
        "properties",
        "sortby",
    ),
    *(
        "next",
        "plan",
        "f",
        "min_version",
        "district",
        "code",
        "households",
        "floors",
        "households_on",
        "provisional",
    ),
]
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [
            *("1,2,3,4", "118,31,119,32", "118.5,31.7,1,118.6,31.8,2", "170,0,-170,1"),
            *("5", "2", "0", "true", "TRUE", "json", "cql2-json", "cql2-text", "code", "-code"),
            *(CRS84, "2026-07-01", "../2026-07-01", "340504", "W10"),
        ]
    ),
    st.floats().map(str),
    st.lists(st.floats(-200, 200), min_size=3, max_size=7).map(lambda numbers: ",".join(map(str, numbers))),
    st.integers().map(str),
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(LAYER_NAMES),
    tail=st.sampled_from(["", "/items", "/items/1", "/queryables", "/sortables"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map("/items/".__add__),
    query=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
)
def test_nothing_breaks(client, name, tail, query):
    answer = client.get(f"{OGC}/collections/{name}{quote(tail)}", params=query)
    if query.get("min_version", "").isdecimal():
        assert answer.status_code < 500 or answer.status_code == 503  # that version is waited for
    else:
        assert answer.status_code < 500, answer.text


def test_the_fuzz_knows_the_filters_there_are():
    assert {"code", "households", "floors"} <= {
        one.name
        for layer in LAYERS.values()
        for one in layer.fields
        if one.action == PUBLIC or layer.name == "buildings"
    }
