"""Communities drawn from their buildings, for ledgers that come without boundaries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo.coverage import Geometries, dissolve, faces, owners
from geo.errors import InputError

SPREAD_M = 0.01
"""Communities on one point are set apart on a circle of this radius, metres: each keeps land there."""


def derive_communities(
    points: npt.NDArray[np.float64], community: npt.NDArray[np.intp], *, radius_m: float = 100.0
) -> dict[int, Polygon | MultiPolygon]:
    """Draw communities from the Voronoi cells of their buildings, clipped to a distance around buildings.

    Parameters
    ----------
    points : ndarray of float, shape (n, 2)
        Buildings, metres in a projected coordinate system; may coincide.
    community : ndarray of int, shape (n,)
        Community of each building.
    radius_m : float
        How far a community reaches around a building, metres.

    Returns
    -------
    dict of int to Polygon or MultiPolygon
        In order of the communities. Interiors are disjoint and shared borders have the same vertices. A point
        used by several communities is a corner of the land of each, the land around it divided by angle.

    Raises
    ------
    InputError
        Points that are not finite pairs, or a radius that is not positive.

    Notes
    -----
    O(n log n).
    """
    points, community = np.asarray(points, dtype=float), np.asarray(community)
    if points.shape != (len(community), 2) or not np.isfinite(points).all():
        raise InputError(
            "Points are not finite pairs, one a community number.", "Leave out unplaced buildings."
        )
    if not radius_m > SPREAD_M:
        raise InputError(f"The radius {radius_m} m is too small.", "Give a radius of some metres.")
    if len(points) == 0:
        return {}
    sites, owner = _spread(points, community)
    pieces = shapely.intersection(_voronoi(sites, radius_m), shapely.buffer(shapely.points(sites), radius_m))
    found = faces(shapely.boundary(pieces))
    piece = owners(found, pieces)
    numbers, label = np.unique(owner, return_inverse=True)
    areas = dissolve(found, np.where(piece >= 0, label[piece], -1), len(numbers))
    return dict(zip(numbers.tolist(), areas, strict=True))


def _spread(
    points: npt.NDArray[np.float64], community: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return distinct places and their communities, several on one point set on a circle around it."""
    distinct = np.unique(np.column_stack([points, community]), axis=0)
    places, owner = distinct[:, :2], distinct[:, 2].astype(np.intp)
    _, place, sharing = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    nth = np.arange(len(place)) - np.searchsorted(place, place)
    angle = 2 * np.pi * nth / sharing[place]
    radius = np.where(sharing[place] > 1, SPREAD_M, 0.0)
    return places + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), owner


def _voronoi(sites: npt.NDArray[np.float64], radius_m: float) -> Geometries:
    """Return the Voronoi cell of each site, bounded by four far sites that no disc of the radius reaches."""
    (west, south), (east, north) = sites.min(axis=0), sites.max(axis=0)
    far = 10 * (radius_m + max(east - west, north - south))
    x, y = (west + east) / 2, (south + north) / 2
    frame = [(x - far, y), (x + far, y), (x, y - far), (x, y + far)]
    cells = shapely.voronoi_polygons(shapely.MultiPoint([*sites, *frame]), ordered=True)
    return np.asarray(shapely.get_parts(cells)[: len(sites)])
