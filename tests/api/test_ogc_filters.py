"""OGC API - Features, Part 3, and CQL2: filters choose what a plain reading of them chooses, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import cql2
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from data.layer import PUBLIC
from data.layers import LAYERS
from data.session import Store
from data.settings import Settings
from tests import town
from tests.api.test_ogc_core import LAYER_NAMES, OGC, get, links

ITEMS = f"{OGC}/collections/buildings/items"
NASTY = [
    "1幢",
    "a'b",
    'q"q',
    "50%",
    "_",
    "\\",
    "--",
    "/* */",
    "",
    "A",
    "a",
    "ß",
    "';DROP TABLE buildings;--",
    "é",
]
DAYS = [date(2025, 1, day) for day in (1, 2, 3)]


@pytest.fixture(scope="module")
def buildings(fresh_database) -> Iterator[tuple[TestClient, list[Any]]]:
    """A town of sixty buildings more, with texts, numbers and days of all kinds, and all of them as told."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        with store.begin("340504") as connection:
            for number in range(60):
                connection.execute(
                    text(
                        "INSERT INTO buildings (district, community_id, label, kind, floors, entrances, households,"
                        " households_on, point) SELECT '340504', min(id), :label, :kind, :floors, :entrances, 30,"
                        " :on, ST_Point(118.5 + :number * 0.0005, 31.7 + (:number % 7) * 0.001, 4326) FROM communities"
                    ),
                    {
                        "number": number,
                        "label": NASTY[number % len(NASTY)] if number % 5 else None,
                        "kind": NASTY[number * 7 % len(NASTY)],
                        "floors": number % 9 if number % 4 else None,
                        "entrances": 1 + number % 3,
                        "on": DAYS[number % 3] if number % 2 else None,
                    },
                )
        with TestClient(create_app(store, Settings()), raise_server_exceptions=False) as client:
            yield client, get(client, ITEMS, limit=1000)["features"]
        store.close()


# What a filter means, with NULL as SQL and CQL2 have it: unknown is neither true nor false.


def _value(node: Any, feature: Any) -> Any:
    if isinstance(node, dict) and "property" in node:
        found = feature["properties"][node["property"]]
        return date.fromisoformat(found) if found and node["property"].endswith("_on") else found
    if isinstance(node, dict) and "date" in node:
        return date.fromisoformat(node["date"])
    if isinstance(node, dict) and node.get("op") == "casei":
        found = _value(node["args"][0], feature)
        return None if found is None else found.lower()
    return node


def _like(value: str, pattern: str) -> bool:
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(_like(value[cut:], pattern[1:]) for cut in range(len(value) + 1))
    if pattern[0] == "\\":
        return value[:1] == pattern[1] and _like(value[1:], pattern[2:])
    return bool(value) and pattern[0] in ("_", value[0]) and _like(value[1:], pattern[1:])


COMPARED = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "t_after": lambda a, b: a > b,
    "t_before": lambda a, b: a < b,
    "t_equals": lambda a, b: a == b,
    "like": _like,
    "between": lambda a, low, high: low <= a <= high,
}


def holds(node: Any, feature: Any) -> bool | None:
    if isinstance(node, bool):
        return node
    name, parts = node["op"], node["args"]
    if name in ("and", "or"):
        found = [holds(part, feature) for part in parts]
        decided = name == "or"
        return decided if decided in found else None if None in found else not decided
    if name == "not":
        found = holds(parts[0], feature)
        return None if found is None else not found
    if name == "isNull":
        return _value(parts[0], feature) is None
    if name.startswith("s_"):
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        return bool(shape.intersects(shapely.box(*parts[1]["bbox"]))) == (name == "s_intersects")
    if name == "in":
        value = _value(parts[0], feature)
        return None if value is None else value in parts[1]
    values = [_value(part, feature) for part in parts]
    return None if None in values else COMPARED[name](*values)


