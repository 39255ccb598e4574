"""OpenStreetMap import into a real store: whole, marked, repeatable; on made-up files (see also test_real_input.py)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from data.session import Store
from etl.actor import SYSTEM
from etl.osm import import_osm
from etl.undo import undo_import

DATA = Path(__file__).parents[1] / "data" / "osm"
DISTRICT = "990301"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = Store(database_url)
    yield made
    made.engine.dispose()


def ask(store: Store, query: str) -> list[tuple[object, ...]]:
    with store.begin(DISTRICT) as connection:
        return [tuple(row) for row in connection.execute(text(query), {"district": DISTRICT})]


def test_a_village_is_stored_with_its_origin(store: Store) -> None:
    report = import_osm(store, SYSTEM, DISTRICT, DATA / "village.osm", name="演示区")
    counts = {noun: count.new for noun, count in report.counts.items() if count.new}
    assert counts == {"communities": 2, "buildings": 14, "streets": 3, "barriers": 3, "ground": 5}
    assert report.left_out == {"part": 2, "outside": 1}
    assert not report.refusals
    assert not report.derived
    assert ask(store, "SELECT DISTINCT households_source FROM buildings WHERE district = :district") == [
        ("estimated",)
    ]
    assert ask(
        store, "SELECT kind, source, attribution, licence FROM imports WHERE district = :district"
    ) == [("osm", "village.osm", "© OpenStreetMap contributors", "ODbL-1.0")]
    assert ask(
        store,
        "SELECT c.external_code, sum(b.households) FROM buildings b JOIN communities c ON c.id = b.community_id"
        " WHERE b.district = :district AND c.district = :district GROUP BY 1 ORDER BY 1",
    ) == [("relation/201", 295), ("relation/202", 94)]


def test_the_same_extract_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    import_osm(store, SYSTEM, DISTRICT, DATA / "village.osm", name="演示区")
    versions = ask(store, "SELECT layer, version FROM data_versions WHERE district = :district ORDER BY 1")
    renamed = tmp_path / "other.osm"
    shutil.copy(DATA / "village.osm", renamed)
    assert import_osm(store, SYSTEM, DISTRICT, renamed).nothing_to_do
    assert (
        ask(store, "SELECT layer, version FROM data_versions WHERE district = :district ORDER BY 1")
        == versions
    )


def test_a_dry_run_reports_and_stores_nothing(store: Store) -> None:
    report = import_osm(store, SYSTEM, DISTRICT, DATA / "village.osm", name="演示区", dry_run=True)
    assert report.dry_run
    assert report.counts["buildings"].new == 14
    assert ask(store, "SELECT count(*) FROM buildings WHERE district = :district") == [(0,)]


def test_without_areas_the_community_is_drawn_and_marked(store: Store) -> None:
    report = import_osm(store, SYSTEM, DISTRICT, DATA / "plain.osm", name="演示区")
    assert len(report.derived) == 1
    assert ask(
        store,
        "SELECT name, boundary_source, provisional FROM communities WHERE district = :district",
    ) == [("演示区", "derived", True)]
    assert ask(
        store,
        "SELECT bool_and(ST_Covers(c.boundary, b.point)) FROM buildings b JOIN communities c"
        " ON c.id = b.community_id WHERE b.district = :district AND c.district = :district",
    ) == [(True,)]


def extract(path: Path, houses: dict[int, tuple[int, dict[str, str]]], relation: int | None = None) -> Path:
    """Write an extract of square houses in a row.

    Parameters
    ----------
    houses : dict of int to (int, dict of str to str)
        By the number of its way: place in the row, and tags.
    relation : int, optional
        The way that is drawn as the one outer ring of a relation of its own.
    """
    nodes, ways, relations = [], [], []
    for way, (place, tags) in houses.items():
        west, south, size = 118.5 + 0.0005 * place, 31.7, 0.00015
        corners = [(west, south), (west + size, south), (west + size, south + size), (west, south + size)]
        ids = [way * 10 + corner for corner in range(4)]
        nodes += [
            f'<node id="{node}" lon="{lon:.7f}" lat="{lat:.7f}"/>'
            for node, (lon, lat) in zip(ids, corners, strict=True)
        ]
        ring = "".join(f'<nd ref="{node}"/>' for node in (*ids, ids[0]))
        said = "".join(
            f'<tag k="{key}" v="{value}"/>' for key, value in ({"building": "house"} | tags).items()
        )
        ways.append(f'<way id="{way}">{ring}{"" if way == relation else said}</way>')
        if way == relation:
            member = f'<member type="way" ref="{way}" role="outer"/><tag k="type" v="multipolygon"/>'
            relations.append(f'<relation id="{way * 100}">{member}{said}</relation>')
    elements = "".join(nodes + ways + relations)
    path.write_text(f'<osm version="0.6" generator="made up">{elements}</osm>', encoding="utf-8")
    return path


def test_ground_comes_and_goes_with_its_import_and_raises_its_own_version(store: Store) -> None:
    drawn = (
        "SELECT 'water', external_code, kind FROM layers.water UNION ALL SELECT 'rail', external_code, kind"
        " FROM layers.rail UNION ALL SELECT 'green', external_code, kind FROM layers.green ORDER BY 1, 2"
    )
    version = "SELECT version FROM data_versions WHERE district = :district AND layer = 'ground'"
    loaded = import_osm(store, SYSTEM, DISTRICT, DATA / "village.osm", name="演示区")
    before = ask(store, drawn)
    assert before == [
        ("green", "way/601", "park"),
        ("green", "way/603", "wood"),
        ("rail", "way/503", "railway"),
        ("rail", "way/504", "rail"),
        ("water", "way/501", "river"),
        ("water", "way/502", "stream"),
        ("water", "way/602", "water"),
    ]
    assert ask(store, version) == [(1,)]
    undone = undo_import(store, SYSTEM, DISTRICT, loaded.import_id)
    assert undone.nouns["ground"].removed == 5
    assert ask(store, drawn) == []
    assert ask(store, version) == [(2,)]
    again = import_osm(store, SYSTEM, DISTRICT, DATA / "village.osm")
    assert again.counts["ground"].back == 5
    assert ask(store, drawn) == before


def test_a_newer_extract_changes_what_changed(store: Store, tmp_path: Path) -> None:
    older = {way: (way, {}) for way in range(1, 9)}
    import_osm(store, SYSTEM, DISTRICT, extract(tmp_path / "older.osm", older), name="演示区")
    before = dict(ask(store, "SELECT external_code, id FROM buildings"))
    newer = older | {
        2: (2, {"building": "apartments", "building:levels": "9"}),
        3: (20, {}),
        9: (9, {"name": "新楼"}),
    }
    del newer[4]
    report = import_osm(store, SYSTEM, DISTRICT, extract(tmp_path / "newer.osm", newer, relation=5))
    found = report.differences
    assert [one.code for one in found.new] == ["way/9"]
    assert [one.code for one in found.gone] == ["way/4"]
    assert [one.code for one in found.recounted] == ["way/2"]
    assert [(one.code, round(one.metres)) for one in found.moved] == [("way/3", 804)]
    assert [(one.before, one.after) for one in found.recoded] == [("way/5", "relation/500")]
    assert report.counts["buildings"].unchanged == 4
    after = dict(ask(store, "SELECT external_code, id FROM buildings WHERE retired_at IS NULL"))
    assert after["relation/500"] == before["way/5"]
    assert {code for code in after if after[code] == before.get(code)} == {
        f"way/{n}" for n in (1, 2, 3, 6, 7, 8)
    }
    back = import_osm(store, SYSTEM, DISTRICT, tmp_path / "older.osm")
    assert (back.counts["buildings"].back, back.counts["buildings"].gone) == (1, 1)
    assert dict(ask(store, "SELECT external_code, id FROM buildings WHERE retired_at IS NULL")) == before
