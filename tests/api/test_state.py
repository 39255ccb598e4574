"""What a process serves while several threads see to it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property

from api.state import State
from data.session import Store
from data.settings import Settings
from tests import town

CODE = "340504"


class Interrupted(Store):
    """A store after whose first reading something else happens."""

    then = None

    @contextmanager
    def read(self, district=None):
        with super().read(district) as connection:
            yield connection
        then, self.then = self.then, None
        if then:
            then()


def test_what_another_thread_has_just_served_is_not_dropped(database_url):
    store = Interrupted(database_url)
    state = State(store, Settings())

    def served_meanwhile():
        town.build(store)
        assert state.catch_up(CODE).district.code == CODE

    store.then = served_meanwhile
    state.refresh()
    assert [served.district.code for served in state.every()] == [CODE]
    store.close()


def test_no_request_waits_for_what_is_made_once(store):
    town.build(store)
    state = State(store, Settings())
    state.refresh()
    locator = state.locator(CODE)
    for made in (locator.points.index, locator.book):
        once = {name for name, each in vars(type(made)).items() if isinstance(each, cached_property)}
        assert once
        assert once <= vars(made).keys()


def test_the_log_says_what_is_wrong_and_what_to_do(caplog):
    State(Store("postgresql+psycopg://nobody@/nothing?host=/nonexistent"), Settings()).load()
    assert "Check GRIDGOV_DATABASE_URL" in caplog.text


def test_refusals_are_kept_by_nobody(client):
    for path in ("locate?lon=1", "resolve", "grids/1", "nowhere"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code // 100, answer.headers["cache-control"]) == (4, "no-store")
