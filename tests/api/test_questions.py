"""Whatever is sent as a question is answered or refused; what may be sent is described."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.questions import PointAsked

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*PointAsked.model_fields, "q", "unknown"])
BODIES = st.binary(max_size=60) | st.builds(
    lambda asked: json.dumps(asked, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    JSON | st.dictionaries(NAMES, JSON | st.sampled_from(["wgs84", "2026-01-01", "sites"]), max_size=6),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["locate", "resolve"]), body=BODIES)
def test_no_body_is_a_fault_of_ours(client, path, body):
    kind = {"Content-Type": "application/json"}
    response = client.post(f"/api/v1/{path}", content=body, headers=kind)
    assert response.status_code in (200, 400, 404, 422, 503)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"


def test_questions_are_described_with_their_limits(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for path, own in (("locate", {"lon", "lat", "x", "y", "crs", "accuracy_m"}), ("resolve", {"q"})):
        described = paths[f"/api/v1/{path}"]
        names = {each["name"] for each in described["get"]["parameters"]}
        assert own | {"district", "as_of", "plan", "min_version", "include"} <= names
        body = described["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = client.get("/api/v1/openapi.json").json()["components"]["schemas"][body.split("/")[-1]]
        assert (set(schema["properties"]), schema["additionalProperties"]) == (names, False)
        for method in ("get", "post"):
            answer = described[method]["responses"]["200"]["content"]["application/json"]["schema"]
            assert answer == {"$ref": "#/components/schemas/Answer"}
            assert {"4XX", "503"} <= set(described[method]["responses"])
    assert {p["name"]: p for p in paths["/api/v1/resolve"]["get"]["parameters"]}["q"]["required"]
