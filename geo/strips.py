"""Dividing a polygon into strips across a long axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geo.coverage import Geometries, segments_of

_BISECTIONS = 50  # halves any extent to below the spacing of doubles
_UPRIGHT = 1e-3  # half turns: rounding does not decide which end of an upright axis comes first


def divide(land: shapely.Geometry, count: int, along: shapely.Geometry) -> Geometries:
    """Cut land into strips that hold equal shares of a shape lying in it.

    Parameters
    ----------
    land : Polygon or MultiPolygon
        What is divided, metres.
    count : int
        Number of strips.
    along : Polygon or MultiPolygon
        The shape whose long axis is cut and whose area is shared equally: a footprint, so that each entrance
        gets its part of the building and the land beside it, or the land itself.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (count,)
        In order along the axis, from west to east, or from south to north on an axis that runs so.

    Notes
    -----
    O(count × vertices).
    """
    angle = long_axis(along)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level, guide = shapely.transform(np.array([land, along], dtype=object), lambda xy: xy @ turn)
    west, south, east, north = shapely.total_bounds([level, guide])
    edges = np.r_[west - 1, _equal_cuts(guide, count), east + 1]
    strips = shapely.intersection(level, shapely.box(edges[:-1], south - 1, edges[1:], north + 1))
    return np.asarray(shapely.transform(strips, lambda xy: xy @ turn.T))


def long_axis(shape: shapely.Geometry) -> float:
    """Return the angle of a shape's long axis, radians from east; an upright one points north."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    first, second = np.diff(corners[:3], axis=0)
    dx, dy = second if np.hypot(*second) > np.hypot(*first) else first
    angle = float(np.arctan2(dy, dx))
    return angle - np.pi * float(np.ceil(angle / np.pi - 0.5 - _UPRIGHT))


def _equal_cuts(shape: shapely.Geometry, count: int) -> npt.NDArray[np.float64]:
    """Return the count - 1 abscissae that part a shape into equal areas, by bisection."""
    segments, _ = segments_of(np.array([shapely.orient_polygons(shape)], dtype=object))
    west, _, east, _ = shapely.bounds(shape)
    wanted = np.arange(1, count) / count * shape.area
    low, high = np.full(count - 1, west), np.full(count - 1, east)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        short = _area_west_of(middle, segments) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


def _area_west_of(x: npt.NDArray[np.float64], segments: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the area of an oriented outline west of each x: the integral of y dx over the part there."""
    x0, y0, x1, y1 = segments[segments[:, 0] != segments[:, 2]].T
    slope = (y1 - y0) / (x1 - x0)
    start, end = (np.minimum(ends, x[:, None]) for ends in (x0, x1))
    height = y0 + ((start + end) / 2 - x0) * slope
    return np.asarray(np.abs((height * (end - start)).sum(axis=1)))
