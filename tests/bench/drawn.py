"""What the bench of map layers asks, made up: a district of grids of many vertices, and one of 135,600 buildings.

The buildings' district has no plan, so that a server need not learn 135,600 addresses before it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import shapely
from sqlalchemy import Connection, text

from data import districts, versions
from data.bulk import stage
from data.session import Store
from etl import levels
from geo.crs import from_metric, to_metric
from tests.bench.database import thrown_away
from tests.bench.load.make_dataset import build

GRIDS, BUILDINGS, SRID = "990401", "990402", 4549
"""The districts' codes, and what both are measured in."""
HALF_M = 4.0
"""Half the side of a building."""

_COMMUNITIES = """
INSERT INTO communities (district, code, external_code, name, boundary)
SELECT :d, code, 'C' || id, name, ST_Multi(ST_SetSRID(shape, 4326)) FROM made_communities
"""
_GRIDS = """
INSERT INTO grids (district, community_id, code, external_code, issued_at)
SELECT :d, c.id, m.code, 'G' || m.id, now() FROM made_grids m
JOIN communities c ON c.district = :d AND c.external_code = 'C' || m.community;
INSERT INTO cell_sets (district, number, actor) VALUES (:d, 1, 'bench');
INSERT INTO plans (district, number, title, state, origin, cell_set, target, tolerance_percent, author, valid,
                   activated_at)
VALUES (:d, 1, '现状', 'published', 'imported', 1, 300, 10, 'bench', tstzrange(now() - interval '1 day', NULL), now());
INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m, shape)
SELECT :d, p.id, g.id, m.households, 300, m.area_m2, m.perimeter_m, ST_Multi(ST_SetSRID(m.shape, 4326))
FROM made_grids m JOIN grids g ON g.district = :d AND g.code = m.code JOIN plans p ON p.district = :d;
INSERT INTO cells (district, community_id, first_set, area_m2, perimeter_m, shape)
SELECT g.district, g.community_id, 1, pg.area_m2, pg.perimeter_m, pg.shape
FROM grids g JOIN plan_grids pg ON pg.district = g.district AND pg.grid_id = g.id WHERE g.district = :d ORDER BY g.id;
INSERT INTO plan_cells (district, plan_id, cell_id, grid_id)
SELECT :d, pg.plan_id, c.id, pg.grid_id FROM plan_grids pg
JOIN cells c ON c.district = :d AND ST_Equals(c.shape, pg.shape) WHERE pg.district = :d
"""
_BUILDINGS = """
INSERT INTO buildings (district, community_id, external_code, label, address, kind, floors, households,
                       households_source, footprint, point)
SELECT :d, c.id, 'B' || m.id, m.label, m.address, '住宅', 1 + m.id % 33, 1, 'made_up',
       ST_Multi(ST_SetSRID(m.shape, 4326)), ST_SetSRID(ST_Centroid(m.shape), 4326)
FROM made_buildings m JOIN communities c ON c.district = :d AND c.external_code = 'C' || m.community ORDER BY m.id
"""

Rows = Mapping[str, list[tuple[Any, ...]]]


@contextmanager
def stored() -> Iterator[str]:
    """Keep the district in a database that is thrown away afterwards, and give its address."""
    with thrown_away() as url:
        made = build()
        with closing(Store(url)) as store:
            for code, fill in ((GRIDS, _add_grids), (BUILDINGS, _add_buildings)):
                with store.begin(code) as connection:
                    districts.add(connection, code, "试验区", SRID, made_up=True)
                    _add_communities(connection, code, made)
                    fill(connection, made)
                    versions.advance(connection, code, "communities", "buildings", "grids", "plans")
                levels.complete_all(store, code)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        yield url


def _add_communities(connection: Connection, district: str, made: Rows) -> None:
    stage(
        connection,
        "made_communities",
        {"id": "integer", "code": "text", "name": "text", "shape": "geometry"},
        [
            (number, _community(district, number), name, _wkb(shape)[0])
            for number, _, name, shape in made["community"]
        ],
    )
    connection.execute(text(_COMMUNITIES), {"d": district})


def _add_grids(connection: Connection, made: Rows) -> None:
    rows = made["grid"]
    flat = to_metric([row[-1] for row in rows], SRID)
    stage(
        connection,
        "made_grids",
        {
            "id": "integer",
            "code": "text",
            "community": "integer",
            "households": "integer",
            "area_m2": "float8",
            "perimeter_m": "float8",
            "shape": "geometry",
        },
        [
            (
                number,
                _community(GRIDS, community) + code[-3:],
                community,
                households,
                drawn.area,
                drawn.length,
                wkb,
            )
            for (number, code, _, community, households, *_), drawn, wkb in zip(
                rows, flat, _wkb(*[row[-1] for row in rows]), strict=True
            )
        ],
    )
    for statement in _GRIDS.split(";\n"):
        connection.execute(text(statement), {"d": GRIDS})


def _add_buildings(connection: Connection, made: Rows) -> None:
    """Add a square for each address."""
    community = {number: of for number, _, _, of, *_ in made["grid"]}
    points = to_metric([row[-1] for row in made["address"]], SRID)
    x, y = shapely.get_x(points), shapely.get_y(points)
    squares = from_metric(shapely.box(x - HALF_M, y - HALF_M, x + HALF_M, y + HALF_M), SRID)
    stage(
        connection,
        "made_buildings",
        {"id": "integer", "community": "integer", "label": "text", "address": "text", "shape": "geometry"},
        [
            (number, community[grid], f"{number % 90 + 1}栋", address, wkb)
            for (number, _, grid, address, _), wkb in zip(made["address"], _wkb(*squares), strict=True)
        ],
    )
    connection.execute(text(_BUILDINGS), {"d": BUILDINGS})


def _community(district: str, number: int) -> str:
    return f"{district}001{number:03d}"


def _wkb(*shapes: shapely.Geometry) -> list[str]:
    return list(shapely.to_wkb(list(shapes), hex=True))
