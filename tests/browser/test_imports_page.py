"""The pages of imports: what each changed, which rows were refused, and its undoing by a click."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pandas as pd
import pytest
from playwright.sync_api import expect

from api.kinds import kinds
from data.session import Store
from data.settings import Settings
from etl import accounts, jobs
from etl.actor import SYSTEM, Actor
from etl.ledger import RefusedImportError, import_tables
from tests import ledgers
from tests.browser.conftest import DESK, PHONE, Open, Opened, served
from tests.ledgers import CODE, NAME

PASSWORD = "correct horse battery"  # noqa: S105
ROLES = ("planner", "approver", "dispatcher")


def deliver(store: Store, tables: dict[str, list[dict]]) -> None:
    """Import a ledger given as rows by noun."""
    frames = {
        noun: ledgers.frame(rows) if "lon" in rows[0] else pd.DataFrame(rows) for noun, rows in tables.items()
    }
    import_tables(
        store, SYSTEM, CODE, frames, name=NAME, kind="ledger", source="2026年7月台账", digest="0" * 64
    )


@pytest.fixture(scope="module")
def town(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[tuple[Store, str]]:
    """A district, three batches (loaded, loaded, refused), and the address it is served at."""
    with fresh_database() as url:
        store = Store(url)
        first = {
            "communities": ledgers.COMMUNITIES,
            "compounds": ledgers.COMPOUNDS,
            "buildings": ledgers.buildings(30),
        }
        deliver(store, first)
        second = copy.deepcopy(first)
        second["compounds"][0]["name"] = "梧桐新里"
        second["buildings"][0]["households"] = 99
        del second["buildings"][-2:]
        deliver(store, second)
        third = copy.deepcopy(second)
        third["buildings"][0]["households"] = -4
        with pytest.raises(RefusedImportError):
            deliver(store, third)
        for role in ROLES:
            accounts.add(store, SYSTEM, role, PASSWORD, roles=[role], scope=[CODE])
        with served(store) as address:
            yield store, address
        store.close()


def signed_in(visit: Open, site: str, role: str, path: str, **options: object) -> Opened:
    opened = visit(f"{site}sign-in?next={path}", **options)
    opened.page.get_by_label("用户名").fill(role)
    opened.page.get_by_label("密码").fill(PASSWORD)
    opened.page.locator("main").get_by_role("button", name="登录").click()
    opened.page.wait_for_url(f"{site.rstrip('/')}{path}")
    return opened


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_what_an_import_changed_is_told(visit, town, viewport):
    _, site = town
    opened = signed_in(visit, site, "approver", "/imports", viewport=viewport)
    page = opened.page
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").first).to_contain_text("被拒绝")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.goto(f"{site}imports/2")
    page.locator("summary", has_text="注销楼栋").click()
    expect(page.locator("details[open] tbody")).to_contain_text("B29")
    page.locator("summary", has_text="户数变化").click()
    expect(page.locator("details[open] tbody").last).to_contain_text("99")
    page.locator("summary", has_text="更名的小区").click()
    expect(page.locator("details[open] tbody").last).to_contain_text("梧桐新里")
    expect(page.get_by_role("button", name="撤销这批导入")).to_have_count(0)  # an approver may not
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert opened.complaints == []
    assert all(url.startswith(site) for url in opened.requests)


def test_refused_rows_can_be_downloaded(visit, town):
    _, site = town
    page = signed_in(visit, site, "planner", "/imports/3").page
    expect(page.locator("main")).to_contain_text("不能为负数")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载被拒绝的行").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    assert "buildings" in text
    assert "negative" in text
    assert "-4" not in text


def test_whoever_may_not_see_imports_is_told_so(visit, town):
    _, site = town
    page = signed_in(visit, site, "dispatcher", "/plans").page
    assert page.goto(f"{site}imports").status == 403
    expect(page.locator("h1")).to_contain_text("没有权限")
    assert "/sign-in" in visit(f"{site}imports").page.url


def test_a_job_is_shown_and_followed_until_it_ends(visit, town):
    store, site = town
    planner = Actor("planner", frozenset({"planner"}))
    job = jobs.submit(store, planner, CODE, kinds(Settings())["retention"])
    page = signed_in(visit, site, "planner", "/imports").page
    expect(page.locator(".job")).to_contain_text("排队中")
    jobs.cancel(store, planner, CODE, job.id)
    expect(page.locator(".job")).to_have_count(0, timeout=15_000)
    page.locator("summary", has_text="最近完成的").click()
    expect(page.locator("details li").first).to_contain_text("已取消")


def test_nothing_is_undone_unasked_however_slowly_the_page_loads(visit, town):
    _, site = town
    page = signed_in(visit, site, "planner", "/imports").page
    page.route("**/pages.js*", lambda route: (time.sleep(1.0), route.continue_()))
    page.goto(f"{site}imports/2", wait_until="commit")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="撤销这批导入").click()
    assert asked == ["撤销整批导入，恢复到导入之前？"]
    expect(page.locator("h1 .chip")).not_to_contain_text("已撤销")


def test_an_import_is_undone_by_a_click_the_newest_first(visit, town):
    _, site = town
    opened = signed_in(visit, site, "planner", "/imports/1")
    page = opened.page
    expect(page.get_by_role("button", name="撤销这批导入")).to_be_disabled()
    page.locator(".barred").get_by_role("link", name="2").click()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="撤销这批导入").click()
    expect(page.get_by_role("status")).to_contain_text("这批导入已撤销")
    expect(page.locator("h1 .chip")).to_contain_text("已撤销")
    assert asked == ["撤销整批导入，恢复到导入之前？"]
    page.goto(f"{site}imports/1")
    expect(page.get_by_role("button", name="撤销这批导入")).to_be_enabled()
    assert opened.complaints == []
