"""Whose grid is a point in: the index in memory beside an STR-tree and PostGIS, on 452 published grids."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import numpy as np
import psutil
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data import locate
from data.session import Store
from geo.index import PointIndex
from geo.locate import NEAR_BORDER_M, Locator, Register
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, spell, timed
from tests.covering import Points, by_postgis, probes

Act = Callable[[], float]

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


class Tree(NamedTuple):
    """The usual way: a tree of bounds, and prepared polygons."""

    shapes: NDArray[np.object_]
    tree: shapely.STRtree

    def covering(self, points: shapely.Point | NDArray[np.object_]) -> NDArray[np.intp]:
        """Return which areas cover points: of many, one entry for each of both."""
        found = self.tree.query(points)
        asked = points if found.ndim == 1 else points[found[0]]
        areas = found if found.ndim == 1 else found[1]
        return areas[shapely.covers(self.shapes[areas], asked)]


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
    shapes = register.shapes.copy()
    shapely.prepare(shapes)
    tree = Tree(shapes, shapely.STRtree(shapes))
    west, south, east, north = shapely.total_bounds(shapes)
    many = np.random.default_rng(1).uniform((west, south), (east, north), (BULK, 2))
    index = _index(register)
    acts = _singly(connection, register, index, tree, many[:ASKED]) | _in_bulk(index, tree, many)
    return ratios("points", by_turns(acts, rounds=5))


def _singly(
    connection: Connection, register: Register, index: PointIndex, tree: Tree, points: Points
) -> dict[str, Act]:
    locator = Locator(register, margin_m=100)
    some = points.tolist()
    values = {"district": CODE, "plan": register.plan.number}

    def postgis() -> list[str | None]:
        return [connection.scalar(COVERING, {**values, "lon": lon, "lat": lat}) for lon, lat in some]

    def by_tree() -> list[str | None]:
        return [_least(register, tree.covering(point)) for point in shapely.points(points)]

    def by_index() -> list[str | None]:
        found = [index.find(lon, lat) for lon, lat in some]
        return [index.codes[position] if position >= 0 else None for position in found]

    def whole() -> None:
        for lon, lat in some:
            locator.at(lon, lat, "wgs84")

    assert postgis() == by_tree() == by_index(), "the ways disagree"
    ways = {
        "PostGIS, one round trip": postgis,
        "STR-tree and prepared polygons": by_tree,
        "index in memory": by_index,
        "the whole answer": whole,
    }
    return {f"a point: {way}": timed(act, times=ASKED) for way, act in ways.items()}


def _in_bulk(index: PointIndex, tree: Tree, points: Points) -> dict[str, Act]:
    positions = index.cover(points)
    inside, covering = points[positions >= 0], positions[positions >= 0]
    ways = {
        "STR-tree and prepared polygons": lambda: tree.covering(shapely.points(points)),
        "index in memory": lambda: index.cover(points),
        "metres to its grid's border": lambda: index.borders_m(inside, covering),
    }
    return {f"a point of {BULK:,} at once: {way}": timed(act, times=BULK) for way, act in ways.items()}


def _least(register: Register, covering: NDArray[np.intp]) -> str | None:
    return min((register.grids[n].code for n in covering.tolist()), default=None)


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
