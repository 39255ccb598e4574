"""Items and tiles are never stale: under load, in several processes, and at the instant a plan starts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import shapely

from api.stamp import PLAN
from geo.crs import WEB_MERCATOR, to_metric
from geo.tiling import span
from geo.times import CHINA
from tests import town
from tests.api.processes import (
    ANOTHER,
    PROCESSES,
    Asking,
    Seen,
    check,
    house,
    publish_and_read,
    serving_processes,
)
from tests.api.server import CODE
from tests.api.test_freshness import clock, schedule_at, until
from tests.tilework import decoded

WRITES = 9
ZOOM = 14


def tile_of(point: shapely.Point) -> str:
    (drawn,) = to_metric([point], WEB_MERCATOR)
    column, row, _, _ = span([drawn.bounds], ZOOM, buffer=0)[0].tolist()
    return f"{ZOOM}/{column}/{row}"


def grid_of(path: str, body: bytes, plan: int, version: int) -> str:
    tile = path.startswith("/tiles")
    features = (decoded(body)["grids"] if tile else json.loads(body))["features"]
    if {one["properties"]["plan"] for one in features} != {plan}:
        return ANOTHER
    return "" if tile else features[0]["id"]


def asking() -> Asking:
    """Return what is asked of grids at the house: a page of features, and a tile."""
    x, y = house().coords[0]
    items = f"/ogc/collections/grids/items?bbox={x},{y},{x},{y}&district={CODE}"
    return Asking([items, f"/tiles/grids/{tile_of(house())}.mvt?district={CODE}"], grid_of)


def test_no_process_tells_features_or_tiles_the_rule_forbids(database_url):
    seen = Seen()
    with serving_processes(database_url) as ports:
        last = publish_and_read(seen, ports, asking(), WRITES, pause_s=0.1)
    check(seen, last, least=10 * PROCESSES)


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
