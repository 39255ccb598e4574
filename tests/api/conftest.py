from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from data.session import Store
from data.settings import Settings
from tests import town

Serving = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def serving(store: Store) -> Serving:
    """``with serving(district="340504") as client`` serves the store with settings of one's own."""

    @contextmanager
    def serve(**settings: object) -> Iterator[TestClient]:
        app = create_app(store, Settings(**settings))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return serve


@pytest.fixture(scope="package")
def client(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[TestClient]:
    """The town, served for tests that only read."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        with TestClient(create_app(store, Settings()), raise_server_exceptions=False) as client:
            yield client
        store.close()
