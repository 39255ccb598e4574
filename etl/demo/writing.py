"""Writing ledger tables as files: GeoJSON where there is a geometry, CSV for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs

DECIMALS = 7
"""Of a degree: about a centimetre. Equal vertices stay equal."""


def write_tables(folder: Path, tables: Mapping[str, gpd.GeoDataFrame | pd.DataFrame], srid: int) -> None:
    """Write one file a table, the geometry brought from metres to EPSG:4326.

    Parameters
    ----------
    folder : Path
        Made if missing; files of the same names are replaced.
    tables : mapping of str to DataFrame
        By noun; geometry in metres of ``srid``.
    srid : int
        Metric coordinate system.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for noun, table in tables.items():
        if isinstance(table, gpd.GeoDataFrame):
            text = "\n".join(_geojson(table, srid)) + "\n"
            (folder / f"{noun}.geojson").write_text(text, encoding="utf-8")
        else:
            table.to_csv(folder / f"{noun}.csv", index=False, encoding="utf-8", lineterminator="\n")


def _geojson(table: gpd.GeoDataFrame, srid: int) -> Iterator[str]:
    """Yield a feature collection, one line a feature."""
    geometry = crs.from_metric(table.geometry.to_numpy(), srid)
    shapes = shapely.to_geojson(shapely.transform(geometry, lambda xy: np.round(xy, DECIMALS)))
    plain = pd.DataFrame(table.drop(columns="geometry")).astype(object)
    properties = plain.where(plain.notna() & (plain != ""), None).to_dict("records")
    yield '{"type": "FeatureCollection", "features": ['
    last = len(table) - 1
    for i, (values, shape) in enumerate(zip(properties, shapes, strict=True)):
        text = json.dumps(values, ensure_ascii=False)
        yield f'{{"type": "Feature", "properties": {text}, "geometry": {shape}}}{"," if i < last else ""}'
    yield "]}"
