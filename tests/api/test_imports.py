"""Imports over HTTP and the command line: listed, shown, downloaded, taken back."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from api.cli.main import app as commands
from etl import accounts
from etl.actor import SYSTEM
from etl.ledger import RefusedImportError, import_ledger
from tests import ledgers
from tests.ledgers import CODE, NAME

PHRASE = "a password that is long"


@pytest.fixture
def folder(tmp_path):
    folder = ledgers.write_ledger(tmp_path / "ledger", boundaries=True)
    ledgers.write_csv(folder / "workers.csv", [{"code": "W1", "name": "甲示例"}])
    return folder


@pytest.fixture
def imported(store, folder):
    """Three imports: the ledger, one with changes, one refused; their numbers."""

    def load():
        return import_ledger(store, SYSTEM, CODE, folder, name=NAME, crs="wgs84").import_id

    first, rows = load(), ledgers.buildings()
    rows[0] |= {"households": 99, "compound": "", "road": "=1+1"}
    ledgers.write_csv(folder / "buildings.csv", rows)
    ledgers.write_csv(folder / "workers.csv", [{"code": "W1", "name": "乙示例"}])
    second = load()
    rows[1]["households"] = "-5"
    ledgers.write_csv(folder / "buildings.csv", rows)
    with pytest.raises(RefusedImportError) as refused:
        load()
    return first, second, refused.value.report.import_id


@pytest.fixture
def client(store, imported, serving):
    for role in ("planner", "dispatcher"):
        accounts.add(store, SYSTEM, role, PHRASE, roles=[role], scope=[CODE])
    with serving() as client:
        client.headers |= bearer(store, "planner")
        yield client


def bearer(store, name):
    return {"Authorization": f"Bearer {accounts.sign_in(store, name, PHRASE, hours=1).token}"}


def table(response):
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))


def test_imports_are_listed_and_shown(client, imported):
    first, second, refused = imported
    found = client.get("/api/v1/imports").json()["imports"]
    assert [(one["id"], one["state"]) for one in found] == [
        (refused, "refused"),
        (second, "loaded"),
        (first, "loaded"),
    ]
    shown = client.get(f"/api/v1/imports/{second}").json()
    assert shown["report"]["differences"]["recounted"]["items"] == [
        {"code": "B1", "before": 10, "after": 99, "households_on": None}
    ]
    assert client.get(f"/api/v1/imports/{refused}").json()["fault"] == "1 faults in rows."
    assert client.get("/api/v1/imports/99999").status_code == 404


def test_refused_rows_come_with_reasons_and_without_values(client, imported):
    (row,) = table(client.get(f"/api/v1/imports/{imported[2]}/refused.csv"))
    assert (row["file"], row["line"], row["field"], row["reason"]) == (
        "buildings.csv",
        "3",
        "households",
        "negative",
    )
    assert row["说明"] == "不能为负数"
    assert "-5" not in row.values()
    assert table(client.get(f"/api/v1/imports/{imported[0]}/refused.csv")) == []


def test_every_change_comes_as_a_line_and_nothing_of_people_with_it(client, imported):
    found = table(client.get(f"/api/v1/imports/{imported[1]}/changes.csv"))
    assert [(r["noun"], r["code"], r["column"], r["before"], r["after"]) for r in found] == [
        ("buildings", "B1", "compound_id", "X1", ""),
        ("buildings", "B1", "households", "10", "99"),
        ("buildings", "B1", "road", "", "'=1+1"),
        ("workers", "W1", "name", "", ""),
    ]
    assert {row["what"] for row in table(client.get(f"/api/v1/imports/{imported[0]}/changes.csv"))} == {"new"}


def test_an_import_is_undone_once_and_the_newest_first(client, store, imported):
    first, second, refused = imported
    said = client.post(f"/api/v1/imports/{first}/undo")
    assert (said.status_code, str(second) in said.json()["detail"]) == (409, True)
    undone = client.post(f"/api/v1/imports/{second}/undo").json()
    assert undone["nouns"]["buildings"] == {"restored": 1, "removed": 0, "left": 0}
    assert client.get(f"/api/v1/imports/{second}").json()["undone_by"] == "planner"
    assert client.post(f"/api/v1/imports/{second}/undo").status_code == 409
    assert client.post(f"/api/v1/imports/{refused}/undo").status_code == 409
    refusal = client.post(f"/api/v1/imports/{first}/undo", headers=bearer(store, "dispatcher"))
    assert refusal.status_code == 403


def test_the_command_line_lists_shows_and_undoes(store, imported, database_url, monkeypatch):
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)
    run = CliRunner().invoke
    listed = json.loads(run(commands, ["import", "list", "--json"]).stdout)
    assert [one["id"] for one in listed] == sorted(imported, reverse=True)
    shown = run(commands, ["import", "show", str(imported[1])]).stdout
    assert "Recounted · 户数变更: 1" in shown
    assert "Refused because" in run(commands, ["import", "show", str(imported[2])]).stdout
    done = run(commands, ["import", "undo", str(imported[1])])
    assert (done.exit_code, "已撤销" in done.stdout) == (0, True)
    assert "undone" in run(commands, ["import", "list"]).stdout
