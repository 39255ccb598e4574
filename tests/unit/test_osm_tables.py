"""OpenStreetMap features become ledger tables: on a made-up village with the faults real extracts have."""

from __future__ import annotations

import bz2
import gzip
import re
from pathlib import Path

import pytest
import shapely

from etl.ledger.spec import LEDGER
from etl.osm.importing import OsmTables, make_tables
from etl.osm.reading import Features, read_features
from etl.osm.tables import AROUND_DEG
from geo.errors import InputError, UnavailableError

DATA = Path(__file__).parents[1] / "data" / "osm"


@pytest.fixture(scope="module")
def features() -> Features:
    return read_features(DATA / "village.osm")


@pytest.fixture(scope="module")
def made(features: Features) -> OsmTables:
    return make_tables(features, name="演示区")


def test_columns_are_the_ledgers(made: OsmTables) -> None:
    for noun, table in made.tables.items():
        assert set(table.columns) - {"geometry"} <= {column.name for column in LEDGER[noun].columns}
        assert table.crs.to_epsg() == 4326
        assert table["code"].is_unique


def test_communities_are_relations_of_the_finest_level_that_holds_the_buildings(made: OsmTables) -> None:
    communities = made.tables["communities"]
    assert communities["code"].tolist() == ["relation/201", "relation/202"]
    assert communities["name"].tolist() == ["演示村", "演示村"]
    assert communities.geometry.geom_type.tolist() == ["Polygon", "MultiPolygon"]
    assert shapely.coverage_is_valid(communities.geometry.to_numpy())


def test_a_level_can_be_asked_for(features: Features) -> None:
    town = make_tables(features, name="", admin_level=6)
    assert town.tables["communities"]["code"].tolist() == ["relation/203"]
    hamlet = make_tables(features, name="", admin_level=10)
    assert hamlet.tables["communities"]["code"].tolist() == ["way/107"]
    assert hamlet.tables["buildings"]["code"].tolist() == ["way/301"]
    with pytest.raises(InputError, match="level 9"):
        make_tables(features, name="", admin_level=9)


def test_overlapping_areas_of_a_level_are_set_apart(tmp_path: Path) -> None:
    text = (DATA / "village.osm").read_text(encoding="utf-8")
    shifted = text.replace(
        '<member type="way" ref="101" role="outer"/>', '<member type="way" ref="108" role="outer"/>', 1
    )
    # the west's border to the east now bulges 50 m into it
    middle = re.search(
        r'<way id="101".*?<nd ref="(\d+)"/>\s*<nd ref="(\d+)"/>\s*<nd ref="(\d+)"/>', text, re.DOTALL
    )
    assert middle
    bulge = (
        '<node id="9001" version="1" lat="31.7027" lon="118.50476"/>'
        f'<way id="108"><nd ref="{middle[1]}"/><nd ref="9001"/><nd ref="{middle[3]}"/></way>'
    )
    path = tmp_path / "overlap.osm"
    path.write_text(shifted.replace("<relation", bulge + "<relation", 1), encoding="utf-8")
    communities = make_tables(read_features(path), name="").tables["communities"]
    west, east = communities.geometry
    assert west.intersection(east).area == 0
    assert west.area > 0
    assert len(communities) == 2


def test_buildings_are_taken_once_and_whole(made: OsmTables) -> None:
    buildings = made.tables["buildings"].set_index("code")
    assert made.left_out == {"part": 2, "outside": 1}
    taken = {f"way/{i}" for i in (301, 302, 303, 304, 305, 306, 307, 308, 309, 312, 314, 315, 318)}
    assert set(buildings.index) == {*taken, "relation/204"}
    assert buildings.geometry.is_valid.all()
    assert buildings.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    assert len(buildings.geometry["relation/204"].interiors) == 1
    assert buildings.loc["way/312", "community"] == "relation/202"


def test_tags_become_columns(made: OsmTables) -> None:
    buildings = made.tables["buildings"].set_index("code")
    assert buildings.loc["way/301", "address"] == "演示市演示区演示路1号"
    assert buildings.loc["way/307", "address"] == "Demo Street 7, 9999 Demo Town"
    assert buildings.loc["way/302", ["poi", "aliases"]].tolist() == ["演示楼", "大楼;红楼"]
    assert buildings.loc["way/302", ["floors", "entrances"]].tolist() == [6, 3]
    assert buildings.loc["way/309", "floors"] == 2
    assert buildings["entrances"].drop("way/302").eq(1).all()


