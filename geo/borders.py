"""Which borders of areas many points are near: edges sorted into squares, so that few are measured for a point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_PIECE = 8.0
"""Squares along the longest piece of an edge: a long edge that lies askew would be listed in too many."""
_ROWS = 1 << 32
_AT_ONCE = 1 << 20
"""How many edges are measured at once; it bounds the memory."""


class Close(NamedTuple):
    """Areas whose border is near a point: one row for each of both, by point, nearest first, then by area.

    Attributes
    ----------
    point, area : ndarray of int, shape (m,)
        Which.
    away : ndarray of float, shape (m,)
        How far, in the units of the areas.
    """

    point: Places
    area: Places
    away: Floats


class Borders:
    """The borders of areas.

    Parameters
    ----------
    areas : ndarray of shapely Polygon or MultiPolygon, shape (n,)
        In any plane, such as metres.
    reach : float
        How far a border may be from a point, above 0.

    Notes
    -----
    Squares have sides of twice the reach, or of an edge if those are longer. Building takes O(v + l) for v edges
    that are l squares long in total, and as much memory; a point costs O(log(v + l)) and what its square holds.
    """

    def __init__(self, areas: NDArray[np.object_], reach: float) -> None:
        start, end, owner = _edges(areas)
        self._reach = reach
        self._side = max(2.0 * reach, float(np.hypot(*(end - start).T).mean()) if len(start) else 0.0)
        self._start, self._along, self._owner = _cut(start, end, owner, self._side * _PIECE)
        square, self._edge = self._listed()
        order = np.argsort(square, kind="stable")
        self._square, self._edge = square[order], self._edge[order]

    def near(self, xy: Floats) -> Close:
        """Return the areas whose border is within reach, of each point.

        Parameters
        ----------
        xy : ndarray of float, shape (n, 2)
            Finite points of the plane.
        """
        asked = _named(np.floor(xy / self._side).astype(np.int64))
        first = np.searchsorted(self._square, asked)
        many = np.searchsorted(self._square, asked, side="right") - first
        if many.sum() > _AT_ONCE and len(xy) > 1:
            half = len(xy) // 2
            before, after = self.near(xy[:half]), self.near(xy[half:])
            return Close(
                np.append(before.point, after.point + half),
                np.append(before.area, after.area),
                np.append(before.away, after.away),
            )
        point = np.repeat(np.arange(len(xy)), many)
        edge = self._edge[_runs(first, many)]
        away = _away(xy[point], self._start[edge], self._along[edge])
        close = away <= self._reach
        point, area, away = point[close], self._owner[edge[close]], away[close]
        order = np.lexsort((away, area, point))
        point, area, away = point[order], area[order], away[order]
        nearest = np.flatnonzero(np.diff(point, prepend=-1) | np.diff(area, prepend=-1))
        point, area, away = point[nearest], area[nearest], away[nearest]
        order = np.lexsort((area, np.round(away, 6), point))  # rounding errors make no order
        return Close(point[order], area[order], away[order])

    def _listed(self) -> tuple[NDArray[np.int64], Places]:
        """Return the squares that each edge is within reach of, and the edge, row by row."""
        ends = np.stack([self._start, self._start + self._along])
        low = np.floor((ends.min(axis=0) - self._reach) / self._side).astype(np.int64)
        high = np.floor((ends.max(axis=0) + self._reach) / self._side).astype(np.int64)
        wide, tall = (high - low + 1).T
        many = wide * tall
        edge = np.repeat(np.arange(len(many)), many)
        place = _runs(np.zeros_like(many), many)
        offset = np.column_stack([place % wide[edge], place // wide[edge]])
        return _named(low[edge] + offset), edge


def _edges(areas: NDArray[np.object_]) -> tuple[Floats, Floats, Places]:
    """Return where the edges of all rings start and end, each of shape (v, 2), and which area they are of."""
    parts, of_part = shapely.get_parts(areas, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return corners[:-1][same], corners[1:][same], of_part[of_ring[ring[:-1][same]]]


def _cut(start: Floats, end: Floats, owner: Places, longest: float) -> tuple[Floats, Floats, Places]:
    """Return edges cut into pieces that are not longer: their starts, what leads to their ends, and their areas."""
    along = end - start
    pieces = np.maximum(1, np.ceil(np.hypot(*along.T) / longest)).astype(np.intp)
    edge = np.repeat(np.arange(len(pieces)), pieces)
    step = along / pieces[:, None]
    nth = _runs(np.zeros_like(pieces), pieces)
    return start[edge] + step[edge] * nth[:, None], step[edge], owner[edge]


def _runs(first: NDArray[np.int64], many: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the runs of whole numbers that begin at ``first`` and have ``many``, one after the other."""
    ends = np.cumsum(many)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + many, many)


def _named(square: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each square, shape (n, 2)."""
    return square[:, 0] * _ROWS + square[:, 1]


def _away(xy: Floats, start: Floats, along: Floats) -> Floats:
    """Return how far points are from edges, row by row."""
    x, y = (xy - start).T
    dx, dy = along.T
    length2 = dx * dx + dy * dy
    share = np.clip((x * dx + y * dy) / np.where(length2 > 0.0, length2, 1.0), 0.0, 1.0)
    away: Floats = np.hypot(x - share * dx, y - share * dy)
    return away
