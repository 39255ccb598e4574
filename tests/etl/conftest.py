from __future__ import annotations

import itertools

import pytest

from data.session import Store
from tests.governed import governed

_codes = itertools.count(990001)


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def shared_store(fresh_database):
    """A store for the tests of a module, each of which has a district of its own."""
    with fresh_database() as url:
        store = Store(url)
        yield store
        store.close()


@pytest.fixture
def place(shared_store):
    """A small governed district of the test's own."""
    return governed(shared_store, str(next(_codes)))