def prop(*names: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([{"property": name} for name in names])


TEXTS = st.sampled_from(NASTY) | st.text(max_size=5).filter(lambda value: "\0" not in value)
NUMBERS = st.integers(-2, 12) | st.floats(-3, 12, allow_nan=False)
ORDER = st.sampled_from(["=", "<>", "<", ">", "<=", ">="])
PATTERNS = st.text("%_1幢aA-'", max_size=5) | st.sampled_from(["50\\%", "\\\\", "\\_", "%\\%%"])
TEXT = prop("label", "kind")
NUMBER = prop("floors", "entrances")
DAY = st.sampled_from(DAYS).map(lambda day: {"date": day.isoformat()})
CASEI = st.sampled_from(["A", "a", "É", "1幢"])
EDGE_LON, EDGE_LAT = (
    st.tuples(
        st.integers(0, most), st.sampled_from([0.0002, 3e-5, 1e-5, 2e-6, 2e-7]), st.sampled_from([-1, 1])
    ).map(lambda edge, pitch=pitch: edge[0] * pitch + edge[1] * edge[2])
    for most, pitch in ((60, 0.0005), (7, 0.001))
)


@given(lons=st.tuples(EDGE_LON, EDGE_LON).map(sorted), lats=st.tuples(EDGE_LAT, EDGE_LAT).map(sorted))
@settings(max_examples=150)
def test_a_box_chooses_what_touches_it_to_a_hair(buildings, lons, lats):
    client, features = buildings
    west, east, south, north = (f"{at:.7f}" for at in (*(118.5 + e for e in lons), *(31.7 + e for e in lats)))
    area = shapely.box(*map(float, (west, south, east, north)))
    wanted = {
        one["id"]
        for one in features
        if one["geometry"] and shapely.from_geojson(json.dumps(one["geometry"])).intersects(area)
    }
    page = get(client, ITEMS, bbox=f"{west},{south},{east},{north}", limit=1000)
    assert {one["id"] for one in page["features"]} == wanted
    assert page["numberMatched"] == len(wanted)


BOX = st.tuples(
    st.floats(118.49, 118.52), st.floats(31.69, 31.70), st.floats(118.52, 118.54), st.floats(31.7, 31.71)
)


def call(name: Any, *parts: Any) -> st.SearchStrategy[Any]:
    names = st.just(name) if isinstance(name, str) else name
    return st.builds(lambda op, *args: {"op": op, "args": list(args)}, names, *parts)


PREDICATES = st.one_of(
    call(ORDER, TEXT, TEXTS),
    call(ORDER, NUMBER, NUMBERS),
    call(ORDER, NUMBERS, NUMBER),
    call(ORDER, TEXT, TEXT),
    call(ORDER, NUMBER, NUMBER),
    call(ORDER, prop("households_on"), DAY),
    call(st.sampled_from(["t_after", "t_before", "t_equals"]), prop("households_on"), DAY),
    call("between", NUMBER, NUMBERS, NUMBERS),
    call("in", NUMBER, st.lists(st.integers(-1, 9), min_size=1, max_size=4)),
    call("in", TEXT, st.lists(st.sampled_from(NASTY), min_size=1, max_size=4)),
    call("like", TEXT, PATTERNS),
    call(
        "=",
        TEXT.map(lambda one: {"op": "casei", "args": [one]}),
        CASEI.map(lambda one: {"op": "casei", "args": [one]}),
    ),
    call("isNull", prop("label", "kind", "floors", "households_on")),
    call(
        st.sampled_from(["s_intersects", "s_disjoint"]),
        st.just({"property": "geometry"}),
        BOX.map(lambda bounds: {"bbox": list(bounds)}),
    ),
    st.booleans(),
)
FILTERS = st.recursive(
    PREDICATES,
    lambda inner: (
        call("not", inner)
        | st.builds(
            lambda op, parts: {"op": op, "args": parts},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=6,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=FILTERS)
def test_a_filter_chooses_what_it_means(buildings, asked):
    client, features = buildings
    expected = [feature["id"] for feature in features if holds(asked, feature)]
    question = {"limit": 1000, "filter-lang": "cql2-json", "filter": json.dumps(asked)}
    page = get(client, ITEMS, **question)
    assert [feature["id"] for feature in page["features"]] == expected
    assert page["numberMatched"] == len(expected)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=FILTERS)
def test_a_filter_means_the_same_as_text(buildings, asked):
    client, _ = buildings
    written = cql2.Expr(asked).to_text()
    told = [
        client.get(ITEMS, params={"limit": 1000, "filter-lang": language, "filter": filtered})
        for language, filtered in (("cql2-json", json.dumps(asked)), ("cql2-text", written))
    ]
    if told[1].status_code == 200:  # the library does not write all of it as it reads it
        assert told[0].json()["features"] == told[1].json()["features"], written
    else:
        with pytest.raises(cql2.ParseError):
            cql2.parse_text(written)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.text(max_size=60) | st.text("()'\"\\%-/*;=<>aflor01 ", max_size=60),
    language=st.sampled_from(["cql2-text", "cql2-json"]),
)
def test_no_text_is_more_than_refused(buildings, asked, language):
    client, _ = buildings
    assert client.get(ITEMS, params={"filter": asked, "filter-lang": language}).status_code in (200, 400)


# /conf/features-filter, /conf/filter, /conf/cql2-text, cql2-json, basic-cql2 and the further classes claimed


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("floors = 5", None),
        ("5 = floors", None),
        ("floors <> 5 AND floors IS NOT NULL", None),
        ("floors > 6 OR floors < 2", None),
        ("floors BETWEEN 2 AND 3", None),
        ("floors NOT BETWEEN 2 AND 3", None),
        ("floors IN (1,2)", None),
        ("floors NOT IN (1,2)", None),
        ("label LIKE '1%'", None),
        ("label NOT LIKE '1%'", None),
        ("CASEI(label) = CASEI('A')", None),
        ("CASEI(label) LIKE CASEI('A%')", None),
        ("floors >= entrances", None),
        ("NOT (floors = 5)", None),
        ("households_on = DATE('2025-01-01')", None),
        ("households_on > TIMESTAMP('2025-01-01T00:00:00+08:00')", 20),
        ("S_INTERSECTS(geometry, BBOX(118.4,31.6,118.6,31.8))", 66),
        ("S_INTERSECTS(geometry, POINT(118.5 31.7))", 1),
        ("S_INTERSECTS(geometry, POLYGON((118.4 31.6,118.6 31.6,118.6 31.8,118.4 31.8,118.4 31.6)))", 66),
        ("S_INTERSECTS(geometry, MULTIPOINT((118.5 31.7),(0 0)))", 1),
        ("S_INTERSECTS(geometry, LINESTRING(118.5 31.7, 118.4 31.7))", 1),
        ("S_WITHIN(geometry, BBOX(118.4,31.6,118.6,31.8))", 66),
        ("S_DISJOINT(geometry, BBOX(118.4,31.6,118.6,31.8))", 0),
        ("TRUE", 66),
        ("FALSE", 0),
    ],
)
def test_each_operator_is_understood(buildings, asked, count):
    client, features = buildings
    page = get(client, ITEMS, filter=asked, limit=1000)
    told = [feature["id"] for feature in page["features"]]
    assert page["numberMatched"] == len(told)
    if count is None:
        read = cql2.parse_text(asked).to_json()
        assert told == [feature["id"] for feature in features if holds(read, feature)]
        assert told
    else:
        assert len(told) == count


