"""Cells (地块): the atoms of grids, one a building or entrance, that tile a community.

Barriers and streets cut the community into enclosures. Within each, momepy's tessellation of the footprints
gives every building the land nearest to it; buildings on one plot, and the entrances of a large building,
divide that land in strips. The rest is land: enclosures nobody stands in, and parts cut off from their
building. It joins the neighbour across its longest border without a barrier, and across one where barriers
shut it in; only where a whole part of the community has no building does it stay a cell of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo.adjacency import BARRIER_M, Borders, borders_of, components, settle
from geo.coverage import Geometries, dissolve, faces, outlines, owners, planar, valid_area
from geo.enclosures import Memo, tessellate
from geo.errors import CoordinateError, InputError
from geo.plots import MARGIN_M, make_plots
from geo.strips import divide

OUTSIDE_M = 1.0
"""How far a building may lie outside its community, metres: rounding between coordinate systems."""


@dataclass(frozen=True)
class CellSet:
    """The cells of one community and how they touch.

    Attributes
    ----------
    cells : GeoDataFrame
        One row a cell, RangeIndex, in order of building and entrance, then land without building. Columns:
        ``building`` (Int64, the caller's key, missing for land), ``entrance`` (Int64, from 1, missing for a
        whole building), ``entrances`` (Int64, how many the building is split in, missing for a whole one),
        ``geometry`` (Polygon, metres).
    borders : DataFrame
        One row a pair of touching cells: ``a``, ``b`` (row numbers, a < b), ``shared_m`` (length of their
        border, metres), ``barrier`` (a barrier lies on it: the two are not neighbours for a grid).
    """

    cells: gpd.GeoDataFrame
    borders: pd.DataFrame


@dataclass(frozen=True)
class _Pieces:
    """Land of buildings and entrances before it is made exact, in the order of the cells to come.

    ``building`` is a row number; ``entrance`` and ``entrances`` are 0 for a whole building; ``seed`` is a
    point that stays in the cell whatever happens to the piece.
    """

    area: Geometries
    seed: Geometries
    building: npt.NDArray[np.intp]
    entrance: npt.NDArray[np.intp]
    entrances: npt.NDArray[np.intp]


def make_cells(
    community: Polygon | MultiPolygon,
    buildings: gpd.GeoDataFrame,
    streets: Sequence[shapely.Geometry],
    barriers: Sequence[shapely.Geometry],
    *,
    entrance_band: int = 330,
    memo: Memo | None = None,
) -> CellSet:
    """Tile a community with cells.

    Parameters
    ----------
    community : Polygon or MultiPolygon
        In a projected coordinate system, metres. Every part is tiled.
    buildings : GeoDataFrame
        Columns ``building`` (int, unique), ``households`` (int), ``entrances`` (int, at least 1) and
        ``geometry`` (Point, Polygon or MultiPolygon, same coordinate system). Outlines may overlap, coincide
        and reach over the edge; a building counts where its representative point lies.
    streets, barriers : sequence of LineString, MultiLineString, Polygon or MultiPolygon
        Cells cross neither, and no grid crosses a barrier. The area of a barrier is land unless a building
        stands on it. A line that ends before it meets another cuts nothing.
    entrance_band : int
        A building with more households and several entrances becomes one cell an entrance.
    memo : Memo, optional
        Tessellations that need not be made again; is told which were used. The cells are the same, byte for
        byte, with it and without.

    Returns
    -------
    CellSet
        Cells tile the community to within `geo.coverage.GRID_M`, whatever the order of rows and lines.

    Raises
    ------
    InputError
        A community without area, a building that cannot be placed or counted.
    CoordinateError
        Coordinates in degrees.

    Notes
    -----
    O(v log v) in the vertices: about 0.5 ms a point and 2 ms a footprint. Enclosed tessellation is that of
    Fleischmann et al. (2020), doi:10.1016/j.compenvurbsys.2019.101441.
    """
    area = _checked_community(community)
    rows = _checked_buildings(buildings, area)
    walls = _reaching(area, barriers, "Barrier")
    lines = [shapely.boundary(area), *outlines(walls), *outlines(_reaching(area, streets, "Street"))]
    enclosures = _within(area, faces(lines))
    pieces = _pieces(rows, enclosures, entrance_band, Memo() if memo is None else memo)
    found = _within(area, faces(shapely.boundary([*enclosures, *pieces.area])))
    borders = borders_of(found, walls)
    label = _label(found, pieces, borders, rows)
    return CellSet(_table(found, label, pieces, rows), borders.between(label).table())


def _checked_community(community: Polygon | MultiPolygon) -> shapely.Geometry:
    """Return the community made valid; refuse one that cannot be tiled."""
    remedy = "Give a Polygon or MultiPolygon in metres."
    if not isinstance(community, Polygon | MultiPolygon):
        raise InputError(f"The community is a {type(community).__name__}, not a polygon.", remedy)
    area = valid_area(planar([community], "Community"))[0]
    if shapely.is_empty(shapely.buffer(area, -2 * MARGIN_M)):
        raise InputError("The community has no area.", remedy)
    return area


def _checked_buildings(buildings: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return the buildings in order of their keys; refuse what cannot be placed or counted."""
    if buildings.crs is not None and buildings.crs.is_geographic:
        raise CoordinateError("The buildings are in degrees.", "Project them to metres first.")
    rows = buildings.set_geometry(planar(buildings.geometry, "Building"), crs=buildings.crs)
    rows = rows.sort_values("building", ignore_index=True)
    faults = {
        "appears more than once": rows["building"].duplicated(),
        "has fewer than one entrance": ~(rows["entrances"] >= 1),
        "has no count of households": ~(rows["households"] >= 0),
        "is neither a point nor a polygon": ~rows.geom_type.isin(["Point", "Polygon", "MultiPolygon"]),
        "lies outside its community": ~rows.dwithin(area, OUTSIDE_M),
    }
    for fault, at in faults.items():
        if at.any():
            key = rows.loc[at, "building"].iloc[0]
            raise InputError(f"Building {key} {fault}.", "Correct or leave out the row.")
    return rows


