"""Pages in Debian's Chromium, which may speak to nobody but the page's own server."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from api.app import create_app
from data.session import Store
from data.settings import Settings
from tests import town

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@dataclass
class Opened:
    """A page, with what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


@pytest.fixture(scope="module")  # while it is open no other test of the process can run an event loop
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"none of {', '.join(BROWSERS)} is installed; make test installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, "--no-first-run"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """``visit(url)`` opens a page; whatever is asked for beyond ``url``'s own host is recorded and refused."""
    contexts = []

    def open_page(url: str, viewport: ViewportSize = DESK, **options: Any) -> Opened:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        own = "/".join(url.split("/")[:3]) + "/"

        def gate(route):
            opened.requests.append(route.request.url)
            route.continue_() if route.request.url.startswith(own) else route.abort()

        context.route(lambda address: not address.startswith("data:"), gate)
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on(
            "console",
            lambda said: opened.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        opened.page.goto(url)
        return opened

    yield open_page
    for context in contexts:
        context.close()


@contextmanager
def served(store: Store, settings: Settings | None = None) -> Iterator[str]:
    """Serve a store on a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # from now on a browser waits for the server rather than being refused
        config = uvicorn.Config(
            create_app(store, settings or Settings()), log_level="warning", access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="package")
def site(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Address of the town, served."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        with served(store) as address:
            yield address
        store.close()


@pytest.fixture
def empty_site(database_url: str) -> Iterator[str]:
    """Address of a server without any district."""
    store = Store(database_url)
    with served(store) as address:
        yield address
    store.close()
