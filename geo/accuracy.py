"""How likely an uncertain position lies in each of several areas.

The error of a position is taken as a circular normal distribution in metres, the model behind the
radii that devices report.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.special import owens_t

Floats = NDArray[np.float64]


class Level(StrEnum):
    """Which share of positions an accuracy radius holds, in percent, as its source defines it."""

    P68 = "68"
    P95 = "95"
    UNKNOWN = "unknown"


# An unknown level is read as the one that makes the error larger.
_SHARES = {Level.P68: 0.68, Level.P95: 0.95, Level.UNKNOWN: 0.68}
REACH_SIGMAS = 7.0
"""Beyond this many standard deviations lies less than 3e-11 of the distribution."""

_AT_ONCE = 1 << 20
"""How many edges are integrated over at once; it bounds the memory."""

NEGLIGIBLE = 1e-6
"""A probability below this is none."""


def sigma_m(radius_m: float, level: Level) -> float:
    """Return the standard deviation along each axis, in metres, of an error within a radius at a level.

    The distance from the true place is Rayleigh distributed: a radius r holds ``1 - exp(-r^2 / 2 sigma^2)``.
    """
    return radius_m / float(np.sqrt(-2.0 * np.log1p(-_SHARES[level])))


class Outlines:
    """The edges of areas, over which the density of uncertain positions is integrated.

    Parameters
    ----------
    areas : ndarray of shapely Polygon or MultiPolygon, shape (n,)
        In metres.
    """

    def __init__(self, areas: NDArray[np.object_]) -> None:
        polygons, owner = shapely.get_parts(areas, return_index=True)
        rings, polygon = shapely.get_rings(shapely.orient_polygons(polygons), return_index=True)
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        same = ring[1:] == ring[:-1]
        self._start, self._end = corners[:-1][same], corners[1:][same]
        area = owner[polygon[ring[:-1][same]]]
        self._first = np.searchsorted(area, np.arange(len(areas)))
        self._many = np.searchsorted(area, np.arange(len(areas)), side="right") - self._first

    def shares(self, area: NDArray[np.intp], centre: Floats, sigma: Floats) -> Floats:
        """Return how likely an area holds a position with a circular normal error, for each of many pairs.

        Parameters
        ----------
        area : ndarray of int, shape (m,)
            Areas, by their places.
        centre : ndarray of float, shape (m, 2)
            The positions, in the system of the areas.
        sigma : ndarray of float, shape (m,)
            Standard deviations along each axis, metres, above 0.

        Returns
        -------
        ndarray of float, shape (m,)
            From 0 to 1. Areas that overlap are not told apart.

        Notes
        -----
        Exact but for 1e-12, in O(v) for v vertices of all pairs. In polar coordinates the integral over the triangle
        of the centre and an edge at distance h is its angle / 2 pi less a difference of Owen's T function (D. B. Owen,
        "Tables for computing bivariate normal probabilities", 1956); the signed triangles of an area's rings add up
        to the area.
        """
        many = self._many[area]
        if many.sum() > _AT_ONCE and len(area) > 1:
            half = len(area) // 2
            before = self.shares(area[:half], centre[:half], sigma[:half])
            return np.append(before, self.shares(area[half:], centre[half:], sigma[half:]))
        pair = np.repeat(np.arange(len(area)), many)
        ends = np.cumsum(many)
        edge = np.arange(len(pair)) + np.repeat(self._first[area] - ends + many, many)
        middle, scale = centre[pair], sigma[pair, None]
        parts = _triangles((self._start[edge] - middle) / scale, (self._end[edge] - middle) / scale)
        shares: Floats = np.clip(np.bincount(pair, weights=parts, minlength=len(area)), 0.0, 1.0)
        return shares


def ranked(shares: Mapping[int, float]) -> tuple[dict[int, float], float]:
    """Return the areas worth counting, the likeliest first and by code where equally likely, and what is left.

    All sum to 1.
    """
    kept = {position: share for position, share in shares.items() if share >= NEGLIGIBLE}
    order = sorted(kept, key=lambda position: (-round(kept[position], 9), position))
    nowhere = max(0.0, 1.0 - sum(shares.values()))
    nowhere = nowhere if nowhere >= NEGLIGIBLE or not kept else 0.0
    whole = sum(kept.values()) + nowhere
    return {position: kept[position] / whole for position in order}, nowhere / whole


def _triangles(start: Floats, end: Floats) -> Floats:
    """Return the signed probability of the triangles of the origin and each edge, counter-clockwise positive."""
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    parts = np.zeros(len(start))
    wide = np.flatnonzero(np.abs(cross) > 1e-12 * length)  # else the triangle is a line
    start, end, length, cross = start[wide], end[wide], length[wide], cross[wide]
    unit = along[wide] / length[:, None]
    height = np.abs(cross) / length
    first, last = ((unit * corner).sum(axis=1) / height for corner in (start, end))
    found = (np.arctan(last) - np.arctan(first)) / (2.0 * np.pi)
    near = np.flatnonzero(height < REACH_SIGMAS)  # beyond, what is taken away is below 1e-12
    found[near] -= owens_t(height[near], last[near]) - owens_t(height[near], first[near])
    parts[wide] = np.sign(cross) * found
    return parts
