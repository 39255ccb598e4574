"""A district of 452 grids, served to the programs of GIS people."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import text

from data import versions
from data.session import Store
from etl import accounts
from etl.actor import SYSTEM
from tests import town

CODE, GRIDS, PASSWORD = "340504", 452, "correct horse battery"
_MORE = """
WITH cut AS (
    SELECT n, ST_Multi(ST_Buffer(ST_Point(118.45 + 0.002 * (n % 25), 31.75 + 0.002 * (n / 25), 4326), 0.0009, 8)) AS s
    FROM generate_series(1, :more) n
), named AS (
    INSERT INTO grids (district, community_id, code, provisional, issued_at)
    SELECT :d, c.id, :d || '900001' || lpad((n + 100)::text, 3, '0'), true, now()
    FROM cut, communities c WHERE c.district = :d AND c.external_code = 'C1' RETURNING id, code
)
INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m, shape)
SELECT :d, p.id, named.id, 200 + n, 1, ST_Area(s::geography), 130, s
FROM cut JOIN named ON right(named.code, 3)::integer = n + 100, plans p WHERE p.district = :d AND p.number = 2
"""


@dataclass(frozen=True)
class Site:
    """Where the district is served, and what is stored."""

    address: str
    store: Store

    @property
    def ogc(self) -> str:
        """Address clients connect to."""
        return f"{self.address}/ogc"

    def areas(self) -> dict[str, float]:
        """Return the areas of the grids in force by code, square metres on the ellipsoid."""
        query = "SELECT code, ST_Area(shape::geography) AS area FROM layers.grids WHERE district = :d AND plan = 2"
        with self.store.read(CODE) as connection:
            rows = connection.execute(text(query), {"d": CODE}).all()
            return {row.code: row.area for row in rows}


@pytest.fixture(scope="package")
def site(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[Site]:
    """The town with more grids, served by a process of its own: GDAL holds this one while it waits."""
    with fresh_database() as url:
        store = Store(url)
        town.build(store)
        with store.begin(CODE) as connection:
            connection.execute(text(_MORE), {"d": CODE, "more": GRIDS - 4})
            versions.advance(connection, CODE, "register", "grids", "plans")
        accounts.add(store, SYSTEM, "ana", PASSWORD, roles=["planner"], scope=[CODE])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "tests.api.server", str(port)]
        server = subprocess.Popen(command, env={**os.environ, "GRIDGOV_DATABASE_URL": url})
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{address}/readyz", server)
            yield Site(address, store)
        finally:
            server.terminate()
            server.wait()
            store.close()


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            with urlopen(address) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
