"""OGC API - Features, Part 1: a test for each abstract test of the classes core, oas30 and geojson."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely
from starlette.testclient import TestClient

from api.ogc.conformance import CLASSES
from data.layer import PUBLIC
from data.layers import LAYERS
from tests import town

OGC = "/ogc"
GEOJSON = "application/geo+json"
LAYER_NAMES = [name for name, layer in LAYERS.items() if layer.action == PUBLIC]
GRIDS = f"{OGC}/collections/grids/items"


def get(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def links(document: Any) -> dict[str, str]:
    """Return the first link of each relation: that to the document's own format."""
    return {link["rel"]: link["href"] for link in reversed(document["links"])}


def follow(client: TestClient, page: Any) -> Any:
    """Return every feature from a page on, following its links."""
    found = list(page["features"])
    for _ in range(100):
        following = links(page).get("next")
        if following is None:
            return found
        page = client.get(following).json()
        found += page["features"]
    raise AssertionError("the links do not end")


def ids(page: Any) -> list[Any]:
    return [feature["id"] for feature in page["features"]]


# /conf/core/root-op, root-success, http


def test_the_landing_page_links_to_all_that_follows(client):
    landing = get(client, OGC)
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= links(landing).keys()
    for link in landing["links"]:
        answer = client.get(link["href"])
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].removesuffix("; charset=utf-8") == link["type"]


# /conf/core/conformance-op, conformance-success


def test_conformance_is_what_is_claimed(client):
    assert get(client, f"{OGC}/conformance")["conformsTo"] == list(CLASSES)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in CLASSES


# /conf/core/fc-md-op, fc-md-success, fc-md-links, fc-md-items, fc-md-items-links, fc-md-extent-multi


def test_collections_are_the_layers_everybody_may_see(client):
    found = get(client, f"{OGC}/collections")
    assert "self" in links(found)
    assert {one["id"] for one in found["collections"]} == set(LAYER_NAMES)
    for one in found["collections"]:
        assert {"id", "title", "description", "extent", "itemType", "crs", "links"} <= one.keys()
        assert one["itemType"] == "feature"
        own = links(one)
        assert own["items"].endswith(f"/collections/{one['id']}/items")
        assert client.get(own["items"]).status_code == 200


# /conf/core/sfc-md-op, sfc-md-success


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_a_collection_alone_is_as_it_is_listed(client, name):
    listed = {one["id"]: one for one in get(client, f"{OGC}/collections")["collections"]}
    assert get(client, f"{OGC}/collections/{name}") == listed[name]


def test_the_extent_takes_all_features_in(client):
    for one in get(client, f"{OGC}/collections")["collections"]:
        shapes = [
            shapely.from_geojson(json.dumps(feature["geometry"]))
            for feature in follow(client, get(client, links(one)["items"]))
            if feature["geometry"]
        ]
        boxes = one["extent"].get("spatial", {}).get("bbox")
        assert bool(boxes) == bool(shapes)
        if boxes:
            assert shapely.box(*boxes[0]).buffer(1e-6).covers(shapely.union_all(shapes))


# /conf/core/fc-op, fc-response, fc-links, fc-numberMatched, fc-numberReturned, /conf/geojson


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_a_page_is_a_feature_collection(client, name):
    answer = client.get(f"{OGC}/collections/{name}/items", params={"limit": 2})
    page = answer.json()
    assert answer.headers["content-type"] == GEOJSON
    assert page["type"] == "FeatureCollection"
    assert page["numberReturned"] == len(page["features"]) <= 2
    assert page["numberMatched"] >= page["numberReturned"]
    assert ("next" in links(page)) == (page["numberMatched"] > page["numberReturned"])
    assert "self" in links(page)
    for feature in page["features"]:
        assert feature["type"] == "Feature"
        assert feature.keys() >= {"id", "geometry", "properties"}
        assert set(feature["properties"]) == set(LAYERS[name].columns())


@pytest.mark.parametrize("name", LAYER_NAMES)
@pytest.mark.parametrize("limit", [1, 3])
def test_pages_have_every_feature_once_in_order(client, name, limit):
    path = f"{OGC}/collections/{name}/items"
    whole = get(client, path, limit=10_000)
    paged = follow(client, get(client, path, limit=limit))
    assert paged == whole["features"]
    assert whole["numberMatched"] == len(paged)
    keys = [feature["id"] for feature in paged]
    assert keys == sorted(set(keys))


