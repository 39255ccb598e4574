"""Readers: the same rows out of every format, encoding and coordinate system, or a plain message."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from etl.ledger import positions, values
from etl.ledger.reading import read_folder
from etl.ledger.statement import Statement, stated
from geo.crs import from_wgs84
from geo.errors import CoordinateError, GridgovError, InputError
from tests import ledgers

HEADERS = {
    "code": "编码",
    "community": "所属社区",
    "compound": "所属小区",
    "label": "楼号",
    "word": "楼号后缀",
    "households": "户数",
    "grid": "所属网格",
    "lon": "经度",
    "lat": "纬度",
}
POINTS = [(row["lon"], row["lat"]) for row in ledgers.buildings()]


def read(folder: Path, **said):
    batch, _ = read_folder(folder, Statement(**{"crs": "wgs84", **said}))
    values.parse(batch)
    positions.check_shapes(batch)
    return batch


def chinese(rows):
    return [{HEADERS[name]: value for name, value in row.items()} for row in rows]


def csv_in(encoding):
    return lambda folder, rows: ledgers.write_csv(folder / "楼栋.csv", chinese(rows), encoding=encoding)


def layer_in(name, **options):
    return lambda folder, rows: ledgers.frame(rows).rename(columns=HEADERS).to_file(folder / name, **options)


def shapefile_in(encoding, *, stated):
    def write(folder, rows):
        ledgers.frame(rows).rename(columns=HEADERS).to_file(folder / "楼栋.shp", encoding=encoding)
        if not stated:
            (folder / "楼栋.cpg").unlink()

    return write


FORMATS = {
    "csv utf-8": csv_in("utf-8"),
    "csv utf-8 with mark": csv_in("utf-8-sig"),
    "csv gbk": csv_in("gbk"),
    "csv utf-16": csv_in("utf-16"),
    "xlsx by sheet": lambda folder, rows: ledgers.write_xlsx(folder / "全部.xlsx", {"楼栋": chinese(rows)}),
    "xlsx by file": lambda folder, rows: ledgers.write_xlsx(
        folder / "buildings.xlsx", {"Sheet1": chinese(rows)}
    ),
    "geojson": layer_in("buildings.geojson"),
    "geopackage by layer": layer_in("ledger.gpkg", layer="楼栋"),
    "geopackage by file": layer_in("buildings.gpkg", layer="export_1"),
    "shapefile gbk": shapefile_in("GBK", stated=True),
    "shapefile utf-8": shapefile_in("UTF-8", stated=True),
    "shapefile gbk, unsaid": shapefile_in("GBK", stated=False),
    "shapefile utf-8, unsaid": shapefile_in("UTF-8", stated=False),
}


@pytest.mark.filterwarnings("ignore:Could not decode error message:RuntimeWarning")  # GDAL's, on GBK names
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_rows(tmp_path, name):
    FORMATS[name](tmp_path, ledgers.buildings())
    batch = read(tmp_path)
    assert batch.refusals == []
    rows = batch.good("buildings")
    assert [row.values["code"] for row in rows] == [f"B{n}" for n in range(1, 7)]
    assert [row.values["households"] for row in rows] == [10, 11, 12, 13, 14, 15]
    assert {(row.values["word"], row.values["community"]) for row in rows} == {("幢", "C1"), ("幢", "C2")}
    places = shapely.get_coordinates([row.shape for row in rows])
    assert np.allclose(places, POINTS, atol=1e-7)


def test_refusals_name_the_line_of_a_file_also_after_a_cell_of_several_lines(tmp_path):
    text = '编码,所属社区,户数,标准地址\nB1,C1,3,"东路\n8号"\n\nB2,C1,x,\nB3,C1\n'
    (tmp_path / "楼栋.csv").write_text(text, encoding="utf-8")
    batch = read(tmp_path)
    assert [(one.line, one.field, one.reason.name) for one in batch.refusals] == [
        (6, "", "cell_count"),
        (5, "households", "not_integer"),
    ]
    assert batch.rows["buildings"][0].values["address"] == "东路 8号"


@pytest.mark.parametrize("crs", ["wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4548", "EPSG:4527"])
def test_a_stated_system_is_brought_to_wgs84(tmp_path, crs):
    rows = ledgers.buildings()
    for row, (x, y) in zip(rows, from_wgs84(POINTS, crs), strict=True):
        row["lon"], row["lat"] = x, y
    ledgers.write_csv(tmp_path / "buildings.csv", rows)
    batch = read(tmp_path, crs=crs)
    places = shapely.get_coordinates([row.shape for row in batch.good("buildings")])
    assert np.allclose(places, POINTS, atol=1e-9)


@pytest.mark.parametrize("crs", ["wgs84", "bd09", "EPSG:4548", "EPSG:4527"])
def test_swapped_axes_are_called_so(tmp_path, crs):
    rows = ledgers.buildings()
    for row, (x, y) in zip(rows, from_wgs84(POINTS, crs), strict=True):
        row["lon"], row["lat"] = y, x
    ledgers.write_csv(tmp_path / "buildings.csv", rows)
    batch = read(tmp_path, crs=crs)
    assert [one.reason.name for one in batch.refusals] == ["swapped_axes"] * 6


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        ("nan", "31", "not_finite"),
        ("118", "inf", "not_finite"),
        ("1e999", "31", "not_finite"),
        ("118°", "31", "not_a_number"),
        ("200", "100", "outside_system"),
        ("118", "", "missing"),
    ],
)
def test_coordinates_that_cannot_be(tmp_path, lon, lat, reason):
    rows = ledgers.buildings()
    rows[0] |= {"lon": lon, "lat": lat}
    ledgers.write_csv(tmp_path / "buildings.csv", rows)
    batch = read(tmp_path)
    assert [(one.line, one.reason.name) for one in batch.refusals] == [(2, reason)]


def test_a_geographic_system_of_china_is_not_believed_elsewhere(tmp_path):
    rows = [{**ledgers.buildings()[0], "lon": 9.5, "lat": 47.1}]
    ledgers.write_csv(tmp_path / "buildings.csv", rows)
    assert [one.reason.name for one in read(tmp_path, crs="EPSG:4490").refusals] == ["outside_system"]
    assert read(tmp_path, crs="EPSG:4326").refusals == []


def test_the_coordinate_system_is_stated_or_declared_and_never_both_ways(tmp_path):
    ledgers.write_csv(tmp_path / "buildings.csv", ledgers.buildings())
    with pytest.raises(CoordinateError, match=r"buildings\.csv does not say .*--crs"):
        read(tmp_path, crs="")
    ledgers.frame(ledgers.COMMUNITIES, [ledgers.square(0), ledgers.square(1)]).to_crs(4490).to_file(
        tmp_path / "communities.gpkg"
    )
    assert [file.crs for file in read(tmp_path).files] == ["EPSG:4490", "EPSG:4326"]
    with pytest.raises(
        CoordinateError, match=r"communities\.gpkg#communities declares EPSG:4490, but bd09 was stated"
    ):
        read(tmp_path, crs="bd09")
    batch = read(tmp_path, crs="bd09", crs_of={"communities.gpkg": "wgs84"})
    assert [file.crs for file in batch.files] == ["EPSG:4326", "bd09"]


def test_a_declared_system_that_is_not_known_is_refused(tmp_path):
    ledgers.frame(ledgers.buildings(), crs=3857).to_file(tmp_path / "buildings.gpkg")
    with pytest.raises(CoordinateError, match="EPSG:3857"):
        read(tmp_path, crs="")


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_mapping_file_names_the_headers(tmp_path, suffix):
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    renamed = [
        {("实有户数" if key == "households" else key): value for key, value in row.items()}
        for row in ledgers.buildings()
    ]
    ledgers.write_csv(ledger / "buildings.csv", renamed)
    with pytest.raises(InputError, match=r"no column households \(户数\); it has: .*实有户数"):
        read(ledger)
    mapping = tmp_path / f"mapping.{suffix}"
    texts = {
        "toml": '[buildings]\nhouseholds = "实有户数"\n',
        "json": json.dumps({"楼栋": {"households": "实有户数"}}),
    }
    mapping.write_text(texts[suffix], encoding="utf-8")
    batch, _ = read_folder(ledger, stated(ledger, "wgs84", mapping))
    assert batch.rows["buildings"][0].values["households"] == "10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crs = 3", "where a table belongs"),
        ("crs = 'mars'", "Unknown coordinate system"),
        ("colour = 'red'", "unknown keys: colour"),
        ("[mapping.people]\nname = 'x'", "'people', which is no noun"),
        ("[mapping.buildings]\nsize = 'x'", "'size', which is no column of buildings"),
        ("source = 5", "must be a text"),
        ("crs = ", "cannot be read"),
    ],
)
def test_faults_of_a_statement_are_named(tmp_path, text, message):
    (tmp_path / "ledger.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GridgovError, match=message):
        stated(tmp_path, None, None)


def test_every_column_missing_is_named_at_once(tmp_path):
    ledgers.write_csv(tmp_path / "communities.csv", [{"a": 1}])
    ledgers.write_csv(tmp_path / "buildings.csv", [{"code": 1}])
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert "communities.csv has no column code (编码), name (名称)" in str(error.value)
    assert "buildings.csv has no column households (户数)" in str(error.value)


def test_columns_nobody_asked_for_are_told(tmp_path):
    ledgers.write_csv(tmp_path / "buildings.csv", [{**row, "户籍备注": ""} for row in ledgers.buildings()])
    assert read(tmp_path).files[0].ignored == ("户籍备注",)


@pytest.mark.parametrize(
    "name", ["buildings.csv", "buildings.xlsx", "buildings.geojson", "buildings.gpkg", "buildings.shp"]
)
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\x00\x81\xfe damaged")
    with pytest.raises(InputError, match=name):
        read(tmp_path)


def test_a_file_of_another_kind_than_its_name_says_is_named(tmp_path):
    square = gpd.GeoDataFrame({"name": ["梧桐里"]}, geometry=[shapely.box(118, 31, 119, 32)], crs=4326)
    square.to_file(tmp_path / "map.geojson")
    (tmp_path / "map.geojson").rename(tmp_path / "compounds.shp")
    with pytest.warns(RuntimeWarning, match="ENCODING"), pytest.raises(InputError, match=r"compounds\.shp"):
        read(tmp_path)


def test_a_folder_without_a_ledger(tmp_path):
    with pytest.raises(InputError, match="no file named after a noun"):
        read(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        read(tmp_path / "nowhere")


def test_numbers_of_a_workbook_keep_their_digits(tmp_path):
    rows = [{"code": 101.0, "name": "东苑", "official_code": 990001001001}]
    ledgers.write_xlsx(tmp_path / "社区.xlsx", {"社区": rows})
    read_values = read(tmp_path).rows["communities"][0].values
    assert (read_values["code"], read_values["official_code"]) == ("101", "990001001001")


def test_broken_rings_are_mended_when_their_area_stays(tmp_path):
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    spike = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0.5, 1), (0.5, 2), (0.5, 1), (0, 1)])
    dot = shapely.Polygon([(1, 1), (1, 1), (1, 1), (1, 1)])
    shapes = [spike, bow, shapely.Polygon(), shapely.Point(1, 1), dot]
    rows = [{"code": f"C{n}", "name": "x"} for n in range(len(shapes))]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=4326).to_file(tmp_path / "communities.gpkg")
    batch = read(tmp_path)
    assert batch.repaired == ["communities.gpkg#communities:1"]
    assert batch.good("communities")[0].shape.equals(shapely.box(0, 0, 1, 1))
    assert [(one.line, one.reason.name) for one in batch.refusals] == [
        (2, "invalid_ring"),
        (3, "empty_shape"),
        (4, "wrong_shape"),
        (5, "empty_shape"),
    ]


def test_geometries_that_cannot_be_read_are_refused(tmp_path):
    feature = {"type": "Feature", "properties": {"code": "C1", "name": "x"}}
    broken = {"type": "Polygon", "coordinates": [[[118, 31], [118, 32], [119, 31]]]}
    collection = {"type": "FeatureCollection", "features": [{**feature, "geometry": broken}]}
    (tmp_path / "communities.geojson").write_text(json.dumps(collection))
    ledgers.write_csv(tmp_path / "streets.csv", [{"code": "L1", "wkt": "LINESTRING (1"}])
    assert [one.reason.name for one in read(tmp_path).refusals] == ["unreadable_shape", "unreadable_shape"]


header = "code,community,households,lon,lat,wkt,committee_since,aliases\n"


@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: (header + text).encode("utf-8", "replace")),
    )
)
@example(content=header.encode() + b'"B1\x00",C1,1,118,31,,,\n')
@example(content=header.encode() + b"B1,C1,1,118,31,POINT (nan nan),,\n")
@example(content=header.encode() + b"B1,C1,1,,,GEOMETRYCOLLECTION EMPTY,,\n")
@example(content=b"\xff\xfe\x00")
def test_any_bytes_are_read_or_answered_plainly(content, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    (folder / "buildings.csv").write_bytes(content)
    try:
        batch = read(folder)
    except GridgovError:
        return
    refused = {(one.file, one.line) for one in batch.refusals}
    assert {(row.file, row.line) for row in batch.rows["buildings"] if row.refused} == refused
    assert all(one.value.isprintable() for one in batch.refusals)
