"""The folium pages without a browser: classes, light geometry, what a page may and may not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from maps.compare import Told, comparison_page
from maps.legend import Words, deviation_of, deviations, public_count, words
from maps.overview import overview_page
from maps.shapes import light_areas, light_lines, moved_land, outlines
from tests.mosaic import FIGURES, areas, map_data, swap

HOSTILE = "</script><img src=x onerror=alert(1)>"


@given(st.integers(20, 5000), st.integers(1, 50), st.integers(10, 20_000))
def test_in_band_is_what_the_target_and_tolerance_say(target, tolerance, households):
    classes = deviations(target, tolerance)
    found = deviation_of(households, classes)
    assert (found.name == "in-band") == (abs(households - target) * 100 <= target * tolerance)
    assert found.low is None or households >= found.low


@given(st.integers(20, 5000), st.integers(1, 50))
def test_classes_follow_each_other_without_gap(target, tolerance):
    *classes, withheld = deviations(target, tolerance)
    assert (withheld.low, withheld.high) == (None, None)
    assert classes[-1].high is None
    for few, many in pairwise(classes):
        assert many.low == few.high + 1


@pytest.mark.parametrize(("households", "told"), [(None, None), (0, None), (9, None), (10, 10), (300, 300)])
def test_counts_below_ten_are_withheld(households, told):
    assert public_count(households) == told
    assert (deviation_of(told, deviations(300, 10)).name == "withheld") == (told is None)


def test_every_class_out_of_band_is_told_without_colour():
    for shown in deviations(300, 10):
        assert bool(shown.pattern) == (shown.name != "in-band")


def test_an_unknown_kind_speaks_for_itself():
    assert words("facility", "气象站") == ("气象站", "气象站")


def test_light_areas_keep_shared_borders_and_the_budget():
    frame = areas(8, wiggles=40)
    light = light_areas(frame, 1500)
    shapes = light.geometry.to_numpy()
    assert (
        shapely.get_num_coordinates(shapes).sum() <= 1500 < shapely.get_num_coordinates(frame.geometry).sum()
    )
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(shapely.area(frame.geometry).sum(), rel=0.02)
    assert list(light["code"]) == list(frame["code"])


def test_light_areas_mend_borders_that_do_not_meet():
    whole, left, right = shapely.box(118.5, 31.7, 118.52, 31.71), (118.52, 31.7), (118.5300001, 31.705)
    frame = gpd.GeoDataFrame(
        geometry=[whole, shapely.box(*left, *right), shapely.box(118.5199999, 31.705, 118.53, 31.71)],
        crs=4326,
    )
    assert not shapely.coverage_is_valid(frame.geometry.to_numpy())
    assert shapely.coverage_is_valid(light_areas(frame, 100).geometry.to_numpy())


def test_outlines_run_along_the_light_borders():
    grids = areas(6, wiggles=30)
    communities = grids[["community_code", "geometry"]].dissolve("community_code").reset_index(names="code")
    light = light_areas(grids, 1000)
    outlined = outlines(communities, light, "community_code")
    borders = shapely.union_all(shapely.boundary(light.geometry.to_numpy()))
    assert shapely.covers(borders, shapely.boundary(outlined.geometry.to_numpy())).all()


def test_light_lines_join_by_name_and_keep_the_longest():
    ends = [(118.5, 31.7), (118.51, 31.7), (118.53, 31.7), (118.53, 31.701)]
    frame = gpd.GeoDataFrame(
        {"name": ["长路", "长路", "短巷"]},
        geometry=[shapely.LineString(pair) for pair in pairwise(ends)],
        crs=4326,
    )
    light = light_lines(frame, 2, ["name"])
    assert list(light["name"]) == ["长路"]
    assert light.geometry.iloc[0].equals(shapely.LineString([ends[0], ends[2]]))


def test_moved_land_is_what_changed_its_grid():
    before = areas(4, wiggles=10)
    after = swap(before)
    keyed = [frame.assign(key=frame["code"]) for frame in (before, after)]
    moved = moved_land(*keyed)
    assert list(zip(moved["left"], moved["entered"], strict=True)) == [(before["code"][1], before["code"][0])]
    gained = after.geometry[0].difference(before.geometry[0])
    assert moved.geometry.iloc[0].symmetric_difference(gained).area < 1e-10
    assert moved_land(keyed[0], keyed[0]).empty


def test_the_overview_asks_nothing_of_the_network_and_is_the_same_each_time():
    data = map_data(6)
    page = overview_page(data)
    assert page == overview_page(data)
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""<script\s|(?:src|href)="(?!data:|#)|@import""", markup)
    assert not re.findall(r"url\((?!data:|#)", page)
    assert "OpenStreetMap contributors" in page
    assert "虚构数据" in page
    assert "虚构数据" not in overview_page(replace(data, made_up=False))


