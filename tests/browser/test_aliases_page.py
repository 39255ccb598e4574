"""The page of aliases: proposed by one, confirmed by another, withdrawn, each by a click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Page, expect

from data.session import Store
from etl import accounts, aliases
from etl.actor import SYSTEM
from tests import town as small
from tests.browser.conftest import DESK, PHONE, Open, Opened, served

PASSWORD = "correct horse battery"  # noqa: S105
CODE = "340504"
ROLES = {"one": "dispatcher", "other": "dispatcher", "planner": "planner", "approver": "approver"}


@pytest.fixture(scope="module")
def town(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """A town with an alias in force, and the address it is served at."""
    with fresh_database() as url:
        store = Store(url)
        small.build(store)
        for name, role in ROLES.items():
            accounts.add(store, SYSTEM, name, PASSWORD, roles=[role], scope=[CODE])
        aliases.propose(store, SYSTEM, CODE, "老粮站", building="B4", alone=True)
        with served(store) as address:
            yield address
        store.close()


def signed_in(visit: Open, site: str, name: str, **options: object) -> Opened:
    opened = visit(f"{site}sign-in?next=/aliases", **options)
    opened.page.get_by_label("用户名").fill(name)
    opened.page.get_by_label("密码").fill(PASSWORD)
    opened.page.locator("main").get_by_role("button", name="登录").click()
    opened.page.wait_for_url(f"{site}aliases")
    return opened


def propose(page: Page, name: str, code: str) -> None:
    page.locator("summary", has_text="提议别名").click()
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=code]").fill(code)
    page.locator("details button").click()


@pytest.mark.parametrize(
    ("viewport", "name"), [(DESK, "老纺织厂宿舍"), (PHONE, "老邮局")], ids=["desk", "phone"]
)
def test_a_name_goes_from_a_proposal_to_force_and_back(visit, town, viewport, name):
    first = signed_in(visit, town, "one", viewport=viewport)
    propose(first.page, f"{name}3幢 王先生", "X1")
    expect(first.page.get_by_role("status")).to_contain_text("别名已记下")
    mine = first.page.locator("tbody tr", has_text=name)
    expect(mine).to_contain_text("待他人确认")
    expect(mine).not_to_contain_text("王先生")
    expect(mine.get_by_role("button", name="确认")).to_have_count(0)
    first.page.wait_for_load_state()  # words are there before styles
    assert first.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    second = signed_in(visit, town, "other", viewport=viewport)
    row = second.page.locator("tbody tr", has_text=name)
    row.get_by_role("button", name="确认").click()
    expect(second.page.get_by_role("status")).to_contain_text("别名已生效")
    expect(row.locator(".chip")).to_contain_text("生效中")
    asked: list[str] = []
    second.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    row.get_by_role("button", name="撤销").click()
    expect(row).to_contain_text("已撤销")
    assert asked == ["撤销这个别名？按它将不再找到地址。"]
    for opened in (first, second):
        assert opened.complaints == []
        assert all(url.startswith(town) for url in opened.requests)


def test_a_name_of_something_else_is_refused_with_a_reason(visit, town):
    page = signed_in(visit, town, "planner").page
    propose(page, "碧水小区", "X1")
    expect(page.locator("h1")).to_contain_text("现在不能这样做")
    expect(page.locator("main")).to_contain_text("碧水小区")


def test_aliases_are_filtered_and_read_by_whoever_may_not_propose(visit, town):
    page = signed_in(visit, town, "approver").page
    expect(page.locator("summary", has_text="提议别名")).to_have_count(0)
    page.locator("nav.filter").get_by_role("link", name="生效中").click()
    expect(page.locator("tbody tr")).to_contain_text(["老粮站"])
    expect(page.get_by_role("button", name="撤销")).to_have_count(0)
    assert "/sign-in" in visit(f"{town}aliases").page.url
