"""Cells of a whole ledger beside the bare Voronoi polygons of its points, clipped to the communities."""

from __future__ import annotations

from contextlib import closing

import geopandas as gpd
import numpy as np
import shapely

from data.cells import ground
from data.session import Store
from geo.cells import make_cells
from geo.crs import Plane
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, timed


def bench(url: str) -> list[Row]:
    """Measure community by community."""
    with closing(Store(url)) as store, store.read(CODE) as connection:
        read = ground(connection, CODE)
    plane = Plane(lon=118.5, lat=31.7)
    buildings = gpd.GeoDataFrame(
        read.buildings.drop(columns="geometry").rename(columns={"id": "building"}),
        geometry=plane.flatten(read.buildings.geometry.to_numpy()),
    )
    shapes = plane.flatten(read.communities.geometry.to_numpy())
    jobs = [
        (shape, buildings[buildings.community_id == community])
        for community, shape in zip(read.communities.id, shapes, strict=True)
    ]

    def voronoi() -> None:
        for shape, members in jobs:
            # Points that nearly coincide make polygons that cannot be clipped.
            points = np.unique(shapely.get_coordinates(members.geometry.to_numpy()).round(), axis=0)
            parts = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=shape)
            shapely.intersection(shapely.get_parts(parts), shape)

    def cells() -> None:
        for shape, members in jobs:
            make_cells(shape, members, [], [])

    acts = {
        "10,000 bare Voronoi polygons, clipped": timed(voronoi),
        "10,000 cells with their borders": timed(cells),
    }
    return ratios("cells", by_turns(acts, rounds=2))
