"""The base map of our own: drawn below the grids from the server's layers, with names, and switched off and on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.town import grid_code

LAYERS = ("green", "water", "rail", "streets", "labels")
WATER = [198, 220, 234, 255]
GREEN = [217, 232, 207, 255]

AT = """([pane, lon, lat]) => {
    const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
    if (!canvas) return null;
    const map = document.getElementById("map").getBoundingClientRect();
    const box = canvas.getBoundingClientRect();
    const [x, y] = window.where(lon, lat);
    const ratio = canvas.width / box.width;
    const at = [(map.left + x - box.left) * ratio, (map.top + y - box.top) * ratio].map(Math.round);
    return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
}"""
INK = """(pane) => {
    const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
    if (!canvas) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value).length;
}"""
EXPOSE = """
    let made;
    Object.defineProperty(window, "L", {
        get: () => made,
        set: (leaflet) => {
            made = leaflet;
            leaflet.Map.addInitHook(function () {
                window.map = this;
                window.where = (lon, lat) => {
                    const { x, y } = this.latLngToContainerPoint([lat, lon]);
                    return [x, y];
                };
            });
        },
    });
"""


@pytest.fixture
def opened(visit, site, request):
    opened = visit("about:blank", **getattr(request, "param", {"viewport": DESK}))
    page: Page = opened.page
    page.context.unroute_all()
    page.on("request", lambda asked: opened.requests.append(asked.url))
    page.add_init_script(EXPOSE)
    page.goto(site)
    expect(page.locator("#map.with-base")).to_be_visible()
    drawn(page)
    return opened


def drawn(page: Page) -> None:
    """Wait until what was asked to be drawn is."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def colour(page: Page, lon: float, lat: float) -> list[int] | None:
    return page.evaluate(AT, ["base", lon, lat])


@pytest.mark.parametrize(
    "opened", [{"viewport": DESK}, {"viewport": PHONE}], indirect=True, ids=["desk", "phone"]
)
def test_waters_and_parks_lie_below_the_grids_and_names_above(opened, site):
    page = opened.page
    assert opened.complaints == []  # before the pixels are read, of which the browser complains
    assert colour(page, 118.5225, 31.7035) == WATER
    assert colour(page, 118.5275, 31.7015) == GREEN
    assert colour(page, 118.5225, 31.7065) == [0, 0, 0, 0]
    assert page.evaluate(INK, "names") > 0
    below, grids, names = (
        int(page.evaluate("(pane) => getComputedStyle(window.map.getPane(pane)).zIndex", pane))
        for pane in ("base", "overlayPane", "names")
    )
    assert below < grids < names
    assert page.evaluate("getComputedStyle(window.map.getPane('overlayPane')).mixBlendMode") == "multiply"
    assert all(url.startswith(site) for url in opened.requests)


def test_each_layer_is_asked_for_once_and_the_switch_takes_it_off_and_on(opened, site):
    page = opened.page
    switch = page.locator("#base")
    switch.uncheck()
    expect(page.locator("#map.with-base")).to_have_count(0)
    expect(page.locator(".leaflet-names-pane canvas")).to_have_count(0)
    drawn(page)
    assert page.evaluate(INK, "base") == 0
    switch.check()
    expect(page.locator("#map.with-base")).to_be_visible()
    drawn(page)
    assert page.evaluate(INK, "base") > 0
    assert page.evaluate(INK, "names") > 0
    for layer in LAYERS:
        assert sum(f"/layers/{layer}.geojson" in url for url in opened.requests) == 1


def test_more_names_come_with_the_zoom(opened):
    page = opened.page
    page.evaluate("window.map.setView([31.701, 118.505], 18, { animate: false })")
    drawn(page)
    dot = page.evaluate(AT, ["names", 118.505, 31.701])
    assert dot is not None
    assert dot[3] == 255  # the dot of 南门
    page.evaluate("window.map.setView([31.701, 118.505], 15, { animate: false })")
    drawn(page)
    assert page.evaluate(AT, ["names", 118.505, 31.701])[3] == 0


def test_all_else_works_where_nothing_is_told_of_base_maps(visit, site):
    page: Page = visit("about:blank").page
    page.context.unroute_all()
    page.route("**/api/v1/base*", lambda route: route.abort())
    page.goto(site)
    expect(page.locator("#notice")).to_contain_text("服务器没有应答")
    page.get_by_role("combobox").fill("湖东路166号康宁花园1幢")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#answer .card h3")).to_contain_text(grid_code(1))


def test_a_layer_that_cannot_be_read_is_told_and_asked_for_again(visit, site):
    opened = visit("about:blank")
    page: Page = opened.page
    page.context.unroute_all()
    page.route("**/layers/water.geojson*", lambda route: route.abort())
    page.goto(site)
    expect(page.locator("#notice")).to_contain_text("服务器没有应答")
    page.unroute_all()
    page.locator("#base").uncheck()
    page.locator("#base").check()
    expect(page.locator("#map.with-base")).to_be_visible()
