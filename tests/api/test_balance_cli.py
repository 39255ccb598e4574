"""``gridgov balance`` as its users run it: a folder in, a plan and its figures out, without any database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from api.cli.main import main
from etl.instances import read
from geo.balance import containers, measure

SYNTH1 = Path(__file__).parents[1] / "bench" / "rebalance" / "synth1"


@pytest.fixture
def gridgov(monkeypatch, capfd, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gridgov", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def town(tmp_path) -> Path:
    """Forty units in two rows, two containers of one community; grids that have drifted."""
    n, folder = 40, tmp_path / "town"
    folder.mkdir()
    row, column = np.divmod(np.arange(n), 20)
    pd.DataFrame(
        {
            "uid": [f"B{i:02}" for i in range(n)],
            "w": 5 + np.arange(n) % 7,
            "x": column * 10.0,
            "y": row * 10.0,
            "area": 100.0,
            "perim": 40.0,
            "container": (column >= 10).astype(int),
            "community": 0,
            "compound": np.where(column < 3, 1, -1),
            "current": np.minimum(column // 3, 5),
        }
    ).to_parquet(folder / "units.parquet")
    at = np.arange(n).reshape(2, 20)
    pairs = np.r_[np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], at.T]
    wall = (pairs[:, 0] % 20 == 9) & (pairs[:, 1] % 20 == 10)
    edges = pd.DataFrame({"u": pairs[:, 0], "v": pairs[:, 1], "shared_len": 10.0, "ok": ~wall})
    edges.to_parquet(folder / "edges.parquet")
    meta = {"name": "town", "target": 50, "K": 6, "k_per_container": [3, 3], "weight": "households"}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def plan_of(path: Path, folder: Path) -> np.ndarray:
    """Read a plan back, in the order of the instance."""
    uids = pd.read_parquet(folder / "units.parquet", columns=["uid"]).uid
    plan = pd.read_csv(path)
    assert plan.columns.tolist() == ["uid", "district"]
    assert plan.uid.tolist() == uids.tolist()
    return plan.district.to_numpy(np.int64)


def test_a_folder_is_balanced_and_its_figures_are_told(gridgov, town, tmp_path):
    code, out, err = gridgov("balance", town, "--profile", "stable", "--seed", 3, "--out", "plan.csv")
    assert (code, "Traceback" in err) == (0, False)
    assignment = plan_of(tmp_path / "plan.csv", town)
    problem = read(town).problem
    after = measure(problem, assignment)
    assert after.legal
    lines = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    assert f"{after.in_band} ({after.share_in_band:.1%})" in lines["Within 10% · 达标"]
    assert f"{after.households_moved} ({after.moved_share:.1%})" in lines["Households moved · 划转户数"]
    assert "40 rows → plan.csv" in out
    assert "Balancing · 均衡网格" in err


def test_as_json_everything_is_one_object(gridgov, town, tmp_path):
    code, out, err = gridgov("balance", town, "--out", "plan.csv", "--json", "--tolerance", 20)
    found = json.loads(out)
    after = measure(read(town).problem, plan_of(tmp_path / "plan.csv", town))
    assert code == 0, err
    assert found["asked"]["tolerance_percent"] == 20
    assert found["after"]["households_moved"] == after.households_moved
    assert found["after"]["legal"] is True
    assert found["bounds"]["moved_at_least"] <= after.households_moved
    assert found["bounds"]["in_band_at_most"] >= found["after"]["in_band"]
    assert [row["grids"] for row in found["containers"]] == [3, 3]
    assert (found["stopped"], found["out"]) == (False, "plan.csv")


def test_the_same_is_asked_the_same_is_written(gridgov, town, tmp_path):
    for name, threads in (("one.csv", 1), ("two.csv", 3), ("one.csv", 2)):
        assert gridgov("balance", town, "--out", name, "--threads", threads)[0] == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize(("asked", "grids"), [("5", [2, 3]), ("free", [3, 3]), ("9", [4, 5])])
def test_another_number_of_grids_is_shared_out_and_told(gridgov, town, asked, grids):
    code, out, err = gridgov("balance", town, "--grids", asked, "--out", "plan.csv", "--json")
    assert code == 0, err
    rows = json.loads(out)["containers"]
    assert sum(row["grids"] for row in rows) == sum(grids)
    assert sorted(row["grids"] for row in rows) == grids
    out = gridgov("balance", town, "--grids", asked, "--out", "plan.csv")[1]
    assert ("网格数与所列不同的片区" in out) == (grids != [3, 3])


def test_from_scratch_nothing_counts_as_moved(gridgov, town, tmp_path):
    code, out, err = gridgov("balance", town, "--scratch", "--out", "plan.csv", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["before"]["grids"] == 6
    assert found["after"]["households_moved"] is None
    assert set(plan_of(tmp_path / "plan.csv", town)) == set(range(6))
    assert gridgov("balance", town, "--scratch", "--out", "plan.csv")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--grids", "0"], 2, "--grids is 0."),
        (["--grids", "many"], 2, "--grids is many."),
        (["--grids", "41"], 5, "41 grids are asked for; at least 2 are needed and at most 40 possible."),
        (["--grids", "1"], 5, "1 grids are asked for"),
        (["--profile", "best"], 2, "best"),
        (["--tolerance", "0"], 2, "tolerance"),
        (["--out", "town/units.parquet"], 2, "is a part of the instance"),
        (["--out", "nowhere/plan.csv"], 2, "is no folder"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(gridgov, town, tmp_path, words, code, said):
    (tmp_path / "plan.csv").write_text("as it was")
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ended, out, err = gridgov("balance", town, "--out", "plan.csv", *words)
    assert (ended, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
    assert files == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_malformed_folder_is_refused_and_nothing_is_written(gridgov, town, tmp_path):
    units = pd.read_parquet(town / "units.parquet")
    units.loc[7, "w"] = -3
    units.to_parquet(town / "units.parquet")
    code, _, err = gridgov("balance", town, "--out", "plan.csv")
    assert (code, (tmp_path / "plan.csv").exists()) == (2, False)
    assert "units.parquet: w is below 0: -3 of uid B07." in err
    assert "→" in err


def judged(folder: Path, plan: Path) -> dict[str, float]:
    """Score a plan by the public definition of the figures."""
    words = [sys.executable, SYNTH1.parent / "metrics.py", folder, plan]
    return dict(json.loads(subprocess.run(words, capture_output=True, check=True).stdout))


@pytest.mark.parametrize("name", ["synth1", "providence_blocks"])
def test_plans_of_whole_districts_have_no_violation(gridgov, tmp_path, name, request):
    folder = SYNTH1
    if name != "synth1":
        folder = request.getfixturevalue("real_data") / "rebalance" / "data" / name
    code, out, err = gridgov("balance", folder, "--out", "plan.csv", "--json")
    assert code == 0, err
    score, found = judged(folder, tmp_path / "plan.csv"), json.loads(out)
    instance = read(folder)
    shares = pd.Series(plan_of(tmp_path / "plan.csv", folder)).groupby(instance.container).nunique()
    assert shares.tolist() == instance.per_container.tolist()
    assert score["districts"] == score["K"] == found["after"]["grids"]
    assert score["noncontiguous"] == score["container_crossing"] == score["community_crossing"] == 0
    assert score["within10"] == round(found["after"]["share_in_band"], 4)
    assert score["excess_pieces"] == found["after"]["excess_pieces"]
    assert score["moved_share"] == round(found["after"]["moved_share"], 4)
    assert score["mean_pp"] == round(found["after"]["mean_compactness"], 4)
    assert found["bounds"]["moved_at_least"] <= score["moved"]
    out_of_reach = {row["container"] for row in found["containers"] if not row["within_reach"]}
    assert out_of_reach == {row["container"] for row in found["advice"]} != set()


def begun(plan: Path, threads: int) -> subprocess.Popen[str]:
    """Start a search that would take minutes, and wait until it is under way."""
    words = ["balance", SYNTH1, "--effort", 100, "--threads", threads, "--out", plan]
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *map(str, words)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("Repairing" in line for line in process.stderr)
    return process


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_ends_with_the_best_plan_so_far(tmp_path, kind):
    process = begun(tmp_path / "plan.csv", threads=2)
    process.send_signal(kind)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Ending with the best plan so far" in err
    assert "Ended early: the best plan so far" in out
    problem = read(SYNTH1).problem
    after = measure(problem, plan_of(tmp_path / "plan.csv", SYNTH1))
    assert after.legal
    assert after.grids == 452
    assert len({row.container for row in after.grid_rows}) == containers(problem).max() + 1


def test_the_second_interruption_ends_without_a_plan(tmp_path):
    process = begun(tmp_path / "plan.csv", threads=1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("Ending" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