def test_households_are_estimated(made: OsmTables) -> None:
    households = made.tables["buildings"].set_index("code")["households"]
    assert households["way/303"] == 264
    assert households["way/302"] == 26
    assert households[["way/305", "way/306", "way/308", "way/314"]].eq(0).all()


def test_streets_are_highways_on_the_ground_nearby_and_never_walls(made: OsmTables) -> None:
    assert made.tables["streets"]["code"].tolist() == ["way/401", "way/402", "way/405"]


def test_barriers_are_rivers_railways_and_trunk_roads(made: OsmTables) -> None:
    barriers = made.tables["barriers"].set_index("code")["kind"]
    assert barriers.to_dict() == {"way/405": "trunk_road", "way/501": "river", "way/503": "railway"}


def test_ground_is_what_a_map_shows_and_no_barrier_already_is(made: OsmTables) -> None:
    ground = made.tables["ground"].set_index("code")
    assert ground["kind"].to_dict() == {
        "way/502": "stream",
        "way/504": "rail",  # the siding
        "way/601": "park",
        "way/602": "water",
        "way/603": "wood",
    }
    assert ground.loc["way/601", "name"] == "演示公园"
    assert not set(ground.index) & set(made.tables["barriers"]["code"])


def test_ground_is_cut_off_around_the_buildings(made: OsmTables) -> None:
    wood = made.tables["ground"].set_index("code").geometry["way/603"]
    east = made.tables["buildings"].total_bounds[2]
    assert wood.geom_type == "Polygon"
    assert wood.bounds[2] == pytest.approx(east + AROUND_DEG)


def test_without_areas_all_is_one_community_without_a_boundary() -> None:
    made = make_tables(read_features(DATA / "plain.osm"), name="演示区")
    communities = made.tables["communities"]
    assert communities[["code", "name"]].to_numpy().tolist() == [["osm/whole", "演示区"]]
    assert communities.geometry.isna().all()
    assert made.tables["buildings"]["community"].eq("osm/whole").all()
    assert made.tables["barriers"].empty


@pytest.mark.parametrize("suffix", [".osm.bz2", ".osm.gz", ".OSM"])
def test_compressed_files_hold_the_same(tmp_path: Path, suffix: str, features: Features) -> None:
    squeeze = {".osm.bz2": bz2.compress, ".osm.gz": gzip.compress}.get(suffix, bytes)
    path = tmp_path / f"village{suffix}"
    path.write_bytes(squeeze((DATA / "village.osm").read_bytes()))
    assert read_features(path).table.index.equals(features.table.index)


def test_the_digest_is_that_of_the_file(features: Features, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.osm"
    copy.write_bytes((DATA / "village.osm").read_bytes())
    assert read_features(copy).digest == features.digest
    assert features.source == "village.osm"


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("cut.osm", b"<osm><node id='1' lat='1'", "cannot be read as OSM XML"),
        ("plain.osm.bz2", b"no bzip2", "cannot be read as OSM XML"),
        ("plain.osm.gz", b"no gzip", "cannot be read as OSM XML"),
        ("empty.osm", b"<osm version='0.6'></osm>", "holds nothing to import"),
        ("map.osm.pbf", b"", "no OSM XML extract"),
        ("table.csv", b"a,b", "no OSM XML extract"),
    ],
)
def test_what_is_no_extract_is_refused(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read_features(path)


@pytest.mark.parametrize(
    "missing", [Path("nowhere.osm"), Path("nowhere"), "nowhere.osm.bz2", "nowhere.osm.pbf"]
)
def test_a_missing_file_is_named(missing: Path | str) -> None:
    with pytest.raises(InputError, match="There is no file nowhere"):
        read_features(missing)


def test_an_extract_without_buildings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "streets.osm"
    text = (DATA / "plain.osm").read_text(encoding="utf-8").replace('k="building"', 'k="was:building"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no building in streets"):
        make_tables(read_features(path), name="")


def test_a_place_name_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # the discard port: nothing listens
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UnavailableError, match=r"cannot be reached.*Go online"):
        read_features("演示镇")
