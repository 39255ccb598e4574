"""The optional base map: pictures from a server of their own, below the grids, shifted where they are in GCJ-02."""

from __future__ import annotations

import math
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from data.session import Store
from data.settings import Settings
from geo.crs import metric_point, wgs84_to_gcj02
from tests import town
from tests.browser.conftest import served
from tests.browser.test_base_map import EXPOSE, drawn

SIZE = 256
TILES = """() => [...document.querySelectorAll(".leaflet-tile-loaded")].map((tile) => {
    const map = document.getElementById("map").getBoundingClientRect();
    const box = tile.getBoundingClientRect();
    const { lng, lat } = window.map.containerPointToLatLng([box.left - map.left, box.top - map.top]);
    return [tile.src, lng, lat];
})"""


UNCOVERED = """() => {
    const map = document.getElementById("map").getBoundingClientRect();
    const tiles = [...document.querySelectorAll(".leaflet-tile-loaded")].map((tile) => tile.getBoundingClientRect());
    const covers = (box, x, y) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
    const [xs, ys] = [[map.left + 1, map.right - 1], [map.top + 1, map.bottom - 1]];
    return xs.flatMap((x) => ys.map((y) => [x, y])).filter(([x, y]) => !tiles.some((box) => covers(box, x, y)));
}"""


@dataclass
class Pictures:
    """A server of tiles."""

    address: str
    asked: list[str] = field(default_factory=list)


def picture() -> bytes:
    """Return a grey PNG of a tile's size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = zlib.compress((b"\0" + b"\xc8" * SIZE) * SIZE)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    png = picture()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(png)))
            self.end_headers()
            self.wfile.write(png)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Pictures(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def show(visit, database_url: str, pictures: Pictures):
    """``show(crs)`` opens the town's map over pictures that are true in a coordinate system."""
    store = Store(database_url)
    town.build(store)
    running = []

    def open_map(crs: str) -> Page:
        settings = Settings(
            base_tiles=f"{pictures.address}/{{z}}/{{x}}/{{y}}.png", base_crs=crs, base_attribution="© <试验>"
        )
        serving = served(store, settings)
        site = serving.__enter__()
        running.append(serving)
        opened = visit("about:blank")
        page: Page = opened.page
        page.context.unroute_all()
        page.add_init_script(EXPOSE)
        page.goto(site)
        expect(page.locator("#map.with-tiles")).to_be_visible()
        assert opened.complaints == []
        return page

    yield open_map
    for serving in running:
        serving.__exit__(None, None, None)
    store.close()


def corner(source: str) -> tuple[float, float]:
    """Return longitude and latitude of the north-western corner of a tile by its address."""
    zoom, column, row = (int(part.removesuffix(".png")) for part in source.split("/")[-3:])
    north = math.atan(math.sinh(math.pi * (1 - 2 * row / 2**zoom)))
    return 360 * column / 2**zoom - 180, math.degrees(north)


def shown_off(page: Page) -> float:
    """Return how far the tile nearest to the middle lies from where its pictures are true, in GCJ-02, metres."""
    middle = page.evaluate("(() => { const { lng, lat } = window.map.getCenter(); return [lng, lat]; })()")
    tiles = page.evaluate(TILES)
    source, lon, lat = min(tiles, key=lambda tile: math.hypot(tile[1] - middle[0], tile[2] - middle[1]))
    there = wgs84_to_gcj02(np.array([[lon, lat]]))[0]
    return math.dist(metric_point(*there, 4549), metric_point(*corner(source), 4549))


def move(page: Page, lon: float, lat: float, zoom: float) -> None:
    page.evaluate(f"window.map.setView([{lat}, {lon}], {zoom}, {{ animate: false }})")
    loaded(page)


def loaded(page: Page) -> None:
    """Wait until the map stands still and all its pictures are there."""
    expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
    drawn(page)
    expect(page.locator(".leaflet-tile:not(.leaflet-tile-loaded)")).to_have_count(0)
    expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()


def test_pictures_lie_below_the_grids_and_their_maker_is_named(show, pictures):
    page = show("cgcs2000")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("© <试验>")
    expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
    move(page, 118.505, 31.705, 18)
    for source, lon, lat in page.evaluate(TILES):
        assert math.dist(metric_point(lon, lat, 4549), metric_point(*corner(source), 4549)) < 1
    expect(page.locator("#base")).not_to_be_checked()
    page.locator("#tiles").uncheck()
    expect(page.locator(".leaflet-tile")).to_have_count(0)
    page.locator("#base").check()
    expect(page.locator("#map.with-base")).to_be_visible()
    assert pictures.asked


def test_pictures_in_gcj02_are_shifted_to_within_a_metre_at_the_middle(show):
    page = show("gcj02")
    for place in ((118.505, 31.705, 18), (118.53, 31.702, 19), (118.53, 31.702, 18.5)):
        move(page, *place)
        assert shown_off(page) < 1
    page.evaluate("window.map.panBy([900, 300], { animate: false })")
    loaded(page)
    assert shown_off(page) < 1
    page.evaluate("window.map.setZoom(19, { animate: false })")
    loaded(page)
    assert shown_off(page) < 1


def test_the_whole_view_is_covered_though_shifted(show):
    page = show("gcj02")
    move(page, 118.505, 31.705, 19)
    gaps = page.evaluate(UNCOVERED)
    assert gaps == []


def test_the_shift_is_that_of_the_server(show):
    places = [(118.5, 31.7), (104.9, 35.1), (72.1, 54.0), (121.5, 31.2), (139.7, 35.7), (0.0, 51.5)]
    moved = show("gcj02").evaluate(
        """async (places) => {
            const { toGcj } = await import("/static/base_tiles.js");
            return places.map(([lng, lat]) => toGcj({ lng, lat })).map(({ lng, lat }) => [lng, lat]);
        }""",
        places,
    )
    assert np.allclose(moved, wgs84_to_gcj02(np.array(places)), rtol=0, atol=1e-9)
