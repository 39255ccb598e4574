"""A square district of wavy-bordered grids, as frames a map takes."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from maps.overview import MapData

WEST, SOUTH, PITCH = 118.50, 31.70, 0.004


def figures(in_band: int, moved: int) -> dict[str, float]:
    return {
        "grids": 16,
        "in_band": in_band,
        "share_in_band": in_band / 16,
        "worst_deviation_percent": 80.0,
        "disconnected": 0,
        "split_compounds": 2,
        "mean_compactness": 0.5,
        "households_moved": moved,
        "moved_share": moved / 4800,
    }


FIGURES = {"before": figures(5, 0), "after": figures(15, 1234)}


def areas(side: int, *, wiggles: int = 0) -> gpd.GeoDataFrame:
    """Return ``side`` x ``side`` grids, four a community; neighbours share each of ``wiggles`` vertices a border."""
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    community = row // 2 * side + column // 2
    number = row % 2 * 2 + column % 2 + 1
    code = [f"990101{each:06d}" for each in community]
    return gpd.GeoDataFrame(
        {
            "id": np.arange(side * side) + 1,
            "code": [f"{each}{n:03d}" for each, n in zip(code, number, strict=True)],
            "external_code": None,
            "community_code": code,
            "community": [f"第{each}社区" for each in community],
            "households": 150.0 + 25 * (np.arange(side * side) % 17),
            "buildings": 20,
        },
        geometry=[_wavy(*each, wiggles) for each in zip(column, row, strict=True)],
        crs=4326,
    )


def swap(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give the first grid the western part of the second."""
    x = WEST + 1.5 * PITCH
    part = shapely.intersection(grids.geometry[1], shapely.box(WEST, SOUTH - PITCH, x, SOUTH + 2 * PITCH))
    shapes = grids.geometry.to_numpy().copy()
    shapes[0], shapes[1] = shapely.union(shapes[0], part), shapely.difference(shapes[1], part)
    return grids.set_geometry(shapes, crs=4326)


def map_data(side: int, *, wiggles: int = 5) -> MapData:
    """Return a made-up district with a little of everything."""
    grids = areas(side, wiggles=wiggles)
    first = grids.groupby("community_code")["community"].first()
    communities = grids[["community_code", "geometry"]].dissolve("community_code").reset_index()
    end = WEST + side * PITCH
    return MapData(
        name="试验区",
        plan="第 1 号",
        as_of="2026-07-01",
        made_up=True,
        attribution=("© OpenStreetMap contributors",),
        target=300,
        tolerance_percent=10,
        grids=grids,
        communities=communities.rename(columns={"community_code": "code"}).assign(
            name=first.to_numpy(), status="active", boundary_source="stated"
        ),
        sites=_points(name="试验党群服务中心", state="open", hours="9:00-17:00", address=None, phone=None),
        facilities=_points(kind="AED", name=None, state="planned", keeper="试验单位"),
        rider_communities=gpd.GeoDataFrame(
            {
                "name": ["试验小区"],
                "vehicles": "电动自行车",
                "parking": None,
                "charging": None,
                "pledge": "慢行",
            },
            geometry=[shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)],
            crs=4326,
        ),
        rider_points=_points(kind="gate", name="南门", hours="全天", bikes=None),
        streets=_lines(SOUTH + PITCH, end, name="试验路", kind="residential"),
        barriers=_lines(SOUTH + PITCH / 2, end, name="试验河", kind="river"),
        water=_areas(0.2, name="试验湖", kind="water"),
        green=_areas(0.5, name="试验公园", kind="park"),
    )


def dwellings(grids: gpd.GeoDataFrame, each: int = 3) -> pd.DataFrame:
    """Give every grid some buildings of 25 households, side by side in its middle."""
    middles = shapely.get_coordinates(shapely.centroid(grids.geometry.to_numpy())).repeat(each, axis=0)
    lon, lat = middles.T
    steps = np.tile(np.arange(each), len(grids)) * PITCH / 100
    return pd.DataFrame(
        {"grid_id": grids["id"].repeat(each), "households": 25, "lon": lon + steps, "lat": lat}
    )


def _wavy(column: int, row: int, wiggles: int) -> shapely.Polygon:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    along = np.linspace(0, 1, wiggles + 1, endpoint=False)
    ring = []
    for (x, y), (to_x, to_y) in pairwise(corners):
        ring += [(column + x + t * (to_x - x), row + y + t * (to_y - y)) for t in along]
    x, y = np.array(ring).T
    # A wave of the place alone, so that both sides of a border agree.
    waves = np.sin(9 * x + 5 * y) + np.sin(31 * x - 27 * y) / 3
    return shapely.Polygon(
        np.c_[WEST + PITCH * (x + 0.06 * waves), SOUTH + PITCH * (y + 0.06 * waves)].round(9)
    )


def _points(**columns: object) -> gpd.GeoDataFrame:
    values = {name: [value] for name, value in columns.items()}
    return gpd.GeoDataFrame(values, geometry=[shapely.Point(WEST + 0.002, SOUTH + 0.002)], crs=4326)


def _areas(along: float, **columns: object) -> gpd.GeoDataFrame:
    values = {name: [value] for name, value in columns.items()}
    corner = WEST + along * PITCH, SOUTH + along * PITCH
    shape = shapely.box(*corner, corner[0] + PITCH / 5, corner[1] + PITCH / 5)
    return gpd.GeoDataFrame(values, geometry=[shape], crs=4326)


def _lines(y: float, end: float, **columns: object) -> gpd.GeoDataFrame:
    values = {name: [value] for name, value in columns.items()}
    return gpd.GeoDataFrame(values, geometry=[shapely.LineString([(WEST, y), (end, y)])], crs=4326)
