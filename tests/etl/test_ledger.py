from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from sqlalchemy import text

from data import register
from data.versions import current
from etl.actor import SYSTEM
from etl.ledger import RefusedImportError, import_ledger, import_tables, write_templates
from geo.errors import CoordinateError, InputError
from tests import ledgers
from tests.ledgers import CODE, NAME

ADDRESS_LEDGER = Path(__file__).parents[1] / "data" / "address" / "dev"


def load(store, folder, **options):
    return import_ledger(store, SYSTEM, CODE, folder, **{"name": NAME, "crs": "wgs84", **options})


def rows(store, query, district=CODE):
    with store.begin(district) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def counts(report):
    return {noun: (c.read, c.new, c.changed, c.unchanged, c.refused) for noun, c in report.counts.items()}


def test_the_address_ledger_loads_whole(store):
    report = import_ledger(store, SYSTEM, "340504", ADDRESS_LEDGER, name="雨山区", crs="wgs84")
    assert counts(report) == {
        "towns": (7, 7, 0, 0, 0),
        "communities": (35, 35, 0, 0, 0),
        "compounds": (147, 147, 0, 0, 0),
        "buildings": (10_000, 10_000, 0, 0, 0),
    }
    assert (len(report.provisional), len(report.derived), report.unplaced) == (42, 35, [])
    stored = "SELECT count(*), sum(households), count(DISTINCT stated_grid), count(point) FROM buildings"
    assert rows(store, stored, "340504") == [(10_000, 135_600, 452, 10_000)]
    outside = (
        "SELECT count(*) FROM buildings b JOIN communities c ON c.id = b.community_id"
        " WHERE ST_Distance(b.point::geography, c.boundary::geography) > 0.02"
    )
    assert rows(store, outside, "340504") == [(0,)]
    before = ledgers.digest(store, "340504")
    again = import_ledger(store, SYSTEM, "340504", ADDRESS_LEDGER, crs="wgs84")
    assert again.nothing_to_do
    assert ledgers.digest(store, "340504") == before


def test_codes_addresses_and_labels_are_made_where_the_ledger_has_none(store, tmp_path):
    report = load(store, ledgers.write_ledger(tmp_path))
    assert report.provisional == ["990001900", "990001900900", "990001900901"]
    assert rows(
        store, "SELECT external_code, code, provisional, boundary_source FROM communities ORDER BY 1"
    ) == [
        ("C1", "990001900900", True, "derived"),
        ("C2", "990001900901", True, "derived"),
    ]
    stored = rows(store, "SELECT external_code, label, address, stated_grid FROM buildings ORDER BY 1")
    assert stored[0] == ("B1", "1幢", "示例区示例街道东路8号梧桐里1幢", "G1")
    assert stored[5] == ("B6", "6幢", None, "G2")
    assert rows(store, "SELECT aliases FROM compounds") == [(["梧桐大院", "老梧桐"],)]


def test_the_same_files_twice_change_nothing(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path, boundaries=True)
    load(store, folder)
    before = ledgers.digest(store)
    report = load(store, folder)
    assert report.nothing_to_do
    assert [count.unchanged for count in report.counts.values()] == [2, 1, 6, 1]
    assert ledgers.digest(store) == before


