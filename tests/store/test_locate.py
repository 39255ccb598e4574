"""The register as it is read for locating."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from data import locate, versions
from data.session import Store
from geo.locate import Locator
from geo.times import midnight
from tests import town


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    yield store
    store.close()


def test_the_register_is_read_whole(store):
    town.build(store)
    with store.begin("340504") as connection:
        edition = locate.edition(connection, "340504")
        register = locate.register(connection, edition, "340504", staff=True)
    assert (edition.plan, edition.version) == (2, 3)
    assert [grid.code for grid in register.grids] == [town.grid_code(n) for n in (1, 2, 3, 4)]
    assert [grid.households for grid in register.grids] == [290, 300, None, None]
    (on_duty,) = register.grids[0].on_duty
    assert (on_duty.role, on_duty.worker, on_duty.phone) == ("primary", town.WORKER, town.PHONE)
    assert len(register.places) == 8
    assert len(register.sites) == 2


def test_without_staff_no_worker_is_read(store):
    town.build(store)
    with store.begin("340504") as connection:
        register = locate.register(connection, locate.edition(connection, "340504"), "340504")
    assert [(duty.worker, duty.phone) for duty in register.grids[0].on_duty] == [(None, None)]


def test_each_district_reads_its_own(store):
    town.build(store)
    town.build(store, "340503", "花山区", west=118.70)
    with store.begin("340503") as connection:
        register = locate.register(connection, locate.edition(connection, "340503"), "340503")
    locator = Locator(register, margin_m=100)
    assert locator.at(118.705, 31.705, "wgs84").grid.code == town.grid_code(1, "340503")
    assert locator.at(118.505, 31.705, "wgs84").grid is None


def test_before_the_first_plan_there_is_nothing_to_locate(store):
    town.build(store)
    with store.begin("340504") as connection:
        connection.execute(text("UPDATE plans SET valid = NULL, state = 'draft'"))
        edition = locate.edition(connection, "340504")
        register = locate.register(connection, edition, "340504")
    assert (edition.plan, register) == (None, None)


def test_the_edition_rises_with_any_change(store):
    town.build(store)
    with store.begin("340504") as connection:
        before = locate.edition(connection, "340504")
        connection.execute(text("UPDATE data_versions SET version = version + 1 WHERE layer = 'plans'"))
        assert locate.edition(connection, "340504").version == before.version + 1


def test_the_land_of_a_pending_building_is_read(store):
    town.build(store)
    footprint = "ST_Multi(ST_Buffer(point, 0.0001))"
    with store.begin("340504") as connection:
        connection.execute(text(f"UPDATE buildings SET footprint = {footprint} WHERE point IS NOT NULL"))
        register = locate.register(connection, locate.edition(connection, "340504"), "340504")
    assert [place.building.external_code for place in register.places if place.land] == ["B6"]
    answer = Locator(register, margin_m=100).at(118.51805, 31.705, "wgs84")
    assert (answer.grid.code, answer.pending) == (town.grid_code(2), True)


def test_drafts_are_no_part_of_an_edition(store):
    town.build(store)
    with store.begin("340504") as connection:
        before = locate.edition(connection, "340504")
        versions.advance(connection, "340504", "drafts")
        assert locate.edition(connection, "340504") == before


def test_an_edition_says_when_the_next_begins(store):
    town.build(store)
    with store.begin("340504") as connection:
        now = locate.edition(connection, "340504")
        assert now.changes == midnight(now.day + timedelta(days=1))
        soon = now.at + (now.changes - now.at) / 2
        connection.execute(
            text("UPDATE plans SET valid = tstzrange(lower(valid), :soon) WHERE number = 2"), {"soon": soon}
        )
        assert (locate.edition(connection, "340504", now.at).changes, now.until) == (soon, None)
        ended = locate.edition(connection, "340504", soon)
        assert (ended.plan, ended.changes) == (None, now.changes)
        past = locate.edition(connection, "340504", now.at - timedelta(days=40))
        assert (past.plan, past.version, past.until) == (1, now.version, now.since)
