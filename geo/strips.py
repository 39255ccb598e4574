"""Dividing a polygon into strips across its long axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity

from geo.coverage import Geometries, segments_of

_BISECTIONS = 50


def divide(land: shapely.Geometry, count: int, along: shapely.Geometry) -> Geometries:
    """Cut land into strips that hold equal shares of a shape lying in it.

    Parameters
    ----------
    land : Polygon or MultiPolygon
        What is divided, metres.
    count : int
        Number of strips.
    along : Polygon or MultiPolygon
        The shape whose long axis is cut and whose area is shared equally: a footprint, so that each entrance gets
        its part of the building and the land beside it, or the land itself.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (count,)
        In order along the axis, from west to east (from south to north on an axis that runs so).

    Notes
    -----
    O(count × vertices).
    """
    angle = long_axis(along)
    origin = shapely.Point(0, 0)
    level, guide = (affinity.rotate(g, -angle, origin=origin, use_radians=True) for g in (land, along))
    cuts = _equal_cuts(guide, count)
    west, south, east, north = shapely.bounds(level)
    edges = np.r_[min(west, cuts[0]) - 1, cuts[1:-1], max(east, cuts[-1]) + 1]
    strips = shapely.intersection(level, shapely.box(edges[:-1], south - 1, edges[1:], north + 1))
    return np.array(
        [affinity.rotate(s, angle, origin=origin, use_radians=True) for s in strips], dtype=object
    )


def long_axis(shape: shapely.Geometry) -> float:
    """Return the angle of a shape's long axis, radians from east, above -π/2 up to and including π/2."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    sides = np.diff(corners[:3], axis=0)
    dx, dy = sides[int(np.hypot(*sides[1]) > np.hypot(*sides[0]))]
    angle = float(np.arctan2(dy, dx))
    return angle - np.pi * np.ceil(angle / np.pi - 0.5)


def _equal_cuts(shape: shapely.Geometry, count: int) -> npt.NDArray[np.float64]:
    """Return the count + 1 abscissae between which a shape has equal areas."""
    segments, _ = segments_of(np.array([shapely.orient_polygons(shape)], dtype=object))
    west, _, east, _ = shapely.bounds(shape)
    wanted = np.arange(count + 1) / count * shape.area
    low, high = np.full(count + 1, west), np.full(count + 1, east)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        short = _area_west_of(middle, segments) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.r_[west, high[1:-1], east]


def _area_west_of(x: npt.NDArray[np.float64], segments: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the area of an oriented outline west of each x: the integral of y dx over what lies there."""
    x0, y0, x1, y1 = segments[segments[:, 0] != segments[:, 2]].T
    ends = np.minimum(np.stack([x0, x1])[:, None, :], x[None, :, None])
    height = y0 + (ends - x0) * ((y1 - y0) / (x1 - x0))
    return np.abs((height.sum(axis=0) / 2 * (ends[1] - ends[0])).sum(axis=1))
