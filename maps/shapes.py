"""Geometry made light enough for a page: simplified and rounded so that shared borders stay shared."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import from_metric, metric_srid, to_metric

Shapes = NDArray[np.object_]

_DECIMALS = 5
_TOLERANCES_M = (2, 4, 8, 16, 32, 64)
_LINE_TOLERANCE_M = 4.0
_NODED_M = 0.1
_MILLIMETRE = 0.001
_MOVED_AT_LEAST_M2 = 10.0


def light_areas(frame: gpd.GeoDataFrame, budget: int) -> gpd.GeoDataFrame:
    """Simplify areas that border each other, without gap or overlap between them.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons in EPSG:4326; rows without geometry are dropped.
    budget : int
        Vertices wanted at most; the smallest tolerance of 2, 4, 8 ... 64 m that keeps to it is taken, or 64 m.

    Returns
    -------
    GeoDataFrame
        The same rows with coordinates of five decimals, about a metre.

    Notes
    -----
    Visvalingam and Whyatt's simplification of a coverage (GEOS, ``CoverageSimplify``).
    """
    drawn = _drawn(frame)
    if drawn.empty:
        return drawn
    srid = _metric_of(drawn.geometry.to_numpy())
    metric = _noded(to_metric(drawn.geometry.to_numpy(), srid))
    for metres in _TOLERANCES_M:
        light = shapely.coverage_simplify(metric, metres)
        if shapely.get_num_coordinates(light).sum() <= budget:
            break
    return _drawn(drawn.set_geometry(_rounded(from_metric(light, srid)), crs=frame.crs))


def light_lines(frame: gpd.GeoDataFrame, budget: int, by: list[str]) -> gpd.GeoDataFrame:
    """Join lines, and outlines of areas, that agree in the columns ``by``; simplify them to 4 m.

    The longest are kept, as many as have ``budget`` vertices together.
    """
    drawn = _drawn(frame)
    if drawn.empty:
        return drawn
    shapes = drawn.geometry.to_numpy()
    lines = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    joined = drawn[by].set_geometry(lines, crs=frame.crs).dissolve(by=by, dropna=False, as_index=False)
    srid = _metric_of(joined.geometry.to_numpy())
    metric = shapely.line_merge(to_metric(joined.geometry.to_numpy(), srid))
    light = shapely.simplify(metric, _LINE_TOLERANCE_M)
    longest = np.argsort(-shapely.length(light), kind="stable")
    kept = longest[np.cumsum(shapely.get_num_coordinates(light[longest])) <= budget]
    return joined.iloc[kept].set_geometry(_rounded(from_metric(light[kept], srid)), crs=frame.crs)


def light_ground(frame: gpd.GeoDataFrame, budget: int) -> gpd.GeoDataFrame:
    """Simplify areas that need not fit each other to 4 m; lines are left out.

    The largest are kept, as many as have ``budget`` vertices together.
    """
    drawn = _drawn(frame)
    drawn = drawn[shapely.get_dimensions(drawn.geometry.to_numpy()) == 2]
    if drawn.empty:
        return drawn
    srid = _metric_of(drawn.geometry.to_numpy())
    light = shapely.simplify(to_metric(drawn.geometry.to_numpy(), srid), _LINE_TOLERANCE_M)
    largest = np.argsort(-shapely.area(light), kind="stable")
    kept = largest[np.cumsum(shapely.get_num_coordinates(light[largest])) <= budget]
    return drawn.iloc[kept].set_geometry(_rounded(from_metric(light[kept], srid)), crs=frame.crs)


def light_points(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Round points; rows without geometry are dropped."""
    drawn = _drawn(frame)
    return drawn.set_geometry(_rounded(drawn.geometry.to_numpy()), crs=frame.crs)


