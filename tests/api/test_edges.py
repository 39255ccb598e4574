"""What every route shares: tags, tenants, freshness, limits, logs, problems, hostile input."""

from __future__ import annotations

import logging
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from api.permissions import ACTIONS, ROUTES
from data import versions
from data.session import Store
from data.settings import Settings
from tests import town

READS = (
    "overview",
    "communities",
    "grids",
    f"grids/{town.grid_code(1)}",
    "plans",
    "plans/2",
    "layers/grids.geojson",
)


@pytest.mark.parametrize("path", READS)
def test_a_tag_holds_until_something_changes(client, path):
    first = client.get(f"/api/v1/{path}")
    tag = first.headers["etag"]
    for held in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = client.get(f"/api/v1/{path}", headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"/api/v1/{path}", headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_tags_differ_between_queries(client):
    tags = [client.get(f"/api/v1/grids?limit={n}").headers["etag"] for n in (1, 2)]
    assert len(set(tags)) == 2


def test_a_change_is_served_and_has_another_tag(store, serving):
    town.build(store)
    with serving() as client:
        query = "/api/v1/locate?lon=118.5025&lat=31.705&crs=wgs84"
        assert client.get(query).json()["grid"]["duty"]["phone"] == "0555-0000000"
        tag = client.get("/api/v1/communities").headers["etag"]
        with store.begin("340504") as connection:
            connection.execute(text("UPDATE communities SET phone = '0555-0000009'"))
            versions.advance(connection, "340504", "communities", "locate")
        answer = _until(lambda: client.get(query).json(), lambda answer: answer["data_version"] == 5)
        assert answer["grid"]["duty"]["phone"] == "0555-0000009"
        assert client.get("/api/v1/communities", headers={"If-None-Match": tag}).status_code == 200


def test_a_change_without_a_notice_is_found_by_looking(store, serving):
    town.build(store)
    with serving() as client:
        with store.begin("340504") as connection:
            connection.execute(text("UPDATE data_versions SET version = version + 5"))
        _until_version(client, 18)


def test_changes_are_followed_again_after_the_connection_broke(store, serving):
    town.build(store)
    with serving() as client:
        with store.engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            )
        with store.begin("340504") as connection:
            versions.advance(connection, "340504", "grids")
        _until_version(client, 4)


def _until_version(client, version):
    _until(
        lambda: client.get("/api/v1/districts").json()["districts"][0]["data_version"],
        lambda found: found == version,
    )


def _until(ask, holds):
    """Ask until the answer holds; a change takes seconds at most, the bound is for a hung test."""
    for _ in range(300):
        answer = ask()
        if holds(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(f"still {answer}")


def test_without_a_district_all_says_so_and_stays_alive(serving):
    with serving() as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["districts"]) == (200, {})
        response = client.get("/api/v1/overview")
        assert (response.status_code, response.json()["detail"]) == (404, "There is no district yet.")


