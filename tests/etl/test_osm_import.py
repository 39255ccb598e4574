"""OpenStreetMap import into a real store: whole, marked, repeatable; on made-up files and on real extracts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from data.session import Store
from etl.actor import SYSTEM
from etl.ledger import import_tables
from etl.osm import import_osm
from etl.osm.importing import make_tables
from etl.osm.reading import read_features

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


def test_liechtenstein_is_eleven_municipalities(store: Store, real_data: Path) -> None:
    features = read_features(real_data / "data" / "liechtenstein.osm.bz2")
    made = make_tables(features, name="Liechtenstein")
    buildings = made.tables["buildings"]
    assert len(made.tables["communities"]) == 11
    assert made.left_out == {"part": 6, "outside": 32}
    assert buildings.geometry.is_valid.all()
    assert 12_000 < buildings["households"].sum() < 22_000
    report = import_tables(
        store,
        SYSTEM,
        DISTRICT,
        made.tables,
        name="Liechtenstein",
        kind="osm",
        source=features.source,
        digest=features.digest,
        households_source="estimated",
    )
    assert report.counts["buildings"].new == len(buildings) == 8941
    assert not report.refusals
    assert not report.repaired


def test_xinjiekou_is_one_derived_community(store: Store, real_data: Path) -> None:
    report = import_osm(
        store, SYSTEM, DISTRICT, real_data / "data" / "nanjing_xinjiekou.osm.bz2", name="新街口"
    )
    assert report.counts["buildings"].new == 1256
    assert report.left_out == {"part": 21, "outside": 0}
    assert len(report.derived) == 1
    assert not report.refusals