def outlines(areas: gpd.GeoDataFrame, light_parts: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    """Draw areas along the light borders of their parts, so that the two never run side by side.

    Parameters
    ----------
    areas : GeoDataFrame
        Areas with a column ``code``.
    light_parts : GeoDataFrame
        What `light_areas` made of the parts; their column ``key`` names the area they are in.

    Returns
    -------
    GeoDataFrame
        The areas; one without parts is only rounded.
    """
    sound = _valid(light_parts.geometry.to_numpy())
    parts = {code: shapely.union_all(sound[rows]) for code, rows in light_parts.groupby(key).indices.items()}
    drawn = _drawn(areas)
    own = _rounded(drawn.geometry.to_numpy())
    shapes = [parts.get(code, shape) for code, shape in zip(drawn["code"], own, strict=True)]
    return drawn.set_geometry(shapes, crs=areas.crs)


def label_points(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Replace each area by a point within it that suits a label."""
    return areas.set_geometry(_rounded(shapely.point_on_surface(areas.geometry.to_numpy())), crs=areas.crs)


def moved_land(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Find the land that lies in another grid after than before.

    Parameters
    ----------
    before, after : GeoDataFrame
        Grids with a column ``key`` that names a grid in both, in EPSG:4326.

    Returns
    -------
    GeoDataFrame
        One row a pair of grids, columns ``left``, ``entered`` (keys) and ``geometry``; pieces of less than 10 m²,
        which only rounding makes, are left out.
    """
    before, after = (_drawn(frame) for frame in (before, after))
    if before.empty or after.empty:
        return gpd.GeoDataFrame({"left": [], "entered": []}, geometry=[], crs=before.crs)
    srid = _metric_of(before.geometry.to_numpy())
    old, new = (_valid(to_metric(frame.geometry.to_numpy(), srid)) for frame in (before, after))
    i, j = shapely.STRtree(new).query(old, predicate="intersects")
    left, entered = before["key"].to_numpy()[i], after["key"].to_numpy()[j]
    changed = left != entered
    shapes = _polygons_only(shapely.intersection(old[i[changed]], new[j[changed]], grid_size=_MILLIMETRE))
    real = shapely.area(shapes) >= _MOVED_AT_LEAST_M2
    return gpd.GeoDataFrame(
        {"left": left[changed][real], "entered": entered[changed][real]},
        geometry=from_metric(shapes[real], srid),
        crs=before.crs,
    )


def _drawn(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame[frame.geometry.notna() & ~frame.geometry.is_empty]


def _noded(areas: Shapes) -> Shapes:
    """Rebuild areas from the faces between their borders, so that neighbours agree vertex by vertex.

    Borders that are the same within 0.1 m become one. What lies in several areas goes to the first.
    ``coverage_simplify`` fails on areas that do not meet exactly, and real ones seldom do.
    """
    lines = shapely.union_all(shapely.boundary(areas), grid_size=_NODED_M)
    faces = shapely.get_parts(shapely.polygonize([lines]))
    face, area = shapely.STRtree(areas).query(shapely.point_on_surface(faces), predicate="intersects")
    owner = np.full(len(faces), len(areas))
    np.minimum.at(owner, face, area)
    return np.array(
        [shapely.coverage_union_all(faces[owner == index]) for index in range(len(areas))], dtype=object
    )


def _metric_of(shapes: Shapes) -> int:
    west, south, east, north = shapely.total_bounds(shapes)
    return metric_srid((west + east) / 2, (south + north) / 2)


def _rounded(shapes: Shapes) -> Shapes:
    """Round each vertex by itself, so that a vertex of two areas stays one."""
    rounded: Shapes = shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS))
    return rounded


def _valid(areas: Shapes) -> Shapes:
    """Mend areas that rounding has folded over themselves; what has no area is dropped."""
    valid: Shapes = shapely.make_valid(areas, method="structure", keep_collapsed=False)
    return valid


def _polygons_only(shapes: Shapes) -> Shapes:
    """Drop the lines and points that an intersection leaves where areas only touch."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygons = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    kept = np.full(len(shapes), shapely.Polygon(), dtype=object)
    for index in np.unique(owner[polygons]):
        kept[index] = shapely.multipolygons(parts[polygons & (owner == index)])
    return kept
