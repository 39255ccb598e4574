"""A small made-up district, straight into the store: blocks of houses, a community a block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data import districts
from data.session import Store
from geo.crs import from_metric

SRID = 4549
CORNER = (640_000.0, 3_508_000.0)
PITCH = 30.0

Stated = Callable[[int, int, int], str | None]
"""Today's grid of a building, from its community, column and row."""


def halves(community: int, column: int, row: int) -> str:
    """State two grids a community: the three columns to the west, and those to the east."""
    return f"G{community}-{'W' if column < 3 else 'E'}"


def settle(
    store: Store,
    code: str = "990001",
    *,
    communities: int = 2,
    side: int = 6,
    households: int = 20,
    stated: Stated = halves,
    river: bool = False,
) -> None:
    """Store square communities side by side, each with ``side`` x ``side`` houses ``PITCH`` metres apart.

    With ``river`` a barrier runs from west to east through the middle of all of them.
    """
    with store.begin(code) as connection:
        districts.add(connection, code, "试验区", SRID, made_up=True)
        for number in range(1, communities + 1):
            _add_community(connection, code, number, side, households, stated)
        if river:
            x, y = CORNER[0] - PITCH, CORNER[1] + side * PITCH / 2
            line = shapely.LineString([(x, y), (x + (communities * side + 2) * PITCH, y)])
            connection.execute(
                text(
                    "INSERT INTO barriers (district, kind, shape) VALUES (:d, 'river', ST_GeomFromWKB(:g, 4326))"
                ),
                {"d": code, "g": shapely.to_wkb(from_metric([line], SRID)[0])},
            )


def _add_community(
    connection: Connection, code: str, number: int, side: int, households: int, stated: Stated
) -> None:
    west = CORNER[0] + (number - 1) * side * PITCH
    square = shapely.box(west, CORNER[1], west + side * PITCH, CORNER[1] + side * PITCH)
    community = connection.execute(
        text(
            "INSERT INTO communities (district, code, external_code, name, boundary)"
            " VALUES (:d, :code, :external, :name, ST_Multi(ST_GeomFromWKB(:g, 4326))) RETURNING id"
        ),
        {
            "d": code,
            "code": f"{code}900{number:03d}",
            "external": f"C{number}",
            "name": f"第{number}社区",
            "g": shapely.to_wkb(from_metric([square], SRID)[0]),
        },
    ).scalar_one()
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    x, y = west + (column + 0.5) * PITCH, CORNER[1] + (row + 0.5) * PITCH
    houses = from_metric(shapely.box(x - 8, y - 5, x + 8, y + 5), SRID)
    rows = [
        {
            "d": code,
            "community": community,
            "external": f"B{number}-{i}-{j}",
            "households": households,
            "grid": stated(number, i, j),
            "address": f"试验路{number}号{i * side + j + 1}幢",
            "g": shapely.to_wkb(house),
        }
        for i, j, house in zip(column.tolist(), row.tolist(), houses, strict=True)
    ]
    connection.execute(
        text(
            "INSERT INTO buildings (district, community_id, external_code, households, households_source, stated_grid,"
            " address, footprint, point) SELECT :d, :community, :external, :households, 'made_up', :grid, :address,"
            " ST_Multi(shape), ST_PointOnSurface(shape) FROM ST_GeomFromWKB(:g, 4326) AS shape"
        ),
        rows,
    )
