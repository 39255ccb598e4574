"""Whose grid is a point in: the index in memory beside an STR-tree and PostGIS, on 452 published grids."""

from __future__ import annotations

import gc
from contextlib import closing

import numpy as np
import psutil
import shapely
from sqlalchemy import Connection, text

from data import locate
from data.session import Store
from geo.index import PointIndex
from geo.locate import NEAR_BORDER_M, Locator, Register
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, spell, timed
from tests.covering import by_postgis, probes

ASKED = 500
BULK = 10_000
COMPARED = 1_000_000
WEIGHED = 10
"""How many indexes are made to weigh one."""
COVERING = text(
    "SELECT min(g.code) FROM plan_grids pg JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id"
    " JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
    " WHERE pg.district = :district AND p.number = :plan AND ST_Covers(pg.shape, ST_Point(:lon, :lat, 4326))"
)


def bench(url: str) -> list[Row]:
    """Measure single points, many at once and the index itself, and compare a million points with PostGIS."""
    with closing(Store(url)) as store:
        with store.read(CODE) as connection:
            register = _read(connection)
            rows = [*_measure(connection, register), *_made(connection, register)]
        with store.begin(CODE) as connection:
            return [*rows, _compare(connection, register)]


def _read(connection: Connection) -> Register:
    register = locate.register(connection, locate.edition(connection, CODE), CODE)
    assert register is not None
    return register


def _index(register: Register) -> PointIndex:
    codes = [grid.code for grid in register.grids]
    return PointIndex(codes, register.shapes, register.srid, near_border_m=NEAR_BORDER_M)


def _measure(connection: Connection, register: Register) -> list[Row]:
    index, shapes = _index(register), register.shapes.copy()
    locator = Locator(register, margin_m=100)
    codes = [grid.code for grid in register.grids]
    shapely.prepare(shapes)
    tree = shapely.STRtree(shapes)
    west, south, east, north = shapely.total_bounds(shapes)
    many = np.random.default_rng(1).uniform((west, south), (east, north), (BULK, 2))
    some = many[:ASKED].tolist()
    positions = index.cover(many)
    inside = positions >= 0

    def postgis() -> list[str | None]:
        values = {"district": CODE, "plan": register.plan.number}
        return [connection.scalar(COVERING, {**values, "lon": lon, "lat": lat}) for lon, lat in some]

    def by_tree(points: list[list[float]]) -> list[str | None]:
        found: list[str | None] = []
        for point in shapely.points(points):
            near = tree.query(point)
            covering = near[shapely.covers(shapes[near], point)].tolist()
            found.append(min((codes[n] for n in covering), default=None))
        return found

    def tree_in_bulk() -> None:
        points = shapely.points(many)
        point, area = tree.query(points)
        shapely.covers(shapes[area], points[point])

    def single() -> list[str | None]:
        found = [index.find(lon, lat) for lon, lat in some]
        return [index.codes[position] if position >= 0 else None for position in found]

    assert postgis() == by_tree(some) == single(), "the ways disagree"
    acts = {
        "a point: PostGIS, one round trip": timed(postgis, times=ASKED),
        "a point: STR-tree and prepared polygons": timed(lambda: by_tree(some), times=ASKED),
        "a point: index in memory": timed(single, times=ASKED),
        "a point: the whole answer": timed(
            lambda: [locator.at(lon, lat, "wgs84") for lon, lat in some], times=ASKED
        ),
        "a point of 10,000 at once: STR-tree and prepared polygons": timed(tree_in_bulk, times=BULK),
        "a point of 10,000 at once: index in memory": timed(lambda: index.cover(many), times=BULK),
        "a point of 10,000 at once: metres to its grid's border": timed(
            lambda: index.borders_m(many[inside], positions[inside]), times=int(inside.sum())
        ),
    }
    return ratios("points", by_turns(acts, rounds=5))


def _made(connection: Connection, register: Register) -> list[Row]:
    """Return what making the index takes, and its memory."""
    acts = {"read": timed(lambda: _read(connection)), "made": timed(lambda: _index(register))}
    seconds = by_turns(acts, rounds=5)
    gc.collect()
    before = psutil.Process().memory_info().rss
    kept = [_index(register) for _ in range(WEIGHED)]
    size_mb = (psutil.Process().memory_info().rss - before) / 1e6 / len(kept)
    return [
        Row(
            "points",
            "making the index, to reading what it is made of",
            seconds["made"] / seconds["read"],
            spell(seconds["made"]),
        ),
        Row("points", "memory of an index, to 50 MB", size_mb / 50.0, f"{size_mb:.3g} MB"),
    ]


def _compare(connection: Connection, register: Register) -> Row:
    """Return how many points, most of them where rounding matters, PostGIS says lie in another grid."""
    codes = [grid.code for grid in register.grids]
    points = probes(register.shapes, COMPARED, seed=5)
    covered, torn = by_postgis(connection, codes, register.shapes, points)
    found = _index(register).cover(points)
    wrong = int((found != np.where(covered >= 0, covered, torn)).sum())
    return Row(
        "points",
        f"of {COMPARED:,} points, four fifths at borders, not as ST_Covers says",
        wrong / COMPARED,
        f"{wrong}; {int((torn >= 0).sum()):,} in torn borders",
    )
