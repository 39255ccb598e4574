"""Turn stored cells into the problem a balancer is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from data import cells as stored
from geo.balance.problem import Problem
from geo.crs import to_metric
from geo.errors import ConflictError


@dataclass(frozen=True)
class Ground:
    """The cells of one set and their borders, as stored; see `data.cells.members`."""

    cell_set: int
    srid: int
    cells: gpd.GeoDataFrame
    borders: pd.DataFrame


def read_ground(
    connection: Connection, district: str, srid: int, cell_set: int, *, expected_on: date | None = None
) -> Ground:
    """Read a cell set.

    Parameters
    ----------
    expected_on : date, optional
        Of households expected, only those by then are counted; by default all.

    Raises
    ------
    ConflictError
        If the district has no cells.
    """
    cells = stored.members(connection, district, cell_set, on=expected_on)
    if cells.empty:
        raise ConflictError(f"District {district} has no cells yet.", "Make them with gridgov cells build.")
    return Ground(cell_set, srid, cells, stored.borders(connection, district, cell_set))


def pose(
    ground: Ground,
    current: NDArray[np.int64],
    target: int,
    tolerance_percent: int,
    grids: int | None = None,
    expected_percent: int = 0,
) -> Problem:
    """State the balancing problem of a cell set.

    Parameters
    ----------
    current : ndarray of int, shape (n,)
        Grid id of each cell of ``ground.cells``, -1 where it has none.
    expected_percent : int
        What is balanced: 0 households of today, 100 those expected, between them a mix.
    """
    cells = ground.cells
    position = pd.Series(np.arange(len(cells)), index=cells.id)
    metric = to_metric(shapely.point_on_surface(cells.geometry.to_numpy()), ground.srid)
    return Problem(
        households=cells.households.to_numpy(np.int64),
        xy=shapely.get_coordinates(metric),
        area=cells.area_m2.to_numpy(np.float64),
        perimeter=cells.perimeter_m.to_numpy(np.float64),
        community=cells.community_id.to_numpy(np.int64),
        compound=cells.compound_id.fillna(-1).to_numpy(np.int64),
        current=current,
        edges=np.column_stack([position.loc[ground.borders[end]].to_numpy(np.int64) for end in ("a", "b")]),
        shared_m=ground.borders.shared_m.to_numpy(np.float64),
        open=~ground.borders.barrier.to_numpy(np.bool_),
        target=target,
        tolerance_percent=tolerance_percent,
        grids=grids,
        expected=cells.expected.to_numpy(np.int64),
        expected_percent=expected_percent,
    )
