"""The page to sign in with, in a browser, with and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from data.session import Store
from etl import accounts
from etl.actor import SYSTEM
from tests import town
from tests.browser.conftest import DESK, PHONE, served

PHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def site(fresh_database):
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        accounts.add(store, SYSTEM, "planner", PHRASE, roles=["planner"], scope=["340504"])
        with served(store) as address:
            yield address
        store.close()


def fill_in(page, name: str, password: str) -> None:
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("button.primary").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_one_signs_in_and_out(visit, site, script):
    opened = visit(f"{site}sign-in?next=/plans", java_script_enabled=script)
    page = opened.page
    fill_in(page, "planner", "not the password")
    expect(page.locator(".problem")).to_have_text("用户名或密码不对。The name or the password is not right.")
    expect(page.locator("input[name=name]")).to_have_value("planner")
    fill_in(page, "planner", PHRASE)
    expect(page.locator(".bar")).to_contain_text("planner")
    page.get_by_role("button", name="退出").click()
    page.goto(f"{site}plans")
    expect(page.locator(".bar")).not_to_contain_text("planner")
    assert all(url.startswith(site) for url in opened.requests)


def test_somebody_who_opens_a_page_with_an_old_cookie_comes_back_to_it(visit, site):
    page = visit(f"{site}sign-in").page
    page.context.add_cookies([{"name": "gridgov_session", "value": "old", "url": site}])
    page.goto(f"{site}docs?a=b")
    expect(page.locator("input[name=next]")).to_have_value("/docs?a=b")
    fill_in(page, "planner", PHRASE)
    page.wait_for_url(f"{site}docs?a=b")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off_and_the_language_switches(visit, site, viewport):
    opened = visit(f"{site}sign-in", viewport=viewport)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(page.locator("h1")).to_have_text("登录", use_inner_text=True)
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Sign in", use_inner_text=True)
    assert opened.complaints == []
