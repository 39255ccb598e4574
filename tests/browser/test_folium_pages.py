"""The pages that open from disk: they work, and nothing leaves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from maps.compare import Told, comparison_page
from maps.coverage import coverage_page
from maps.deviation import deviation_page
from maps.legend import Words
from maps.overview import overview_page
from tests.browser.conftest import DESK, PHONE, Open, Opened
from tests.mosaic import FIGURES, dwellings, map_data, swap


@pytest.fixture
def overview(visit: Open, tmp_path: Path):
    def open_overview(**options: object) -> Opened:
        file = tmp_path / "overview.html"
        file.write_text(overview_page(map_data(6)), encoding="utf-8")
        return visit(file.as_uri(), **options)

    return open_overview


@pytest.fixture
def comparison(visit: Open, tmp_path: Path) -> Opened:
    before = map_data(4)
    page = comparison_page(before, replace(before, grids=swap(before.grids)), FIGURES)
    file = tmp_path / "comparison.html"
    file.write_text(page, encoding="utf-8")
    return visit(file.as_uri())


def paths(opened: Opened, fill: str = "") -> int:
    return opened.page.locator(f'path.leaflet-interactive[fill^="{fill}"]').count()


def test_nothing_leaves_the_overview(overview):
    opened = overview()
    expect(opened.page.locator(".leaflet-control-scale")).to_be_visible()
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    assert len(opened.requests) == 1
    assert opened.complaints == []


def test_the_overview_says_whose_data_it_is(overview):
    page = overview().page
    expect(page.locator("h1")).to_contain_text("试验区")
    expect(page.locator(".badge")).to_contain_text("虚构数据")
    credit = page.locator(".leaflet-control-attribution")
    expect(credit).to_have_text("© OpenStreetMap contributors")


def test_a_grid_tells_its_figures_under_the_pointer(overview):
    page = overview().page
    page.locator('path.leaflet-interactive[fill="url(#over-3)"]').first.hover()
    tip = page.locator(".leaflet-tooltip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("990101")
    expect(tip).to_contain_text("%")


def test_patterns_are_painted_not_only_named(overview):
    opened = overview()
    names = opened.page.evaluate("[...document.querySelectorAll('pattern')].map((each) => each.id)")
    assert {"under-1", "over-1", "moved"} <= set(names)
    assert paths(opened, "url(#over-") > 0
    assert paths(opened, "url(#under-") > 0


def test_layers_switch_on_and_off(overview):
    page = overview().page
    expect(page.locator(".map-mark.site:visible")).to_have_count(3)  # one on the map, two in the legend
    page.get_by_label("党群服务阵地").uncheck()
    expect(page.locator(".map .map-mark.site")).to_have_count(0)
    expect(page.locator(".map .map-mark.facility")).to_have_count(0)
    page.get_by_label("设施").check()
    expect(page.locator(".map .map-mark.facility")).to_have_count(1)


def test_waters_and_parks_lie_below_the_grids(overview):
    page = overview().page
    expect(page.locator(".leaflet-base-pane path")).to_have_count(2)
    below, grids = (
        page.locator(f".leaflet-{pane}-pane").evaluate("(pane) => Number(getComputedStyle(pane).zIndex)")
        for pane in ("base", "overlay")
    )
    assert below < grids
    blending = page.locator(".leaflet-overlay-pane").evaluate("(pane) => getComputedStyle(pane).mixBlendMode")
    assert blending == "multiply"


def test_english_by_a_switch(overview):
    page = overview().page
    expect(page.get_by_text("离目标最远的网格")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("Grids farthest from the target")).to_be_visible()
    expect(page.get_by_text("离目标最远的网格")).to_be_hidden()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off(overview, viewport):
    page = overview(viewport=viewport).page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".map").bounding_box()["height"] > 300


def test_two_maps_move_together(comparison):
    page = comparison.page
    centres = """() => Object.entries(window)
        .filter(([name]) => /^map_\\d+$/.test(name))
        .map(([, map]) => [map.getCenter().lng, map.getZoom()])"""
    before = page.evaluate(centres)
    box = page.locator(".map").first.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 330, steps=4)
    page.mouse.up()
    page.wait_for_function(f"before => JSON.stringify(({centres})()) !== JSON.stringify(before)", arg=before)
    first, second = page.evaluate(centres)
    assert first == pytest.approx(second, abs=1e-4)
    assert comparison.complaints == []
    assert len(comparison.requests) == 1


def test_moved_land_is_marked_and_told_on_both_maps(comparison):
    page = comparison.page
    for number, code in ((0, "990101000000002"), (1, "990101000000001")):
        land = page.locator(".map").nth(number).locator('path[fill="url(#moved)"]')
        box = land.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".map").nth(number).locator(".leaflet-tooltip")).to_contain_text(code)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_reasons_are_told_on_a_comparison_as_they_were_written(visit, tmp_path, viewport):
    before, said = map_data(4), Words("小区<b>甲</b>{s} 拆分" * 9, "Compound <b>A</b>{s}, broken" * 9)
    told = [Told("<i>第一</i>社区" * 9, [said] * 3, [said])]
    file = tmp_path / "comparison.html"
    page = comparison_page(before, replace(before, grids=swap(before.grids)), FIGURES, told)
    file.write_text(page, encoding="utf-8")
    opened = visit(file.as_uri(), viewport=viewport)
    opened.page.locator("summary").get_by_text("<i>第一</i>社区").click()
    expect(opened.page.locator(".reasons li")).to_have_count(4)
    expect(opened.page.locator(".reasons li").first).to_contain_text("小区<b>甲</b>{s} 拆分")
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert opened.complaints == []


PAGES = {
    "deviation": deviation_page,
    "coverage": lambda data: coverage_page(data, dwellings(data.grids)),
}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("kind", PAGES)
def test_deviation_and_coverage_open_from_a_file_without_a_network(visit, tmp_path, kind, viewport):
    file = tmp_path / f"{kind}.html"
    file.write_text(PAGES[kind](map_data(8)), encoding="utf-8")
    opened = visit(file.as_uri(), viewport=viewport, offline=True)
    page = opened.page
    expect(page.locator(".leaflet-control-scale")).to_be_visible()
    expect(page.locator(".badge")).to_contain_text("虚构数据")
    expect(page.locator(".leaflet-control-attribution")).to_have_text("© OpenStreetMap contributors")
    assert page.locator("path.leaflet-interactive").count() > 64
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".map").bounding_box()["height"] > 300
    assert opened.requests == [file.as_uri()]
    assert opened.complaints == []


def test_a_far_grid_tells_its_distance_under_the_pointer(visit, tmp_path):
    file = tmp_path / "coverage.html"
    file.write_text(PAGES["coverage"](map_data(8)), encoding="utf-8")
    page = visit(file.as_uri()).page
    page.locator('path.leaflet-interactive[fill="url(#far-2)"]').last.hover()
    expect(page.locator(".leaflet-tooltip")).to_contain_text("到阵地平均距离")
