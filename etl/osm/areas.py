"""Communities from administrative areas: the finest level that covers the buildings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from etl.osm.reading import Features
from geo.coverage import Geometries, valid_area
from geo.errors import InputError

COVERED = 0.5
"""A level is of use when its areas hold this share of the buildings."""

NEARLY = 0.9
"""A finer level is preferred while it holds this share of what the best level holds."""

INSIDE = 0.5
"""An area that lies in another of its level for this share is a second drawing of a part of it."""

Ints = npt.NDArray[np.int64]


def choose_areas(
    features: Features, points: Geometries, admin_level: int | None
) -> tuple[gpd.GeoDataFrame, Ints]:
    """Choose the areas that become communities.

    Parameters
    ----------
    features : Features
    points : ndarray of Point, shape (n,)
        A point of each building, EPSG:4326.
    admin_level : int or None
        OSM's ``admin_level``. Without it, the finest level is taken whose areas hold nearly as many buildings
        as those of any other.

    Returns
    -------
    areas : GeoDataFrame
        Indexed by OSM id, with ``name``, ``geometry`` (areas do not overlap), in order of ids; each holds a
        building. Empty when the extract has no level of use.
    home : ndarray of int, shape (n,)
        Area of each building, or -1.

    Raises
    ------
    InputError
        If the level asked for has no area that holds a building.
    """
    administrative = _administrative(features)
    if admin_level is not None:
        administrative = administrative[administrative["level"] == admin_level]
    levels = {
        int(level): _distinct(group.drop(columns="level")) for level, group in administrative.groupby("level")
    }
    homes = {level: _home(points, areas) for level, areas in levels.items()}
    held = {level: float((home >= 0).mean()) for level, home in homes.items()}
    least = 0.0 if admin_level is not None else COVERED
    useful = [
        level for level, share in held.items() if share > least and share >= NEARLY * max(held.values())
    ]
    if useful:
        return _inhabited(levels[max(useful)], homes[max(useful)])
    if admin_level is not None:
        raise InputError(
            f"No administrative area of level {admin_level} holds a building.",
            "Leave the level out, and the finest usable one is taken.",
        )
    return administrative[:0].drop(columns="level"), np.full(len(points), -1, dtype=np.int64)


def _administrative(features: Features) -> gpd.GeoDataFrame:
    """Return closed, named administrative areas: relations and closed ways, in order of level."""
    level = pd.to_numeric(features.tag("admin_level"), errors="coerce")
    areas = (
        (features.tag("boundary") == "administrative")
        & features.tag("name").notna()
        & features.table.geom_type.isin(["Polygon", "MultiPolygon"])
        & level.notna()
    )
    named = features.table.loc[areas, ["geometry"]].assign(
        name=features.tag("name")[areas], level=level[areas]
    )
    return named.sort_index()


def _distinct(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Drop areas that lie in another of their level, and take from the larger of two what both claim.

    Closed ways are often drawn again beside the relation they belong to.
    """
    shapes = areas.geometry.to_numpy()
    size = shapely.area(shapes)
    kept: list[int] = []
    for i in np.argsort(-size, kind="stable"):
        if not kept or shapely.area(shapely.intersection(shapes[i], shapes[kept])).max() < INSIDE * size[i]:
            kept.append(int(i))
    shapes = shapes[kept].copy()
    for larger, smaller in _overlapping(shapes):
        shapes[larger] = valid_area(shapely.difference(shapes[[larger]], shapes[smaller]))[0]
    return areas.iloc[kept].set_geometry(shapes, crs=areas.crs).sort_index()


def _overlapping(shapes: Geometries) -> Ints:
    """Return pairs that share area, shape (m, 2): the earlier first."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    apart = first < second
    pairs = np.column_stack([first[apart], second[apart]])
    shared = shapely.area(shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]]))
    return np.asarray(pairs[shared > 0], dtype=np.int64)


def _home(points: Geometries, areas: gpd.GeoDataFrame) -> Ints:
    """Return the first area that covers each point, or -1."""
    point, area = shapely.STRtree(areas.geometry.to_numpy()).query(points, predicate="covered_by")
    home = np.full(len(points), len(areas), dtype=np.int64)
    np.minimum.at(home, point, area)
    home[home == len(areas)] = -1
    return home


def _inhabited(areas: gpd.GeoDataFrame, home: Ints) -> tuple[gpd.GeoDataFrame, Ints]:
    """Leave out areas without a building, and number the others anew."""
    numbers = np.unique(home[home >= 0])
    renumbered = np.full(len(areas) + 1, -1, dtype=np.int64)
    renumbered[numbers] = np.arange(len(numbers))
    return areas.iloc[numbers], renumbered[home]
