"""The pages of plans: people bring a plan from a draft into force by clicking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import expect

from data import plans
from data.session import Store
from etl import accounts
from etl.actor import SYSTEM, Actor
from etl.drafts import open_draft
from etl.edits import Move, move
from etl.establish import establish
from etl.lifecycle import approve, submit
from etl.plans import rebalance
from etl.proposing import Wish
from tests.browser.conftest import DESK, PHONE, Open, Opened, served
from tests.settle import settle

CODE = "990001"
PASSWORD = "correct horse battery"  # noqa: S105
PLANNER = Actor("planner", frozenset({"planner"}), frozenset({CODE}))
APPROVER = Actor("approver", frozenset({"approver"}), frozenset({CODE}))
BOTH = Actor("both", frozenset({"planner", "approver"}), frozenset({CODE}))


@pytest.fixture(scope="module")
def town(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[tuple[Store, str]]:
    """A district of four grids with a plan in force, an account a role, and the address it is served at."""
    with fresh_database() as url:
        store = Store(url)
        settle(store)
        establish(store, SYSTEM, CODE, target=360)
        for role in accounts.ROLES:
            accounts.add(store, SYSTEM, role, PASSWORD, roles=[role], scope=[CODE])
        accounts.add(store, SYSTEM, BOTH.id, PASSWORD, roles=BOTH.roles, scope=[CODE])
        with served(store) as address:
            yield store, address
        store.close()


@pytest.fixture
def drafted(town: tuple[Store, str]) -> int:
    """A draft that makes a grid of a column of houses; its number."""
    store, _ = town
    number = open_draft(store, PLANNER, CODE, title="西片区调整").number
    houses = [f"B1-2-{row}" for row in range(6)]
    move(store, PLANNER, CODE, number, [Move("new", buildings=houses)], revision=1)
    return number


def signed_in(visit: Open, site: str, role: str, path: str, **options: object) -> Opened:
    opened = visit(f"{site}sign-in?next={path}", **options)
    opened.page.get_by_label("用户名").fill(role)
    opened.page.get_by_label("密码").fill(PASSWORD)
    opened.page.locator("main").get_by_role("button", name="登录").click()
    opened.page.wait_for_url(f"{site.rstrip('/')}{path}")
    return opened


def test_an_approver_brings_a_submitted_plan_into_force(visit, town, drafted):
    store, site = town
    submit(store, PLANNER, CODE, drafted)
    opened = signed_in(visit, site, "approver", f"/plans/{drafted}")
    page = opened.page
    page.locator("summary", has_text="批准").click()
    for reason in page.locator("details.act[open] input[name=reason]").all():
        reason.fill("值守名单下月到位")
    page.locator("details.act[open]").get_by_role("button", name="批准").click()
    expect(page.get_by_role("status")).to_contain_text("已批准。")
    expect(page.locator("h1 .chip")).to_contain_text("已批准")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="立即发布").click()
    expect(page.get_by_role("status")).to_contain_text("已发布。")
    expect(page.locator("h1 .chip")).to_contain_text("生效中")
    expect(page.locator(".history")).to_contain_text("发布")
    with store.begin(CODE) as connection:
        plan = plans.in_force(connection, CODE)
    assert (plan.number, plan.approved_by) == (drafted, "approver")
    assert opened.complaints == []
    assert all(url.startswith(site) for url in opened.requests)


def test_a_plan_can_be_published_for_later_and_withdrawn(visit, town, drafted):
    store, site = town
    submit(store, PLANNER, CODE, drafted)
    approve(store, APPROVER, CODE, drafted, waive={"all": "x"})
    page = signed_in(visit, site, "approver", f"/plans/{drafted}").page
    page.locator("summary", has_text="定时发布").click()
    page.get_by_label("生效时间").fill("2099-01-01T00:00")
    page.locator("details.act[open]").get_by_role("button", name="定时发布").click()
    expect(page.locator("h1 .chip")).to_contain_text("待生效")
    expect(page.locator(".facts")).to_contain_text("2099-01-01 00:00")
    page.locator("summary", has_text="撤回").click()
    page.get_by_label("原因").fill("改期")
    page.locator("details.act[open]").get_by_role("button", name="撤回").click()
    expect(page.locator("h1 .chip")).to_contain_text("已撤回")
    expect(page.locator(".comment")).to_contain_text("改期")


def test_whoever_drew_a_plan_is_told_why_another_approves_it(visit, town):
    store, site = town
    number = open_draft(store, BOTH, CODE).number
    submit(store, BOTH, CODE, number)
    page = signed_in(visit, site, "both", f"/plans/{number}").page
    expect(page.get_by_role("button", name="批准")).to_be_disabled()
    expect(page.locator(".barred")).to_contain_text("须由其他账号批准")
    planner = signed_in(visit, site, "planner", f"/plans/{number}").page
    expect(planner.locator(".acts")).not_to_contain_text("批准")
    expect(planner.locator(".acts")).to_contain_text("撤回")


def test_a_planner_opens_a_draft_submits_it_and_comments(visit, town):
    _, site = town
    page = signed_in(visit, site, "planner", "/plans").page
    page.get_by_role("button", name="开新方案").click()
    expect(page.get_by_role("status")).to_contain_text("新方案已开好。")
    page.get_by_label("发表意见").fill("<b>东侧</b>待确认")
    page.get_by_role("button", name="发表").click()
    expect(page.locator(".comment")).to_contain_text("<b>东侧</b>待确认")
    page.get_by_role("button", name="提交审批").click()
    expect(page.locator("h1 .chip")).to_contain_text("待批准")
    expect(page.locator(".broken").first).to_contain_text("无人值守")


def test_what_changed_meanwhile_is_told_as_a_page(visit, town, drafted):
    store, site = town
    opened = signed_in(visit, site, "planner", f"/plans/{drafted}")
    move(store, PLANNER, CODE, drafted, [Move("new", buildings=["B1-0-0"])], revision=2)
    opened.page.get_by_role("button", name="提交审批").click()
    expect(opened.page.get_by_role("alert")).to_contain_text("is at revision 3, not 2")
    opened.page.get_by_role("link", name="返回").click()
    expect(opened.page.locator("h1 .chip")).to_contain_text("草案")


def test_the_public_sees_what_was_published_and_no_draft(visit, town, drafted):
    _, site = town
    opened = visit(f"{site}plans")
    expect(opened.page.locator("h1")).to_contain_text("网格方案")
    expect(opened.page.get_by_role("link", name="台账现状")).to_be_visible()
    expect(opened.page.locator(f"a[href='/plans/{drafted}']")).to_have_count(0)
    expect(opened.page.locator("table")).not_to_contain_text("planner")
    expect(opened.page.get_by_role("button", name="开新方案")).to_have_count(0)
    opened.page.goto(f"{site}plans/1")
    expect(opened.page.locator("body")).not_to_contain_text("历史")
    assert opened.page.goto(f"{site}plans/{drafted}").status == 404
    assert "/sign-in" in opened.page.goto(f"{site}plans/1/map").url


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off_and_both_languages_are_there(visit, town, drafted, viewport):
    _, site = town
    opened = signed_in(visit, site, "planner", "/plans", viewport=viewport)
    page = opened.page
    page.get_by_role("button", name="English").click()
    for path in ("plans", f"plans/{drafted}", "plans/1"):
        page.goto(site + path)
        expect(page.get_by_role("button", name="中文")).to_be_visible()  # the choice is remembered
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert opened.complaints == []


def test_the_maps_before_and_after_stand_in_the_page(visit, town, drafted):
    _, site = town
    opened = signed_in(visit, site, "approver", f"/plans/{drafted}")
    frame = opened.page.frame_locator("iframe.shown")
    opened.page.locator("iframe.shown").scroll_into_view_if_needed()
    expect(frame.locator(".pair .map .leaflet-interactive").first).to_be_attached()
    expect(frame.locator("aside")).to_contain_text("120 户")
    assert opened.complaints == []


def test_what_the_page_does_it_does_without_a_script(visit, town, drafted):
    _, site = town
    page = signed_in(visit, site, "planner", f"/plans/{drafted}", java_script_enabled=False).page
    page.get_by_role("button", name="提交审批").click()
    expect(page.locator("h1 .chip")).to_contain_text("待批准")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_planner_reads_why_a_proposal_moves_what_it_moves(visit, town, viewport):
    store, site = town
    number = rebalance(store, SYSTEM, CODE, Wish(target=120)).number
    opened = signed_in(visit, site, "planner", f"/plans/{number}", viewport=viewport)
    page = opened.page
    community = page.locator("details.broken", has=page.locator(".reasons")).first
    expect(community.locator(".reasons").first).to_be_hidden()
    community.locator("summary").click()
    expect(community.locator(".reasons li").first).to_contain_text("超出上限 132，新设网格")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert opened.complaints == []


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_planner_asks_for_a_rebalance_and_ends_it(visit, town, viewport):
    _, site = town
    opened = signed_in(visit, site, "planner", "/plans", viewport=viewport)
    page = opened.page
    page.locator("summary", has_text="均衡").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_label("侧重").select_option("whole")
    page.get_by_role("button", name="开始均衡").click()
    expect(page.get_by_role("status")).to_contain_text("均衡任务已提交")
    page.wait_for_load_state()  # words are there before styles
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.locator(".job").get_by_role("button", name="取消").click()
    expect(page.get_by_role("status")).to_contain_text("已要求取消")
    expect(page.locator(".job")).to_have_count(0)
    assert opened.complaints == []
