"""The ground plan: barriers, streets, and the blocks between them, in metres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Polygon

from etl.demo.size import Size
from geo import crs
from geo.coverage import Geometries, faces

ORIGIN = (118.5, 31.7)
"""Longitude and latitude of the district's south-western corner."""

BLOCK_M2 = 58_000.0
"""About the area at which land is no longer cut by streets."""

FACE_M2 = 2.5 * BLOCK_M2
"""Barriers leave no piece of land smaller than this."""

SNAP_M = 0.01
"""Ends of lines meet the lines they end on within this distance."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A barrier or a street; ``corridor_m`` is how far from its middle nothing is built."""

    kind: str
    shape: LineString
    corridor_m: float


@dataclass(frozen=True)
class Layout:
    """The ground plan.

    Attributes
    ----------
    srid : int
        Metric coordinate system of everything here.
    lines : list of Line
        Barriers first, then streets from the longest cut to the shortest.
    blocks : ndarray of Polygon, shape (n,)
        Tile the district with shared vertices; their edges are the lines.
    """

    srid: int
    lines: list[Line]
    blocks: Geometries

    def of_kind(self, *kinds: str) -> list[Line]:
        """Return the lines of some kinds."""
        return [line for line in self.lines if line.kind in kinds]


BARRIERS = ("river", "railway", "trunk_road")
ROADS = ("trunk_road", "road", "street", "lane")
CORRIDOR_M = {"river": 48.0, "railway": 22.0, "trunk_road": 24.0, "road": 15.0, "street": 12.0, "lane": 9.0}

# Where barriers run at full size: kind, least scale that has it, along the other axis?, position as a share
# of the extent at either end, amplitude (share) and waves.
_COURSES = (
    ("river", 0.0, True, (0.47, 0.44), 0.045, 1.1),
    ("railway", 0.4, False, (0.30, 0.47), 0.015, 0.7),
    ("trunk_road", 0.2, True, (0.21, 0.19), 0.012, 0.5),
    ("trunk_road", 0.2, True, (0.74, 0.77), 0.012, 0.5),
    ("trunk_road", 0.1, False, (0.13, 0.16), 0.012, 0.5),
    ("trunk_road", 0.4, False, (0.67, 0.65), 0.012, 0.5),
)


def make_layout(size: Size, rng: np.random.Generator) -> Layout:
    """Draw barriers across the district and cut the land between them into blocks by streets.

    Parameters
    ----------
    size : Size
    rng : numpy.random.Generator

    Returns
    -------
    Layout
    """
    srid = crs.metric_srid(*ORIGIN)
    corner = shapely.get_coordinates(crs.to_metric([shapely.Point(ORIGIN)], srid))[0]
    outline, barriers, land = _land(size, corner, rng)
    streets: list[Line] = []
    for face in land:
        streets.extend(_cuts(face, rng))
    rank = {kind: i for i, kind in enumerate(CORRIDOR_M)}
    lines = sorted([*barriers, *streets], key=lambda line: rank[line.kind])
    noded = shapely.union_all([outline.exterior, *(line.shape for line in lines)], grid_size=SNAP_M)
    return Layout(srid, _with_nodes(lines, noded), faces([noded]))


def _land(size: Size, corner: Floats, rng: np.random.Generator) -> tuple[Polygon, list[Line], Geometries]:
    """Draw outline and barriers anew until no piece of land between them is too small to live on."""
    while True:
        extent = np.array([size.width_m, size.height_m])
        outline = _outline(corner, extent, rng)
        barriers = [
            Line(kind, shape, CORRIDOR_M[kind])
            for kind, least, upright, ends, amplitude, waves in _COURSES
            if size.scale >= least
            for shape in [_curve(corner, extent, upright, ends, amplitude, waves, rng).intersection(outline)]
        ]
        land = faces([outline.exterior, *(line.shape for line in barriers)])
        whole = all(isinstance(line.shape, LineString) for line in barriers)
        if whole and shapely.area(land).min() > FACE_M2:
            return outline, barriers, land


def _outline(corner: Floats, extent: Floats, rng: np.random.Generator) -> Polygon:
    """Return a rectangle with an uneven edge."""
    sides = [
        (0, 0),
        (0.35, 0),
        (0.7, 0),
        (1, 0),
        (1, 0.4),
        (1, 0.75),
        (1, 1),
        (0.6, 1),
        (0.3, 1),
        (0, 1),
        (0, 0.5),
    ]
    uneven = rng.uniform(-0.025, 0.025, (len(sides), 2))
    return Polygon(corner + extent * (np.array(sides, float) + uneven))


def _curve(
    corner: Floats,
    extent: Floats,
    upright: bool,
    ends: tuple[float, float],
    amplitude: float,
    waves: float,
    rng: np.random.Generator,
) -> LineString:
    along = np.linspace(-0.1, 1.1, 37)
    phase = rng.uniform(0, 2 * np.pi)
    across = ends[0] + (ends[1] - ends[0]) * along + amplitude * np.sin(2 * np.pi * waves * along + phase)
    share = np.column_stack([across, along] if upright else [along, across])
    return LineString(corner + extent * share)


def _cuts(land: Polygon, rng: np.random.Generator) -> Iterator[Line]:
    """Cut land along the shorter side of its bounding rectangle until the pieces are blocks."""
    if land.area <= BLOCK_M2 * rng.uniform(0.8, 1.3):
        return
    cut = _cut(land, rng)
    kind = "road" if land.area > 16 * BLOCK_M2 else "street" if land.area > 4 * BLOCK_M2 else "lane"
    pieces = faces([land.exterior, cut])
    if len(pieces) != 2 or shapely.area(pieces).min() < 0.3 * BLOCK_M2:
        return
    yield Line(kind, cut, CORRIDOR_M[kind])
    for piece in pieces:
        yield from _cuts(piece, rng)


def _cut(land: Polygon, rng: np.random.Generator) -> LineString:
    """Return the longest part of a slightly skew line across the land, near its middle."""
    start, long, short = _axes(land)
    middle = start + long * rng.uniform(0.42, 0.58) + short / 2
    turn = rng.normal(0, 0.04)
    across = short * np.cos(turn) + np.array([-short[1], short[0]]) * np.sin(turn)
    inside = shapely.get_parts(LineString([middle - 3 * across, middle + 3 * across]).intersection(land))
    return max(inside, key=shapely.length)


def _axes(land: Polygon) -> tuple[Floats, Floats, Floats]:
    """Return a corner of the smallest rectangle around land, and its long and its short side."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(land))[:4]
    sides = [b - a for a, b in pairwise(corners[[0, 1, 2]])]
    if np.hypot(*sides[0]) >= np.hypot(*sides[1]):
        return corners[0], sides[0], sides[1]
    return corners[1], sides[1], -sides[0]


def _with_nodes(lines: list[Line], noded: shapely.Geometry) -> list[Line]:
    """Return the lines with a vertex wherever another one meets them, as the blocks have."""
    edges = shapely.get_parts(noded)
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, line = shapely.STRtree([line.shape for line in lines]).query(
        middle, predicate="dwithin", distance=2 * SNAP_M
    )
    merged = [shapely.line_merge(shapely.union_all(edges[edge[line == i]])) for i in range(len(lines))]
    return [Line(old.kind, shape, old.corridor_m) for old, shape in zip(lines, merged, strict=True)]
