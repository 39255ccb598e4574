"""Reads by one statement see their own district only, and outlive a lost connection."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from data.reading import TENANT, Reader
from data.session import Store
from geo.errors import InputError, UnavailableError
from tests import town

FOUND = "SELECT count(*) AS found, max(district) AS district FROM sites"
COUNT = f"SELECT r.* FROM {TENANT} t CROSS JOIN LATERAL ({FOUND}) r"


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    town.build(store)
    town.build(store, "340503", "花山区", west=118.70)
    yield store
    store.close()


def with_reader(store, act, **options):
    async def acted():
        reader = Reader(store.engine, **{"size": 2, "timeout_s": 5.0, **options})
        await reader.open()
        try:
            return await act(reader)
        finally:
            await reader.close()

    return asyncio.run(acted())


def test_row_level_security_holds_without_a_condition(store):
    async def act(reader):
        return [await reader.row(COUNT, [code]) for code in ("340504", "340503", "340502", "340504", "")]

    found = [(row["found"], row["district"]) for row in with_reader(store, act)]
    assert found == [(3, b"340504"), (3, b"340503"), (0, None), (3, b"340504"), (0, None)]


def test_no_tenant_outlives_its_statement(store):
    async def act(reader):
        await reader.row(COUNT, ["340504"])
        left = "SELECT current_setting('gridgov.district', true) AS tenant, current_user::text AS role, $1::text AS d"
        return await reader.row(left, [""])

    row = with_reader(store, act, size=1)
    assert (row["tenant"] or b"", row["role"]) == (b"", b"gridgov_app")


def test_many_readers_share_few_connections(store):
    async def act(reader):
        return await asyncio.gather(*(reader.row(COUNT, ["34050" + "43"[n % 2]]) for n in range(50)))

    districts = [row["district"] for row in with_reader(store, act)]
    assert districts == [b"340504", b"340503"] * 25


def test_a_lost_connection_is_replaced(store, database_url):
    async def act(reader):
        await reader.row(COUNT, ["340504"])
        admin = database_url.replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'gridgov'"
            )
        for _ in range(20):
            try:
                return (await reader.row(COUNT, ["340504"]))["found"]
            except UnavailableError:
                await asyncio.sleep(0.05)
        return None

    assert with_reader(store, act) == 3


def test_what_takes_too_long_is_given_up(store):
    async def act(reader):
        with pytest.raises(UnavailableError, match="takes too long"):
            await reader.row(f"SELECT t.*, pg_sleep(30) FROM {TENANT} t", ["340504"])
        return (await reader.row(COUNT, ["340504"]))["found"]

    assert with_reader(store, act, size=1, timeout_s=0.2) == 3


def test_nothing_is_written(store):
    async def act(reader):
        await reader.row(f"SELECT t.*, nextval('sites_id_seq') FROM {TENANT} t", ["340504"])

    with pytest.raises(Exception, match="read-only"):
        with_reader(store, act)


def test_a_value_that_cannot_be_worked_with_is_told(store):
    async def act(reader):
        await reader.row(f"SELECT t.*, CAST(CAST($2 AS text) AS integer) FROM {TENANT} t", ["340504", "x"])

    with pytest.raises(InputError):
        with_reader(store, act)


def test_an_unreachable_database_is_told(tmp_path):
    async def act(reader):
        await reader.row(COUNT, ["340504"])

    with pytest.raises(UnavailableError):
        with_reader(Store(f"postgresql://nobody@/nothing?host={tmp_path}"), act)
