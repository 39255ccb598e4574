"""What is killed in the middle: acts on districts that are ready for them, each of which may be asked for twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import shapely

from data.session import Store
from etl import edits
from etl.activation import activate_due
from etl.cells import build_cells
from etl.edits import Move
from etl.ledger import import_tables
from etl.publish import publish
from tests.governed import APPROVER, AUTHOR, HOUR, Governed, governed

PLAN = 2
"""Number of the plan that is moved in, published or activated."""


@dataclass(frozen=True)
class Act:
    """An act, the district it is done to, and what makes that district ready."""

    district: str
    prepare: Callable[[Governed], object]
    carry_out: Callable[[Store, str], object]


def prepare_all(store: Store) -> None:
    """Settle a district for every act, and make it ready."""
    for act in ACTS.values():
        place = governed(store, act.district)
        _add_service(place)
        act.prepare(place)


def _add_service(place: Governed) -> None:
    """Give every grid a worker on duty, and every cell an open case."""
    place.query(
        "WITH hired AS (INSERT INTO workers (district, external_code, name) SELECT district, code, '演示员' FROM grids"
        " RETURNING id, district, external_code AS code) INSERT INTO duties (district, worker_id, grid_id, valid)"
        " SELECT h.district, h.id, g.id, daterange('2020-01-01', NULL) FROM hired h JOIN grids g USING (code)"
        " RETURNING id"
    )
    place.query(
        "INSERT INTO cases (district, number, category, grid_id, point)"
        " SELECT c.district, c.id::text, '环境', pc.grid_id, ST_PointOnSurface(c.shape)"
        " FROM cells c JOIN plan_cells pc ON pc.cell_id = c.id RETURNING id"
    )


def _approved(place: Governed) -> int:
    """Draft a plan that retires two grids and makes one, and bring it to approval."""
    west, east, west_of_2, east_of_2 = place.grids()
    number = place.open()
    place.move(number, Move(east, grids=[west]))
    place.move(number, Move("new", grids=[west_of_2]), Move("new", cells=place.cells(east_of_2)[:4]))
    place.submit(number)
    place.approve(number)
    return number


def _fall_due(place: Governed) -> None:
    place.publish(_approved(place), place.now() + HOUR)
    place.pass_time(HOUR)


def _had_a_first_delivery(place: Governed) -> None:
    """Let what is stored come from an import, so that a second may retire what it lacks."""
    place.query(
        "WITH first AS (INSERT INTO imports (district, kind, source, digest, actor, state, report)"
        " VALUES (:district, 'ledger', 'first delivery', '1', 'author', 'loaded', '{}') RETURNING id)"
        " UPDATE buildings SET import_id = first.id FROM first RETURNING buildings.id",
        district=place.code,
    )


def _delivery(place: Governed) -> gpd.GeoDataFrame:
    """Return a second delivery of the register: some recounted, one gone, one new."""
    rows = place.query(
        "SELECT external_code, 'C' || substr(external_code, 2, 1), households, stated_grid, ST_AsBinary(footprint)"
        " FROM buildings WHERE retired_at IS NULL ORDER BY 1"
    )
    code, community, households, grid, wkb = zip(*rows, strict=True)
    shapes = shapely.from_wkb([bytes(each) for each in wkb])
    frame = gpd.GeoDataFrame(
        {"code": code, "community": community, "households": households, "grid": grid},
        geometry=shapes,
        crs=4326,
    )
    frame.loc[frame.code.str.startswith("B1-0"), "households"] = 25
    frame.loc[frame.code == "B1-3-3", "code"] = "B1-NEW"
    return frame


def _deliver(store: Store, district: str) -> object:
    tables = {"buildings": _delivery(Governed(store, district))}
    return import_tables(
        store, AUTHOR, district, tables, name=None, kind="ledger", source="second delivery", digest="2"
    )


def _move(store: Store, district: str) -> object:
    wanted = [Move("G1-B", buildings=["B1-0-0", "B1-0-1"]), Move("new", buildings=["B2-0-0"])]
    return edits.move(store, AUTHOR, district, PLAN, wanted, revision=1, key="once")


ACTS = {
    "move": Act("970001", Governed.open, _move),
    "publish": Act(
        "970002",
        _approved,
        lambda store, district: publish(store, APPROVER, district, PLAN, key="once"),
    ),
    "activation": Act("970003", _fall_due, activate_due),
    "import": Act("970004", _had_a_first_delivery, _deliver),
    "cells": Act(
        "970005",
        lambda place: (_had_a_first_delivery(place), _deliver(place.store, place.code)),
        lambda store, district: build_cells(store, AUTHOR, district),
    ),
}
