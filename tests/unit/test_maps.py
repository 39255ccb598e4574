"""The folium pages without a browser: classes, light geometry, what a page may and may not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from maps.compare import Told, comparison_page
from maps.coverage import coverage_page, distances_m, public_parts, reach_of
from maps.deviation import deviation_page, histogram
from maps.legend import Words, deviations, grade_of, public_count, words
from maps.overview import overview_page
from maps.shapes import light_areas, light_ground, light_lines, moved_land, outlines
from tests.mosaic import FIGURES, areas, dwellings, map_data, swap

HOSTILE = "</script><img src=x onerror=alert(1)>"


@given(st.integers(20, 5000), st.integers(1, 50), st.integers(10, 20_000))
def test_in_band_is_what_the_target_and_tolerance_say(target, tolerance, households):
    classes = deviations(target, tolerance)
    found = grade_of(households, classes)
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
    assert (grade_of(told, deviations(300, 10)).name == "withheld") == (told is None)


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
    for page in (
        overview_page(hostile),
        comparison_page(hostile, hostile, FIGURES, reasons),
        deviation_page(hostile),
        coverage_page(hostile, dwellings(hostile.grids)),
    ):
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


def test_grids_without_a_code_are_listed_without_one():
    data = map_data(3)
    new = replace(
        data, grids=data.grids.assign(code=None, external_code=[None, "L2", *[None] * 7], households=900)
    )
    for page in (overview_page(new), coverage_page(new, dwellings(new.grids, 1).assign(lat=31.9))):
        listed = re.findall(r"<tr><td>([^<]*)</td><td>第", page)
        assert set(listed) == {"—", "L2"}


def test_layers_may_be_empty():
    data = map_data(3)
    names = ("sites", "facilities", "rider_communities", "rider_points", "streets", "barriers", "communities")
    names += ("water", "green")
    assert overview_page(replace(data, **{name: getattr(data, name).iloc[:0] for name in names}))


def test_ground_is_light_and_the_largest_of_it_stays():
    ring = shapely.Point(118.5, 31.7).buffer(0.01, quad_segs=500)
    ground = gpd.GeoDataFrame(
        {"name": ["small", "large", "stream"]},
        geometry=[
            shapely.box(118.6, 31.7, 118.601, 31.701),
            ring,
            shapely.LineString([(118.5, 31.7), (118.6, 31.7)]),
        ],
        crs=4326,
    )
    light = light_ground(ground, 1_000)
    assert light["name"].tolist() == ["large", "small"]
    vertices = shapely.get_num_coordinates(light.geometry.to_numpy())
    assert vertices.sum() < 120
    assert light_ground(ground, vertices[0])["name"].tolist() == ["large"]
    assert light_ground(ground.iloc[2:], 60).empty


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
    assert len(re.findall(r'class="map with-base" id="map_\d+"', page)) == 2
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


def test_deviation_and_coverage_ask_nothing_of_the_network_and_are_the_same_each_time():
    data = map_data(6)
    for make in (deviation_page, lambda data: coverage_page(data, dwellings(data.grids))):
        page = make(data)
        assert page == make(data)
        markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
        assert not re.findall(r"""<script\s|(?:src|href)="(?!data:|#)|@import""", markup)
        assert not re.findall(r"url\((?!data:|#)", page)
        assert "OpenStreetMap contributors" in page
        assert "虚构数据" in page
        assert "虚构数据" not in make(replace(data, made_up=False))


@given(st.lists(st.integers(10, 900), max_size=40), st.integers(20, 500), st.integers(1, 50))
def test_a_histogram_counts_every_grid_once_and_leaves_no_gap(households, target, tolerance):
    bars = histogram(households, target, deviations(target, tolerance))
    assert sum(bar.grids for bar in bars) == len(households)
    assert (
        [bar.low for bar in bars] == [*range(bars[0].low, bars[-1].low + 10, 10)] if bars else not households
    )
    for bar in bars:
        inside = [each for each in households if bar.low <= 100 * (each - target) / target < bar.low + 10]
        assert len(inside) == bar.grids


def test_deviation_tells_each_community_and_no_small_count():
    data = map_data(4)
    page = deviation_page(replace(data, grids=data.grids.assign(households=[7, *[300] * 14, 450])))
    assert page.count("<td>第") == 4
    assert '<td>第5社区</td><td class="number">3 / 4</td><td class="number">300–450</td>' in page
    assert "+50%" in page
    assert "不足 10 户的数不公开" in page
    assert ">7<" not in page
    assert not re.search(r'"v\d":"7"', page)


def test_distances_are_to_the_nearest_site():
    spots, sites = np.array([[0.0, 0], [100, 0], [0, 600]]), np.array([[0.0, 0], [90, 0]])
    away = distances_m(spots, sites)
    assert away.tolist() == [0, 10, 600]
    told = reach_of(pd.Series([1, 1, 2]), away)
    assert told.loc[1].to_dict() == {"placed": 2, "mean_m": 5, "farthest_m": 10, "beyond": 0}
    assert told.loc[2].to_dict() == {"placed": 1, "mean_m": 600, "farthest_m": 600, "beyond": 1}


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40)), min_size=3, max_size=3))
def test_no_small_part_is_told_nor_left_by_subtraction(parts):
    households, buildings = zip(*parts, strict=True)
    told = public_parts(households, buildings)
    for number, each in enumerate(told):
        small = 0 < households[number] < 10 or 0 < buildings[number] < 10
        assert each in (None, households[number])
        assert not (small and each is not None)
    hidden = told.count(None)
    assert hidden != 1 or sum(filter(None, told)) == 0


def test_coverage_counts_buildings_by_distance_and_only_sites_that_are_open():
    data = map_data(6)
    page = coverage_page(data, dwellings(data.grids, each=12))
    rows = re.findall(r'<td class="number">([\d,]+)</td><td class="number">([\d,]+)</td>', page)
    assert sum(int(buildings.replace(",", "")) for buildings, _ in rows) == 12 * 36
    assert sum(int(households.replace(",", "")) for _, households in rows) == 25 * 12 * 36
    with pytest.raises(InputError, match="No site is open"):
        coverage_page(replace(data, sites=data.sites.assign(state="planned")), dwellings(data.grids))


def test_grids_without_buildings_are_on_the_map_of_coverage():
    data = map_data(3)
    page = coverage_page(data, dwellings(data.grids.iloc[:4]))
    assert "<span lang=zh-CN>没有楼栋</span>" in page
    assert re.search(r'没有楼栋.*?<span class="number">5</span>', page, re.DOTALL)
