"""What plans cost: a move, the checks, a publication, its readers meanwhile, and 200 plans of history."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlencode

import numpy as np
from sqlalchemy import text

from data import assignments, districts, grids, plans
from data import cells as stored_cells
from data.session import Store
from etl import accounts, drafts, edits, lifecycle
from etl.actor import SYSTEM, Actor
from etl.edits import Move
from etl.posing import read_ground
from etl.publish import publish
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, spell, timed
from tests.bench.server import HOST, serving

PLANNER, APPROVER = Actor("planner"), Actor("approver")
PASSWORD = "only for the benches"  # noqa: S105
HISTORY = 200
REST_S = 6.0


def bench(url: str) -> list[Row]:
    """Measure in the order in which the district's history grows."""
    with closing(Store(url)) as store:
        accounts.put(store, SYSTEM, "approver", PASSWORD, roles=["approver"], scope=[CODE])
        rows = _acts(store)
        rows.append(_readers(store, url))
        return [*rows, *_history(store, url)]


def _acts(store: Store) -> list[Row]:
    """Set each act beside reading the cells and borders, which every check begins with."""
    acts = {
        "reading 10,000 cells and their borders": timed(lambda: _ground(store)),
        "a move of 200 cells saved": _move(store),
        "submit: every check": lambda: _approved(store)[1],
        "publish and activate: every check again, polygons, hand-over": lambda: _published(store),
    }
    return ratios("plans", by_turns(acts, rounds=2))


def _ground(store: Store) -> None:
    with store.read(CODE) as connection:
        place = districts.get(connection, CODE)
        read_ground(connection, CODE, place.srid, stored_cells.latest_set(connection, CODE))


def _move(store: Store) -> Callable[[], float]:
    number = drafts.open_draft(store, PLANNER, CODE).number
    with store.read(CODE) as connection:
        plan = plans.get(connection, CODE, number)
        held = assignments.of_plan(connection, CODE, plan.id).groupby("grid_id").cell_id.apply(list)
        community = {row["id"]: row["community_code"] for row in grids.counted(connection, CODE, plan.id)}
    most = held.groupby(held.index.map(community)).apply(lambda cells: cells.map(len).sum()).idxmax()
    here = [grid for grid in held.index if community[grid] == most]
    cells = [cell for grid in here for cell in held[grid]][:200]
    goals, revisions = itertools.cycle(here), itertools.count(1)

    def take() -> float:
        goal, revision = next(goals), next(revisions)
        begun = time.perf_counter()
        done = edits.move(store, PLANNER, CODE, number, [Move(to=int(goal), cells=cells)], revision=revision)
        taken = time.perf_counter() - begun
        assert done.revision == revision + 1
        return taken

    return take


def _published(store: Store) -> float:
    number, _ = _approved(store)
    return timed(lambda: publish(store, APPROVER, CODE, number))()


def _approved(store: Store) -> tuple[int, float]:
    """Bring a draft that merges two grids to its approval; return its number and the seconds submitting took."""
    number = drafts.open_draft(store, PLANNER, CODE).number
    with store.read(CODE) as connection:
        known = grids.counted(connection, CODE, plans.get(connection, CODE, number).id)
    first = known[0]
    neighbour = next(row for row in known[1:] if row["community_code"] == first["community_code"])
    edits.move(store, PLANNER, CODE, number, [Move(to=neighbour["id"], grids=[first["id"]])], revision=1)
    submitting = timed(lambda: lifecycle.submit(store, PLANNER, CODE, number))()
    lifecycle.approve(store, APPROVER, CODE, number, waive={"all": "bench"})
    return number, submitting


def _readers(store: Store, url: str) -> Row:
    """Compare the slowest hundredth of answers while the same process publishes with that at rest, by turns."""
    with serving(url) as (port, _):
        token = _token(port)
        resting, publishing = [], []
        for _ in range(2):
            number, _ = _approved(store)
            with _asking(port) as took:
                time.sleep(REST_S)
            resting += took
            with _asking(port) as took:
                _post(port, f"/api/v1/plans/{number}/publish?district={CODE}", {}, token)
            publishing += took
    rest, busy = (float(np.percentile(took, 99)) for took in (resting, publishing))
    return Row(
        "plans", "p99 of locate while its server publishes, to p99 at rest", busy / rest, f"{spell(busy)}"
    )


