"""The command line as its users run it, on a small demo ledger."""

from __future__ import annotations

import ast
import csv
import json
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pypdf
import pytest

from api import cli
from api.cli.main import VERBS, main
from data import migrate
from data.session import Store
from data.settings import Settings
from etl.demo import AFTER, write_demo
from tests.settle import settle

DISTRICT = "990101"


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def gridgov(database_url, monkeypatch, capfd, tmp_path):
    """Run a command as a user would, on a database of the test's own."""
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gridgov", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return Ran(ended.value.code or 0, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def ledger(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "ledger"
    write_demo(folder, scale=0.03)
    return folder


@pytest.fixture
def district(gridgov, ledger):
    """A district that was imported and published by command."""
    ran = gridgov("import", "ledger", ledger, "--district", f"{DISTRICT}:演示区", "--publish", "--json")
    assert ran.code == 0, ran.err
    return ran.json


def test_a_verb_is_imported_only_when_it_is_called():
    heavy = ["osmnx", "momepy", "folium", "matplotlib", "uvicorn", "fastapi", "geopandas", "numba"]
    for words, needs in (
        (["--help"], set()),
        (["db", "--help"], set()),
        (["import", "--help"], {"geopandas", "numba"}),
    ):
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "import contextlib, sys; from api.cli.main import app\n"
                "with contextlib.suppress(SystemExit): app()\n"
                f"print([name for name in {heavy} if name in sys.modules])",
                *words,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(ast.literal_eval(ran.stdout.splitlines()[-1])) == needs, words


def test_the_list_of_verbs_is_whole():
    no_verbs = {
        "__init__",
        "__main__",
        "balance_report",
        "balancing",
        "console",
        "import_report",
        "locate_batch",
        "locators",
        "main",
        "plan_acts",
    }
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")}
    assert {verb.module for verb in VERBS.values()} == modules - no_verbs


@pytest.mark.parametrize("text", ["[/b]", "[red]x", ":car:"])
def test_what_a_ledger_holds_is_printed_as_it_is(gridgov, tmp_path, text):
    (tmp_path / text).mkdir(parents=True)
    assert f"{Path(text).name} holds no file" in gridgov("import", "ledger", text, "-d", f"{DISTRICT}:X").err
    (tmp_path / text / "communities.csv").write_text("code,name,lon,lat\nC1,A,118,31\n", encoding="utf-8")
    (tmp_path / text / "facilities.csv").write_text(
        f"code,kind,state,lon,lat\nF1,AED,{text},118,31\nF2,AED,,118,31\n", encoding="utf-8"
    )
    ran = gridgov("import", "ledger", text, "-d", f"{DISTRICT}:X", "--crs", "wgs84")
    assert (ran.code, ran.out.count(text)) == (2, 1)


def test_what_cannot_be_written_or_named_is_told(gridgov, district, tmp_path):
    (tmp_path / "folder").mkdir()
    for words in (
        ("template", "/dev/null"),
        ("export", "layer", "grids", "nowhere/grids.gpkg"),
        ("export", "layer", "grids", "nowhere/grids.geojson"),
        ("export", "layer", "grids", "nowhere/grids.shp"),
        ("export", "map", "folder"),
        ("locate", "batch", "folder", "out.csv"),
        ("locate", "batch", __file__, "folder"),
        ("import", "ledger", "x" * 300),
        ("cells", "build", "--district", "\udcff"),
    ):
        ran = gridgov(*words)
        assert (ran.code, "Error" in ran.err, "→" in ran.err, "Traceback" in ran.err) == (
            2,
            True,
            True,
            False,
        ), words


