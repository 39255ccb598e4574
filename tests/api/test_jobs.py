"""Jobs over HTTP and the command line."""

from __future__ import annotations

import io
import json
import threading

import pypdf
import pytest
from typer.testing import CliRunner

from api.cli.main import app as commands
from api.kinds import kinds
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from etl.jobs import run_next
from tests.settle import settle

CODE, OTHER = "990001", "990002"
PHRASE = "a password that is long"
PATIENCE_S = 30.0


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, target=40, tolerance_percent=10)


@pytest.fixture
def client(store, serving, tmp_path):
    """Signed in as a planner of the first of two districts."""
    for code in (CODE, OTHER):
        settle(store, code, communities=1, side=2)
    accounts.add(store, SYSTEM, "planner", PHRASE, roles=["planner"], scope=[CODE])
    token = accounts.sign_in(store, "planner", PHRASE, hours=1).token
    with serving(data_dir=tmp_path) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def work(store, settings, name: str, district: str = CODE) -> bool:
    return run_next(store, district, kinds(settings)[name], settings.files)


def events(body: str) -> list[dict]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]


def test_a_job_is_asked_for_watched_and_its_file_fetched(client, store, settings):
    for name in ("build_cells", "rebalance"):
        assert client.post("/api/v1/jobs", json={"kind": name}).status_code == 202
        assert work(store, settings, name)
    asked = client.post("/api/v1/jobs", json={"kind": "export_overview", "params": {"plan": 1}})
    assert asked.status_code == 202
    assert asked.json()["state"] == "todo"
    address = asked.headers["location"].partition("?")[0]
    assert client.get(f"{address}/file").status_code == 404
    assert work(store, settings, "export_overview")
    done = client.get(asked.headers["location"]).json()
    assert (done["state"], done["percent"], done["actor"], done["error"]) == (
        "succeeded",
        100,
        "planner",
        None,
    )
    page = client.get(f"{address}/file")
    assert page.headers["content-disposition"].startswith("attachment")
    assert len(page.content) == done["result"]["bytes"]
    listed = client.get("/api/v1/jobs", params={"kind": "rebalance", "state": "succeeded"}).json()["jobs"]
    assert [job["kind"] for job in listed] == ["rebalance"]


def test_maps_and_sheets_are_made_by_jobs(client, store, settings):
    def made(kind: str, **params: object) -> dict:
        asked = client.post("/api/v1/jobs", json={"kind": kind, "params": params})
        assert work(store, settings, kind)
        return client.get(asked.headers["location"]).json()

    made("build_cells")
    made("rebalance")
    assert made("export_deviation", plan=1)["state"] == "succeeded"
    assert "No site is open" in made("export_coverage", plan=1)["error"]["fault"]
    done = made("export_sheets", plan=1, paper="a3")
    assert (done["state"], done["percent"], done["error"]) == ("succeeded", 100, None)
    file = client.get(f"/api/v1/jobs/{done['id']}/file")
    assert file.headers["content-type"] == "application/pdf"
    assert len(file.content) == done["result"]["bytes"]
    pages = pypdf.PdfReader(io.BytesIO(file.content)).pages
    assert len(pages) > 1
    assert all("请联系社区" in page.extract_text() for page in pages)
    assert "no grid or community none" in made("export_sheets", plan=1, grids=["none"])["error"]["fault"]
    refused = client.post("/api/v1/jobs", json={"kind": "export_sheets", "params": {"staff": True}})
    assert refused.status_code == 400


def test_the_events_of_a_job_tell_its_whole_way_and_end_with_it(client, store, settings):
    number = client.post("/api/v1/jobs", json={"kind": "build_cells"}).json()["id"]
    answers = []
    watcher = threading.Thread(
        target=lambda: answers.append(
            client.get(f"/api/v1/jobs/{number}/events", headers={"Accept-Encoding": "gzip"})
        )
    )
    watcher.start()
    watcher.join(1.0)
    assert work(store, settings, "build_cells")
    watcher.join(PATIENCE_S)
    (answer,) = answers
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    told = events(answer.text)
    assert told[0]["state"] == "todo"
    assert (told[-1]["state"], told[-1]["percent"]) == ("succeeded", 100)
    again = client.get(f"/api/v1/jobs/{number}/events", headers={"Last-Event-ID": "7"})
    assert events(again.text) == [told[-1]]
    assert client.get("/api/v1/jobs/999/events").status_code == 404


def test_a_job_is_cancelled_and_retried(client, store, settings):
    job = client.post("/api/v1/jobs", json={"kind": "build_cells"}).json()
    address = f"/api/v1/jobs/{job['id']}"
    cancelled = client.post(f"{address}/cancel").json()
    assert (cancelled["state"], cancelled["retryable"]) == ("cancelled", True)
    assert client.post(f"{address}/cancel").status_code == 409
    assert client.post(f"{address}/retry").json()["state"] == "todo"
    assert work(store, settings, "build_cells")
    assert client.post(f"{address}/retry").status_code == 409


def test_why_a_job_failed_is_told(client, store, settings):
    number = client.post("/api/v1/jobs", json={"kind": "rebalance"}).json()["id"]  # there are no cells yet
    assert work(store, settings, "rebalance")
    job = client.get(f"/api/v1/jobs/{number}").json()
    assert job["state"] == "failed"
    assert job["error"]["fault"]


REFUSED = [
    ({}, 422),
    ({"kind": "unheard_of"}, 404),
    ({"kind": "x" * 65}, 422),
    ({"kind": "rebalance", "params": {"target": 0}}, 400),
    ({"kind": "rebalance", "params": {"target": "many"}}, 400),
    ({"kind": "rebalance", "params": {"colour": "red"}}, 400),
    ({"kind": "rebalance", "params": [1]}, 422),
    ({"kind": "export_comparison"}, 400),
]


def test_what_cannot_be_asked_for_is_refused(client):
    assert [client.post("/api/v1/jobs", json=body).status_code for body, _ in REFUSED] == [
        status for _, status in REFUSED
    ]


def test_another_districts_jobs_are_out_of_reach(client, store, settings):
    assert (
        client.post("/api/v1/jobs", params={"district": OTHER}, json={"kind": "build_cells"}).status_code
        == 403
    )
    assert client.get("/api/v1/jobs", params={"district": OTHER}).status_code == 403


@pytest.fixture
def command(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)
    monkeypatch.setenv("GRIDGOV_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRIDGOV_TARGET", "40")

    def run(*words: str):
        ran = CliRunner().invoke(commands, list(words), catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran

    return run


def test_jobs_on_the_command_line(store, command):
    settle(store, CODE, communities=1, side=2)
    assert json.loads(command("cells", "build", "--json").stdout)["cells"] == 4
    assert json.loads(command("job", "run", "rebalance", "seed=2").stdout)["number"] == 1
    queued = json.loads(command("job", "run", "export_overview", "plan=1", "--queue", "--json").stdout)
    assert (queued["state"], queued["params"]) == ("todo", {"plan": 1})
    number = str(queued["id"])
    assert json.loads(command("job", "cancel", number, "--json").stdout)["state"] == "cancelled"
    assert "todo" in command("job", "retry", number).stdout
    assert json.loads(command("job", "show", number, "--json").stdout)["state"] == "todo"
    listed = json.loads(command("job", "list", "--json").stdout)
    assert [(job["kind"], job["state"], job["foreground"]) for job in listed] == [
        ("export_overview", "todo", False),
        ("rebalance", "succeeded", True),
        ("build_cells", "succeeded", True),
    ]
    assert "rebalance" in command("job", "list").stdout