def test_outer_rings_run_counterclockwise(client):
    for name in ("grids", "communities"):
        for feature in get(client, f"{OGC}/collections/{name}/items")["features"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert all(shapely.is_ccw(part.exterior) for part in shapely.get_parts(shape))


# /conf/core/fc-limit-definition, fc-limit-response


@pytest.mark.parametrize(
    ("limit", "count"), [("1", 1), ("3", 3), ("10000", 4), ("1000000000", 4), ("9" * 30, 4)]
)
def test_limit_is_the_most_that_is_told(client, limit, count):
    assert len(get(client, GRIDS, limit=limit)["features"]) == count


def test_ten_features_come_where_no_limit_is_named(store, serving):
    town.build(store)
    with store.begin("340504") as connection:
        connection.exec_driver_sql(
            "INSERT INTO streets (district, name, line) SELECT '340504', 'x' || i,"
            " ST_Multi(ST_MakeLine(ST_Point(118.5, 31.7, 4326), ST_Point(118.6, 31.7, 4326)))"
            " FROM generate_series(1, 30) i"
        )
    with serving() as client:
        page = get(client, f"{OGC}/collections/streets/items")
        assert (page["numberMatched"], page["numberReturned"]) == (31, 10)
        assert len(follow(client, page)) == 31


# /conf/core/fc-bbox-definition, fc-bbox-response


@pytest.mark.parametrize(
    ("bbox", "numbers"),
    [
        ("118.501,31.701,118.509,31.709", [1]),
        ("118.505,31.701,118.535,31.709", [1, 2, 3, 4]),
        ("118.521,31.701,-10,118.529,31.709,50", [3]),
        ("118.521,31.701,0,118.529,31.709,50", [3]),
        ("1,1,2,2", []),
        ("179,-10,-179,10", []),
        ("118.531,30,-170,32", [4]),
        ("-180,-90,180,90", [1, 2, 3, 4]),
    ],
)
def test_a_box_chooses_what_touches_it(client, bbox, numbers):
    page = get(client, GRIDS, bbox=bbox)
    assert ids(page) == [town.grid_code(number) for number in numbers]
    assert page["numberMatched"] == len(numbers)


# /conf/core/fc-time-definition, fc-time-response


def days_ago(client: TestClient, days: int) -> str:
    """An instant before now, by the server's own clock."""
    plans = client.get("/api/v1/plans").json()["plans"]
    since = datetime.fromisoformat(next(plan["valid_from"] for plan in plans if plan["number"] == 2))
    return (since + timedelta(days=30 - days)).isoformat()


def test_a_time_chooses_the_plan_of_grids(client):
    past, recent = days_ago(client, 45), days_ago(client, 10)
    answer = client.get(GRIDS, params={"datetime": past})
    assert ids(answer.json()) == [town.grid_code(5)]
    assert answer.headers["gridgov-plan"] == "1"
    answer = client.get(GRIDS, params={"datetime": recent})
    assert (len(answer.json()["features"]), answer.headers["gridgov-plan"]) == (4, "2")
    both = client.get(GRIDS, params={"datetime": f"{past}/{recent}", "limit": 2})
    assert len(follow(client, both.json())) == 5
    assert both.headers["gridgov-plan"] == "1, 2"
    for opened in (f"../{past}", f"/{past}"):
        assert ids(get(client, GRIDS, datetime=opened)) == [town.grid_code(5)]
    for opened in (f"{recent}/..", f"{recent}/"):
        assert len(get(client, GRIDS, datetime=opened)["features"]) == 4
    assert get(client, GRIDS, datetime="1990-01-01")["features"] == []
    assert len(get(client, GRIDS, datetime="../..")["features"]) == 5


def test_what_has_no_time_is_chosen_by_any(client):
    sites = f"{OGC}/collections/sites/items"
    assert get(client, sites, datetime="1990-01-01/..")["numberMatched"] == 3


def test_a_plan_is_chosen_by_its_number(client):
    answer = client.get(GRIDS, params={"plan": 1})
    assert (ids(answer.json()), answer.headers["gridgov-plan"]) == ([town.grid_code(5)], "1")
    assert client.get(GRIDS, params={"plan": 3}).status_code == 404  # a draft
    assert client.get(GRIDS, params={"plan": 99}).status_code == 404
    item = client.get(f"{GRIDS}/{town.grid_code(5)}", params={"plan": 1})
    assert (item.json()["properties"]["plan"], item.headers["gridgov-plan"]) == (1, "1")
    assert client.get(f"{GRIDS}/{town.grid_code(5)}").status_code == 404


# /conf/core/f-op, f-success, f-links


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_a_feature_alone_is_as_it_is_listed(client, name):
    path = f"{OGC}/collections/{name}/items"
    for feature in get(client, path)["features"]:
        answer = client.get(f"{path}/{feature['id']}")
        found = answer.json()
        assert answer.headers["content-type"] == GEOJSON
        assert {"self", "collection"} <= links(found).keys()
        assert {key: found[key] for key in feature} == feature


@pytest.mark.parametrize("item", ["0", "999999", "x", "1.5", "-1", "９", "9" * 40, "a%2Fb", "%27;--"])
@pytest.mark.parametrize("name", ["grids", "buildings"])
def test_what_is_not_there_is_404(client, name, item):
    assert client.get(f"{OGC}/collections/{name}/items/{item}").status_code == 404


def test_an_unknown_collection_is_404(client):
    for tail in ("", "/items", "/items/1", "/queryables", "/sortables"):
        answer = client.get(f"{OGC}/collections/nothing{tail}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


# /conf/core/query-param-unknown, query-param-invalid


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/conformance",
        "/api",
        "/collections",
        "/collections/grids",
        "/collections/grids/queryables",
        "/collections/grids/items",
        f"/collections/grids/items/{town.grid_code(1)}",
    ],
)
def test_an_unknown_parameter_is_400(client, path):
    answer = client.get(f"{OGC}{path}", params={"foo": "1"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert client.get(f"{OGC}{path}", params={"f": "exe"}).status_code == 400
    assert client.get(f"{OGC}{path}").status_code == 200


# /conf/oas30


def test_the_description_is_of_every_address_and_parameter(client):
    answer = client.get(f"{OGC}/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    described = answer.json()
    assert described["openapi"].startswith("3.0.")
    for name in LAYER_NAMES:
        operation = described["paths"][f"{OGC}/collections/{name}/items"]["get"]
        named = {
            described["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]["name"]
            if "$ref" in one
            else one["name"]
            for one in operation["parameters"]
        }
        refused = client.get(f"{OGC}/collections/{name}/items", params={"foo": "1"}).json()["remedy"]
        known = {part.strip(" .") for part in refused.removeprefix("Parameters: ").split(",")}
        assert named == known
    assert "cases" not in json.dumps(described)


def test_every_path_described_answers(client):
    described = get(client, f"{OGC}/api")
    for path in described["paths"]:
        example = path.replace("{item}", "0")
        assert client.get(example).status_code in (200, 404), path


# HEAD, OPTIONS, entity tags


@pytest.mark.parametrize("path", ["", "/collections", "/collections/grids/items"])
def test_head_and_options_work(client, path):
    full, head = client.get(f"{OGC}{path}"), client.head(f"{OGC}{path}")
    assert (head.status_code, head.content) == (200, b"")
    shown = {name: value for name, value in full.headers.items() if name != "date"}
    assert {name: head.headers[name] for name in shown} == shown
    options = client.options(f"{OGC}{path}")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert client.post(f"{OGC}{path}").status_code == 405


def test_what_a_client_holds_is_told_to_be_right(client):
    first = client.get(GRIDS)
    again = client.get(GRIDS, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    tags = {client.get(GRIDS, params={"limit": limit}).headers["etag"] for limit in range(1, 5)}
    assert len(tags) == 4
    assert first.headers["cache-control"] == "no-cache"
    assert (first.headers["gridgov-plan"], first.headers["gridgov-version"]) == ("2", "3")


def test_a_page_is_packed_for_those_who_take_it(client):
    plain = client.get(GRIDS, headers={"accept-encoding": "identity"})
    packed = client.get(GRIDS, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


# Links


@pytest.mark.parametrize(
    "query", [{}, {"households": "290"}, {"filter": "households > 1", "sortby": "-households"}]
)
def test_a_link_keeps_what_was_asked(client, query):
    page = get(client, GRIDS, limit=1, **query)
    own = parse_qs(urlsplit(links(page)["self"]).query)
    assert {name: values[0] for name, values in own.items()} == {"limit": "1", **query}
    assert get(client, links(page)["self"]) == page


def test_a_link_of_another_question_is_refused(client):
    following = links(get(client, GRIDS, limit=1))["next"]
    token = parse_qs(urlsplit(following).query)["next"][0]
    assert client.get(GRIDS, params={"next": token, "limit": 3}).status_code == 200
    others = (
        {"households": "290"},
        {"bbox": "1,1,2,2"},
        {"sortby": "code"},
        {"plan": "1"},
        {"filter": "plan = 2"},
    )
    for other in others:
        assert client.get(GRIDS, params={"next": token, **other}).status_code == 400, other
    for wrong in ("", "x", "AAAA", "W10", token[:-3], token + "A", "é", "bnVsbA", "eyJhIjoxfQ"):
        assert client.get(GRIDS, params={"next": wrong}).status_code == 400, wrong
    assert client.get(f"{OGC}/collections/communities/items", params={"next": token}).status_code == 400


# Order and choice of properties


@pytest.mark.parametrize("sign", ["", "+", "-"])
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("name", ["grids", "communities", "sites", "buildings", "facilities"])
def test_features_come_in_the_order_asked_for(client, name, limit, sign):
    path = f"{OGC}/collections/{name}/items"
    features = get(client, path, limit=1000)["features"]
    for field in LAYERS[name].fields:
        if not field.sortable or field.action != PUBLIC:
            continue
        found = follow(client, get(client, path, limit=limit, sortby=f"{sign}{field.name}"))
        assert sorted(map(str, (one["id"] for one in found))) == sorted(str(one["id"]) for one in features)
        values = [one["properties"][field.name] for one in found]
        told = list(itertools.takewhile(lambda value: value is not None, values))
        assert told == sorted(told, reverse=sign == "-")
        assert not any(value is not None for value in values[len(told) :])


def test_only_the_properties_asked_for_are_told(client):
    page = get(client, GRIDS, properties="code,households")
    assert {tuple(feature["properties"]) for feature in page["features"]} == {("code", "households")}
    assert client.get(GRIDS, params={"properties": "code,nothing"}).status_code == 400
    assert get(client, GRIDS, properties="")["features"][0]["properties"] == {}