def test_without_a_database_the_process_lives_and_says_so():
    store = Store("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    with TestClient(create_app(store, Settings())) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["database"], ready.json()["loaded"]) == (503, False, False)
        for path in (*READS, "resolve?q=康宁花园1幢"):
            response = client.get(f"/api/v1/{path}")
            assert response.status_code == 503
            assert response.headers["content-type"] == "application/problem+json"
            assert "nonexistent" not in response.text
        given = {"name": "planner", "password": "a password that is long"}
        for answer in (
            client.post("/api/v1/session", json=given),
            client.get("/api/v1/session", headers={"Authorization": "Bearer token"}),
            client.post("/sign-in", data=given),
            client.get("/imports", headers={"Cookie": "gridgov_session=token"}),
        ):
            assert answer.status_code == 503
            assert "cannot be reached" in answer.text
            assert "nonexistent" not in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_database_that_goes_away_is_said_and_memory_still_answers(store, serving):
    town.build(store)
    with serving() as client:
        lost = Store("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
        reached, store.engine = store.engine, lost.engine
        assert client.get("/readyz").status_code == 503
        assert client.get("/api/v1/grids").status_code == 503
        for headers in ({}, {"Authorization": "Bearer token"}):
            answer = client.get("/api/v1/resolve?q=康宁花园1幢", headers=headers)
            assert answer.json()["status"] == "match"
            assert client.get("/healthz", headers=headers).status_code == 200
        store.engine = reached
        assert client.get("/readyz").status_code == 200


def test_without_a_plan_in_force_locating_is_not_ready(store, serving):
    town.build(store)
    with store.begin("340504") as connection:
        connection.execute(text("UPDATE plans SET valid = NULL, state = 'draft' WHERE number = 2"))
    with serving() as client:
        response = client.get("/api/v1/resolve?q=康宁花园1幢")
        assert response.status_code == 503
        assert response.headers["retry-after"]
        overview = client.get("/api/v1/overview").json()
        assert (overview["plan"], overview["share_within"]) == (None, None)


def test_two_districts_need_a_name(store, serving):
    town.build(store)
    town.build(store, "340503", "花山区", west=118.70)
    with serving() as client:
        for path in (*READS, "resolve?q=康宁花园1幢"):
            response = client.get(f"/api/v1/{path}")
            assert response.status_code == 400
            assert "340503 花山区, 340504 雨山区" in response.json()["remedy"]
        named = client.get("/api/v1/grids?district=340503").json()["grids"]
        assert [grid["code"] for grid in named] == [town.grid_code(n, "340503") for n in (1, 2, 3, 4)]
        assert client.get(f"/api/v1/grids/{town.grid_code(1)}?district=340503").status_code == 404
        assert client.get("/api/v1/grids?district=340502").status_code == 404
        assert client.get("/readyz").json()["districts"] == {"340503": 2, "340504": 2}


def test_a_point_chooses_its_district(store, serving):
    town.build(store)
    town.build(store, "340503", "花山区", west=118.70)
    with serving() as client:
        for lon, district in ((118.505, "340504"), (118.705, "340503")):
            answer = client.get(f"/api/v1/locate?lon={lon}&lat=31.705&crs=wgs84").json()
            assert (answer["status"], answer["district"]["code"]) == ("match", district)
            for unanswered in ("accuracy_m=600", "source=device"):
                asked = f"/api/v1/locate?lon={lon}&lat=31.705&crs=wgs84&{unanswered}"
                answer = client.get(asked).json()
                assert (answer["status"], answer["district"]["code"]) == ("no_answer", district)
    with serving(district="340504") as client:
        assert client.get("/api/v1/grids").json()["grids"][0]["code"] == town.grid_code(1)
        assert client.get("/api/v1/locate?lon=118.705&lat=31.705&crs=wgs84").json()["status"] == "outside"


def test_too_much_is_refused(client):
    assert client.get("/api/v1/resolve", params={"q": "x" * 501}).status_code == 422
    assert client.get("/api/v1/resolve", params={"q": "x" * 9000}).status_code == 414
    assert client.post("/api/v1/resolve", content=b"x" * 1_000_001).status_code == 413
    streamed = client.request("GET", "/healthz", content=(b"x" * 100_000 for _ in range(3)))
    assert streamed.status_code == 200  # nothing reads it
    assert client.get("/healthz", headers={"Content-Length": "many"}).status_code == 400


def test_only_reading_is_possible(client):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.request(method, "/api/v1/grids")
        assert response.status_code == 405
        assert response.headers["content-type"] == "application/problem+json"
        assert "GET" in response.headers["allow"]


def test_the_log_holds_routes_and_no_queries(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.get("/api/v1/locate?lon=118.5025&lat=31.7051&crs=wgs84")
        client.get("/api/v1/resolve?q=康宁花园1幢")
        client.get("/api/v1/grids/L1")
        client.get("/secret-path?secret=query")
        client.get("/static/secret.js")
    lines = [record.getMessage() for record in caplog.records if record.name == "gridgov.access"]
    assert [re.sub(r"[\d.]+ ms", "", line).split() for line in lines] == [
        ["GET", "/api/v1/locate", "200"],
        ["GET", "/api/v1/resolve", "200"],
        ["GET", "/api/v1/grids/{code}", "200"],
        ["GET", "-", "404"],
        ["GET", "/static", "404"],
    ]
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore")))
    for secret in ("118.5025", "31.7051", "康宁", "L1", "secret"):
        assert secret not in ours


def test_a_fault_of_ours_shows_nothing_of_it(store, serving):
    town.build(store)
    with serving() as client:
        with store.engine.begin() as connection:
            connection.execute(text("ALTER VIEW layers.sites RENAME TO sites_elsewhere"))
        response = client.get("/api/v1/layers/sites.geojson")
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert "sites" not in response.text
        assert "SELECT" not in response.text


def test_the_landing_page_is_ours(client):
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "http://" not in response.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in response.text


def test_the_pages_ask_for_nothing_from_elsewhere(client):
    docs = client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', docs)
    assert all(link.startswith(("/static/", "data:")) for link in links)
    assert "http://" not in docs
    assert "https://" not in docs
    for link in links:
        if link.startswith("/"):
            assert client.get(link).status_code == 200


def test_the_description_is_whole(client):
    described = client.get("/api/v1/openapi.json").json()
    known = described["components"]["schemas"]
    assert {"Problem", "Fault", "Answer"} <= set(known)
    references = set(re.findall(r"#/components/schemas/([\w-]+)", client.get("/api/v1/openapi.json").text))
    assert references <= set(known)
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["tags"], path
            assert "4XX" in operation["responses"], path


def test_the_description_says_what_needs_a_sign_in(client):
    described = client.get("/api/v1/openapi.json").json()
    signs = described["components"]["securitySchemes"]
    assert (signs["bearer"]["scheme"], signs["cookie"]["name"]) == ("bearer", "gridgov_session")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            public = "public" in ACTIONS[ROUTES[f"{method.upper()} {path}"]]
            assert ("security" in operation) != public, path
            assert ({"401", "403"} <= set(operation["responses"])) != public, path
    assert "planner, admin" in described["paths"]["/api/v1/plans"]["post"]["description"]
    assert "409" in described["paths"]["/api/v1/plans"]["post"]["responses"]


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "",
            "nan",
            "inf",
            "-1e999",
            "1e308",
            "\x00",
            "%00",
            "'; DROP TABLE grids; --",
            "../../etc/passwd",
            "0" * 400,
            "\ud7ff\u202e",
            "9" * 30,
            "2026-02-30",
            "9999-12-31T23:59:59-23:59",
            "118.5",
            "31.7",
            "wgs84",
            "EPSG:4549",
            "340504",
        ]
    ),
    st.floats().map(str),
    st.integers().map(str),
)
PARAMETERS = ["lon", "lat", "x", "y", "crs", "q", "district", "bbox", "as_of", "limit", "offset", "status"]
PARAMETERS += ["kind", "community", "unknown"]
PATHS = st.sampled_from(
    ["locate", "resolve", *READS, "districts", "layers", "grids/{}", "plans/{}", "layers/{}.geojson", "{}"]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, filling=HOSTILE, query=st.dictionaries(st.sampled_from(PARAMETERS), HOSTILE, max_size=5))
def test_nothing_given_is_a_fault_of_ours(client, path, filling, query):
    quoted = "".join(f"%{byte:02X}" for byte in filling.encode("utf-8", "replace"))
    response = client.get(f"/api/v1/{path.format(quoted)}", params=query)
    assert response.status_code < 500
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
    parsed = {"Content-Type": "application/json"}
    endless = client.post("/api/v1/session", content=(b"x" * 100_000 for _ in range(11)), headers=parsed)
    assert (endless.status_code, endless.json()["type"]) == (413, "urn:gridgov:problem:too-large")