def test_filters_of_all_kinds_hold_together(buildings):
    client, features = buildings
    both = get(client, ITEMS, filter="floors > 2", bbox="118.5,31.7,118.51,31.71", entrances="2", limit=1000)
    expected = [
        one["id"]
        for one in features
        if (one["properties"]["floors"] or 0) > 2
        and one["properties"]["entrances"] == 2
        and one["geometry"]["coordinates"][0] <= 118.51
    ]
    assert [one["id"] for one in both["features"]] == expected != []


# /conf/queryables, queryables-query-parameters


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_queryables_are_what_can_be_filtered_by(client, name):
    answer = client.get(f"{OGC}/collections/{name}/queryables")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["$id"] == links_to(client, name, "http://www.opengis.net/def/rel/ogc/1.0/queryables")
    known = {one.name for one in LAYERS[name].fields if one.filterable and one.action == PUBLIC}
    assert schema["properties"].keys() == known | {"geometry"}
    for one in known:
        page = get(client, f"{OGC}/collections/{name}/items", filter=f"{one} IS NULL OR {one} IS NOT NULL")
        assert page["numberMatched"] == get(client, f"{OGC}/collections/{name}/items")["numberMatched"]


def links_to(client: TestClient, name: str, relation: str) -> str:
    return links(get(client, f"{OGC}/collections/{name}"))[relation]


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_a_property_is_filtered_by_its_value(client, name):
    path = f"{OGC}/collections/{name}/items"
    features = get(client, path, limit=1000)["features"]
    for one in LAYERS[name].fields:
        if not one.filterable or one.action != PUBLIC or (name, one.name) == ("grids", "plan"):
            continue
        values = {feature["properties"][one.name] for feature in features} - {None}
        for value in values:
            written = str(value).lower() if isinstance(value, bool) else str(value)
            found = get(client, path, limit=1000, **{one.name: written})["features"]
            assert found == [feature for feature in features if feature["properties"][one.name] == value]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("floors", value) for value in ("x", "1.5", "", "9" * 30)),
        *(("households_on", value) for value in ("x", "2025-02-30")),
        *((name, "1") for name in ("aliases", "id", "households", "shape")),
        ("label", "a\0b"),
    ],
)
def test_a_value_of_another_kind_is_400(client, name, value):
    assert client.get(ITEMS, params={name: value}).status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "nothing = 1",
        "id = 1",
        "district = '340504'",
        "shape IS NULL",
        "households > 1",
        '"label""; DROP" = \'x\'',
        "floors = 'x'",
        "label = 1",
        "label > TRUE",
        "floors",
        "label",
        "floors + 1 = 2",
        "floors = NULL",
        "label LIKE kind",
        "label LIKE 'x\\'",
        "label = 'x' -- comment",
        "label = 'x' /* comment */",
        "label = 'x'; DROP TABLE buildings",
        "label = 'x",
        "pg_sleep(10) = 1",
        "ACCENTI(label) = 'x'",
        "floors = 1e999",
        "geometry = POINT(1 1)",
        "S_INTERSECTS(geometry, POINT(1e400 1))",
        "S_INTERSECTS(geometry, POINT(500 1))",
        "S_INTERSECTS(geometry, POLYGON((0 0,1 1,0 1,1 0,0 0)))",
        "S_INTERSECTS(geometry, POLYGON((0 0,1 1)))",
        "S_INTERSECTS(geometry, BBOX(5,5,1,1))",
        "S_INTERSECTS(geometry, BBOX(1,2,3))",
        "S_INTERSECTS(geometry, label)",
        "S_INTERSECTS(label, POINT(1 1))",
        "S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 1)))",
        "households_on > DATE('2025-02-30')",
        "households_on > DATE('x')",
        "T_AFTER(label, DATE('2025-01-01'))",
        "floors IN ('a', 1)",
        "(" * 3000 + "floors = 1" + ")" * 3000,
        "(" * 200 + "floors = 1" + ")" * 200 + " AND nothing = 1",
        "NOT " * 100 + "floors = 1",
        "floors = 1 AND " * 700 + "floors = 1",
        "label = '" + "x" * 5000 + "'",
        "label = '" + "x" * 10_000 + "'",
    ],
)
def test_a_filter_that_cannot_be_used_is_400(client, asked):
    answer = client.get(ITEMS, params={"filter": asked})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "asked",
    [
        "{}",
        "[]",
        "1",
        '"x"',
        "null",
        "{",
        '{"op":"="}',
        '{"op":"=","args":[]}',
        '{"op":"=","args":[{"property":"floors"}]}',
        '{"op":"=","args":[{"property":1},1]}',
        '{"op":"=","args":[{"property":"floors"},{"property":{"property":"floors"}}]}',
        '{"op":"in","args":[{"property":"floors"},5]}',
        '{"op":"in","args":[{"property":"floors"},[]]}',
        '{"op":"and","args":[]}',
        '{"op":"like","args":[{"property":"label"},{"op":"casei","args":[]}]}',
        '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":["x"]}]}',
        '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Nothing","coordinates":[1,2]}]}',
        '{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":["1","2","3","4"]}]}',
        '{"op":"=","args":[{"property":"label"},"\\ud800"]}',
        '{"op":"=","args":[{"property":"label"},"\\u0000"]}',
        '{"op":"not","args":[' * 300 + "true" + "]}" * 300,
        '{"op":"t_after","args":[{"property":"households_on"},{"date":5}]}',
    ],
)
def test_a_filter_in_json_that_cannot_be_used_is_400(client, asked):
    answer = client.get(ITEMS, params={"filter": asked, "filter-lang": "cql2-json"})
    assert answer.status_code == 400, answer.text


def test_an_unknown_language_is_400(client):
    assert client.get(ITEMS, params={"filter": "TRUE", "filter-lang": "sql"}).status_code == 400
