"""The page for phones: whose grid am I in, and what the QR code of a grid sheet leads to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.town import grid_code

INSIDE = {"latitude": 31.705, "longitude": 118.5165, "accuracy": 12.0}
AT_A_BORDER = {"latitude": 31.705, "longitude": 118.51001, "accuracy": 40.0}


def opened(visit, site, path="m", **options):
    found = visit(f"{site}{path}", viewport=PHONE, has_touch=True, **options)
    expect(found.page.locator("h1")).to_contain_text("雨山区")
    return found


def standing_at(visit, site, place):
    found = opened(visit, site, geolocation=place, permissions=["geolocation"])
    found.page.get_by_role("button", name="我在哪个网格？").click()
    return found


def test_who_stands_somewhere_is_told_the_grid(visit, site):
    found = standing_at(visit, site, INSIDE)
    page = found.page
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(2))
    expect(page.locator("#answer")).to_contain_text("最近的党群服务阵地")
    expect(page.locator("#map[data-ready] .pin")).to_be_visible()
    assert all(url.startswith(site) for url in found.requests)
    assert not any("118.51" in url and "bbox" not in url for url in found.requests)
    assert found.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_who_stands_at_a_border_is_told_both_grids(visit, site):
    page = standing_at(visit, site, AT_A_BORDER).page
    expect(page.locator("#answer .status")).to_contain_text("有多种可能")
    for number in (1, 2):
        expect(page.locator("#answer table.list").first).to_contain_text(grid_code(number))
    expect(page.locator("#answer table.list").first.get_by_role("link")).to_have_count(2)  # to be called


def test_who_stands_elsewhere_is_told_so(visit, site):
    found = standing_at(visit, site, {"latitude": 31.0, "longitude": 118.0, "accuracy": 5.0})
    expect(found.page.locator("#answer .status")).to_contain_text("不在本区")
    expect(found.page.locator("#map[data-ready] .pin")).to_be_visible()
    assert found.complaints == []


def test_without_leave_to_ask_the_position_it_says_what_to_do(visit, site):
    found = opened(visit, site)
    found.page.get_by_role("button", name="我在哪个网格？").click()
    expect(found.page.locator("#answer .problem")).to_contain_text("没有得到位置许可")
    expect(found.page.locator("#stage")).to_be_hidden()
    found.page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    found.page.get_by_role("button", name="查询").click()
    expect(found.page.locator("#answer .card h3")).to_contain_text(grid_code(1))
    assert found.complaints == []


@pytest.mark.parametrize("code", [grid_code(1), "L2"])
def test_the_code_of_a_sheet_leads_to_its_grid(visit, site, code):
    page = opened(visit, site, f"m?grid={code}").page
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(2 if code == "L2" else 1))
    expect(page.locator("#map[data-ready]")).to_be_visible()


def test_a_sheet_of_a_grid_that_is_gone_leads_to_those_it_became(visit, site):
    page = opened(visit, site, f"m?grid={grid_code(5)}").page
    expect(page.locator("#answer")).to_contain_text(re.compile("已于 .* 撤销"))
    page.get_by_role("link", name=grid_code(4)).click()
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(4))


def test_a_code_nobody_knows_is_told(visit, site):
    page = visit(f"{site}m?grid=340504999999999", viewport=PHONE).page
    expect(page.locator("#answer .problem")).to_contain_text("No grid has this code")


def test_what_was_shown_goes_when_the_next_question_fails(visit, site):
    page = opened(visit, site, f"m?grid={grid_code(1)}").page
    expect(page.locator("#map[data-ready]")).to_be_visible()
    page.get_by_role("button", name="我在哪个网格？").click()
    expect(page.locator("#answer .problem")).to_contain_text("没有得到位置许可")
    expect(page.locator("#stage")).to_be_hidden()
    page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#stage")).to_be_visible()


def test_it_speaks_english_too(visit, site):
    page = opened(visit, site, f"m?grid={grid_code(1)}").page
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Whose grid am I in?")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("Community")
