"""Map tiles of WebMercatorQuad: how large their units are, and which of them a shape is in.

The world, 2 pi times 6,378,137 m of Web Mercator (EPSG:3857) wide, is one tile at zoom 0 and four times as many at
each zoom after it; rows are counted from the north. A tile is `EXTENT` units wide, and holds what lies up to
`BUFFER` units around it too, so that outlines are drawn through to its edge.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

MATRIX_SET = "WebMercatorQuad"
"""What the OGC calls it."""
EXTENT = 4096
"""Units a tile is wide."""
BUFFER = 64
"""Units around a tile that it holds too."""
WORLD_M = 2 * math.pi * 6_378_137.0
"""How wide the world is, metres of Web Mercator."""
DEEPEST = 24
"""The last zoom of WebMercatorQuad."""

Integers = NDArray[np.int64]


def unit_m(zoom: int) -> float:
    """Return how many metres of Web Mercator a unit is at a zoom."""
    return WORLD_M / (EXTENT << zoom)


def within(x: int, y: int, zoom: int) -> bool:
    """Tell whether there is a tile of that column and row."""
    return 0 <= zoom <= DEEPEST and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom


def origin(x: int, y: int, zoom: int) -> tuple[float, float]:
    """Return the north-western corner of a tile, metres of Web Mercator."""
    side = WORLD_M / (1 << zoom)
    return x * side - WORLD_M / 2, WORLD_M / 2 - y * side


def span(bounds: ArrayLike, zoom: int, *, buffer: int = BUFFER) -> Integers:
    """Return the tiles that hold something of boxes.

    Parameters
    ----------
    bounds : array_like of float, shape (n, 4)
        West, south, east, north, metres of Web Mercator.
    zoom : int
        Whose tiles are meant.
    buffer : int
        Units around a tile that it holds too.

    Returns
    -------
    ndarray of int, shape (n, 4)
        First column, first row, last column, last row; never outside the world.
    """
    west, south, east, north = np.asarray(bounds, dtype=float).reshape(-1, 4).T
    unit = unit_m(zoom)
    first = np.column_stack([west + WORLD_M / 2, WORLD_M / 2 - north]) / unit - buffer
    last = np.column_stack([east + WORLD_M / 2, WORLD_M / 2 - south]) / unit + buffer
    tiles = np.floor(np.hstack([first, last]) / EXTENT).astype(np.int64)
    found: Integers = np.clip(tiles, 0, (1 << zoom) - 1)
    return found
