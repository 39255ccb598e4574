"""A table of square cells over areas: which cells a border touches, so that all others have one answer each."""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

Points = NDArray[np.float64]
Cells = NDArray[np.intp]
Marks = NDArray[np.bool_]
Box = tuple[int, float, float, float, float]
"""An area, and its bounds in degrees: west, south, east, north."""

OUTSIDE = -1
"""The cell of a point outside the table; as an index it is the last entry of a list with one for each cell and it."""

# Measured on 452 areas: a border touches 17% of 512 x 512 cells, 9% of 1024 x 1024, 5% of 2048 x 2048. The last take
# three times as long to make as the second and four times the memory, for two thirds of the time of a lookup.
_ACROSS_AN_AREA = 48
_SIDES = (64, 2048)
_BLOCK = 16
"""Cells along the side of a block, for each of which the areas there are listed."""
_AT_ONCE = 1 << 20
"""How many rows of edges are worked on at once; it bounds the memory."""

# Least metres a degree anywhere on the ellipsoid: of latitude, and of longitude at the equator; less a
# thousandth, as map projections may shrink lengths by 4 in 10,000.
_LATITUDE_M = 110_574.0 * 0.999
_LONGITUDE_M = 111_319.0 * 0.999


class CellTable:
    """Cells over the bounds of areas.

    Parameters
    ----------
    shapes : ndarray of shapely Polygon or MultiPolygon, shape (n,)
        The areas; EPSG:4326, longitude first.
    slack : float
        A border this near to a cell touches it, degrees, above 0. Far above rounding errors, it makes a cell that
        no border touches safe to the last bit.

    Attributes
    ----------
    bounds : tuple of float
        West, south, east and north of the areas, degrees; NaN without areas.
    touched : ndarray of bool, shape (side, side)
        Whether a border touches a cell; rows from the south, columns from the west.

    Notes
    -----
    The side is a power of two that grows with the square root of n. Building takes O(side^2 + v + r) for v vertices
    and r rows that their edges cross; memory is O(side^2).
    """

    def __init__(self, shapes: NDArray[np.object_], *, slack: float) -> None:
        fitting = _ACROSS_AN_AREA * math.sqrt(max(1, len(shapes)))
        self._side = int(np.clip(2 ** round(math.log2(fitting)), *_SIDES))
        outward = np.array([-1.0, -1.0, 1.0, 1.0])
        # A hair more than the slack, so that no cell beyond the last is touched.
        bounds = shapely.bounds(shapely.geometrycollections(shapes))
        self.bounds: tuple[float, ...] = tuple(bounds.tolist())
        west, south, east, north = bounds + 4.0 * slack * outward
        self._west, self._south = float(west), float(south)  # NaN without areas: every point is outside then
        self._across, self._up = float(self._side / (east - west)), float(self._side / (north - south))
        self._steepest = float(max(abs(south), abs(north)))
        self.touched = self._touched(*edges(shapes), slack)
        self._blocks = self._listed(shapely.bounds(shapes) + slack * outward)

    def cell(self, lon: float, lat: float) -> int:
        """Return the cell of a point in degrees, or `OUTSIDE`."""
        x = (lon - self._west) * self._across
        y = (lat - self._south) * self._up
        side = self._side
        return int(y) * side + int(x) if 0.0 <= x < side and 0.0 <= y < side else OUTSIDE

    def cells(self, points: Points) -> Cells:
        """Return the cell of each point, shape (n, 2) in degrees; as `cell` for many."""
        x = (points[:, 0] - self._west) * self._across
        y = (points[:, 1] - self._south) * self._up
        inside = (x >= 0.0) & (x < self._side) & (y >= 0.0) & (y < self._side)
        x[~inside] = y[~inside] = 0.0
        found = y.astype(np.intp) * self._side + x.astype(np.intp)
        found[~inside] = OUTSIDE
        return found

    def about(self, lon: float, lat: float, cell: int) -> list[int]:
        """Return the areas whose bounds come within ``slack`` of a point of a cell, in ascending order."""
        row, column = divmod(cell, self._side)
        block = self._blocks[row // _BLOCK * (self._side // _BLOCK) + column // _BLOCK]
        return [n for n, west, south, east, north in block if west <= lon <= east and south <= lat <= north]

    def pieces(self) -> tuple[NDArray[np.int32], Points]:
        """Divide the cells that no border touches into connected pieces, each in the same areas throughout.

        Returns
        -------
        ndarray of int, shape (side * side,)
            The piece of each cell, from 1; 0 where a border touches it.
        ndarray, shape (m, 2)
            A point of each piece in degrees, the first of piece 1.
        """
        labels, count = ndimage.label(~self.touched)
        piece = labels.ravel()
        some = np.empty(count + 1, dtype=np.intp)
        some[piece] = np.arange(len(piece))
        row, column = np.divmod(some[1:], self._side)
        middles = np.column_stack([(column + 0.5) / self._across, (row + 0.5) / self._up])
        return piece, np.add(middles, (self._west, self._south))

    def away(self, radius_m: float) -> Marks:
        """Tell which cells lie wholly farther than a radius from every border.

        Parameters
        ----------
        radius_m : float
            Metres, on the ellipsoid or in any projection that shrinks nothing by more than 4 in 10,000.

        Returns
        -------
        ndarray of bool, shape (side * side,)
            False also where it is not sure.
        """
        width_m = _LONGITUDE_M * math.cos(math.radians(self._steepest)) / self._across
        height_m = _LATITUDE_M / self._up
        near = self.touched.view(np.uint8)
        for axis, size_m in enumerate((height_m, width_m)):
            reach = math.ceil(radius_m / size_m) if radius_m < self._side * size_m else self._side
            near = ndimage.maximum_filter1d(near, 2 * reach + 1, axis=axis, mode="constant")
        return ~near.astype(np.bool_).ravel()

    def _listed(self, bounds: NDArray[np.float64]) -> list[list[Box]]:
        """Return the areas of each block, with their bounds."""
        side, across = self._side, self._side // _BLOCK
        blocks: list[list[Box]] = [[] for _ in range(across * across)]
        corners = self.cells(bounds[:, :2]).tolist(), self.cells(bounds[:, 2:]).tolist()
        for area, (begin, end) in enumerate(zip(*corners, strict=True)):
            box = (area, *bounds[area].tolist())
            for row in range(begin // side // _BLOCK, end // side // _BLOCK + 1):
                for column in range(begin % side // _BLOCK, end % side // _BLOCK + 1):
                    blocks[row * across + column].append(box)
        return blocks

    def _touched(self, start: Points, end: Points, slack: float) -> Marks:
        """Return which cells come within ``slack`` of an edge.

        In each row an edge touches the columns of the part of it that lies in the row; the number of edges that begin
        to touch, less those that cease to, is summed up along the row.
        """
        side, scale = self._side, np.array([self._across, self._up])
        start, end = (start - (self._west, self._south)) * scale, (end - (self._west, self._south)) * scale
        upward = (start[:, 1] <= end[:, 1])[:, None]
        low, high = np.where(upward, start, end), np.where(upward, end, start)
        wide, tall = slack * scale
        first = np.floor(low[:, 1] - tall).astype(np.intp)
        count = np.floor(high[:, 1] + tall).astype(np.intp) - first + 1
        changes = np.zeros(side * (side + 1), dtype=np.int64)
        whole = np.cumsum(count)
        for begin in range(0, int(whole[-1]) if len(whole) else 0, _AT_ONCE):
            some = slice(*np.searchsorted(whole, [begin, begin + _AT_ONCE], side="right"))
            edge = np.repeat(np.arange(some.start, some.stop), count[some])
            row = (
                np.arange(len(edge))
                - np.repeat(np.cumsum(count[some]) - count[some], count[some])
                + first[edge]
            )
            left, right = _within(low[edge], high[edge], row - tall, row + 1.0 + tall)
            rows = row * (side + 1)
            changes += np.bincount(rows + np.floor(left - wide).astype(np.intp), minlength=len(changes))
            changes -= np.bincount(rows + np.floor(right + wide).astype(np.intp) + 1, minlength=len(changes))
        touching: Marks = np.cumsum(changes.reshape(side, side + 1), axis=1)[:, :-1] > 0
        return np.ascontiguousarray(touching)


def edges(shapes: NDArray[np.object_]) -> tuple[Points, Points]:
    """Return where the edges of all rings start and end, each of shape (v, 2)."""
    corners, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    same = ring[1:] == ring[:-1]
    return corners[:-1][same], corners[1:][same]


def _within(
    low: Points, high: Points, floor: NDArray[np.float64], ceiling: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return from where to where the part of each edge between two heights reaches across."""
    rise = high[:, 1] - low[:, 1]
    level = rise == 0.0
    rise[level] = 1.0
    begin = np.where(level, 0.0, np.clip((floor - low[:, 1]) / rise, 0.0, 1.0))
    cease = np.where(level, 1.0, np.clip((ceiling - low[:, 1]) / rise, 0.0, 1.0))
    along = high[:, 0] - low[:, 0]
    ends = low[:, 0] + begin * along, low[:, 0] + cease * along
    return np.minimum(*ends), np.maximum(*ends)
