"""Items and tiles are never stale: under load, in several processes, and at the instant a plan starts."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from datetime import datetime, timedelta

import shapely

from api.stamp import PLAN, VERSION
from geo.crs import WEB_MERCATOR, from_metric, to_metric
from geo.tiling import span
from geo.times import CHINA
from tests import town
from tests.api.server import CODE
from tests.api.test_freshness import clock, schedule_at, until
from tests.api.test_freshness_processes import (
    AHEAD_S,
    FOLLOW_S,
    PROCESSES,
    Answer,
    Seen,
    judged,
    ports,
    write,
)
from tests.settle import CORNER, PITCH, SRID
from tests.tilework import decoded

__all__ = ["ports"]

WRITES = 9
ZOOM = 14


def house() -> shapely.Point:
    """Return a house that the two plans have in different grids, EPSG:4326."""
    (found,) = from_metric([shapely.Point(CORNER[0] + 3.5 * PITCH, CORNER[1] + PITCH / 2)], SRID)
    return found


def tile_of(point: shapely.Point) -> str:
    (drawn,) = to_metric([point], WEB_MERCATOR)
    column, row, _, _ = span([drawn.bounds], ZOOM, buffer=0)[0].tolist()
    return f"{ZOOM}/{column}/{row}"


def told_by(path: str, body: bytes) -> tuple[set[int], str]:
    """Return the plans an answer's features are of, and the grid of the house where it was asked about."""
    if path.startswith("/tiles"):
        return {one["properties"]["plan"] for one in decoded(body)["grids"]["features"]}, ""
    features = json.loads(body)["features"]
    return {one["properties"]["plan"] for one in features}, features[0]["id"]


def read_on(seen: Seen, process: int, port: int, pinned: bool) -> None:
    """Ask one process for items and tiles again and again; ``pinned`` names the newest version."""
    x, y = house().coords[0]
    paths = itertools.cycle(
        [
            f"/ogc/collections/grids/items?bbox={x},{y},{x},{y}&district={CODE}",
            f"/tiles/grids/{tile_of(house())}.mvt?district={CODE}",
        ]
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not seen.ended.is_set():
        asked, path = seen.writes[-1].version if pinned and seen.writes else 0, next(paths)
        sent_s = time.time()
        connection.request("GET", f"{path}&min_version={asked}")
        response = connection.getresponse()
        body, received_s = response.read(), time.time()
        version, plan = (int(response.headers.get(name, 0)) for name in (VERSION, PLAN))
        grid = ""
        if response.status == 200:
            plans, grid = told_by(path, body)
            grid = grid if plans == {plan} else "of another plan"
        seen.answers.append(Answer(process, sent_s, received_s, response.status, asked, version, plan, grid))
        time.sleep(0.01)
    connection.close()


def test_no_process_tells_features_or_tiles_the_rule_forbids(ports):
    seen = Seen()
    threads = [
        threading.Thread(target=read_on, args=(seen, process, port, pinned))
        for process, port in enumerate(ports)
        for pinned in (False, True)
    ]
    for thread in threads:
        thread.start()
    try:
        for number in range(WRITES):
            write(seen, number % PROCESSES, ports[number % PROCESSES])
            time.sleep(0.1)
        told = write(seen, 0, ports[0], f"?in_s={AHEAD_S}")
        takes_effect_s = datetime.fromisoformat(told["effective"]).timestamp()
        time.sleep(AHEAD_S + 2 * FOLLOW_S)
    finally:
        seen.ended.set()
        for thread in threads:
            thread.join()
    counts = judged(seen, takes_effect_s, told["number"])
    assert counts["served"] > 10 * PROCESSES
    assert {answer.status for answer in seen.answers if not answer.asked} == {200}
    whose = {(answer.plan % 2, answer.grid) for answer in seen.answers if answer.grid}
    assert whose == {(0, f"{CODE}900001002"), (1, f"{CODE}900001001")}
    for forbidden in (
        "older than the writer's",
        "older than asked for",
        "old plan after its end",
        "hung",
        "early",
    ):
        assert counts[forbidden] == 0, forbidden


def test_a_plan_that_starts_at_midnight_is_told_from_then_on(store, serving):
    town.build(store)
    midnight = datetime.combine(datetime.now(CHINA) + timedelta(days=1), datetime.min.time(), CHINA)
    shift = midnight - datetime.now(CHINA) - timedelta(seconds=3)
    clock(store, f"clock_timestamp() + interval '{shift.total_seconds()} seconds'")
    schedule_at(store, midnight)
    tile = tile_of(shapely.Point(118.515, 31.705))
    old, new = town.grid_code(4), town.grid_code(5)
    with serving() as client:
        items, drawn = "/ogc/collections/grids/items", f"/tiles/grids/{tile}.mvt"
        before = {path: client.get(path) for path in (items, f"{items}/{old}", drawn)}
        assert {answer.headers[PLAN] for answer in before.values()} == {"2"}
        held = {path: {"if-none-match": answer.headers["etag"]} for path, answer in before.items()}
        assert client.get(items, headers=held[items]).status_code in (200, 304)
        until(lambda: client.get(items).headers[PLAN], lambda plan: plan == "3")
        assert [one["id"] for one in client.get(items).json()["features"]] == [new]
        assert client.get(f"{items}/{old}", headers=held[f"{items}/{old}"]).status_code == 404
        after = client.get(drawn, headers=held[drawn])
        assert (after.status_code, after.headers[PLAN]) in ((200, "3"), (204, "3"))
        assert client.get(f"{items}?plan=2", headers=held[items]).status_code == 200