def _reaching(area: shapely.Geometry, lines: Sequence[shapely.Geometry], what: str) -> Geometries:
    """Return the lines and polygons that come near enough to matter."""
    given = planar(lines, what)
    return np.asarray(given[shapely.dwithin(given, area, BARRIER_M)])


def _within(area: shapely.Geometry, found: Geometries) -> Geometries:
    return np.asarray(found[owners(found, np.array([area], dtype=object)) == 0])


def _pieces(rows: gpd.GeoDataFrame, enclosures: Geometries, band: int, memo: Memo) -> _Pieces:
    """Give every building, or every entrance of one above the band, its piece of land."""
    plots = make_plots(rows.geometry.to_numpy(), enclosures)
    land = tessellate(plots, enclosures, memo)
    entrances = np.where(rows["households"] > band, rows["entrances"], 1).astype(np.intp)
    building = np.repeat(np.arange(len(rows)), entrances)
    entrance = np.arange(len(building)) - np.repeat(np.cumsum(entrances) - entrances, entrances) + 1
    plot = plots.of_building[building]
    area, seed = land[plot], plots.anchor[building]
    shares = np.bincount(plot, minlength=len(land))
    for p in np.flatnonzero(shares > 1):
        along = land[p] if plots.is_point[p] else plots.shape[p]
        area[plot == p] = divide(land[p], int(shares[p]), along)
    divided = shares[plot] > 1
    seed[divided] = shapely.point_on_surface(area[divided])
    split = entrances[building] > 1
    return _Pieces(area, seed, building, entrance * split, entrances[building] * split)


def _label(
    found: Geometries, pieces: _Pieces, borders: Borders, rows: gpd.GeoDataFrame
) -> npt.NDArray[np.intp]:
    """Return the cell of each face: pieces in their order, then the land that remains.

    A piece keeps the faces connected with the one at its seed; those cut off from it become land. Land that
    barriers shut in joins across them, whole: a river's bank or the ground between two tracks needs no grid of
    its own, and two cells with a barrier between them are still cut.
    """
    count = len(pieces.area)
    owner = owners(found, pieces.area)
    lost = np.setdiff1d(np.arange(count), owner)
    if len(lost):
        key = rows["building"].iloc[pieces.building[lost[0]]]
        raise InputError(f"Building {key} has no land left.", "Too many buildings or entrances lie there.")
    inner = borders.pairs[owner[borders.pairs[:, 0]] == owner[borders.pairs[:, 1]]]
    component = components(len(found), inner)
    home = np.append(component[_homes(found, owner, pieces.seed)], -1)
    region = np.where(component == home[owner], owner, count + np.arange(len(found)))
    land = np.arange(count + len(found)) >= count
    region = settle(borders.between(region), land)[region]
    region = settle(borders.between(region), land, across_barriers=True)[region]
    return np.unique(np.append(np.arange(count), region), return_inverse=True)[1][count:]


def _homes(found: Geometries, owner: npt.NDArray[np.intp], seed: Geometries) -> npt.NDArray[np.intp]:
    """Return for each piece the face it keeps for certain: the one at its seed, else its largest."""
    face = np.flatnonzero(owner >= 0)
    at_seed = shapely.intersects(found[face], seed[owner[face]])
    face = face[np.lexsort((-shapely.area(found[face]), ~at_seed, owner[face]))]
    return face[np.unique(owner[face], return_index=True)[1]]


def _table(
    found: Geometries, label: npt.NDArray[np.intp], pieces: _Pieces, rows: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the cells as `CellSet` describes them."""
    cells = gpd.GeoDataFrame(
        {
            "building": rows["building"].to_numpy(np.int64)[pieces.building],
            "entrance": pieces.entrance,
            "entrances": pieces.entrances,
        }
    ).astype("Int64")
    cells.loc[cells["entrances"] == 0, ["entrance", "entrances"]] = pd.NA
    count = int(label.max()) + 1
    return cells.reindex(range(count)).set_geometry(dissolve(found, label, count), crs=rows.crs)
