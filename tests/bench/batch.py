"""What a row of a batch costs over HTTP: the processor time of server and client, beside a point asked alone.

Rows go out while answers come in, over one connection; answers are counted, not read.
"""

from __future__ import annotations

import csv
import http.client
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlencode

import numpy as np
import orjson
import shapely
from psutil import Process

from data import locate
from data.session import Store
from tests.bench.district import CODE, LEDGER
from tests.bench.measure import Row, by_turns, ratios, spell
from tests.bench.server import HOST, serving

POINTS = 10_000
ADDRESSES = 135_600
BAR_S = 60.0
NDJSON, CSV = "application/x-ndjson", "text/csv"


def bench(url: str) -> list[Row]:
    """Measure points and messy addresses by turns, then as many addresses as the district has households."""
    points, homes = _points(url), b"".join(itertools.islice(_homes(), ADDRESSES))
    alone = [f"/api/v1/locate?{urlencode({'lon': lon, 'lat': lat, 'crs': 'wgs84'})}" for lon, lat in points]
    table = ("lon,lat\n" + "".join(f"{lon},{lat}\n" for lon, lat in points)).encode()
    os.environ["GRIDGOV_BATCH_ROWS_PUBLIC"] = str(
        ADDRESSES
    )  # the server's, not this process's, which reads none
    with serving(url) as served:
        acts = {
            "a point, a request": _alone(*served, alone),
            "a point of 10,000: NDJSON": _posted(*served, _objects(points), NDJSON),
            "a point of 10,000: CSV": _posted(*served, table, CSV),
            "a point of 10,000: within 20 m": _posted(*served, _objects(points, accuracy_m=20), NDJSON, 1),
            "a messy address of 10,000": _posted(*served, _messy(), NDJSON, 1),
        }
        rows = ratios("batch", by_turns(acts, rounds=3))
        begun = time.perf_counter()
        _ask(served[0], homes, NDJSON)
        taken = time.perf_counter() - begun
    return [*rows, Row("batch", "135,600 addresses, to a minute", taken / BAR_S, spell(taken))]


def _points(url: str) -> list[tuple[float, float]]:
    """Return points all over the district."""
    with closing(Store(url)) as store, store.read(CODE) as connection:
        register = locate.register(connection, locate.edition(connection, CODE), CODE)
        assert register is not None
    west, south, east, north = shapely.total_bounds(register.shapes)
    spread = np.random.default_rng(1).uniform((west, south), (east, north), (POINTS, 2))
    return [(lon, lat) for lon, lat in spread.round(7).tolist()]


def _objects(points: list[tuple[float, float]], **more: float) -> bytes:
    return b"".join(orjson.dumps({"lon": lon, "lat": lat, **more}) + b"\n" for lon, lat in points)


def _homes() -> Iterator[bytes]:
    """Yield an address for each home: building, entrance, floor and door."""
    with (LEDGER / "buildings.csv").open(encoding="utf-8", newline="") as file:
        buildings = [row["standard_address"] for row in csv.DictReader(file)]
    for floor in itertools.count(1):
        for building in buildings:
            for door in (1, 2):
                yield orjson.dumps({"q": f"{building}1单元{floor}0{door}室"}) + b"\n"


def _messy() -> bytes:
    with (LEDGER / "queries.jsonl").open(encoding="utf-8") as file:
        queries = [json.loads(line)["text"] for line in file]
    asked = itertools.islice(itertools.cycle(queries), POINTS)
    return b"".join(orjson.dumps({"q": text}) + b"\n" for text in asked)


def _alone(port: int, server: Process, paths: list[str]) -> Callable[[], float]:
    """Make an act that asks points one by one and gives the processor seconds of both sides, a point."""

    def take() -> float:
        with _charged(server) as seconds, closing(http.client.HTTPConnection(HOST, port)) as connection:
            for path in paths[:1000]:
                connection.request("GET", path)
                assert connection.getresponse().read()
        return seconds() / 1000

    return take


def _posted(port: int, server: Process, body: bytes, media: str, times: int = 10) -> Callable[[], float]:
    """Make an act that asks all rows at once and gives the processor seconds of both sides, a row."""

    def take() -> float:
        with _charged(server) as seconds:
            for _ in range(times):  # the system counts in hundredths of a second
                _ask(port, body, media)
        return seconds() / POINTS / times

    return take


@contextmanager
def _charged(server: Process) -> Iterator[Callable[[], float]]:
    """Give what tells the processor seconds that the server and this process took meanwhile."""
    mine = Process()
    before = sum(sum(each.cpu_times()[:2]) for each in (server, mine))
    after = [0.0]
    yield lambda: after[0] - before
    after[0] = sum(sum(each.cpu_times()[:2]) for each in (server, mine))


def _ask(port: int, body: bytes, media: str) -> None:
    """Send rows and count the answers that come meanwhile."""
    head = (
        f"POST /api/v1/locate/batch?crs=wgs84 HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {media}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((HOST, port)) as connection:
        sender = threading.Thread(target=connection.sendall, args=(head.encode() + body,))
        sender.start()
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 200
        answers = 0
        while chunk := response.read1(1 << 18):
            answers += chunk.count(b"\n")
        sender.join()
    assert answers == body.count(b"\n"), answers
