"""Make the cells of a district from its buildings, boundaries, streets and barriers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import geopandas as gpd
import pandas as pd
import shapely

from data import cells as stored
from data import districts, versions
from data.session import Store
from etl.acting import Act, acting, check_scope
from etl.actor import Actor
from etl.rebase import RebaseReport, rebase_open
from geo.cells import make_cells
from geo.crs import WGS84, Plane, to_metric
from geo.enclosures import Memo
from geo.errors import ConflictError, StaleError
from geo.progress import Progress, silent

ATTEMPTS = 3
"""How often cells are made anew when the register changes while they are made."""


@dataclass(frozen=True)
class CellReport:
    """What making cells did.

    ``added``, ``retired`` and ``kept`` count cells against the set before; all kept means nothing
    changed and ``number`` is the set that stood already. ``rebased`` are the numbers of the drafts that were
    brought onto it; what became of each is in its report.
    """

    number: int
    communities: int
    buildings: int
    cells: int
    added: int
    retired: int
    kept: int
    split_buildings: int
    land_cells: int
    rebased: list[int]


def build_cells(
    store: Store, actor: Actor, district: str, *, entrance_band: int = 330, progress: Progress = silent
) -> CellReport:
    """Tile every community of a district with cells and store them as its next cell set.

    Only enclosures that changed are tessellated, and nobody waits meanwhile. Cells that come out as they were
    keep their ids; where all do, no set is made. Open drafts are brought onto the new set.

    Parameters
    ----------
    entrance_band : int
        A building with more households is split by entrance.

    Raises
    ------
    ConflictError
        If the district has no community with a boundary.
    StaleError
        If its register changed again and again while cells were made.
    """
    check_scope(actor, district)
    made: dict[bytes, bytes] = {}
    for _ in range(ATTEMPTS):
        ground, srid, remembered = _read(store, district)
        memo = Memo({**remembered, **made})
        cells, borders = _tile(ground, srid, entrance_band, memo, progress)
        progress("store", 0.0)
        with acting(store, actor, district) as act:
            if not stored.ground(act.connection, district).same(ground):
                made = memo.used
                continue
            change = _store(act, cells, borders, memo)
            rebased = rebase_open(act)
        progress("store", 1.0)
        return _report(ground, cells, change, rebased)
    raise StaleError(
        f"The register of district {district} was changed {ATTEMPTS} times while its cells were made.",
        "Make them when its imports are done: gridgov cells build.",
    )


def _read(store: Store, district: str) -> tuple[stored.Ground, int, dict[bytes, bytes]]:
    """Read what cells are made from, the district's metric system and the tessellations remembered."""
    with store.read(district) as connection:
        place = districts.get(connection, district)
        ground = stored.ground(connection, district)
        if ground.communities.geometry.isna().all():
            raise ConflictError(
                f"District {district} has no community with a boundary.",
                "Import its communities or buildings first.",
            )
        return ground, place.srid, stored.enclosures(connection, district)


def _store(act: Act, cells: gpd.GeoDataFrame, borders: pd.DataFrame, memo: Memo) -> stored.SetChange:
    """Write a cell set where it differs from the one before."""
    change = stored.write_set(act.connection, act.code, act.actor.id, cells, borders)
    stored.remember(act.connection, act.code, memo.used)
    if change.added or change.retired:
        versions.advance(act.connection, act.code, "cells")
        act.record("cells.build", f"cell set {change.number}", after=asdict(change))
    return change


def _report(
    ground: stored.Ground, cells: gpd.GeoDataFrame, change: stored.SetChange, rebased: list[RebaseReport]
) -> CellReport:
    return CellReport(
        number=change.number,
        communities=len(ground.communities),
        buildings=len(ground.buildings),
        cells=change.cells,
        added=change.added,
        retired=change.retired,
        kept=change.kept,
        split_buildings=int(cells.building_id[cells.entrance.notna()].nunique()),
        land_cells=int(cells.building_id.isna().sum()),
        rebased=[report.number for report in rebased],
    )


def _tile(
    ground: stored.Ground, srid: int, entrance_band: int, memo: Memo, progress: Progress
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Make the cells of one community after the other; rows of all are numbered through."""
    bounded = ground.communities[ground.communities.geometry.notna()]
    plane = _plane(bounded)
    streets, barriers = (
        plane.flatten(frame.geometry.to_numpy()) for frame in (ground.streets, ground.barriers)
    )
    near_streets, near_barriers = shapely.STRtree(streets), shapely.STRtree(barriers)
    buildings = ground.buildings.rename(columns={"id": "building"})
    buildings = gpd.GeoDataFrame(
        buildings.drop(columns="geometry"), geometry=plane.flatten(buildings.geometry.to_numpy())
    )
    grouped = dict(list(buildings.groupby("community_id")))
    parts, edges, offset = [], [], 0
    for done, (community, boundary) in enumerate(zip(bounded.id, bounded.geometry, strict=True)):
        progress("cells", done / len(bounded))
        shape = plane.flatten([boundary])[0]
        made = make_cells(
            shape,
            grouped.get(community, buildings.iloc[:0]),
            streets[near_streets.query(shape, predicate="intersects")],
            barriers[near_barriers.query(shape, predicate="intersects")],
            entrance_band=entrance_band,
            memo=memo,
        )
        parts.append(made.cells.assign(community_id=community))
        edges.append(made.borders.assign(a=made.borders.a + offset, b=made.borders.b + offset))
        offset += len(made.cells)
    progress("cells", 1.0)
    cells = pd.concat(parts, ignore_index=True).rename(columns={"building": "building_id"})
    shapes = plane.restore(cells.geometry.to_numpy())
    metric = to_metric(shapes, srid)
    cells = cells.assign(area_m2=shapely.area(metric), perimeter_m=shapely.length(metric))
    return cells.set_geometry(shapes, crs=WGS84), pd.concat(edges, ignore_index=True)


def _plane(communities: gpd.GeoDataFrame) -> Plane:
    """Choose the frame cells are made in; rounded, so that a district keeps it when it grows a little."""
    west, south, east, north = communities.total_bounds
    return Plane(lon=round((west + east) / 2, 1), lat=round((south + north) / 2, 1))
