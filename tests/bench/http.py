"""What a request costs: the server's processor time beside that of a trivial FastAPI endpoint.

Processor time is taken from the server's process, so the plain client here costs nothing of it. For requests
a second under load see ``load/``.
"""

from __future__ import annotations

import csv
import http.client
import itertools
from collections.abc import Callable, Iterable
from contextlib import closing
from urllib.parse import urlencode

from psutil import Process
from sqlalchemy import text

from data import versions
from data.session import Store
from tests.bench.district import CODE, LEDGER
from tests.bench.measure import Row, by_turns, ratios
from tests.bench.server import HOST, serving

REQUESTS = 2500

_SITES = """
INSERT INTO sites (district, external_code, name, state, services, hours, point)
SELECT :district, 'S' || n, '阵地' || n, 'open', ARRAY['服务' || n % 9, '服务' || n % 7], '08:30-17:30', b.point
FROM (SELECT point, row_number() OVER (ORDER BY id) AS n FROM buildings
      WHERE district = :district AND point IS NOT NULL) b WHERE n % 100 = 0
"""
"""Sites where every hundredth building is: the ledger has none."""


def bench(url: str) -> list[Row]:
    """Measure by turns, over one connection a turn."""
    with closing(Store(url)) as store, store.begin(CODE) as connection:
        connection.execute(text(_SITES), {"district": CODE})
        versions.advance(connection, CODE, "sites", versions.LOCATE)
    with (LEDGER / "buildings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::7]
    points = [urlencode({"lon": row["lon"], "lat": row["lat"], "crs": "wgs84"}) for row in rows]
    addresses = [urlencode({"q": row["standard_address"]}) for row in rows]
    asked = {
        "locate a point": [f"/api/v1/locate?{query}" for query in points],
        "a point, with sites and evidence": [
            f"/api/v1/locate?{query}&include=sites,evidence" for query in points
        ],
        "resolve an address": [f"/api/v1/resolve?{query}" for query in addresses],
        "a grid by its code": [f"/api/v1/grids/{row['grid_id']}" for row in rows],
        "a page of 10 grids": ["/api/v1/grids?limit=10"],
    }
    with serving() as trivial, serving(url) as served:
        acts = {"trivial FastAPI endpoint": _charged(*trivial, ["/"])}
        acts |= {what: _charged(*served, paths) for what, paths in asked.items()}
        return ratios("http", by_turns(acts, rounds=2))


def _charged(port: int, server: Process, paths: Iterable[str]) -> Callable[[], float]:
    """Make an act that asks and gives the processor seconds a request cost the server."""
    connection = http.client.HTTPConnection(HOST, port)
    coming = itertools.cycle(paths)

    def take() -> float:
        before = sum(server.cpu_times()[:2])
        for path in itertools.islice(coming, REQUESTS):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, path
        connection.close()  # the server would, before the next turn
        return (sum(server.cpu_times()[:2]) - before) / REQUESTS

    return take
