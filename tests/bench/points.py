"""Whose grid is a point in: the index in memory beside a bare STR-tree and PostGIS, on 452 published grids."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data import locate
from data.session import Store
from geo.index import PointIndex
from geo.locate import Locator, Register
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, timed

ASKED = 500
BULK = 10_000
COVERING = text(
    "SELECT min(g.code) FROM plan_grids pg JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id"
    " JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
    " WHERE pg.district = :district AND p.number = :plan AND ST_Covers(pg.shape, ST_Point(:lon, :lat, 4326))"
)


def bench(url: str) -> list[Row]:
    """Measure single points, and many at once."""
    with closing(Store(url)) as store, store.read(CODE) as connection:
        register = locate.register(connection, locate.edition(connection, CODE), CODE)
        assert register is not None
        return _measure(connection, register)


def _measure(connection: Connection, register: Register) -> list[Row]:
    codes = [grid.code for grid in register.grids]
    index = PointIndex(codes, register.shapes, register.srid)
    locator = Locator(register, margin_m=100)
    tree = shapely.STRtree(register.shapes)
    west, south, east, north = shapely.total_bounds(register.shapes)
    many = np.random.default_rng(1).uniform((west, south), (east, north), (BULK, 2))
    some = many[:ASKED].tolist()

    def postgis() -> list[str | None]:
        values = {"district": CODE, "plan": register.plan.number}
        return [connection.scalar(COVERING, {**values, "lon": lon, "lat": lat}) for lon, lat in some]

    def bare() -> list[str | None]:
        hits = [tree.query(shapely.Point(point), predicate="covered_by") for point in some]
        return [min((codes[hit] for hit in found), default=None) for found in hits]

    def single() -> list[str | None]:
        positions = [int(index.cover([point])[0]) for point in some]
        return [index.codes[position] if position >= 0 else None for position in positions]

    assert postgis() == bare() == single(), "the ways disagree"
    acts = {
        "a point: PostGIS, one round trip": timed(postgis, times=ASKED),
        "a point: bare STR-tree": timed(bare, times=ASKED),
        "a point: index in memory": timed(single, times=ASKED),
        "a point: the whole answer": timed(
            lambda: [locator.at(lon, lat, "wgs84") for lon, lat in some], times=ASKED
        ),
        "a point of 10,000 at once: index in memory": timed(lambda: index.cover(many), times=BULK),
    }
    return ratios("points", by_turns(acts, rounds=5))
