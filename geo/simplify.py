"""Levels of a coverage: what is drawn of it at each zoom, simplified as one so that shared borders never tear.

At a zoom every vertex lies on a corner of the units its tiles are drawn in, once and for all neighbours and tiles;
cutting a tile then moves no vertex, and both sides of a border stay the same line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.coverage import Geometries, dissolve, faces, owners
from geo.tiling import WORLD_M, unit_m

FINEST = 16
"""The deepest level, a unit of which is 15 cm of Web Mercator; deeper zooms are drawn from it."""
_TOLERANCE = 4.0
"""What is left out at a level, units: a triangle of a smaller side is less than half a pixel of a tile 512 wide."""
_LABEL_SHARE = 0.02
"""How far a label may be from its best place, as a share of the area's size."""


class Level(NamedTuple):
    """What is drawn of a coverage at a zoom.

    Attributes
    ----------
    zoom : int
        From the first zoom asked for to `FINEST`.
    shapes : ndarray of Polygon or MultiPolygon
        Metres of Web Mercator, in the order of the coverage; none is empty.
    """

    zoom: int
    shapes: Geometries


def levels(shapes: Geometries, first: int) -> Iterator[Level]:
    """Return the levels of a coverage, the finest first.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
        Metres of Web Mercator; valid. Where neighbours do not share all vertices of their border, or overlap, they
        are made to within a unit of `FINEST`, and the first keeps what several have.
    first : int
        The first zoom, at most `FINEST`.

    Yields
    ------
    Level
        An exact coverage: no overlap, and no gap there was not before. An area too small for a level is drawn as
        one unit of it.

    Notes
    -----
    O(v log v) in the vertices, which roughly halve from a level to the next. Simplification is that of
    Visvalingam and Whyatt, "Line generalisation by repeated elimination of points" (1993), on each border once, as
    GEOS does it for coverages.
    """
    drawn = (
        shapes
        if _is_exact(shapes, gap=unit_m(FINEST))
        else _in_metres(_settled(_in_units(shapes, FINEST)), FINEST)
    )
    for zoom in range(FINEST, first - 1, -1):
        if zoom < FINEST:
            drawn = np.asarray(shapely.coverage_simplify(drawn, _TOLERANCE * unit_m(zoom)))
        yield Level(zoom, _in_metres(_on_units(_in_units(drawn, zoom)), zoom))


def label_points(shapes: Geometries) -> Geometries:
    """Return where areas are best written on: the point of each that is farthest from its border.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon
        In any plane; none is empty.

    Returns
    -------
    ndarray of Point
        Inside its area, and at most a fiftieth of the area's size from the best place.
    """
    found = []
    for shape, size in zip(shapes, np.sqrt(shapely.area(shapes)), strict=True):
        circle = shapely.maximum_inscribed_circle(shape, max(size * _LABEL_SHARE, 1e-3))
        found.append(shapely.get_point(circle, 0))
    return np.array(found, dtype=object)


def _in_units(shapes: Geometries, zoom: int) -> Geometries:
    unit = unit_m(zoom)
    moved = shapely.transform(
        shapes, lambda xy: np.column_stack([xy[:, 0] + WORLD_M / 2, WORLD_M / 2 - xy[:, 1]]) / unit
    )
    return np.asarray(moved)


def _in_metres(shapes: Geometries, zoom: int) -> Geometries:
    unit = unit_m(zoom)
    moved = shapely.transform(
        shapes, lambda xy: np.column_stack([xy[:, 0] * unit - WORLD_M / 2, WORLD_M / 2 - xy[:, 1] * unit])
    )
    return np.asarray(moved)


def _is_exact(shapes: Geometries, gap: float = 0.0) -> bool:
    """Tell whether shapes are a coverage, each with an area, and no gap between two is narrower than ``gap``."""
    sound = shapely.is_valid(shapes) & (shapely.area(shapes) > 0)
    return bool(sound.all() and shapely.coverage_is_valid(shapes, gap_width=gap))


def _on_units(shapes: Geometries) -> Geometries:
    """Bring the vertices of an exact coverage onto corners of units."""
    rounded = shapely.transform(shapes, np.rint)
    return np.asarray(shapely.remove_repeated_points(rounded)) if _is_exact(rounded) else _settled(shapes)


def _settled(shapes: Geometries) -> Geometries:
    """Make areas an exact coverage on corners of units, from the faces their lines enclose there.

    A face is of the first area that holds its inner point, else of one not a unit away.
    """
    lines = shapely.boundary(shapes)
    lost: NDArray[np.intp] = np.array([], dtype=np.intp)
    while True:
        squares = _squares(shapes[lost])
        found = faces([*lines, *shapely.boundary(squares)], grid=1.0)
        areas = np.concatenate([squares, shapes])
        owner = owners(found, areas)
        _close(found, owner, areas)
        owner = np.where(owner >= 0, np.concatenate([lost, np.arange(len(shapes))])[owner], -1)
        missing = np.setdiff1d(np.arange(len(shapes)), owner)
        if not len(missing):
            return dissolve(found, owner, len(shapes))
        lost = np.union1d(lost, missing)


def _close(found: Geometries, owner: NDArray[np.intp], areas: Geometries) -> None:
    """Let faces without an owner, which rounding made, be of an area not a unit away; gaps stay."""
    bare = np.flatnonzero(owner < 0)
    inner = shapely.point_on_surface(found[bare])
    (face, near), _ = shapely.STRtree(areas).query_nearest(inner, max_distance=1.0, return_distance=True)
    owner[bare[face[::-1]]] = near[::-1]  # of those equally near, the first


def _squares(shapes: Geometries) -> Geometries:
    """Return one unit for each shape, no two the same, as near to it as there is one."""
    taken: set[tuple[int, int]] = set()
    squares = []
    for x, y in np.floor(shapely.get_coordinates(shapely.point_on_surface(shapes))).astype(int).tolist():
        column, row = next(place for place in _around(x, y) if place not in taken)
        taken.add((column, row))
        squares.append(shapely.box(column, row, column + 1, row + 1))
    return np.array(squares, dtype=object)


def _around(x: int, y: int) -> Iterator[tuple[int, int]]:
    """Return all units, those around a place first."""
    for away in count():
        for column in range(x - away, x + away + 1):
            for row in range(y - away, y + away + 1):
                if max(abs(column - x), abs(row - y)) == away:
                    yield column, row
