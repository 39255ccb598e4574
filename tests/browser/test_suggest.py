"""The search box of the landing page suggests while somebody types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.town import grid_code

PAUSE_MS = 1000
"""Longer than any pause in typing that the page waits for."""
OPTIONS = "#suggestions [role=option]"


@pytest.fixture
def opened(visit, site):
    opened = visit(site)
    expect(opened.page.locator("#map[data-ready]")).to_be_visible()
    return opened


def box_of(page):
    return page.get_by_role("combobox")


def asked(opened):
    return [url for url in opened.requests if "/api/v1/suggest" in url]


def test_pinyin_is_suggested_and_the_keyboard_chooses(opened):
    page, box = opened.page, box_of(opened.page)
    box.press_sequentially("kangn")
    expect(page.locator(OPTIONS)).to_have_count(1)
    expect(page.locator(OPTIONS)).to_contain_text("康宁花园")
    expect(page.locator("#suggestions mark")).to_have_text("康宁")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#suggested")).to_contain_text("1 条建议")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_contain_text("康宁花园")
    expect(box).to_have_attribute("aria-activedescendant", page.locator(OPTIONS).get_attribute("id"))
    page.keyboard.press("Enter")  # a compound is narrowed down to its buildings
    expect(box).to_have_value("康宁花园")
    expect(page.locator(OPTIONS)).to_have_count(4)
    expect(page.locator("#answer .card")).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # one building is asked about
    expect(box).to_have_value("康宁花园1幢")
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(1))
    expect(page.locator("#suggestions")).to_be_hidden()
    assert opened.complaints == []


def test_arrows_go_round_by_the_box_and_escape_closes(opened):
    page, box = opened.page, box_of(opened.page)
    box.fill("康宁花园")
    expect(page.locator(OPTIONS)).to_have_count(4)
    page.keyboard.press("ArrowUp")
    expect(page.locator(OPTIONS).last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    expect(page.locator(OPTIONS).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("康宁花园")
    page.keyboard.press("ArrowDown")
    expect(page.locator(OPTIONS)).to_have_count(4)


def test_enter_asks_about_what_is_typed_where_nothing_is_chosen(opened):
    page = opened.page
    box_of(page).fill("湖东路166号康宁花园1幢")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(1))
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_click_chooses(opened):
    page = opened.page
    box_of(page).fill("jkl")
    page.locator(OPTIONS).filter(has_text="38号").click()
    expect(box_of(page)).to_have_value("健康路38号")
    expect(page.locator("#answer .card")).to_contain_text(grid_code(3))


def test_nothing_is_asked_while_an_input_method_composes(opened):
    page, box = opened.page, box_of(opened.page)
    page.clock.install()
    box.focus()
    keyboard = page.context.new_cdp_session(page)
    for text in ("k", "kang", "kang'ning"):
        keyboard.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
    expect(box).to_have_value("kang'ning")
    page.clock.run_for(PAUSE_MS)
    assert asked(opened) == []
    keyboard.send("Input.insertText", {"text": "康宁"})
    page.clock.run_for(PAUSE_MS)
    expect(page.locator(OPTIONS)).to_have_count(1)
    assert len(asked(opened)) == 1


def test_a_burst_of_typing_is_one_question(opened):
    page = opened.page
    page.evaluate(
        """() => {
            const box = document.getElementById("address");
            for (const text of ["k", "kn", "knh", "knhy"]) {
                box.value = text;
                box.dispatchEvent(new Event("input", { bubbles: true }));
            }
        }"""
    )
    expect(page.locator(OPTIONS)).to_have_count(4)
    assert [url.rpartition("=")[2] for url in asked(opened)] == ["knhy"]


def test_an_answer_that_comes_late_is_not_shown(opened):
    page, box = opened.page, box_of(opened.page)
    held = []
    page.route(re.compile("suggest.q=bs"), lambda route: held.append(route))
    given_up = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    with page.expect_request(re.compile("suggest.q=bs")):
        box.fill("bs")
    box.fill("knhy")
    expect(page.locator(OPTIONS).first).to_contain_text("康宁花园")
    assert len(held) == 1
    assert [url.rpartition("=")[2] for url in given_up] == ["bs"]


def test_nothing_is_asked_for_an_empty_box_or_a_text_that_is_no_name(opened):
    page, box = opened.page, box_of(opened.page)
    box.fill("kn")
    expect(page.locator(OPTIONS)).to_have_count(1)
    page.clock.install()
    for text in ("", "   ", "长" * 101):
        box.fill(text)
        expect(page.locator("#suggestions")).to_be_hidden()
        page.clock.run_for(PAUSE_MS)
    assert len(asked(opened)) == 1


def test_what_is_like_nothing_is_said_to_who_does_not_see(opened):
    page = opened.page
    box_of(page).fill("火星")
    expect(page.locator("#suggested")).to_contain_text("没有建议")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_failure_is_said_in_words_and_does_not_stay(opened):
    page, box = opened.page, box_of(opened.page)
    page.route(re.compile("suggest"), lambda route: route.abort())
    box.fill("kn")
    expect(page.locator("#suggestions")).to_contain_text("暂无建议")
    page.unroute(re.compile("suggest"))
    box.fill("knh")
    expect(page.locator(OPTIONS)).to_have_count(1)


def test_both_languages(opened):
    page = opened.page
    page.get_by_role("button", name="English").click()
    box_of(page).fill("kn")
    expect(page.locator(OPTIONS).get_by_text("compound")).to_be_visible()
    expect(page.locator(OPTIONS).get_by_text("小区", exact=True)).to_be_hidden()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_list_is_seen_whole_and_big_enough_for_a_finger(visit, site, viewport):
    page = visit(site, viewport=viewport).page
    expect(page.locator("#map[data-ready]")).to_be_visible()
    box_of(page).fill("康宁花园")
    expect(page.locator(OPTIONS)).to_have_count(4)
    last = page.locator(OPTIONS).last.bounding_box()
    assert last["y"] + last["height"] <= viewport["height"]
    assert last["height"] >= 44
    assert last["x"] >= 0
    assert last["x"] + last["width"] <= viewport["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
