"""Layers as files, read back as a desktop GIS would."""

from __future__ import annotations

import datetime
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geo.errors import InputError
from maps.files import DRIVERS, About, short_names, write_layer
from maps.legend import Words

ABOUT = About("buildings", Words("楼栋", "Buildings"), ("© OpenStreetMap contributors",), made_up=True)
LONG = "长" * 100


@pytest.fixture
def frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "name": ["康宁花园", "碧水小区", None],
            "community_code": ["990101000001", "990101000002", "990101000003"],
            "community": ["第一社区", LONG, "第三社区"],
            "households_on": [datetime.date(2026, 7, 1), None, None],
            "households": [300.0, None, 12.0],
            "services": [["饮水", "休息"], [], ["充电"]],
        },
        geometry=[shapely.Point(118.5, 31.7), shapely.Point(118.6, 31.7), shapely.Point(118.7, 31.7)],
        crs=4326,
    )


@pytest.mark.parametrize("ending", DRIVERS)
def test_chinese_names_come_back_as_they_were(frame, tmp_path, ending):
    files = write_layer(frame, ABOUT, tmp_path / f"楼栋{ending}")
    assert sorted(files) == sorted(tmp_path.iterdir())
    back = gpd.read_file(files[0])
    assert back["name"].tolist()[:2] == ["康宁花园", "碧水小区"]
    assert back["services"].tolist()[0] == "饮水; 休息"
    assert back.crs.to_epsg() == 4326
    assert back.geometry.geom_equals_exact(frame.geometry, 1e-9).all()


def test_a_shapefile_tells_its_encoding_its_names_and_what_is_cut(frame, tmp_path):
    write_layer(frame, ABOUT, tmp_path / "b.shp")
    assert (tmp_path / "b.cpg").read_text() == "UTF-8"
    told = (tmp_path / "b.README.txt").read_text("utf-8-sig")
    back = gpd.read_file(tmp_path / "b.shp")
    for name in frame.columns.drop("geometry"):
        short = next(each for each in back.columns if f"  {each:<10}  {name}\n" in told)
        assert len(short.encode()) <= 10
    assert back["community"][1] == LONG[:84]
    assert "254 bytes: community\n" in told
    assert "虚构数据" in told
    assert "© OpenStreetMap contributors" in told


def test_shapes_of_several_kinds_go_to_a_shapefile_each(frame, tmp_path):
    shapes = [frame.geometry[0], frame.geometry[1].buffer(0.01), None]
    files = write_layer(frame.set_geometry(shapes, crs=4326), ABOUT, tmp_path / "b.shp")
    counts = {file.name: len(gpd.read_file(file)) for file in files if file.suffix == ".shp"}
    assert counts == {"b_point.shp": 2, "b_area.shp": 1}
    write_layer(frame.set_geometry(shapes, crs=4326), ABOUT, tmp_path / "b.gpkg")
    assert len(gpd.read_file(tmp_path / "b.gpkg")) == 3


@pytest.mark.parametrize("ending", DRIVERS)
def test_a_layer_may_be_empty(frame, tmp_path, ending):
    files = write_layer(frame.iloc[:0], ABOUT, tmp_path / f"b{ending}")
    assert len(gpd.read_file(files[0])) == 0


@pytest.mark.parametrize("ending", [".geojson", ".gpkg"])
def test_a_file_says_whose_data_it_is(frame, tmp_path, ending):
    (file,) = write_layer(frame, ABOUT, tmp_path / f"b{ending}")
    said = pyogrio.read_info(file)["layer_metadata"]["DESCRIPTION"] if ending == ".gpkg" else file.read_text()
    assert "OpenStreetMap contributors" in said
    assert "虚构数据" in said


def test_short_names_are_short_and_none_is_given_twice():
    names = [
        "community",
        "community_code",
        "COMMUNITY_c",
        "households",
        "households_on",
        "户数户数户数",
        "id",
    ]
    short = short_names(names)
    assert list(short) == names
    assert short["community"] == "community"
    assert all(len(each.encode()) <= 10 for each in short.values())
    assert len({each.lower() for each in short.values()}) == len(names)


def test_no_format_and_no_folder_are_told(frame, tmp_path):
    with pytest.raises(InputError, match="docx"):
        write_layer(frame, ABOUT, tmp_path / "b.docx")
    with pytest.raises(InputError, match="cannot be written"):
        write_layer(frame, ABOUT, Path(tmp_path / "nowhere" / "b.gpkg"))
    with pytest.raises(InputError, match="cannot be written"):
        write_layer(frame, ABOUT, Path(tmp_path / "nowhere" / "b.shp"))
