"""Points where rounding matters, and what PostGIS says covers them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data.bulk import stage
from geo.celltable import edges
from geo.index import GAP_DEGREES

Points = NDArray[np.float64]
Positions = NDArray[np.intp]
OFFSETS = (1e-9, 1e-6)
"""How far at least and at most a point is put beside a border, degrees."""


def probes(shapes: NDArray[np.object_], count: int, *, seed: int) -> Points:
    """Return ``count`` points: a fifth each anywhere, vertices, midpoints, on edges and beside edges."""
    rng = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(shapes)
    start, end = edges(shapes)
    vertices, middles, *others = rng.integers(0, len(start), (4, count // 5))
    share = rng.uniform(0.0, 1.0, (2, count // 5, 1))
    on, beside = (start[n] * (1.0 - part) + end[n] * part for n, part in zip(others, share, strict=True))
    turn = rng.uniform(0.0, 2.0 * np.pi, count // 5)
    away = np.exp(rng.uniform(*np.log(OFFSETS), count // 5))
    beside += away[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    anywhere = rng.uniform((west, south), (east, north), (count - 4 * (count // 5), 2))
    return np.concatenate([anywhere, start[vertices], (start[middles] + end[middles]) / 2.0, on, beside])


def by_postgis(
    connection: Connection, codes: Sequence[str], shapes: NDArray[np.object_], points: Points
) -> tuple[Positions, Positions]:
    """Return the area each point is in by ``ST_Covers`` and, where it is in none, by the gap rule.

    Areas are named by their position among the codes in order; -1 is none.
    """
    sorted_shapes = shapes[sorted(range(len(codes)), key=codes.__getitem__)]
    for table, shapes in {"area": sorted_shapes, "asked": shapely.points(points)}.items():
        columns = {"n": "int", "shape": "geometry"}
        stage(connection, table, columns, enumerate(shapely.to_wkb(shapes, hex=True)))
    connection.execute(text("CREATE INDEX ON asked USING gist (shape)"))
    covered = _least(connection, len(points), "ST_Covers(area.shape, asked.shape)")
    connection.execute(
        text("DELETE FROM asked WHERE n = ANY (:found)"), {"found": np.flatnonzero(covered >= 0).tolist()}
    )
    torn = _least(connection, len(points), "ST_DWithin(area.shape, asked.shape, :gap)")
    return covered, torn


def _least(connection: Connection, count: int, condition: str) -> Positions:
    rows = connection.execute(
        text(f"SELECT asked.n, min(area.n) FROM area JOIN asked ON {condition} GROUP BY 1"),
        {"gap": GAP_DEGREES},
    ).all()
    found = np.full(count, -1)
    if rows:
        which, areas = np.array(rows, dtype=np.intp).T
        found[which] = areas
    return found
