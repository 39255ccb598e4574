"""Exact coverages: polygons that tile an area with shared vertices, without gap or overlap.

Areas computed one by one (Voronoi cells, clipped tessellations, discs) meet only to within rounding. They are
made exact in one way, whatever they came from:

1. node all their outlines together on a grid of `GRID_M` (`faces`),
2. let each face between the lines belong to one area (`owners`),
3. unite the faces of an owner (`dissolve`).

Faces share every vertex with their neighbours, so borders are found by comparing segments, not by distance
(`shared_segments`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import InputError

Geometries = npt.NDArray[np.object_]
"""One-dimensional array of shapely geometries."""

GRID_M = 1e-5
"""Vertices lie on a grid of this size, metres: far above rounding, far below the accuracy of any survey."""


def planar(geometries: Iterable[shapely.Geometry], what: str) -> Geometries:
    """Return geometries as an array without heights.

    Raises
    ------
    InputError
        For a missing, empty or non-finite one, naming `what` and its position.
    """
    flat = np.asarray(shapely.force_2d(np.array([*geometries], dtype=object)))
    coordinates, owner = shapely.get_coordinates(flat, return_index=True)
    bad = shapely.is_missing(flat) | shapely.is_empty(flat)
    bad[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    if bad.any():
        raise InputError(
            f"{what} at position {int(np.argmax(bad))} has a geometry that is missing, empty or not finite.",
            "Give finite coordinates in metres.",
        )
    return flat


def valid_area(geometries: Geometries) -> Geometries:
    """Make polygons valid, keeping area only: plain ``make_valid`` may return lines beside them."""
    return np.asarray(shapely.make_valid(geometries, method="structure", keep_collapsed=False))


def area_only(geometries: Geometries) -> Geometries:
    """Reduce collections to their polygons: cutting polygons may leave lines and points beside them."""
    mixed = shapely.get_type_id(geometries) == shapely.GeometryType.GEOMETRYCOLLECTION
    return np.where(mixed, shapely.buffer(geometries, 0), geometries)


def outlines(geometries: Geometries) -> Geometries:
    """Return lines as they are and polygons as their boundaries."""
    return np.where(shapely.get_dimensions(geometries) == 2, shapely.boundary(geometries), geometries)


def faces(lines: Iterable[shapely.Geometry], grid: float = GRID_M) -> Geometries:
    """Return every face enclosed by lines, noded on the grid, in an order that depends on position only.

    Parameters
    ----------
    lines : iterable of LineString, MultiLineString or LinearRing
        Metres; they may cross, touch and repeat each other. Ends that enclose nothing leave no trace.
    grid : float
        Size of the grid, in the lines' units.

    Returns
    -------
    ndarray of Polygon
        Neighbours share all vertices on their common border. Holes are faces too.

    Notes
    -----
    O(n log n) in the segments (snap rounding, then polygonize).
    """
    noded = shapely.union_all(np.array([*lines], dtype=object), grid_size=grid)
    found = np.asarray(shapely.get_parts(shapely.polygonize([noded])))
    return found[np.lexsort(shapely.bounds(found).T)]


def owners(found: Geometries, areas: Geometries) -> npt.NDArray[np.intp]:
    """Return for each face the first area that covers an inner point of it, or -1.

    Parameters
    ----------
    found : ndarray of Polygon, shape (n,)
        As `faces` returns them.
    areas : ndarray of Polygon or MultiPolygon, shape (m,)
        May overlap and leave gaps.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    face, area = shapely.STRtree(areas).query(shapely.point_on_surface(found), predicate="covered_by")
    owner = np.full(len(found), len(areas), dtype=np.intp)
    np.minimum.at(owner, face, area)
    owner[owner == len(areas)] = -1
    return owner


def dissolve(found: Geometries, label: npt.NDArray[np.intp], count: int) -> Geometries:
    """Unite the faces of each label.

    Parameters
    ----------
    found : ndarray of Polygon, shape (n,)
        As `faces` returns them.
    label : ndarray of int, shape (n,)
        From 0 to `count` - 1, each at least once; faces labelled -1 are left out.
    count : int
        How many labels there are.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (count,)
    """
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(count + 1))
    united = found[order[starts[:-1]]]
    for i in np.flatnonzero(np.diff(starts) > 1):
        united[i] = shapely.coverage_union_all(found[order[starts[i] : starts[i + 1]]])
    return united


def segments_of(geometries: Geometries) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return the straight segments of polygons or lines.

    Returns
    -------
    segments : ndarray of float, shape (s, 4)
        x, y of one end, then of the other.
    owner : ndarray of int, shape (s,)
        Position of the geometry that each belongs to.
    """
    lines, owner = shapely.get_parts(outlines(geometries), return_index=True)
    points, line = shapely.get_coordinates(lines, return_index=True)
    inner = line[1:] == line[:-1]
    return np.hstack([points[:-1], points[1:]])[inner], owner[line[1:][inner]]


def shared_segments(found: Geometries) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return the segments that two faces share.

    Parameters
    ----------
    found : ndarray of Polygon
        A coverage with shared vertices, as `faces` returns it.

    Returns
    -------
    pairs : ndarray of int, shape (s, 2)
        The faces on either side, the smaller number first.
    segments : ndarray of float, shape (s, 4)
        x, y of both ends, metres.

    Notes
    -----
    O(s log s): equal segments are brought together by sorting.
    """
    segments, face = segments_of(found)
    x0, y0, x1, y1 = segments.T
    backward = (x0 > x1) | ((x0 == x1) & (y0 > y1))
    segments[backward] = segments[backward][:, [2, 3, 0, 1]]
    order = np.lexsort((face, *segments.T))
    segments, face = segments[order], face[order]
    twin = np.flatnonzero((segments[1:] == segments[:-1]).all(axis=1))
    return np.column_stack([face[twin], face[twin + 1]]), segments[twin]
