"""Coordinate systems: the only place that knows their numbers.

Stored coordinates are EPSG:4326, longitude first. Lengths and areas are measured in the metric
system chosen for a district by `metric_srid`.

CGCS2000 (EPSG:4490) is taken as equal to WGS 84: they differ by less than the accuracy of either
realisation. GCJ-02 and BD-09, the offset systems of Chinese maps, are in `geo.offsets`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from geo.errors import CoordinateError
from geo.offsets import bd09_to_wgs84, gcj02_to_wgs84, in_china_box, wgs84_to_bd09, wgs84_to_gcj02

WGS84 = 4326
"""EPSG code of everything stored."""
WEB_MERCATOR = 3857
"""EPSG code of what map tiles are cut from."""

Points = NDArray[np.float64]

_WGS84_A = 6378137.0
_WGS84_E2 = 0.00669437999014

_NAMES = {
    "wgs84": "EPSG:4326",
    "cgcs2000": "EPSG:4490",
    "gcj02": "gcj02",
    "bd09": "bd09",
}
_GEOGRAPHIC = frozenset({"EPSG:4326", "EPSG:4490"})
# CGCS2000 / 3-degree Gauss-Kruger: zones 25-45 (zone-prefixed eastings), then by central meridian.
_ZONES = range(4513, 4555)
_BY_MERIDIAN = {75 + 3 * i: 4534 + i for i in range(21)}
_PREFIXED = {25 + i: 4513 + i for i in range(21)}
_ZONE_OF = {f"EPSG:{first + i}": 25 + i for first in (4513, 4534) for i in range(21)}
_NORTHINGS = (1e6, 1e7)
KNOWN = "wgs84, cgcs2000, gcj02, bd09, EPSG:4326, EPSG:4490, EPSG:4513 to EPSG:4554"


@lru_cache(maxsize=256)
def normalise(crs: str) -> str:
    """Return the one name of a coordinate system.

    Parameters
    ----------
    crs : str
        ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09``, or ``EPSG:n`` of 4326, 4490 or a CGCS2000
        3-degree zone (4513 to 4554). Case, ``-`` and ``_`` do not matter.

    Raises
    ------
    CoordinateError
        If the system is not one of these.
    """
    plain = re.sub(r"[-_\s]", "", crs.lower())
    if plain in _NAMES:
        return _NAMES[plain]
    found = re.fullmatch(r"(?:epsg:?)?(\d{4})", plain)
    if found and (f"EPSG:{found[1]}" in _GEOGRAPHIC or int(found[1]) in _ZONES):
        return f"EPSG:{found[1]}"
    raise CoordinateError(f"Unknown coordinate system '{crs[:40]}'.", f"Use one of {KNOWN}.")


def to_wgs84(xy: ArrayLike, crs: str) -> Points:
    """Bring points of any known system to EPSG:4326.

    Parameters
    ----------
    xy : array_like, shape (n, 2)
        Longitude and latitude in degrees, or easting and northing in metres.
    crs : str
        As for `normalise`.

    Returns
    -------
    ndarray, shape (n, 2)
        Longitude and latitude in degrees.

    Raises
    ------
    CoordinateError
        If the system is unknown, or a value is not finite or out of the system's range.
    """
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    name = normalise(crs)
    _check_range(points, name)
    if name in _GEOGRAPHIC:
        return points
    if name == "gcj02":
        return gcj02_to_wgs84(points)
    if name == "bd09":
        return bd09_to_wgs84(points)
    return _project(points, int(name[5:]), forward=False)


def point_to_wgs84(x: float, y: float, crs: str) -> tuple[float, float]:
    """Bring one point of any known system to EPSG:4326; see `to_wgs84`."""
    if crs in _GEOGRAPHIC and -180.0 <= x <= 180.0 and -90.0 <= y <= 90.0:
        return x, y
    lon, lat = to_wgs84([[x, y]], crs)[0].tolist()
    return lon, lat


def plain_to_wgs84(xy: Points, name: str) -> tuple[Points, NDArray[np.bool_]]:
    """Bring those points to EPSG:4326 that are in range and written as their system has it.

    Parameters
    ----------
    xy : ndarray, shape (n, 2)
        As for `to_wgs84`; they may be anything, also not finite.
    name : str
        The one name of their system; see `normalise`.

    Returns
    -------
    ndarray, shape (m, 2)
        Those points, in their order.
    ndarray of bool, shape (n,)
        Which they are. The others are `recognise`'s; of points that can be projected only in part it is all.
    """
    x, y = xy[:, 0], xy[:, 1]
    if name in _ZONE_OF:
        low = _ZONE_OF[name] * 1e6 if int(name[5:]) in _PREFIXED.values() else 0.0
        plain = (low < x) & (x < low + 1e6) & (_NORTHINGS[0] <= y) & (y < _NORTHINGS[1])
    else:
        plain = (np.abs(x) <= 180.0) & (np.abs(y) <= 90.0)
    try:
        return to_wgs84(xy[plain], name), plain
    except CoordinateError:
        return np.empty((0, 2)), np.zeros(len(xy), dtype=np.bool_)


def from_wgs84(xy: ArrayLike, crs: str) -> Points:
    """Bring EPSG:4326 points to any known system; see `to_wgs84`."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    name = normalise(crs)
    _check_range(points, "EPSG:4326")
    if name in _GEOGRAPHIC:
        return points
    if name == "gcj02":
        return wgs84_to_gcj02(points)
    if name == "bd09":
        return wgs84_to_bd09(points)
    return _project(points, int(name[5:]), forward=True)


