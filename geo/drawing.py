"""Draw grids: unite the cells each is made of."""

from __future__ import annotations

import geopandas as gpd
import shapely

from geo.crs import WGS84, to_metric


def draw(cells: gpd.GeoDataFrame, srid: int) -> gpd.GeoDataFrame:
    """Unite the cells of each grid.

    Parameters
    ----------
    cells : GeoDataFrame
        EPSG:4326, a valid coverage within each grid; grid_id, households, building_id (missing for land), area_m2.
    srid : int
        Metric system lengths are measured in.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, by grid_id: grid_id, households, buildings, area_m2, perimeter_m. Borders of neighbouring
        grids have the same vertices, as those of their cells have.
    """
    grouped = cells.groupby("grid_id")
    counts = grouped.agg(
        households=("households", "sum"), buildings=("building_id", "nunique"), area_m2=("area_m2", "sum")
    )
    shapes = [shapely.coverage_union_all(part.to_numpy()) for _, part in grouped.geometry]
    perimeters = shapely.length(to_metric(shapes, srid))
    return gpd.GeoDataFrame(counts.reset_index().assign(perimeter_m=perimeters), geometry=shapes, crs=WGS84)
