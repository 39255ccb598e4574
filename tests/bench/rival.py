"""tipg beside ours, on the same data: where ``TIPG_PYTHON`` names a Python that has it and uvicorn.

It reads tables of its own, as its documentation wants them: a primary key, an index of the shapes, no security by row.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psutil
import psycopg
from sqlalchemy import make_url

from tests.bench.drawn import BUILDINGS, GRIDS
from tests.bench.loading import Target, pin, told
from tests.bench.server import HOST, await_answers, free_port

_TABLES = f"""
CREATE SCHEMA rival;
SELECT set_config('gridgov.district', '{GRIDS}', false);
CREATE TABLE rival.grids AS SELECT id, code, external_code, provisional, kind, community_code, community, plan,
    valid_from, valid_to, target, households, buildings, area_m2, perimeter_m, shape AS geom FROM layers.grids;
SELECT set_config('gridgov.district', '{BUILDINGS}', false);
CREATE TABLE rival.buildings AS SELECT id, external_code, label, address, road, road_number, poi, kind, floors,
    entrances, households_source, households_on, shape AS geom FROM layers.buildings;
ALTER TABLE rival.grids ALTER geom TYPE geometry(MultiPolygon, 4326), ADD PRIMARY KEY (id);
ALTER TABLE rival.buildings ALTER geom TYPE geometry(MultiPolygon, 4326), ADD PRIMARY KEY (id);
CREATE INDEX ON rival.grids USING gist (geom);
CREATE INDEX ON rival.buildings USING gist (geom);
VACUUM ANALYZE
"""
_FROM = "/collections/rival"
_PAGE = f"{_FROM}.grids/items?limit=10"
_BUILDINGS = f"{_FROM}.buildings/items?limit=10"


@contextmanager
def targets(url: str, tile: str) -> Iterator[list[Target]]:
    """Keep tipg running, where it is, and give what is asked of it; ``tile`` is ``zoom/column/row``."""
    python = os.environ.get("TIPG_PYTHON")
    if not python:
        yield []
        return
    address = url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
    with _running(python, address) as port:
        one = told(port, _PAGE)["features"][0]["id"]
        buildings = told(port, _BUILDINGS)["numberMatched"]
        yield [
            Target("tipg: page of 10 grids", port, (_PAGE,)),
            Target("tipg: one grid", port, (f"{_FROM}.grids/items/{one}",)),
            Target("tipg: tile of zoom 14", port, (f"{_FROM}.grids/tiles/WebMercatorQuad/{tile}",)),
            Target("tipg: first page of buildings", port, (_BUILDINGS,)),
            Target("tipg: last page of buildings", port, (f"{_BUILDINGS}&offset={buildings - 10}",)),
        ]


@contextmanager
def _running(python: str, address: str) -> Iterator[int]:
    port = free_port()
    command = [python, "-m", "uvicorn", "tipg.main:app", "--host", HOST, "--port", str(port)]
    named = make_url(address)
    socket = named.set(
        query={}, host=quote(str(named.query["host"]), safe=""), port=int(str(named.query["port"]))
    )
    environment = os.environ | {"DATABASE_URL": socket.render_as_string(), "TIPG_DB_SCHEMAS": '["rival"]'}
    quiet = ["--no-access-log", "--log-level", "warning"]
    with subprocess.Popen([*command, *quiet], env=environment) as process:
        try:
            await_answers(port, process)
            pin(psutil.Process(process.pid))
            yield port
        finally:
            process.terminate()
