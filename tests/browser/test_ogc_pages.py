"""Pages of map layers: a map and a table, usable on a desk and on a phone, asking nobody but their own server."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import town
from tests.browser.conftest import DESK, PHONE

GRIDS = "ogc/collections/grids"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "path",
    [
        "ogc",
        "ogc/collections",
        GRIDS,
        f"{GRIDS}/queryables",
        f"{GRIDS}/items",
        f"{GRIDS}/items/{town.grid_code(1)}",
    ],
)
def test_a_page_fits_its_screen_and_asks_only_its_server(visit, site, path, viewport):
    opened = visit(f"{site}{path}", viewport)
    opened.page.wait_for_load_state("networkidle")
    assert opened.complaints == []
    assert all(asked.startswith(site) for asked in opened.requests)
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= viewport["width"]
    expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
    opened.page.get_by_role("button", name="English").click()
    expect(opened.page.get_by_role("link", name="Layer server")).to_be_visible()


def test_the_form_sends_what_is_filled_in_and_the_map_its_view(visit, site):
    page = visit(f"{site}{GRIDS}/items").page
    page.get_by_label("筛选（CQL2）").fill("households > 295")
    page.get_by_role("button", name="筛选", exact=True).click()
    page.wait_for_url("**/items?*")
    assert "bbox" not in page.url
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("link", name="全部", exact=True).click()
    expect(page.get_by_role("rowheader")).to_have_count(4)
    page.get_by_role("button", name="只看地图范围内").click()
    page.wait_for_url("**bbox=*")
    expect(page.get_by_role("rowheader")).to_have_count(4)


def test_a_file_can_be_downloaded(visit, site):
    page = visit(f"{site}{GRIDS}/items").page
    with page.expect_download() as started:
        page.get_by_role("link", name="GeoPackage").first.click()
    assert started.value.suggested_filename == "grids.gpkg"
