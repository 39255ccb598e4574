from __future__ import annotations

import pytest

from data.session import Store


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    yield store
    store.close()