@contextmanager
def _asking(port: int) -> Iterator[list[float]]:
    """Ask for a point again and again meanwhile; give the seconds of each answer."""
    ended, took = threading.Event(), []
    path = f"/api/v1/locate?{urlencode({'lon': 118.5, 'lat': 31.7, 'crs': 'wgs84'})}"

    def ask() -> None:
        with closing(http.client.HTTPConnection(HOST, port)) as connection:
            while not ended.is_set():
                begun = time.perf_counter()
                connection.request("GET", path)
                connection.getresponse().read()
                took.append(time.perf_counter() - begun)
                time.sleep(0.005)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        ended.set()
        thread.join()


def _history(store: Store, url: str) -> list[Row]:
    """Compare reads with few plans and with 200 more, each set beside the same trivial endpoint."""
    paths = {
        "a grid by its code": f"/api/v1/grids/{_a_code(store)}",
        "the grids layer": f"/api/v1/layers/grids.geojson?district={CODE}",
        "the overview": f"/api/v1/overview?district={CODE}",
        "a page of plans": f"/api/v1/plans?district={CODE}&limit=5",
    }
    before = _reads(url, paths)
    _add_history(store)
    with store.engine.begin() as connection:
        connection.execute(text("ANALYZE"))  # as PostgreSQL does on its own within a minute
    after = _reads(url, paths)
    return [
        Row(
            "plans",
            f"{what} with {HISTORY} plans of history, to without",
            after[what] / before[what],
            spell(after[what] * before["base"]),
        )
        for what in paths
    ]


def _reads(url: str, paths: dict[str, str]) -> dict[str, float]:
    """Return the time of each read beside the trivial endpoint's in the same run; ``base`` is that one's seconds."""
    with serving() as (plain, _), serving(url) as (port, _):
        acts = {"base": timed(lambda: _get(plain, "/"), times=10)}
        acts |= {what: timed(lambda path=path: _get(port, path), times=10) for what, path in paths.items()}
        seconds = by_turns(acts, rounds=3)
    return {what: taken / seconds["base"] for what, taken in seconds.items()} | {"base": seconds["base"]}


def _add_history(store: Store) -> None:
    """Copy the plan in force into the past, a day each."""
    with store.begin(CODE) as connection:
        current = plans.in_force(connection, CODE)
        assert current is not None
        for statement in (
            "INSERT INTO plans (district, number, title, state, origin, based_on, cell_set, target,"
            " tolerance_percent, author, valid, activated_at) SELECT district, 100000 + day, 'past', 'superseded',"
            " origin, NULL, cell_set, target, tolerance_percent, author,"
            " tstzrange(timestamptz '2020-01-01' + day * interval '1 day',"
            " timestamptz '2020-01-02' + day * interval '1 day'), timestamptz '2020-01-01'"
            " FROM plans, generate_series(1, :history) AS day WHERE district = :district AND id = :plan",
            "INSERT INTO plan_grids SELECT g.district, p.id, g.grid_id, g.households, g.buildings, g.area_m2,"
            " g.perimeter_m, g.shape FROM plan_grids g, plans p WHERE g.district = :district AND g.plan_id = :plan"
            " AND p.district = :district AND p.number > 100000",
            "INSERT INTO plan_cells SELECT c.district, p.id, c.cell_id, c.grid_id FROM plan_cells c, plans p"
            " WHERE c.district = :district AND c.plan_id = :plan AND p.district = :district AND p.number > 100000",
        ):
            connection.execute(text(statement), {"district": CODE, "plan": current.id, "history": HISTORY})


def _a_code(store: Store) -> str:
    with store.read(CODE) as connection:
        current = plans.in_force(connection, CODE)
        assert current is not None
        return str(grids.of_plan(connection, CODE, current.id).code[0])


def _get(port: int, path: str) -> None:
    with closing(http.client.HTTPConnection(HOST, port)) as connection:
        for _ in range(10):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, path


def _token(port: int) -> str:
    answer = _post(port, "/api/v1/session", {"name": "approver", "password": PASSWORD}, None)
    return str(answer["token"])


def _post(port: int, path: str, body: dict[str, str], token: str | None) -> dict[str, object]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with closing(http.client.HTTPConnection(HOST, port)) as connection:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        answer: dict[str, object] = json.loads(response.read())
    assert response.status in (200, 201), answer
    return answer