def test_a_dry_run_reports_and_changes_nothing(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    empty = ledgers.digest(store)
    report = load(store, folder, dry_run=True)
    assert counts(report)["buildings"] == (6, 6, 0, 0, 0)
    assert len(report.derived) == 2
    assert ledgers.digest(store) == empty
    load(store, folder)
    ledgers.write_csv(folder / "buildings.csv", ledgers.buildings(8))
    before = ledgers.digest(store)
    assert counts(load(store, folder, dry_run=True))["buildings"] == (8, 2, 6, 0, 0)
    assert ledgers.digest(store) == before


def test_a_changed_delivery_updates_by_code_and_retires_what_is_missing(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    load(store, folder)
    with store.begin(CODE) as connection:
        before = current(connection, CODE)
    changed = ledgers.buildings()[:5]
    changed[0]["households"] = 99
    ledgers.write_csv(folder / "buildings.csv", changed)
    report = load(store, folder)
    assert counts(report)["buildings"] == (5, 0, 1, 4, 0)
    assert report.counts["buildings"].gone == 1
    assert rows(store, "SELECT households FROM buildings WHERE external_code = 'B1'") == [(99,)]
    assert rows(store, "SELECT external_code FROM buildings WHERE retired_at IS NOT NULL") == [("B6",)]
    with store.begin(CODE) as connection:
        after = current(connection, CODE)
    assert {layer for layer in after if after[layer] > before[layer]} == {
        "buildings",
        "communities",
        "locate",
    }


def test_columns_a_delivery_lacks_and_positions_it_leaves_out_are_kept(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    load(store, folder)
    keep = ("code", "community", "households")
    slim = [{key: row[key] for key in keep} for row in ledgers.buildings()]
    slim[0]["households"] = 77
    ledgers.write_csv(folder / "buildings.csv", slim)
    report = load(store, folder)
    assert report.counts["buildings"].changed >= 1
    assert rows(
        store,
        "SELECT households, label, stated_grid, point IS NOT NULL FROM buildings WHERE external_code = 'B1'",
    ) == [(77, "1幢", "G1", True)]


def test_a_refused_batch_changes_nothing_unless_the_good_rows_are_wanted(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path / "ledger")
    bad = ledgers.buildings()
    bad[2]["households"] = "-3"
    ledgers.write_csv(folder / "buildings.csv", bad)
    empty = ledgers.digest(store)
    with pytest.raises(
        RefusedImportError, match=r"buildings\.csv line 4, households '-3' is negative"
    ) as refused:
        load(store, folder)
    assert ledgers.digest(store) == empty
    report = refused.value.report
    report.write_csv(tmp_path / "refused.csv")
    lines = (tmp_path / "refused.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1] == "buildings.csv,4,households,-3,negative,is negative,不能为负数,"
    report = load(store, folder, skip_refused=True)
    assert counts(report)["buildings"] == (6, 5, 0, 0, 1)
    assert rows(store, "SELECT count(*) FROM buildings") == [(5,)]


def test_boundaries_are_stated_where_given_and_drawn_around_the_others(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    layer = ledgers.frame(ledgers.COMMUNITIES, [ledgers.square(0), None])
    (folder / "communities.csv").unlink()
    layer.to_file(folder / "communities.geojson")
    report = load(store, folder)
    assert report.derived == ["990001900901"]
    with store.begin(CODE) as connection:
        first, second = register.communities(connection, CODE)
    assert (first.boundary_source, second.boundary_source) == ("stated", "derived")
    assert first.boundary.symmetric_difference(ledgers.square(0)).area < 1e-12
    assert second.boundary.is_valid
    assert second.boundary.intersection(first.boundary).area < 1e-12


def test_a_building_finds_its_community_by_compound_or_by_place(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path, boundaries=True)
    lost = [{**row, "community": ""} for row in ledgers.buildings()]
    ledgers.write_csv(folder / "buildings.csv", lost)
    load(store, folder)
    found = (
        "SELECT b.external_code, c.external_code FROM buildings b JOIN communities c ON c.id = b.community_id"
    )
    assert rows(store, f"{found} ORDER BY 1") == [(f"B{n}", "C1" if n <= 3 else "C2") for n in range(1, 7)]


def test_buildings_without_a_position_are_listed(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    unplaced = ledgers.buildings()
    unplaced[1] |= {"lon": "", "lat": ""}
    ledgers.write_csv(folder / "buildings.csv", unplaced)
    assert load(store, folder).unplaced == ["B2"]
    assert rows(store, "SELECT external_code FROM buildings WHERE point IS NULL") == [("B2",)]


def test_footprints_keep_their_shape_and_a_point_within(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    (folder / "buildings.csv").unlink()
    plans = [shapely.Point(row["lon"], row["lat"]).buffer(0.0001, quad_segs=1) for row in ledgers.buildings()]
    ledgers.frame(ledgers.buildings(), plans).to_file(folder / "buildings.gpkg", layer="buildings")
    load(store, folder)
    kept = (
        "SELECT count(*) FROM buildings WHERE ST_NumGeometries(footprint) = 1 AND ST_Covers(footprint, point)"
    )
    assert rows(store, kept) == [(6,)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_templates_can_be_imported_as_they_are(store, tmp_path, language, kind):
    write_templates(tmp_path, language=language, format=kind)
    assert write_templates(tmp_path, language=language, format=kind) == []
    with pytest.raises(CoordinateError, match="--crs"):
        load(store, tmp_path, crs=None)
    report = load(store, tmp_path)
    assert report.refusals == []
    assert {noun: count.new for noun, count in report.counts.items()} == {
        **dict.fromkeys(report.counts, 1),
        "cases": 0,
    }
    assert report.counts["cases"].waiting == 1
    assert load(store, tmp_path).nothing_to_do


def test_two_districts_share_a_database_and_their_ledgers_codes(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    load(store, folder)
    before = ledgers.digest(store)
    other = import_ledger(store, SYSTEM, "990002", folder, name="另一区", crs="wgs84")
    assert other.counts["buildings"].new == 6
    assert other.provisional[0] == "990002900"
    with store.begin(CODE) as connection:
        listed = connection.execute(text("SELECT count(*) FROM buildings")).scalar_one()
    assert listed == 6
    assert before != ledgers.digest(store, "990002")


def test_a_new_district_needs_a_code_a_name_and_a_place(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    with pytest.raises(InputError, match="990001:NAME"):
        load(store, folder, name=None)
    with pytest.raises(InputError, match="6 digits"):
        import_ledger(store, SYSTEM, "99", folder, name=NAME, crs="wgs84")
    (folder / "buildings.csv").unlink()
    with pytest.raises(InputError, match="has a position"):
        load(store, folder)


def test_a_statement_beside_the_files_is_kept_with_the_import(store, tmp_path):
    folder = ledgers.write_ledger(tmp_path)
    (folder / "ledger.toml").write_text(
        'crs = "wgs84"\nsource = "示例"\nlicence = "CC0"\nattribution = "© 示例"\nmade_up = true\n',
        encoding="utf-8",
    )
    load(store, folder, crs=None)
    assert rows(store, "SELECT source, licence, attribution, actor, kind FROM imports") == [
        ("示例", "CC0", "© 示例", "system", "ledger")
    ]
    assert rows(store, "SELECT made_up FROM districts") == [(True,)]
    assert rows(store, "SELECT DISTINCT households_source FROM buildings") == [("made_up",)]


def test_tables_in_memory_go_the_same_way(store):
    tables = {
        "communities": ledgers.frame(ledgers.COMMUNITIES, [ledgers.square(0), ledgers.square(1)]),
        "buildings": ledgers.frame(ledgers.buildings()).drop(columns="compound"),
    }
    options = {
        "name": NAME,
        "kind": "osm",
        "source": "town.osm",
        "digest": "0" * 64,
        "households_source": "estimated",
    }
    report = import_tables(store, SYSTEM, CODE, tables, attribution="© OSM", **options)
    assert counts(report)["buildings"] == (6, 6, 0, 0, 0)
    assert rows(store, "SELECT kind, attribution FROM imports") == [("osm", "© OSM")]
    assert rows(store, "SELECT DISTINCT households_source FROM buildings") == [("estimated",)]
    assert import_tables(store, SYSTEM, CODE, tables, **options).nothing_to_do
