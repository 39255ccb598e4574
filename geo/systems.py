"""Coordinate systems as map clients name them: addresses of the OGC's register, and the order of their axes.

The numbers themselves are those of `geo.crs`. Clients write coordinates in the order a system's definition gives:
latitude first in EPSG:4326 and 4490, northing first in the CGCS2000 zones, longitude first in CRS84.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import shapely
from pyproj import CRS

from geo.crs import WGS84, from_metric
from geo.errors import CoordinateError

_DEGREES = frozenset({4326, 4490})
_SERVED = (4326, 3857, 4490, 4547, 4548, 4549)
_SIDES = 32
"""Pieces each side of a projected box is cut into, so that its bent sides are followed."""
_FARTHEST_M = 1e8
"""No system has coordinates beyond; see `geo.crs`."""


@dataclass(frozen=True)
class System:
    """A coordinate system that is served.

    Attributes
    ----------
    uri : str
        Its address in the OGC's register.
    srid : int
        Its EPSG number.
    northing_first : bool
        Whether northing or latitude is the first coordinate.
    """

    uri: str
    srid: int
    northing_first: bool = False

    @property
    def stored(self) -> bool:
        """Whether coordinates are those stored but for their order; CGCS2000 is taken as equal to WGS 84."""
        return self.srid in _DEGREES


CRS84 = System("http://www.opengis.net/def/crs/OGC/1.3/CRS84", WGS84)
"""What is meant where no system is named: longitude, latitude."""


@lru_cache(maxsize=64)
def served(metric: int) -> dict[str, System]:
    """Return the systems served for a district, by address, CRS84 first.

    Parameters
    ----------
    metric : int
        EPSG number of the district's metric system.
    """
    numbers = (*_SERVED, *({metric} - {*_SERVED}))
    found = [
        System(
            f"http://www.opengis.net/def/crs/EPSG/0/{number}",
            number,
            CRS.from_epsg(number).axis_info[0].direction == "north",
        )
        for number in numbers
    ]
    return {system.uri: system for system in (CRS84, *found)}


def named(name: str, metric: int) -> System:
    """Return a system by its address or its short name, such as ``EPSG:4490`` or ``[EPSG:4490]``.

    Raises
    ------
    CoordinateError
        If it is not served.
    """
    known = served(metric)
    short = re.fullmatch(r"\[?(?:urn:ogc:def:crs:)?(?:EPSG:{1,2}(\d{1,6})|OGC:(?:1\.3:)?(CRS84))\]?", name)
    number, degrees = short.groups() if short else (None, None)
    uri = CRS84.uri if degrees else f"http://www.opengis.net/def/crs/EPSG/0/{number}" if number else name
    if uri not in known:
        raise CoordinateError("The coordinate system is not served.", f"Served: {', '.join(known)}.")
    return known[uri]


def box(bounds: tuple[float, float, float, float], system: System) -> Any:
    """Return the area of a box as EPSG:4326 geometry; one across the antimeridian is in two parts.

    Parameters
    ----------
    bounds : tuple of float
        Lowest first, then highest coordinates, in the order of the system's axes.
    system : System
        Of the bounds.

    Raises
    ------
    CoordinateError
        If the box is inverted, out of the system's range, or cannot be projected.
    """
    first, second, third, fourth = bounds
    west, south, east, north = (second, first, fourth, third) if system.northing_first else bounds
    if south > north:
        raise CoordinateError("bbox is upside down.", "Give the lower value of each axis first.")
    if not system.stored:
        if max(map(abs, bounds)) > _FARTHEST_M:
            raise CoordinateError("bbox is out of range.", "Its system measures in metres.")
        if west > east:
            raise CoordinateError("bbox is the wrong way round.", "Give the lower value of each axis first.")
        return _projected(shapely.box(west, south, east, north), system.srid)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        raise CoordinateError("bbox is out of range.", "Longitudes are -180 to 180, latitudes -90 to 90.")
    if west <= east:
        return _within(west, south, east, north)
    return shapely.multipolygons(
        [shapely.box(west, south, 180.0, north), shapely.box(-180.0, south, east, north)]
    )


def _within(west: float, south: float, east: float, north: float) -> Any:
    """Return a box; where it has no area it is a line or a point, which as a polygon would touch nothing."""
    if (west, south) == (east, north):
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def stored(shape: Any, system: System) -> Any:
    """Bring a geometry in the coordinates of a system to EPSG:4326, longitude first.

    Raises
    ------
    CoordinateError
        If it is out of the system's range or cannot be projected.
    """
    if system.northing_first:
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    if not system.stored:
        if abs(shapely.get_coordinates(shape)).max(initial=0.0) > _FARTHEST_M:
            raise CoordinateError("A geometry is out of range.", "Its system measures in metres.")
        return from_metric([shape], system.srid)[0]
    west, south, east, north = shapely.bounds(shape).tolist()
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise CoordinateError(
            "A geometry is out of range.", "Longitudes are -180 to 180, latitudes -90 to 90."
        )
    return shape


def _projected(area: Any, srid: int) -> Any:
    west, south, east, north = area.bounds
    longest = max(east - west, north - south) / _SIDES
    followed = shapely.segmentize(area, longest) if longest > 0 else area
    return from_metric([followed], srid)[0]