def test_a_district_of_452_grids_is_a_few_hundred_kilobytes():
    page = overview_page(map_data(22, wiggles=60))
    assert len(page.encode()) < 800_000


def test_names_cannot_become_markup():
    data = map_data(3)
    hostile = replace(
        data,
        name=HOSTILE,
        attribution=(HOSTILE,),
        grids=data.grids.assign(community=HOSTILE),
        communities=data.communities.assign(name=HOSTILE),
        sites=data.sites.assign(name=HOSTILE),
    )
    reasons = [Told(HOSTILE, [Words(HOSTILE, HOSTILE)], [Words(HOSTILE, HOSTILE)])]
    for page in (overview_page(hostile), comparison_page(hostile, hostile, FIGURES, reasons)):
        assert HOSTILE not in page
        assert "<img" not in page
        assert page.count("</script>") == page.count("<script>")


def test_a_small_count_is_nowhere_in_the_page():
    data = map_data(3)
    page = overview_page(replace(data, grids=data.grids.assign(households=[7, *[300] * 8])))
    assert "不足 10 户的数不公开" in page
    assert "<dd>2,400</dd>" in page
    assert page.count('"v2":"300"') == 8
    assert '"v2":"7"' not in page


def test_layers_may_be_empty():
    data = map_data(3)
    names = ("sites", "facilities", "rider_communities", "rider_points", "streets", "barriers", "communities")
    assert overview_page(replace(data, **{name: getattr(data, name).iloc[:0] for name in names}))


def test_nothing_to_show_is_said():
    data = map_data(3)
    empty = replace(data, grids=data.grids.iloc[:0], communities=data.communities.iloc[:0])
    with pytest.raises(InputError, match="nothing to show"):
        overview_page(empty)


@pytest.mark.parametrize("moved", [0, 1, 9, 10])
def test_few_households_moved_are_not_told(moved):
    data = map_data(2)
    after = {**FIGURES["after"], "households_moved": moved}
    page = comparison_page(data, data, {**FIGURES, "after": after})
    assert ("<strong><span lang=zh-CN>不足 10 户</span>" in page) == (0 < moved < 10)


def test_the_comparison_draws_two_maps_and_the_moved_land():
    before = map_data(4)
    after = replace(before, grids=swap(before.grids), plan="第 2 号")
    page = comparison_page(before, after, FIGURES)
    assert len(re.findall(r'class="map" id="map_\d+"', page)) == 2
    assert "1 处地块换了网格" in page
    assert np.all([text in page for text in ("5 (31%)", "15 (94%)", "1,234 户")])


def test_the_comparison_tells_reasons_by_community():
    data = map_data(2)
    reasons = [Told("试验社区", [Words("划入网格002。", "to grid 002.")], [Words("未证明。", "not proven.")])]
    page = comparison_page(data, data, FIGURES, reasons)
    assert re.search(r"试验社区 .*1 项划转.*划入网格002。.*to grid 002\..*未证明。", page, re.DOTALL)
    assert 'class="reasons"' not in comparison_page(data, data, FIGURES)


def test_figures_that_both_plans_have_are_compared():
    data = map_data(2)
    newer = {name: {**of, "near_target": 3, "broken_compounds": 2} for name, of in FIGURES.items()}
    assert "接近目标的网格" in comparison_page(data, data, newer)
    assert "接近目标的网格" not in comparison_page(data, data, {**newer, "before": FIGURES["before"]})
