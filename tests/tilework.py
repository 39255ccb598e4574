"""Tiles taken apart: their features in units of the world, by layer and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import numpy as np
import shapely
from shapely.geometry import shape

from geo.crs import WEB_MERCATOR, to_metric
from geo.tiling import EXTENT, span


def decoded(tile: bytes) -> dict[str, Any]:
    """Return the layers of a tile: features with ``id``, ``properties`` and ``geometry``, rows counted down."""
    found: dict[str, Any] = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    return found


def shapes(tile: bytes, layer: str, by: str = "code") -> dict[Any, shapely.Geometry]:
    """Return the shapes of a layer of a tile, in its units, by a property."""
    features = decoded(tile)[layer]["features"] if tile else []
    return {one["properties"][by]: shape(one["geometry"]) for one in features}


def in_world(found: shapely.Geometry, column: int, row: int) -> shapely.Geometry:
    """Return a shape of a tile in units of the world."""
    return shapely.transform(found, lambda xy: xy + np.array([column, row]) * EXTENT)


def tiles_of(drawn: np.ndarray, zoom: int) -> Iterator[tuple[int, int]]:
    """Return columns and rows of the tiles that EPSG:4326 shapes are in."""
    box = shapely.total_bounds(to_metric(drawn, WEB_MERCATOR))
    first_column, first_row, last_column, last_row = span([box], zoom)[0].tolist()
    for column in range(first_column, last_column + 1):
        for row in range(first_row, last_row + 1):
            yield column, row
