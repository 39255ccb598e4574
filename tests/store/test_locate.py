"""The register as it is read for locating, and the index beside PostGIS on a real tessellation."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from data import locate, versions
from data.session import Store
from geo.crs import metric_srid
from geo.index import GAP_DEGREES, PointIndex
from geo.locate import Locator
from geo.times import midnight
from tests import town
from tests.unit.test_index import VILLAGES

ASKED = text(
    "SELECT (SELECT min(code) FROM areas WHERE ST_Covers(shape, point)),"
    " (SELECT min(ST_Distance(shape, point)) FROM areas WHERE ST_DWithin(shape, point, 1e-4))"
    " FROM ROWS FROM (unnest(CAST(:lons AS float8[])), unnest(CAST(:lats AS float8[]))) WITH ORDINALITY"
    " AS asked (lon, lat, n), LATERAL ST_Point(lon, lat, 4326) AS point ORDER BY n"
)


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def villages(store):
    """The villages as a table of areas, and their index."""
    features = json.loads(VILLAGES.read_text(encoding="utf-8"))["features"]
    rows = [
        {"code": feature["properties"]["VILLCODE"], "shape": json.dumps(feature["geometry"])}
        for feature in features
    ]
    shapes = np.array([shapely.from_geojson(row["shape"]) for row in rows])
    with store.engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE areas (code text, shape geometry)"))
        connection.execute(
            text("INSERT INTO areas VALUES (:code, ST_SetSRID(ST_GeomFromGeoJSON(:shape), 4326))"), rows
        )
        connection.execute(text("CREATE INDEX ON areas USING gist (shape)"))
        yield connection, PointIndex([row["code"] for row in rows], shapes, metric_srid(121.5, 25.0)), shapes


def adversarial(shapes, count):
    """Points where rounding matters: vertices, on edges, and a hair beside them."""
    rng = np.random.default_rng(2)
    lines = shapely.get_coordinates(shapely.boundary(shapes[rng.integers(0, len(shapes), 40)]))
    vertices = lines[rng.integers(0, len(lines), count)]
    ends = np.column_stack([lines[:-1], lines[1:]])[np.hypot(*np.diff(lines, axis=0).T) < 0.02]
    edges = ends[rng.integers(0, len(ends), count)]
    share = rng.uniform(0, 1, (count, 1))
    on_edges = edges[:, :2] * (1 - share) + edges[:, 2:] * share
    beside = on_edges + rng.normal(0, 1e-9, (count, 2))
    return np.concatenate([vertices, on_edges, beside])


def test_the_index_agrees_with_postgis(villages):
    connection, index, shapes = villages
    west, south, east, north = shapely.total_bounds(shapes)
    anywhere = np.random.default_rng(1).uniform((west, south), (east, north), (1000, 2))
    points = np.concatenate([anywhere, adversarial(shapes, 500)])
    asked = connection.execute(ASKED, {"lons": points[:, 0].tolist(), "lats": points[:, 1].tolist()}).all()
    assert len(asked) == len(points)
    for (covering, distance), position in zip(asked, index.cover(points), strict=True):
        found = index.codes[position] if position >= 0 else None
        if covering is not None or distance is None or distance > GAP_DEGREES:
            assert found == covering
        else:
            assert found is not None  # within a centimetre of an area: the border


def test_the_register_is_read_whole(store):
    town.build(store)
    with store.begin("340504") as connection:
        edition = locate.edition(connection, "340504")
        register = locate.register(connection, edition, "340504", staff=True)
    assert (edition.plan, edition.version) == (2, 3)
    assert [grid.code for grid in register.grids] == [town.grid_code(n) for n in (1, 2, 3, 4)]
    assert [grid.households for grid in register.grids] == [290, 300, None, 350]
    (on_duty,) = register.grids[0].on_duty
    assert (on_duty.role, on_duty.worker, on_duty.phone) == ("primary", town.WORKER, town.PHONE)
    assert len(register.places) == 8
    assert len(register.sites) == 2


def test_without_staff_no_worker_is_read(store):
    town.build(store)
    with store.begin("340504") as connection:
        register = locate.register(connection, locate.edition(connection, "340504"), "340504")
    assert [(duty.worker, duty.phone) for duty in register.grids[0].on_duty] == [(None, None)]


def test_each_district_reads_its_own(store):
    town.build(store)
    town.build(store, "340503", "花山区", west=118.70)
    with store.begin("340503") as connection:
        register = locate.register(connection, locate.edition(connection, "340503"), "340503")
    locator = Locator(register, margin_m=100)
    assert locator.at(118.705, 31.705, "wgs84").grid.code == town.grid_code(1, "340503")
    assert locator.at(118.505, 31.705, "wgs84").grid is None


def test_before_the_first_plan_there_is_nothing_to_locate(store):
    town.build(store)
    with store.begin("340504") as connection:
        connection.execute(text("UPDATE plans SET valid = NULL, state = 'draft'"))
        edition = locate.edition(connection, "340504")
        register = locate.register(connection, edition, "340504")
    assert (edition.plan, register) == (None, None)


def test_the_edition_rises_with_any_change(store):
    town.build(store)
    with store.begin("340504") as connection:
        before = locate.edition(connection, "340504")
        connection.execute(text("UPDATE data_versions SET version = version + 1 WHERE layer = 'plans'"))
        assert locate.edition(connection, "340504").version == before.version + 1


def test_the_land_of_a_pending_building_is_read(store):
    town.build(store)
    footprint = "ST_Multi(ST_Buffer(point, 0.0001))"
    with store.begin("340504") as connection:
        connection.execute(text(f"UPDATE buildings SET footprint = {footprint} WHERE point IS NOT NULL"))
        register = locate.register(connection, locate.edition(connection, "340504"), "340504")
    assert [place.building.external_code for place in register.places if place.land] == ["B6"]
    answer = Locator(register, margin_m=100).at(118.51805, 31.705, "wgs84")
    assert (answer.grid.code, answer.pending) == (town.grid_code(2), True)


def test_drafts_are_no_part_of_an_edition(store):
    town.build(store)
    with store.begin("340504") as connection:
        before = locate.edition(connection, "340504")
        versions.advance(connection, "340504", "drafts")
        assert locate.edition(connection, "340504") == before


def test_an_edition_says_when_the_next_begins(store):
    town.build(store)
    with store.begin("340504") as connection:
        now = locate.edition(connection, "340504")
        assert now.changes == midnight(now.day + timedelta(days=1))
        soon = now.at + (now.changes - now.at) / 2
        connection.execute(
            text("UPDATE plans SET valid = tstzrange(lower(valid), :soon) WHERE number = 2"), {"soon": soon}
        )
        assert (locate.edition(connection, "340504", now.at).changes, now.until) == (soon, None)
        ended = locate.edition(connection, "340504", soon)
        assert (ended.plan, ended.changes) == (None, now.changes)
        past = locate.edition(connection, "340504", now.at - timedelta(days=40))
        assert (past.plan, past.version, past.until) == (1, now.version, now.since)
