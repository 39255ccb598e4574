"""Communities drawn from their buildings, for ledgers that come without boundaries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo.coverage import Geometries, dissolve, faces, owners, valid_area
from geo.errors import InputError

PLACE_M = 0.01
"""Points are told apart when they differ by this, metres."""

SPREAD_M = 0.004
"""Communities on one point are set on a circle of this radius, metres, so that each keeps land there.

Less than half of `PLACE_M`: circles do not meet.
"""


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
        In order of the communities. Interiors are disjoint and shared borders have the same vertices. The
        land around a point that several communities use is divided by angle, so that each reaches to within
        a centimetre of it.

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
    if not PLACE_M < radius_m < np.inf:
        raise InputError(f"The radius {radius_m} m is not usable.", "Give some metres.")
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
    distinct = np.unique(np.column_stack([np.round(points / PLACE_M), community]), axis=0)
    cell, owner = distinct[:, :2], distinct[:, 2].astype(np.intp)
    _, place, sharing = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    nth = np.arange(len(place)) - np.searchsorted(place, place)
    angle = 2 * np.pi * nth / sharing[place]
    radius = np.where(sharing[place] > 1, SPREAD_M, 0.0)
    return cell * PLACE_M + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), owner


def _voronoi(sites: npt.NDArray[np.float64], radius_m: float) -> Geometries:
    """Return the Voronoi cell of each site, bounded by four far sites that no disc of the radius reaches."""
    (west, south), (east, north) = sites.min(axis=0), sites.max(axis=0)
    far = 10 * (radius_m + max(east - west, north - south))
    x, y = (west + east) / 2, (south + north) / 2
    frame = [(x - far, y), (x + far, y), (x, y - far), (x, y + far)]
    # Sites on one circle leave loops of rounding size at its centre: hence the mending.
    cells = shapely.voronoi_polygons(shapely.MultiPoint([*sites, *frame]), ordered=True)
    return valid_area(shapely.get_parts(cells)[: len(sites)])
