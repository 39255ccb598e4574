"""The landing page, served by the real application."""

from __future__ import annotations

import json
import re

import pytest
import shapely
from playwright.sync_api import expect

from maps.legend import deviations
from tests.browser.conftest import DESK, PHONE, Open
from tests.mosaic import areas
from tests.town import grid_code


def opened_map(visit: Open, site: str, **options: object):
    opened = visit(site, **options)
    expect(opened.page.locator("#map[data-ready]")).to_be_visible()
    return opened


def test_it_shows_how_the_district_stands_and_asks_only_its_own_server(visit, site):
    opened = opened_map(visit, site)
    page = opened.page
    expect(page.locator("h1")).to_contain_text("雨山区")
    expect(page.locator("#made-up")).to_be_visible()
    expect(page.locator("#figures > div").first.locator("dd")).to_have_text("4")
    expect(page.locator("#figures .problem dd")).to_have_text("3")
    expect(page.locator("#figures .problem dt")).to_contain_text("无人值守")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("© OpenStreetMap contributors")
    assert all(url.startswith(site) for url in opened.requests)
    assert opened.complaints == []


def test_a_click_on_the_map_answers_with_the_grid(visit, site):
    page = opened_map(visit, site).page
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    card = page.locator("#answer .card")
    expect(card).to_contain_text(re.compile("|".join(grid_code(number) for number in (1, 2))))
    expect(card).to_contain_text("富民社区")
    expect(page.locator("#answer .status")).to_contain_text("确定")
    expect(page.locator(".pin")).to_be_visible()


def test_the_keyboard_asks_about_the_centre(visit, site):
    page = opened_map(visit, site).page
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer .card, #answer .status").first).to_be_visible()


def test_an_address_answers_with_the_same_card(visit, site):
    page = opened_map(visit, site).page
    page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(1))
    page.get_by_role("combobox").fill("没有这个地方9999号")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .status")).to_contain_text("没有找到")


def test_what_is_asked_about_stands_in_no_address(visit, site):
    opened = opened_map(visit, site)
    page, box = opened.page, opened.page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    expect(page.locator("#answer .card")).to_be_visible()
    page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(1))
    asked = [url for url in opened.requests if "/locate" in url or "/resolve" in url]
    assert asked == [f"{site}api/v1/locate", f"{site}api/v1/resolve"]


def test_what_else_may_be_meant_is_listed_with_how_sure_it_is(visit, site):
    page = opened_map(visit, site).page
    page.get_by_role("combobox").fill("碧水小区1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer .status")).to_contain_text("有多种可能")
    expect(page.locator("#answer .list tr")).to_have_count(2)
    expect(page.locator("#answer .list")).to_contain_text(f"{grid_code(4)}安居社区")
    expect(page.locator("#answer .doubts li").first).to_be_visible()
    page.get_by_role("combobox").fill("富民社区碧水小区1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer .status")).to_contain_text(re.compile(r"可信度 \d+%"))
    expect(page.locator("#answer .place")).to_contain_text("碧水小区1幢")


def test_the_nearest_site_of_each_service_is_listed_once(visit, site):
    page = opened_map(visit, site).page
    page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    page.get_by_role("button", name="查询").click()
    sites = page.locator("#answer table.list tr")
    expect(sites).to_have_count(2)
    expect(sites.first).to_contain_text("康宁党群服务中心 休息、饮水")


def test_a_refusal_is_shown_in_words(visit, site):
    opened = opened_map(visit, site)
    opened.page.evaluate("document.getElementById('address').removeAttribute('maxlength')")
    opened.page.get_by_role("combobox").fill("长" * 2000)
    opened.page.keyboard.press("Enter")
    expect(opened.page.locator("#answer .problem")).to_contain_text("at most 500 characters")


def test_every_layer_can_be_switched_on(visit, site):
    opened = opened_map(visit, site)
    boxes = opened.page.locator("#layers input")
    for index in range(boxes.count()):
        boxes.nth(index).check()
    expect(opened.page.locator(".map .map-mark.rider")).to_have_count(1)
    expect(opened.page.locator("#notice")).to_be_hidden()
    assert opened.complaints == []


def test_colours_and_language_switch(visit, site):
    page = opened_map(visit, site).page
    page.get_by_role("button", name="相邻异色").click()
    expect(page.locator("#legend")).to_contain_text("没有含义")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("Whose grid is it?")).to_be_visible()
    expect(page.get_by_text("这里归哪个网格")).to_be_hidden()
    expect(page.get_by_role("combobox")).to_have_attribute(
        "placeholder", "Address, name or pinyin, or click the map"
    )


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off(visit, site, viewport):
    page = opened_map(visit, site, viewport=viewport).page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("#map").bounding_box()["height"] > 300


def test_without_a_district_it_says_what_to_do(visit, empty_site):
    opened = visit(empty_site)
    expect(opened.page.locator("#notice")).to_contain_text("还没有导入任何区")
    expect(opened.page.locator("#notice")).to_contain_text("gridgov demo")


def test_neighbouring_grids_never_share_a_colour(visit, site):
    frame = areas(12, wiggles=9)
    shapes = [shapely.geometry.mapping(shape) for shape in frame.geometry]
    given = visit(site).page.evaluate(
        """async (shapes) => {
            const { colour, neighbours } = await import("/static/colouring.js");
            return colour(neighbours(shapes), 6);
        }""",
        json.loads(json.dumps(shapes)),
    )
    left, right = shapely.STRtree(frame.geometry).query(frame.geometry, predicate="intersects")
    border = shapely.length(
        shapely.intersection(frame.geometry.to_numpy()[left], frame.geometry.to_numpy()[right])
    )
    pairs = [(a, b) for a, b, shared in zip(left, right, border, strict=True) if a < b and shared > 0]
    assert len(pairs) == 2 * 12 * 11
    assert all(given[a] != given[b] for a, b in pairs)
    assert set(given) <= set(range(6))


@pytest.mark.parametrize(("target", "tolerance"), [(300, 10), (297, 7), (20, 50), (500, 33)])
def test_the_classes_are_those_of_the_folium_pages(visit, site, target, tolerance):
    shown = visit(site).page.evaluate(
        """async ([target, tolerance]) => {
            const { deviations, load } = await import("/static/legend.js");
            return deviations(await load(), target, tolerance).map(({ name, low, high }) => [name, low, high]);
        }""",
        [target, tolerance],
    )
    assert [tuple(each) for each in shown] == [
        (each.name, each.low, each.high) for each in deviations(target, tolerance)
    ]