def test_refused_rows_are_shown_though_their_file_cannot_be_written(gridgov, tmp_path):
    (tmp_path / "communities.csv").write_text("code,name\nC1,A\nC1,B\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text("code,name,lon,lat\nS1,A,118,31\n", encoding="utf-8")
    ran = gridgov(
        "import", "ledger", ".", "-d", f"{DISTRICT}:X", "--crs", "wgs84", "--refused", "nowhere/refused.csv"
    )
    assert ran.code == 2
    assert "communities.csv:2" in ran.out
    assert "nowhere/refused.csv" in ran.err


def test_from_a_ledger_to_an_answer(gridgov, district, ledger):
    assert district["import"]["refusals"] == []
    assert district["established"]["published"]["number"] == 1
    assert gridgov("import", "ledger", ledger / AFTER, "--json").json["import"]["counts"]["cases"]["new"] > 0
    proposed = gridgov("plan", "rebalance", "--json").json
    assert proposed["after"]["in_band"] > proposed["before"]["in_band"]
    told = gridgov("plan", "show", proposed["number"], "--reasons").out
    assert re.search(r"网格\d{3} 原有 \d+ 户，超出上限 330", told)
    assert re.search(r"Grid \d{3} had \d+ households, above the most of 330", told)
    assert "no reasons" in gridgov("plan", "show", 1, "--reasons").out
    refused = gridgov("plan", "publish", proposed["number"])
    assert (refused.code, "approved" in refused.err) == (4, True)
    refused = gridgov("plan", "publish", proposed["number"], "--approve-as-system")
    assert (refused.code, "waive" in refused.err) == (4, True)
    published = gridgov(
        "plan", "publish", proposed["number"], "--approve-as-system", "--waive", "agreed", "--json"
    )
    assert published.code == 0
    plans = {plan["number"]: plan["state"] for plan in gridgov("plan", "list", "--json").json}
    assert plans == {1: "superseded", 2: "published"}
    shown = gridgov("plan", "show", "--json").json
    assert (shown["number"], len(shown["grids"])) == (2, proposed["after"]["grids"])
    assert sum(grid["households"] for grid in shown["grids"]) == proposed["after"]["households"]


def test_the_same_ledger_twice_changes_nothing(gridgov, district, ledger):
    again = gridgov("import", "ledger", ledger, "--publish")
    assert again.code == 0
    assert "Nothing to do" in again.out
    assert "in force already" in again.out


def test_a_dry_run_changes_nothing(gridgov, ledger):
    ran = gridgov("import", "ledger", ledger, "-d", f"{DISTRICT}:演示区", "--dry-run", "--publish")
    assert (ran.code, "Would import" in ran.out) == (0, True)
    assert gridgov("plan", "list").code == 3


def test_refused_rows_are_shown_and_written(gridgov, ledger, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(ledger, broken)
    workers = broken / "workers.csv"
    lines = workers.read_text("utf-8-sig").splitlines()
    workers.write_text("\n".join([*lines, lines[1]]), "utf-8")
    ran = gridgov("import", "ledger", broken, "-d", f"{DISTRICT}:演示区", "--refused", "faults.csv")
    assert ran.code == 2
    assert f"workers.csv:{len(lines) + 1}" in ran.out
    with Path("faults.csv").open(encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    assert ("workers.csv", str(len(lines) + 1)) in {(row["file"], row["line"]) for row in written}
    assert gridgov("plan", "list").code == 3


def test_locating_by_point_address_and_file(gridgov, district, tmp_path):
    assert gridgov("export", "layer", "buildings", "buildings.geojson").code == 0
    vacant = [p["code"] for p in gridgov("plan", "show", "--json").json["problems"] if p["rule"] == "no_duty"]
    served = (b for b in gpd.read_file("buildings.geojson").itertuples() if grid_of(gridgov, b) not in vacant)
    building = next(served)
    spot = building.geometry.representative_point()
    by_point = gridgov("locate", "point", spot.x, spot.y, "--crs", "wgs84", "--json").json
    by_address = gridgov("locate", "address", building.address, "--json").json
    assert by_point["status"] == by_address["status"] == "match"
    assert by_point["grid"]["code"] == by_address["grid"]["code"]
    assert by_point["grid"]["on_duty"][0]["worker"].startswith("演示员")
    Path("asked.csv").write_text(f"编号,地址\n1,{building.address}\n2,不存在路1号\n", "gb18030")
    assert not by_address["pending"]
    before = gridgov("locate", "address", building.address, "--as-of", "1999-01-01")
    assert (before.code, "no plan in force then" in before.err) == (3, True)
    counts = gridgov("locate", "batch", "asked.csv", "answered.csv", "--json").json
    assert counts == {"match": 1, "none": 1}
    with Path("answered.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["编号"] for row in rows] == ["1", "2"]
    assert rows[0]["grid"] == by_point["grid"]["code"]


def test_an_answer_is_signed_and_the_slip_verified(gridgov, district):
    place = ("118.5", "31.7", "--crs", "wgs84")
    slip = gridgov("locate", "point", *place, "--evidence", "--json").json["evidence"]
    told = gridgov("evidence", "verify", slip, "--point", "118.5", "31.7", "--crs", "wgs84", "--json").json
    assert (told["valid"], told["in_force"], told["same_input"]) == (True, True, True)
    other = gridgov("evidence", "verify", slip, "--address", "湖东路1号")
    assert (other.code, "genuine" in other.out, "another one" in other.out) == (0, True, True)
    changed = gridgov("evidence", "verify", slip[:-4] + "AAAA")
    assert (changed.code, "not given out here" in changed.out) == (1, True)
    assert gridgov("locate", "address", "不存在路1号", "--evidence").code == 1


def test_another_plan_is_asked_by_its_number(gridgov, district):
    place = ("118.5", "31.7", "--crs", "wgs84")
    now = gridgov("locate", "point", *place, "--json").json
    assert gridgov("plan", "open").code == 0
    newest = max(plan["number"] for plan in gridgov("plan", "list", "--json").json)
    draft = gridgov("locate", "point", *place, "--plan", newest, "--json").json
    assert (draft["plan"]["number"], draft["plan"]["state"]) == (newest, "draft")
    assert draft["grid"]["code"] == now["grid"]["code"]
    same = gridgov("locate", "point", *place, "--plan", now["plan"]["number"], "--json").json
    assert same["grid"] == now["grid"]
    assert gridgov("locate", "point", *place, "--plan", 99).code == 3
    assert gridgov("locate", "point", *place, "--plan", 1, "--as-of", "2026-01-01").code == 2


def grid_of(gridgov, building) -> str:
    return gridgov("locate", "address", building.address, "--json").json["grid"]["code"]


def test_an_honest_no_is_exit_code_1(gridgov, district):
    assert gridgov("locate", "address", "不存在路1号").code == 1
    outside = gridgov("locate", "point", 10, 10, "--crs", "wgs84")
    assert (outside.code, "outside" in outside.out) == (1, True)
    lost = gridgov("locate", "point", 10, 10, "--crs", "wgs84", "--source", "device")
    assert (lost.code, "no_answer" in lost.out) == (1, True)


def test_a_point_without_a_coordinate_system_is_shown_in_each(gridgov, district):
    unstated = gridgov("locate", "point", 118.5, 31.7)
    assert unstated.code == 2
    assert [name in unstated.err for name in ("wgs84:", "gcj02:", "bd09:", "cgcs2000:")] == [True] * 4


def test_an_accuracy_is_told_with_probabilities(gridgov, district):
    told = gridgov(
        "locate", "point", 118.5, 31.7, "--crs", "wgs84", "--accuracy", 300, "--level", "95", "--json"
    ).json
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-9)
    refused = gridgov("locate", "point", 118.5, 31.7, "--crs", "wgs84", "--accuracy", 0)
    assert (refused.code, "accuracy" in refused.err) == (2, True)


def test_a_batch_of_points_needs_a_coordinate_system_and_marks_what_it_cannot_use(gridgov, district):
    Path("pins.csv").write_text("lon,lat\n118.5,31.7\nnan,31.7\nhere,31.7\n", "utf-8")
    unstated = gridgov("locate", "batch", "pins.csv", "out.csv")
    assert (unstated.code, "gcj02: " in unstated.err) == (2, True)
    assert not Path("out.csv").exists()
    counts = gridgov("locate", "batch", "pins.csv", "out.csv", "--crs", "wgs84", "--json").json
    assert counts["invalid"] == 2


def test_a_batch_of_points_takes_an_accuracy_and_says_why(gridgov, district):
    rows = ("118.5,31.7,,", "118.5,31.7,600,", "118.5,31.7,0,", "118.5,31.7,9,50", "118.5,31.7,many,68")
    Path("pins.csv").write_text("经度,纬度,精度,accuracy_level\n" + "\n".join(rows) + "\n", "utf-8")
    counts = gridgov("locate", "batch", "pins.csv", "out.csv", "--crs", "wgs84", "--json").json
    with Path("out.csv").open(encoding="utf-8-sig") as file:
        exact, wide, *invalid = csv.DictReader(file)
    assert exact["status"] not in {"no_answer", "invalid"}
    assert (wide["status"], wide["reasons"]) == ("no_answer", "too_wide")
    assert counts["invalid"] == len(invalid) == 3
    assert [
        word in row["fault"] for row, word in zip(invalid, ("accuracy", "level", "number"), strict=True)
    ] == [True] * 3


def test_maps_and_layers_are_written(gridgov, district):
    number = gridgov("plan", "rebalance", "--json").json["number"]
    for command in (
        ("map", "map.html"),
        ("map", "draft.html", "--plan", number),
        ("compare", "both.html", "--plan", number),
    ):
        assert gridgov("export", *command).code == 0
        page = Path(command[1]).read_text("utf-8")
        assert "演示区" in page
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+="https?://', page)
    assert gridgov("export", "layer", "grids", "grids.gpkg", "--plan", number).code == 0
    drafted = gpd.read_file("grids.gpkg")
    assert drafted.geometry.notna().all()
    assert gridgov("export", "layer", "grids", "grids.docx").code == 2
    assert gridgov("export", "compare", "c.html", "--plan", "1").code == 4


def test_sheets_deviation_and_coverage_are_exported(gridgov, district):
    for kind in ("deviation", "coverage"):
        assert gridgov("export", "map", f"{kind}.html", "--kind", kind).code == 0
        assert "演示区" in Path(f"{kind}.html").read_text("utf-8")
    grids = gpd.read_file(gridgov("export", "layer", "grids", "grids.geojson") and "grids.geojson")
    ran = gridgov("export", "sheets", "sheets.pdf", "--base-url", "https://grid.example.org")
    assert (ran.code, f"{len(grids)} sheets" in ran.out) == (0, True), ran.err
    reader = pypdf.PdfReader("sheets.pdf")
    said = [page.extract_text() for page in reader.pages]
    assert len(said) == len(grids)
    assert all(code in text for code, text in zip(grids["code"], said, strict=True))
    assert all("扫码看本网格" in text for text in said)
    assert not any("演示员" in text for text in said)
    first, community = grids["code"][0], grids["community_code"][0]
    known = gridgov(
        "export", "sheets", "wall", "--grid", first, "--format", "png", "--staff", "--paper", "a3"
    )
    assert (known.code, "--base-url" in known.err) == (0, True)
    assert [file.name for file in Path("wall").iterdir()] == [f"{first}.png"]
    assert gridgov("export", "sheets", "staff.pdf", "--community", community, "--staff").code == 0
    assert "演示员" in "".join(page.extract_text() for page in pypdf.PdfReader("staff.pdf").pages)
    for refused in (
        ("wall.pdf", "--format", "png"),
        ("wall.png",),
        ("wall", "--grid", "none"),
        ("wall", "--base-url", "grid.example.org"),
        ("nowhere/wall.pdf",),
        ("staff.pdf/wall",),
    ):
        ran = gridgov("export", "sheets", *refused)
        assert (ran.code, "Error" in ran.err, "Traceback" in ran.err) == (2, True, False), refused


def test_cells_are_made_again_without_change(gridgov, district):
    report = gridgov("cells", "build", "--json").json
    assert (report["added"], report["retired"]) == (0, 0)


def test_templates_can_be_filled_in(gridgov):
    assert gridgov("template", "empty", "--language", "zh", "--format", "xlsx").code == 0
    assert {path.suffix for path in Path("empty").iterdir()} >= {".xlsx"}


def test_an_old_schema_is_told_and_upgraded(gridgov, database_url):
    migrate.downgrade(database_url)
    told = gridgov("plan", "list")
    assert (told.code, "gridgov db upgrade" in told.err) == (6, True)
    assert gridgov("db", "upgrade").code == 0
    assert gridgov("db", "status", "--json").json["schema"] == migrate.versions(database_url)[1]
    assert gridgov("db", "downgrade", "base").code == 2


def test_an_unreachable_database_is_told_without_a_traceback(gridgov, monkeypatch):
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    ran = gridgov("plan", "list")
    assert (ran.code, "GRIDGOV_DATABASE_URL" in ran.err, "Traceback" in ran.err) == (6, True, False)


def test_a_taken_port_is_told_before_anything_is_loaded(gridgov, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for verb in (("serve", "--port", taken.getsockname()[1]), ("demo",)):
            monkeypatch.setenv("GRIDGOV_PORT", str(taken.getsockname()[1]))
            ran = gridgov(*verb)
            assert (ran.code, "GRIDGOV_PORT" in ran.err) == (6, True)
    assert gridgov("plan", "list").code == 3


def test_a_wrong_setting_is_named(gridgov, monkeypatch):
    monkeypatch.setenv("GRIDGOV_PORT", "much")
    ran = gridgov("plan", "list")
    assert (ran.code, "GRIDGOV_PORT" in ran.err, "Traceback" in ran.err) == (6, True, False)


def test_a_key_that_is_too_short_is_refused_at_the_start_and_not_shown(gridgov, monkeypatch):
    monkeypatch.setenv("GRIDGOV_EVIDENCE_KEY", "short-one")
    ran = gridgov("serve")
    assert (ran.code, "GRIDGOV_EVIDENCE_KEY" in ran.err, "openssl rand" in ran.err) == (6, True, True)
    assert "short-one" not in ran.err


def test_two_districts_must_be_told_apart(gridgov, district, ledger, database_url):
    store = Store(database_url)
    settle(store, "990102")
    store.close()
    unnamed = gridgov("plan", "list")
    assert (unnamed.code, "990101" in unnamed.err, "990102" in unnamed.err) == (2, True, True)
    assert gridgov("plan", "list", "-d", "990102", "--json").json == []
    assert gridgov("import", "ledger", ledger, "-d", "99:x").code == 2


@pytest.mark.parametrize(
    "verb", ["db", "template", "import", "cells", "plan", "locate", "export", "demo", "serve"]
)
def test_every_verb_has_help_with_an_example(gridgov, verb):
    ran = gridgov(verb, "--help")
    assert ran.code == 0
    commands = (
        re.findall(r"^│ ([a-z]+) ", ran.out, flags=re.MULTILINE)
        if verb not in {"template", "demo", "serve"}
        else [""]
    )
    assert commands
    for command in commands:
        assert "Example" in gridgov(verb, *filter(None, [command]), "--help").out


def test_every_setting_is_documented():
    documented = (Path(__file__).parents[2] / "docs/settings.md").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"GRIDGOV_{name.upper()}" not in documented] == []
