"""The job that answers a file on the server's disk, and nothing else there."""

from __future__ import annotations

import csv

import pytest
from sqlalchemy import text

from api.kinds import kinds
from data.settings import Settings
from etl.actor import SYSTEM
from etl.jobs import run_next, submit
from geo.errors import InputError
from tests import town

CODE = "340504"


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "asked" / CODE).mkdir(parents=True)
    return Settings(data_dir=tmp_path, batch_dir=tmp_path / "asked")


def job(store, settings, **params):
    """Have a job done; return how it stands then."""
    kind = kinds(settings)["locate"]
    number = submit(store, SYSTEM, CODE, kind, {"source": "in.csv", "target": "out.csv"} | params).id
    assert run_next(store, CODE, kind, settings.files)
    with store.read(CODE) as connection:
        query = "SELECT state, params, result, error FROM jobs WHERE district = :d AND id = :n"
        return connection.execute(text(query), {"d": CODE, "n": number}).one()


def test_a_file_is_answered_beside_it_and_only_counts_are_kept(store, settings):
    town.build(store)
    folder = settings.batch_dir / CODE
    (folder / "in.csv").write_text("编号,地址\n甲,康宁花园1幢\n乙,不存在路1号\n", "gb18030")
    done = job(store, settings)
    assert (done.state, done.result) == ("succeeded", {"match": 1, "none": 1})
    with (folder / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["编号"], row["grid"]) for row in rows] == [("甲", town.grid_code(1)), ("乙", "")]
    with store.read(CODE) as connection:
        for table in ("jobs", "audit"):
            kept = connection.execute(text(f"SELECT {table}::text FROM {table}")).scalars()
            assert not [row for row in kept if "康宁花园" in row or "不存在路" in row]
    assert sorted(path.name for path in folder.iterdir()) == ["in.csv", "out.csv"]


def test_what_cannot_be_answered_leaves_no_file_behind(store, settings):
    town.build(store)
    folder = settings.batch_dir / CODE
    (folder / "in.csv").write_text("lon,lat\n118.5025,31.705\n", "utf-8")
    for params, said in (
        ({}, "coordinate system"),
        ({"crs": "mars"}, "mars"),
        ({"source": "other.csv", "crs": "wgs84"}, "other.csv cannot be read"),
        ({"target": "in.csv"}, "replace"),
    ):
        failed = job(store, settings, **params)
        assert failed.state == "failed"
        assert said in failed.error["fault"]
        assert str(folder) not in str(failed.error)
    assert [path.name for path in folder.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    "name", ["../in.csv", "/etc/in.csv", "a\\b.csv", ".in.csv", "in.txt", "in.csv\n", "a\x00.csv", ""]
)
@pytest.mark.parametrize("which", ["source", "target"])
def test_no_other_file_can_be_named(settings, which, name):
    with pytest.raises(InputError, match=which):
        kinds(settings)["locate"].checked({"source": "in.csv", "target": "out.csv", which: name})


def test_without_a_folder_there_are_no_such_jobs(store, tmp_path):
    town.build(store)
    for more in ({}, {"batch_dir": tmp_path / "nowhere"}):
        failed = job(store, Settings(data_dir=tmp_path, **more))
        assert (failed.state, "GRIDGOV_BATCH_DIR" in str(failed.error)) == ("failed", True)