@dataclass(frozen=True)
class Reading:
    """Coordinates as they are meant: in the order and with the zone prefix of ``crs``.

    Attributes
    ----------
    swapped : bool
        The northing was given first, as Chinese surveys write X and Y.
    prefix : bool
        The zone prefix of the easting was taken away or put in front.
    """

    x: float
    y: float
    crs: str
    swapped: bool = False
    prefix: bool = False


def recognise(x: float, y: float, crs: str) -> Reading:
    """Read coordinates of a 3-degree zone whichever way they are written.

    In China eastings are below 10^6 m, northings from 10^6 to 10^7 m and eastings with a zone prefix
    from 25 to 46 million: no number can be taken for another. ``cgcs2000`` is read as the zone the prefix
    names where the numbers are those of one.

    Raises
    ------
    CoordinateError
        If the system is unknown, or the prefix names another zone than the system.
    """
    name = normalise(crs)
    swapped = _is_northing(x) and (_is_easting(y) or _is_prefixed(y))
    east, north = (y, x) if swapped else (x, y)
    zone = int(east // 1e6) if _is_prefixed(east) and _is_northing(north) else None
    if name not in _ZONE_OF:
        return Reading(x, y, name) if zone is None else _by_prefix(east, north, zone, name, swapped)
    own = _ZONE_OF[name]
    if zone not in (None, own):
        raise CoordinateError(
            f"The easting's prefix names zone {zone}, {name} is zone {own}.",
            f"State EPSG:{_PREFIXED[zone]}, or check the numbers.",
        )
    prefixed = int(name[5:]) in _PREFIXED.values()
    if prefixed and _is_easting(east) and _is_northing(north):
        return Reading(own * 1e6 + east, north, name, swapped, True)
    if not prefixed and zone is not None:
        return Reading(east - own * 1e6, north, name, swapped, True)
    return Reading(east, north, name, swapped)


def _by_prefix(east: float, north: float, zone: int, name: str, swapped: bool) -> Reading:
    """Read metres of a zone stated in a system of degrees: its own grid is meant by CGCS2000, by others none."""
    full = f"EPSG:{_PREFIXED[zone]}"
    if name != "EPSG:4490":
        raise CoordinateError(f"These are metres of {full}, not degrees of {name}.", f"State {full}.")
    return Reading(east, north, full, swapped, True)


def possible(x: float, y: float) -> list[Reading]:
    """Return the coordinates in each system their numbers are possible in, one reading a system.

    Empty where a value is not finite or fits no system.
    """
    if abs(x) <= 180.0 and abs(y) <= 90.0:
        return [Reading(x, y, name) for name in _NAMES]
    if abs(x) <= 90.0 and abs(y) <= 180.0:
        return [Reading(y, x, name, swapped=True) for name in _NAMES]
    if _is_prefixed(x) or _is_prefixed(y):
        named = recognise(x, y, "cgcs2000")
        return [named] if named.crs in _ZONE_OF else []
    metres = recognise(x, y, "EPSG:4549")
    if not (_is_easting(metres.x) and _is_northing(metres.y)):
        return []
    return [replace(metres, crs=f"EPSG:{srid}") for srid in _BY_MERIDIAN.values()]


def _is_easting(value: float) -> bool:
    return 0.0 < value < _NORTHINGS[0]


def _is_northing(value: float) -> bool:
    return _NORTHINGS[0] <= value < _NORTHINGS[1]


def _is_prefixed(value: float) -> bool:
    return 25e6 <= value < 46e6


def metric_srid(lon: float, lat: float) -> int:
    """Choose the EPSG code lengths are measured in near a place.

    In China the CGCS2000 3-degree zone by central meridian, elsewhere the UTM zone of WGS 84.

    Raises
    ------
    CoordinateError
        If the place has no such zone (beyond 84 N or 80 S).
    """
    if in_china_box(np.array([[lon, lat]]))[0]:
        return _BY_MERIDIAN[int(np.clip(round(lon / 3) * 3, 75, 135))]
    if not (-80 <= lat <= 84 and -180 <= lon <= 180):
        raise CoordinateError(
            f"No metric coordinate system for {lon:.3f}, {lat:.3f}.", "Check axis order and CRS."
        )
    return (32600 if lat >= 0 else 32700) + min(int((lon + 180) // 6) + 1, 60)


def to_metric(shapes: ArrayLike, srid: int) -> NDArray[np.object_]:
    """Project an array of EPSG:4326 geometries to metres of ``srid`` (see `metric_srid`)."""
    return _reshape(shapes, lambda xy: _project(xy, srid, forward=True))


def metric_points(points: Points, srid: int) -> Points:
    """Project EPSG:4326 points, shape (n, 2) in degrees, to metres of ``srid``; see `to_metric`."""
    return _project(points, srid, forward=True)


def metric_point(lon: float, lat: float, srid: int) -> tuple[float, float]:
    """Project one EPSG:4326 point, in degrees, to metres of ``srid``; see `to_metric`."""
    x, y = _transformer(srid, True).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise _unprojectable(srid)
    return x, y


def from_metric(shapes: ArrayLike, srid: int) -> NDArray[np.object_]:
    """Bring an array of geometries in metres of ``srid`` back to EPSG:4326."""
    return _reshape(shapes, lambda xy: _project(xy, srid, forward=False))


@dataclass(frozen=True)
class Plane:
    """A flat metric frame around a place, in which straight lines of EPSG:4326 stay straight.

    Map projections bend the straight edge between two vertices by millimetres, enough to turn a valid
    coverage into an invalid one; this frame only shifts and scales each axis. Lengths within 10 km of its
    origin are right to a part in a thousand: fit for building geometry, not for measuring.

    Attributes
    ----------
    lon, lat : float
        The origin, degrees.
    """

    lon: float
    lat: float

    @property
    def _scale(self) -> Points:
        """Metres a degree of longitude and of latitude, on the WGS 84 ellipsoid."""
        sin2 = np.sin(np.radians(self.lat)) ** 2
        normal = _WGS84_A / np.sqrt(1.0 - _WGS84_E2 * sin2)
        meridian = normal * (1.0 - _WGS84_E2) / (1.0 - _WGS84_E2 * sin2)
        scale: Points = np.radians(np.array([normal * np.cos(np.radians(self.lat)), meridian]))
        return scale

    def flatten(self, shapes: ArrayLike) -> NDArray[np.object_]:
        """Bring an array of EPSG:4326 geometries into the frame, metres."""
        return _reshape(shapes, lambda xy: (xy - (self.lon, self.lat)) * self._scale)

    def restore(self, shapes: ArrayLike) -> NDArray[np.object_]:
        """Bring an array of geometries in the frame back to EPSG:4326."""
        return _reshape(shapes, lambda xy: xy / self._scale + (self.lon, self.lat))


def _check_range(points: Points, name: str) -> None:
    if not np.isfinite(points).all():
        raise CoordinateError("A coordinate is not a finite number.", "Give plain decimal numbers.")
    if name.startswith("EPSG:") and name not in _GEOGRAPHIC:
        low, high = np.array([-1e6, -1e7]), np.array([4.7e7, 1e7])
        hint = "Easting comes first, then northing, in metres."
    else:
        low, high = np.array([-180.0, -90.0]), np.array([180.0, 90.0])
        hint = "Longitude comes first, then latitude, in degrees."
    wrong = ((points < low) | (points > high)).any(axis=1)
    if wrong.any():
        x, y = points[wrong][0]
        raise CoordinateError(f"{x:g}, {y:g} is out of the range of {name}.", hint)


@lru_cache(maxsize=64)
def _transformer(srid: int, forward: bool) -> Transformer:
    ends = (WGS84, srid) if forward else (srid, WGS84)
    return Transformer.from_crs(*ends, always_xy=True)


def _project(points: Points, srid: int, *, forward: bool) -> Points:
    moved = np.column_stack(_transformer(srid, forward).transform(points[:, 0], points[:, 1]))
    if not np.isfinite(moved).all():
        raise _unprojectable(srid)
    return moved


def _unprojectable(srid: int) -> CoordinateError:
    return CoordinateError(f"A point cannot be projected with EPSG:{srid}.", "Check zone and axis order.")


def _reshape(shapes: ArrayLike, change: Callable[[Points], Points]) -> NDArray[np.object_]:
    moved: Any = shapely.transform(np.asarray(shapes, dtype=object), change)
    return np.asarray(moved, dtype=object)
