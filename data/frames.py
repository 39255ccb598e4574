"""Query results as data frames."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from geo.crs import WGS84


def read(connection: Connection, query: str, **values: Any) -> pd.DataFrame:
    """Run a query with bound values and return its rows; an empty result keeps the columns."""
    result = connection.execute(text(query), values)
    rows = [tuple(row) for row in result]  # pandas is slow to find out what a Row is
    return pd.DataFrame(rows, columns=list(result.keys()))


def read_geo(connection: Connection, query: str, **values: Any) -> gpd.GeoDataFrame:
    """Run a query whose column ``wkb`` is ``ST_AsBinary(...)`` and return it with a geometry column.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; ``geometry`` is None where the stored one is null.
    """
    frame = read(connection, query, **values)
    shapes = shapely.from_wkb([None if wkb is None else bytes(wkb) for wkb in frame.pop("wkb")])
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=WGS84)
