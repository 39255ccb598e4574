"""The offset systems of Chinese maps.

GCJ-02 is the obfuscated system, BD-09 Baidu's offset on top of it; neither has an official description. The formulas
are those published with the open-source converters of 2010-2013, which all agree (Wikipedia, "Restrictions on
geographic data in China").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

Points = NDArray[np.float64]

_KRASSOVSKY_A = 6378245.0
_KRASSOVSKY_E2 = 0.00669342162296594323
_BD_ANGLE = np.pi * 3000.0 / 180.0
_CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)
_FARTHEST_DEGREES = 1.0  # the offsets move no point by a tenth of it


def in_china_box(points: Points, margin: float = 0.0) -> NDArray[np.bool_]:
    """Tell for each point (degrees) whether GCJ-02 is offset there; elsewhere it equals WGS 84.

    Parameters
    ----------
    margin : float
        By how many degrees the box is wider on each side.
    """
    west, south, east, north = _CHINA_BOX
    lon, lat = points[:, 0], points[:, 1]
    inside: NDArray[np.bool_] = (
        (lon >= west - margin) & (lon <= east + margin) & (lat >= south - margin) & (lat <= north + margin)
    )
    return inside


def wgs84_to_gcj02(points: Points) -> Points:
    """Offset WGS 84 points, shape (n, 2) in degrees, to GCJ-02."""
    return np.where(in_china_box(points)[:, None], _gcj02_offset(points), points)


def wgs84_to_bd09(points: Points) -> Points:
    """Offset WGS 84 points, shape (n, 2) in degrees, to BD-09 by way of GCJ-02."""
    return _bd09_offset(wgs84_to_gcj02(points))


def _gcj02_offset(points: Points) -> Points:
    lon, lat = points[:, 0], points[:, 1]
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _KRASSOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASSOVSKY_A * (1.0 - _KRASSOVSKY_E2) / (magic * np.sqrt(magic))
    parallel = _KRASSOVSKY_A / np.sqrt(magic) * np.cos(phi)
    return points + np.degrees(np.column_stack([east / parallel, north / meridian]))


def _bd09_offset(gcj: Points) -> Points:
    x, y = gcj[:, 0], gcj[:, 1]
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_ANGLE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_ANGLE)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


def gcj02_to_wgs84(points: Points) -> Points:
    """Bring GCJ-02 points, shape (n, 2) in degrees, back to WGS 84."""
    return _origins(_gcj02_offset, points, points)


def bd09_to_wgs84(points: Points) -> Points:
    """Bring BD-09 points, shape (n, 2) in degrees, back to WGS 84."""
    return _origins(lambda p: _bd09_offset(_gcj02_offset(p)), points, _invert(_bd09_offset, points))


def _origins(forward: Callable[[Points], Points], points: Points, elsewhere: Points) -> Points:
    """Return the origins of points, given those they have where GCJ-02 is not offset.

    Far from the box they have no others, and the offset's polynomials grow there until their inversion overflows.
    """
    near = in_china_box(points, _FARTHEST_DEGREES)
    found = elsewhere.copy()
    found[near] = _origin(_invert(forward, points[near]), elsewhere[near])
    return found


def _origin(in_china: Points, elsewhere: Points) -> Points:
    """Choose between two origins of a point.

    Just beyond the box's east and north edge a point with the offset and one without map to the same place.
    Either is right; the one nearer the edge is taken, so that points on both sides of it come back.
    """
    offset, plain = in_china_box(in_china), ~in_china_box(elsewhere)
    both = offset & plain
    offset[both] = _edge_degrees(in_china[both]) <= _edge_degrees(elsewhere[both])
    return np.where(offset[:, None], in_china, elsewhere)


def _edge_degrees(points: Points) -> NDArray[np.float64]:
    """Return how far points are from the edge of the box in which GCJ-02 is offset, in degrees."""
    west, south, east, north = _CHINA_BOX
    distances: NDArray[np.float64] = shapely.distance(
        shapely.box(west, south, east, north).exterior, shapely.points(points)
    )
    return distances


def _invert(forward: Callable[[Points], Points], target: Points) -> Points:
    """Solve ``forward(p) == target`` by fixed-point iteration of the composed function.

    The offsets change by less than 1% of the distance moved, so each round gains two digits.
    """
    guess = target.copy()
    for _ in range(20):
        error = target - forward(guess)
        guess = guess + error
        if np.abs(error).max(initial=0.0) < 1e-13:
            break
    return guess
