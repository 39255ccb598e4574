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
    assert counts == {"communities": 2, "buildings": 14, "streets": 3, "barriers": 3}
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
