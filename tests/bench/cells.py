"""Cells of a whole ledger beside bare Voronoi polygons, and of a changed one beside making them all anew."""

from __future__ import annotations

from contextlib import closing

import geopandas as gpd
import numpy as np
import shapely

from data.cells import ground
from data.session import Store
from etl.demo.district import make_district
from etl.demo.size import Size
from geo.cells import make_cells
from geo.crs import Plane
from geo.enclosures import Memo
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, timed

SCALE = 0.1
"""1,000 footprints between streets."""


def bench(url: str) -> list[Row]:
    """Measure community by community."""
    return [*_whole(url), *_changed()]


def _whole(url: str) -> list[Row]:
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


def _changed() -> list[Row]:
    """Let one footprint in a hundred go or move, all over the district."""
    made = make_district(Size(SCALE), np.random.default_rng(1))
    buildings = made.buildings.assign(building=made.buildings.index)
    number = buildings.building.to_numpy()
    later = buildings[number % 200 > 0]
    later = later.set_geometry(later.translate(1.0).where(later.building % 200 == 100, later.geometry))

    def make(rows: gpd.GeoDataFrame, memo: Memo) -> None:
        for community, shape in made.communities.geometry.items():
            own = rows[rows.community == community]
            make_cells(shape, own, made.lines.geometry.to_numpy(), [], memo=memo)

    before = Memo()
    make(buildings, before)
    acts = {
        f"{len(later):,} footprints between streets, all made anew": timed(lambda: make(later, Memo())),
        "the same where 1 in 100 changed": timed(lambda: make(later, Memo(before.used))),
    }
    return ratios("cells", by_turns(acts, rounds=2))
