"""Which area covers a point: an index over the polygons of one plan, in memory.

Boundary rule: a point on a border shared by several areas belongs to the one with the smallest code.
Covering is decided in EPSG:4326, on the coordinates as they are stored, so that PostGIS says the same
with ``ST_Covers``; lengths are measured in the district's metric system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from geo.accuracy import REACH_SIGMAS, Outlines
from geo.borders import Borders, Close
from geo.celltable import CellTable, edges
from geo.crs import metric_point, metric_points, to_metric
from geo.errors import InputError

GAP_DEGREES = 1e-7
"""A point covered by no area but this near to one, about 1 cm, lies on a border that rounding tore open."""

# Beyond this the local metric system is of no use, and the distance is taken along the ellipsoid.
_FAR_DEGREES = 1.0
_EARTH = Geod(ellps="WGS84")

_NOBODY = -1
_ASK = -2
"""What the table says of a cell that a border touches."""


@dataclass(frozen=True)
class Near:
    """An area near a point: its position in `PointIndex.codes`, and how far, in metres (0 inside)."""

    position: int
    distance_m: float


class Shares(NamedTuple):
    """How likely areas hold points: a row for each of both.

    Attributes
    ----------
    point, area : ndarray of int, shape (m,)
        Which; areas by their position in `PointIndex.codes`.
    share : ndarray of float, shape (m,)
        How likely, 0 to 1.
    """

    point: NDArray[np.intp]
    area: NDArray[np.intp]
    share: NDArray[np.float64]


class PointIndex:
    """The areas of one plan, ready to be asked; it never changes, so any number of threads may ask it.

    Parameters
    ----------
    codes : sequence of str, length n
        Code of each area, each once.
    shapes : array_like of shapely Polygon or MultiPolygon, length n
        EPSG:4326, longitude first.
    srid : int
        EPSG code lengths are measured in; see `geo.crs.metric_srid`.
    near_border_m : float
        From how far from every border on a point is deep, metres.

    Attributes
    ----------
    codes : list of str
        The codes in ascending order; areas are named by their position here.
    near_border_m : float
        As it was given.

    Raises
    ------
    InputError
        If a code comes twice.
    CoordinateError
        If an area cannot be projected with ``srid``.

    Notes
    -----
    Each point is in a cell of a table (`geo.celltable`). All points of a cell that no border touches have one
    answer, found in O(1); for others the areas whose bounds hold the point are asked, in O(log n + w) for w
    vertices of these. Building takes O(side^2 + v log n) for v vertices in total. No polygon is prepared:
    threads that are the first to ask a prepared one, at once, crash in GEOS.
    """

    def __init__(
        self, codes: Sequence[str], shapes: ArrayLike, srid: int, *, near_border_m: float = 0.0
    ) -> None:
        if len(set(codes)) != len(codes):
            raise InputError("An area's code comes twice.", "Give each area a code of its own.")
        order = sorted(range(len(codes)), key=codes.__getitem__)
        self.codes = [codes[position] for position in order]
        self.near_border_m = near_border_m
        self._srid = srid
        self._shapes = np.asarray(shapes, dtype=object)[order]
        self._metric = to_metric(self._shapes, srid)
        self._borders = shapely.boundary(self._metric)
        self._tree = shapely.STRtree(self._shapes)
        self._metric_tree = shapely.STRtree(self._metric)
        self._table = CellTable(self._shapes, slack=2.0 * GAP_DEGREES)
        piece, somewhere = self._table.pieces()
        answers = np.concatenate([[_ASK], self._cover_exactly(somewhere)]).astype(np.int32)
        self._answers = np.append(answers[piece], np.int32(_NOBODY))  # the last are outside the table
        self._deep = np.append(self._table.away(near_border_m + self._bend_m()), np.False_)
        # A single entry of a memory view is read in two thirds of the time of an array's.
        self._answer, self._is_deep = self._answers.data, self._deep.data

    def find(self, lon: float, lat: float) -> int:
        """Return the area that covers a point; as `cover` for one."""
        cell = self._table.cell(lon, lat)
        found: int = self._answer[cell]
        return found if found != _ASK else self._find_exactly(lon, lat, cell)

    def cover(self, points: ArrayLike) -> NDArray[np.intp]:
        """Return the area that covers each point.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            Longitude and latitude in degrees, EPSG:4326, finite.

        Returns
        -------
        ndarray of int, shape (n,)
            Positions in `codes`, by the boundary rule; -1 where no area covers the point.
        """
        asked = _points(points)
        found = self._answers[self._table.cells(asked)].astype(np.intp)
        near = np.flatnonzero(found == _ASK)
        found[near] = self._cover_exactly(asked[near])
        return found

    def is_deep(self, lon: float, lat: float) -> bool:
        """Tell whether a point is deep; as `deep` for one."""
        return bool(self._is_deep[self._table.cell(lon, lat)])

    def deep(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points are surely at least ``near_border_m`` metres from every border, in O(1) each.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            As for `cover`.

        Returns
        -------
        ndarray of bool, shape (n,)
            False where that is not sure; `borders_m` tells. Points far from all areas are not sure.
        """
        return self._deep[self._table.cells(_points(points))]

    def border_m(self, lon: float, lat: float, position: int) -> float:
        """Return how far a point inside an area is from that area's border, in metres."""
        return float(shapely.distance(self._borders[position], self._to_metric(lon, lat)))

    def borders_m(self, points: ArrayLike, positions: ArrayLike) -> NDArray[np.float64]:
        """Return how far each point is from the border of an area, in metres.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            As for `cover`.
        positions : array_like of int, shape (n,)
            An area for each, by position in `codes`.
        """
        borders = self._borders[np.asarray(positions, dtype=np.intp)]
        asked = shapely.points(metric_points(_points(points), self._srid))
        return np.asarray(shapely.distance(borders, asked), dtype=np.float64)

    def near(self, lon: float, lat: float, radius_m: float) -> list[Near]:
        """Return the areas within a radius of a point, nearest first and by code where equally near."""
        if self._is_far(lon, lat):
            return []
        x, y = metric_point(lon, lat, self._srid)
        # Faster than asking the tree for a distance, which is then measured again.
        box = shapely.box(x - radius_m, y - radius_m, x + radius_m, y + radius_m)
        positions = self._metric_tree.query(box)
        distances = shapely.distance(self._metric[positions], shapely.points((x, y))).tolist()
        # Rounding errors make no order.
        found = sorted(
            (round(away, 6), n, away)
            for n, away in zip(positions.tolist(), distances, strict=True)
            if away <= radius_m
        )
        return [Near(n, away) for _, n, away in found]

    def nears(self, points: ArrayLike, radius_m: float) -> list[list[int]]:
        """Return the positions of the areas within a radius of each point, in the order of `near`.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            As for `cover`.
        """
        asked = _points(points)
        close = self._close(asked)
        xy = metric_points(asked[close], self._srid)
        # Faster than asking the tree for a distance.
        boxes = shapely.box(*(xy - radius_m).T, *(xy + radius_m).T)
        point, area = self._metric_tree.query(boxes)
        away = shapely.distance(self._metric[area], shapely.points(xy)[point])
        near = away <= radius_m
        point, area, away = point[near], area[near], np.round(away[near], 6)
        order = np.lexsort((area, away, point))
        areas = area[order].tolist()
        ends = np.searchsorted(close[point[order]], np.arange(len(asked) + 1)).tolist()
        return [areas[start:end] for start, end in pairwise(ends)]

    def borders_near(self, points: ArrayLike) -> Close:
        """Return the areas whose border is within ``near_border_m``, of each point; see `geo.borders.Borders.near`.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            As for `cover`; within a degree of the areas.
        """
        return self._near_borders.near(metric_points(_points(points), self._srid))

    def complete(self) -> None:
        """Make now what is else made when it is first asked for."""
        _ = self._near_borders, self._outlines

    @cached_property
    def _near_borders(self) -> Borders:
        return Borders(self._metric, self.near_border_m)

    def shares(self, lon: float, lat: float, sigma_m: float) -> dict[int, float]:
        """Return how likely each area holds an uncertain point; as `shares_each` for one.

        Returns
        -------
        dict of int to float
            By position in `codes`, for the areas in reach. What is left to 1 lies in no area.
        """
        if self._is_far(lon, lat):
            return {}
        _, area, share = self.shares_each([[lon, lat]], [sigma_m])
        return dict(zip(area.tolist(), share.tolist(), strict=True))

    def shares_each(self, points: ArrayLike, sigmas_m: ArrayLike) -> Shares:
        """Return how likely each area holds each of many uncertain points; see `geo.accuracy.Outlines.shares`.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            As for `cover`.
        sigmas_m : array_like, shape (n,)
            Standard deviation of the error along each axis, metres, above 0.

        Returns
        -------
        Shares
            For the areas in reach, by point and area. What is left to 1 lies in no area.
        """
        asked, sigmas = _points(points), np.asarray(sigmas_m, dtype=np.float64)
        close = self._close(asked)
        xy, sigmas = metric_points(asked[close], self._srid), sigmas[close]
        reach = REACH_SIGMAS * sigmas
        point, area = self._metric_tree.query(shapely.points(xy), predicate="dwithin", distance=reach)
        order = np.lexsort((area, point))
        point, area = point[order], area[order]
        share = self._outlines.shares(area, xy[point], sigmas[point])
        total = np.bincount(point, weights=share, minlength=len(xy))
        return Shares(
            close[point], area, share / np.maximum(1.0, total)[point]
        )  # slivers of rounding overlap

    @cached_property
    def _outlines(self) -> Outlines:
        return Outlines(self._metric)

    def outside_m(self, lon: float, lat: float) -> float:
        """Return the distance from a point to the nearest area, in metres; infinite without areas.

        More than a degree beyond the areas it is the distance to their bounding box.
        """
        if not self.codes:
            return float("inf")
        if self._is_far(lon, lat):
            west, south, east, north = self._table.bounds
            edge = float(np.clip(lon, west, east)), float(np.clip(lat, south, north))
            return float(_EARTH.inv(lon, lat, *edge)[2])
        _, distances = self._metric_tree.query_nearest(
            self._to_metric(lon, lat), return_distance=True, all_matches=False
        )
        return float(distances[0])

    def _find_exactly(self, lon: float, lat: float, cell: int) -> int:
        about = self._table.about(lon, lat, cell)
        for position in about:
            # An array of one: of a geometry by itself this function would prepare it.
            if shapely.intersects_xy(self._shapes[position : position + 1], lon, lat)[0]:
                return position
        point = shapely.points((lon, lat))
        torn = (n for n in about if shapely.dwithin(self._shapes[n], point, GAP_DEGREES))
        return next(torn, _NOBODY)

    def _cover_exactly(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        asked = shapely.points(points)
        nobody = len(self.codes)
        found = np.full(len(asked), nobody, dtype=np.intp)
        point, area = self._tree.query(asked)
        covered = shapely.intersects_xy(self._shapes[area], *points[point].T)
        np.minimum.at(found, point[covered], area[covered])
        lost = np.flatnonzero(found == nobody)
        point, area = self._tree.query(asked[lost], predicate="dwithin", distance=GAP_DEGREES)
        np.minimum.at(found, lost[point], area)
        found[found == nobody] = _NOBODY
        return found

    def _bend_m(self) -> float:
        """Return how far at most an edge that is straight in degrees is from one that is straight in metres.

        It is farthest near the middle; twice that leaves room for edges so long that it is not.
        """
        middles = metric_points(np.mean(edges(self._shapes), axis=0), self._srid)
        away = np.hypot(*(middles - np.mean(edges(self._metric), axis=0)).T)
        return 2.0 * float(away.max(initial=0.0))

    def _close(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return which points are not far."""
        west, south, east, north = self._table.bounds
        beyond = np.maximum((west, south) - points, points - (east, north)).max(axis=1, initial=-np.inf)
        return np.flatnonzero(beyond <= _FAR_DEGREES)

    def _is_far(self, lon: float, lat: float) -> bool:
        west, south, east, north = self._table.bounds
        beyond = max(west - lon, lon - east, south - lat, lat - north)
        return not beyond <= _FAR_DEGREES  # NaN: from no areas everything is far

    def _to_metric(self, lon: float, lat: float) -> shapely.Point:
        return shapely.points(metric_point(lon, lat, self._srid))


def _points(points: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(points, dtype=np.float64).reshape(-1, 2)
