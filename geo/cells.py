"""Cells (地块): the atoms of grids, one a building or entrance, that tile a community.

Barriers and streets cut the community into enclosures; within each, momepy's tessellation of the footprints gives
every building the land nearest to it. Buildings on one plot, and the entrances of a large building, divide that
land in strips. What these pieces leave uncovered, and enclosures nobody stands in, is land; it joins the neighbour
across its longest border without a barrier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import momepy
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo.adjacency import BARRIER_M, Borders, borders_of, components, settle
from geo.coverage import Geometries, check_finite, dissolve, faces, owners, polygons_of
from geo.errors import CoordinateError, InputError
from geo.plots import Plots, make_plots
from geo.strips import divide

OUTSIDE_M = 1.0
"""A building may lie this far outside its community, metres: rounding between coordinate systems, not an error."""

SEGMENT_M = 1.0
"""Outlines are broken into segments of this length for the tessellation, metres."""


@dataclass(frozen=True)
class CellSet:
    """The cells of one community and how they touch.

    Attributes
    ----------
    cells : GeoDataFrame
        One row a cell, RangeIndex, in order of building and entrance, land without households last. Columns:
        ``building`` (Int64, the caller's key, missing for land), ``entrance`` (Int64, from 1, missing for a whole
        building), ``entrances`` (Int64, how many the building is split in), ``geometry`` (Polygon, metres).
    borders : DataFrame
        One row a pair of touching cells: ``a``, ``b`` (row numbers, a < b), ``shared_m`` (length of their border,
        metres) and ``barrier`` (a barrier lies on it: the two are not neighbours for a grid).
    """

    cells: gpd.GeoDataFrame
    borders: pd.DataFrame


@dataclass(frozen=True)
class _Pieces:
    """Land given to buildings and entrances, one row each in the order of the cells to come."""

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
) -> CellSet:
    """Tile a community with cells.

    Parameters
    ----------
    community : Polygon or MultiPolygon
        Metres, in a projected coordinate system. Every part is tiled.
    buildings : GeoDataFrame
        Columns ``building`` (int key, unique), ``households`` (int), ``entrances`` (int, at least 1) and
        ``geometry`` (Point, Polygon or MultiPolygon in the community's coordinate system). Outlines may overlap,
        coincide and reach over the edge; each building counts where its representative point lies.
    streets : sequence of LineString or MultiLineString
        Preferred borders: cells do not cross them.
    barriers : sequence of LineString, MultiLineString, Polygon or MultiPolygon
        Borders that no grid crosses. The land within a polygon is land without buildings.
    entrance_band : int
        A building with more households and several entrances is split in one cell an entrance.

    Returns
    -------
    CellSet
        Each building has one cell, or one an entrance; each cell is connected without crossing a barrier. The
        cells' union is the community to within `geo.coverage.GRID_M`. The result does not depend on the order of
        rows or lines.

    Raises
    ------
    InputError
        A community without area, a building without a usable geometry, key or count, or far outside.
    CoordinateError
        Buildings in degrees.

    Notes
    -----
    O(v log v) in the vertices of the tessellation, about 2 ms a building. Enclosed tessellation: Fleischmann et
    al. (2020), doi:10.1016/j.compenvurbsys.2019.101441, by momepy.
    """
    area = _checked_community(community)
    rows = _checked_buildings(buildings, area)
    walls = _near(area, barriers, "Barrier")
    lines = [shapely.boundary(area), *_outlines(walls), *_near(area, streets, "Street")]
    enclosures = _inside(faces(lines), area)
    if len(enclosures) == 0:
        raise InputError("The community has no area.", "Give a polygon in metres.")
    pieces = _pieces(rows, enclosures, entrance_band)
    found = _inside(faces([*lines, *shapely.boundary(pieces.area)]), area)
    borders = borders_of(found, walls)
    label = _label(found, pieces, borders)
    count = int(label.max()) + 1
    cells = gpd.GeoDataFrame(
        {
            name: pd.array(np.r_[values, np.zeros(count - len(values), dtype=np.int64)], dtype="Int64")
            for name, values in (
                ("building", rows["building"].to_numpy(np.int64)[pieces.building]),
                ("entrance", pieces.entrance),
                ("entrances", pieces.entrances),
            )
        },
        geometry=dissolve(found, label, count),
        crs=buildings.crs,
    )
    cells.loc[len(pieces.area) :, "building"] = pd.NA
    cells.loc[cells["entrances"] == 0, ["entrance", "entrances"]] = pd.NA
    return CellSet(cells, borders.between(label).table())


def _checked_community(community: Polygon | MultiPolygon) -> MultiPolygon:
    """Return the community as valid parts; refuse one that cannot be tiled."""
    if not isinstance(community, Polygon | MultiPolygon):
        raise InputError("The community is not a polygon.", "Give a Polygon or MultiPolygon in metres.")
    check_finite(np.array([community], dtype=object), "Community")
    parts = polygons_of(community)
    if shapely.area(parts).sum() <= 0:
        raise InputError("The community has no area.", "Give a polygon in metres.")
    return shapely.union_all(parts)


def _checked_buildings(buildings: gpd.GeoDataFrame, area: MultiPolygon) -> gpd.GeoDataFrame:
    """Return the buildings in order of their keys; refuse what cannot be placed or counted."""
    if buildings.crs is not None and buildings.crs.is_geographic:
        raise CoordinateError("Buildings are in degrees.", "Project them to metres first.")
    rows = buildings.sort_values("building", ignore_index=True)
    check_finite(rows.geometry.to_numpy(), "Building in row")
    faults = {
        "appears more than once": rows["building"].duplicated(),
        "has fewer than one entrance": rows["entrances"] < 1,
        "has a negative count of households": rows["households"] < 0,
        "lies outside its community": ~shapely.dwithin(rows.geometry.to_numpy(), area, OUTSIDE_M),
    }
    for fault, at in faults.items():
        if at.any():
            raise InputError(f"Building {rows.loc[at, 'building'].iloc[0]} {fault}.", "Correct the row.")
    return rows


def _near(area: MultiPolygon, lines: Sequence[shapely.Geometry], what: str) -> Geometries:
    """Return the lines and polygons that reach the community."""
    given = np.array([*lines], dtype=object)
    check_finite(given, what)
    return given[shapely.dwithin(given, area, BARRIER_M)]


def _outlines(walls: Geometries) -> Geometries:
    return np.where(shapely.get_dimensions(walls) == 2, shapely.boundary(walls), walls)


def _inside(found: Geometries, area: MultiPolygon) -> Geometries:
    return found[owners(found, np.array([area], dtype=object)) == 0]


def _pieces(rows: gpd.GeoDataFrame, enclosures: Geometries, band: int) -> _Pieces:
    """Give every building, or entrance of one above the band, its piece of land."""
    plots = make_plots(rows.geometry.to_numpy(), enclosures)
    land = _tessellate(plots, enclosures)
    entrances = np.where(rows["households"] > band, rows["entrances"], 1).astype(np.intp)
    building = np.repeat(np.arange(len(rows)), entrances)
    entrance = np.arange(len(building)) - np.repeat(np.cumsum(entrances) - entrances, entrances) + 1
    plot = plots.of_building[building]
    area, seed = land[plot], plots.anchor[building]
    shares = np.bincount(plot, minlength=len(land))
    for p in np.flatnonzero(shares > 1):
        along = land[p] if plots.is_point[p] else plots.shape[p]
        area[plot == p] = divide(land[p], shares[p], along)
    divided = shares[plot] > 1
    seed[divided] = shapely.point_on_surface(area[divided])
    whole = entrances[building] == 1
    return _Pieces(
        area, seed, building, np.where(whole, 0, entrance), np.where(whole, 0, entrances[building])
    )


def _tessellate(plots: Plots, enclosures: Geometries) -> Geometries:
    """Return the land of each plot: its whole enclosure, or its share by momepy's enclosed tessellation."""
    land = enclosures[plots.enclosure]
    crowded = np.bincount(plots.enclosure, minlength=len(enclosures))[plots.enclosure] > 1
    if crowded.any():
        shared = momepy.enclosed_tessellation(
            gpd.GeoSeries(plots.shape).loc[crowded],
            gpd.GeoSeries(enclosures).iloc[np.unique(plots.enclosure[crowded])],
            shrink=0,
            segment=SEGMENT_M,
            n_jobs=1,
        )
        land[shared.index] = shared.geometry
    return land


def _label(found: Geometries, pieces: _Pieces, borders: Borders) -> npt.NDArray[np.intp]:
    """Return the cell of each face: pieces first, in their order, then what land remains.

    A piece keeps the connected faces around its seed; what lies apart from them is land.
    """
    count = len(pieces.area)
    owner = owners(found, pieces.area)
    inner = borders.pairs[(owner[borders.pairs[:, 0]] == owner[borders.pairs[:, 1]])]
    component = components(len(found), inner[owner[inner[:, 0]] >= 0])
    own = component == component[_homes(found, owner, pieces.seed)][np.maximum(owner, 0)] if count else False
    kept = (owner >= 0) & own
    label = np.where(kept, owner, count + np.arange(len(found)))
    land = np.arange(count + len(found)) >= count
    thin = land & np.r_[np.zeros(count, dtype=bool), _width(found) < BARRIER_M]
    settled = settle(borders, label, land, thin)
    return np.unique(np.r_[np.arange(count), settled], return_inverse=True)[1][count:]


def _homes(found: Geometries, owner: npt.NDArray[np.intp], seed: Geometries) -> npt.NDArray[np.intp]:
    """Return for each piece the face it holds for certain: the one at its seed, else its largest."""
    face = np.flatnonzero(owner >= 0)
    at_seed = shapely.intersects(found[face], seed[owner[face]])
    best = face[np.lexsort((-shapely.area(found[face]), ~at_seed, owner[face]))]
    return best[np.unique(owner[best], return_index=True)[1]]


def _width(found: Geometries) -> npt.NDArray[np.float64]:
    """Return the mean width of long faces, metres."""
    return np.asarray(2 * shapely.area(found) / shapely.length(found))
