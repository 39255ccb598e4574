"""What codes name, over HTTP and from the command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from data.session import Store
from tests import charts, town
from tests.charts import Charted, columns


def get(client, path, **query):
    response = client.get(f"/api/v1/{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_code_of_ours_names_one_grid(client):
    named = get(client, f"grids/{town.grid_code(2)}")
    assert (named["status"], named["until"]) == ("in_force", None)
    (part,) = named["parts"]
    assert (part["code"], part["external_code"], part["share"]) == (town.grid_code(2), "L2", None)
    (grid,) = named["grids"]
    assert (grid["code"], grid["share"], grid["households"]) == (town.grid_code(2), 1.0, 300)


def test_a_ledger_code_that_became_several_lists_them_by_share(client):
    named = get(client, "grids/L1")
    both = [(town.grid_code(1), 0.6), (town.grid_code(3), 0.4)]
    assert [(part["code"], part["share"]) for part in named["parts"]] == both
    assert [(grid["code"], grid["share"]) for grid in named["grids"]] == both
    assert named["grids"][1]["households"] is None  # fewer than 10


def test_a_code_no_longer_in_force_says_until_when_it_was_and_what_it_is_now(client):
    named = get(client, f"grids/{town.grid_code(5)}")
    assert (named["status"], named["until"]) == ("retired", get(client, "plans/1")["valid_until"])
    assert [(grid["code"], grid["share"]) for grid in named["grids"]] == [
        (town.grid_code(3), 0.5),
        (town.grid_code(4), 0.5),
    ]
    then = get(client, f"grids/{town.grid_code(5)}", as_of=get(client, "plans/1")["valid_from"])
    assert (then["status"], [grid["code"] for grid in then["grids"]]) == ("in_force", [town.grid_code(5)])


def test_the_history_of_a_code(client):
    (told,) = get(client, f"grids/{town.grid_code(3)}/history")["grids"]
    assert [(period["plan"], period["origin"], period["until"]) for period in told["periods"]] == [
        (2, "balanced", None)
    ]
    assert [count["households"] for count in told["counts"]] == [None]  # fewer than 10
    assert len(get(client, "grids/L1/history")["grids"]) == 2


@pytest.mark.parametrize("path", ["", "/history", "/lineage"])
def test_an_unknown_code_is_not_found(client, path):
    response = client.get(f"/api/v1/grids/340504900001999{path}")
    assert response.status_code == 404
    assert response.json()["type"] == "urn:gridgov:problem:not-found"


@pytest.mark.parametrize("depth", ["0", "11", "x"])
def test_a_depth_that_cannot_be_followed_is_a_problem(client, depth):
    assert client.get(f"/api/v1/grids/L1/lineage?depth={depth}").status_code == 422


def test_splits_and_merges_are_a_graph(store, serving):
    district = Charted(store)
    for chart in ("aaaaaa", "bbbbcc", "dddddd"):
        district.publish(columns(*chart))
    a, b, c, d = map(district.code, "abcd")
    with serving() as client:
        whole = get(client, f"grids/{a}/lineage")
        near = get(client, f"grids/{a}/lineage", depth=1)
    assert [(edge["source"], edge["target"], edge["share_of_source"]) for edge in whole["edges"]] == [
        (a, b, 0.67),
        (a, c, 0.33),
        (b, d, 1.0),
        (c, d, 1.0),
    ]
    assert (whole["roots"], [node["code"] for node in whole["nodes"] if node["in_force"]]) == ([a], [d])
    assert len(near["edges"]) == 2


@pytest.fixture
def run(database_url, monkeypatch):
    store = Store(database_url)
    district = Charted(store)
    for chart in ("aaaaaa", "bbbbcc", "aaaaaa"):
        district.publish(columns(*chart))
    store.close()
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)

    def call(*arguments):
        result = CliRunner().invoke(app, ["grid", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_the_command_line_shows_codes_and_their_history(run):
    a, b, c = (f"{charts.CODE}900001{number:03d}" for number in (1, 2, 3))
    shown = run("show", b)
    assert "retired" in shown
    assert f"{a}  100%" in shown
    assert json.loads(run("show", a, "--json"))["status"] == "in_force"
    told = run("history", a)
    assert told.index("Came from") < told.index(f"{b}  67%  plan 3") < told.index("Became")
    assert f"{c}  33%  plan 2" in told
    graph = run("history", a, "--mermaid").splitlines()
    assert graph[0] == "flowchart LR"
    assert f'    {a} -- "plan 2, 67%" --> {b}' in graph
    periods = json.loads(run("history", a, "--json"))["grids"][0]["periods"]
    assert [period["plan"] for period in periods] == [1, 3]
