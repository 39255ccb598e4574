"""Features of a layer as a frame: what files of it are written from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from data.features import Question, columns_of
from data.layer import Kind

_DTYPES: dict[Kind, Any] = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "flag": "boolean",
    "date": pd.ArrowDtype(pa.date32()),
    "instant": "datetime64[us, Asia/Shanghai]",
    "texts": "str",
}


def frame(asked: Question, rows: Iterable[Iterable[Any]]) -> gpd.GeoDataFrame:
    """Return rows as a frame in the question's system; easting or longitude is its x.

    Parameters
    ----------
    rows : iterable of iterable
        Of `data.features.rows_query`.
    """
    columns = columns_of(asked)
    table = pd.DataFrame([tuple(row) for row in rows], columns=[*(one.name for one in columns), "wkb"])
    shapes = shapely.from_wkb(table.pop("wkb").to_numpy())
    typed = table.astype({one.name: _DTYPES[one.kind] for one in columns})
    return gpd.GeoDataFrame(typed, geometry=shapes, crs=asked.system.srid)
