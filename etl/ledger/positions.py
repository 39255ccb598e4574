"""Where a row is: coordinates of any known system to EPSG:4326, and what may be wrong with them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from etl.ledger import reasons
from etl.ledger.batch import Batch, Row
from etl.ledger.reasons import Reason
from etl.ledger.spec import LEDGER
from etl.ledger.values import Unreadable, as_text, number
from geo.crs import to_wgs84
from geo.errors import CoordinateError

AREA_MARGIN_DEG = 3.0
"""How far beyond the area of a coordinate system its use is still believed, degrees."""

Geometries = NDArray[np.object_]


def stated_shape(batch: Batch, row: Row) -> BaseGeometry | None:
    """Return the geometry a row's own columns state, in the coordinates of its file.

    Refuses the row when they cannot be read.
    """
    try:
        lon, lat = (_coordinate(batch, row, column) for column in ("lon", "lat"))
        text = as_text(row.values.get("wkt"))
    except Unreadable as fault:
        batch.refuse(row, "wkt", fault.reason)
        return None
    if row.refused:
        return None
    if text:
        shape: BaseGeometry | None = shapely.from_wkt(text, on_invalid="ignore")
        if shape is None:
            batch.refuse(row, "wkt", reasons.UNREADABLE_SHAPE)
        return shape
    if lon is None and lat is None:
        return None
    if lon is None or lat is None:
        batch.refuse(row, "lat" if lat is None else "lon", reasons.MISSING)
        return None
    return shapely.Point(lon, lat)


def _coordinate(batch: Batch, row: Row, column: str) -> float | None:
    try:
        return number(row.values.get(column))
    except Unreadable as fault:
        batch.refuse(row, column, fault.reason)
        return None


def locate(batch: Batch, rows: list[Row], shapes: Geometries, crs: str) -> None:
    """Give rows their shapes in EPSG:4326; refuse those whose coordinates cannot be of that system.

    Parameters
    ----------
    shapes : ndarray of object, shape (n,)
        Geometry of each row in ``crs``, or None.
    """
    flat = shapely.force_2d(shapes)
    coordinates, owner = shapely.get_coordinates(flat, return_index=True)
    finite = np.isfinite(coordinates).all(axis=1)
    lonlat = np.full_like(coordinates, np.nan)
    lonlat[finite] = _convert(coordinates[finite], crs)
    plausible = _in_area(lonlat, crs)
    moved = shapely.set_coordinates(flat.copy(), np.where(plausible[:, None], lonlat, 0.0))
    wrong = set(owner[~plausible].tolist())
    for index, row in enumerate(rows):
        if index not in wrong:
            row.shape = moved[index]
            continue
        own = coordinates[owner == index]
        shown = " ".join(f"{value:.10g}" for value in own[~plausible[owner == index]][0])
        batch.refuse(row, _column(row), _fault(own, crs), crs, value=shown)


def _column(row: Row) -> str:
    return "lon" if row.values.get("lon") is not None else "geometry"


def _fault(coordinates: NDArray[np.float64], crs: str) -> Reason:
    if not np.isfinite(coordinates).all():
        return reasons.NOT_FINITE
    if _in_area(_convert(coordinates[:, ::-1], crs), crs).all():
        return reasons.SWAPPED_AXES
    return reasons.OUTSIDE_SYSTEM


def _convert(xy: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Bring points to EPSG:4326; NaN for those the system cannot hold, found by halving."""
    try:
        return to_wgs84(xy, crs)
    except CoordinateError:
        if len(xy) == 1:
            return np.full((1, 2), np.nan)
        half = len(xy) // 2
        return np.concatenate([_convert(xy[:half], crs), _convert(xy[half:], crs)])


def _in_area(lonlat: NDArray[np.float64], crs: str) -> NDArray[np.bool_]:
    west, south, east, north = _area(crs)
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


@lru_cache(maxsize=64)
def _area(crs: str) -> tuple[float, float, float, float]:
    """Return the box, in degrees, where a system is used; the whole world for those without a number."""
    area = CRS(crs).area_of_use if crs.startswith("EPSG:") else None
    if area is None:
        return (-180.0, -90.0, 180.0, 90.0)
    margin = AREA_MARGIN_DEG
    return (area.west - margin, area.south - margin, area.east + margin, area.north + margin)


def check_shapes(batch: Batch) -> None:
    """Refuse rows whose geometry is missing, of the wrong kind, empty or broken beyond repair."""
    for noun in batch.rows:
        for row in batch.good(noun):
            _check_shape(batch, row, noun)


def _check_shape(batch: Batch, row: Row, noun: str) -> None:
    accepted = LEDGER[noun].shape
    if row.shape is None:
        if LEDGER[noun].shape_required:
            batch.refuse(row, "geometry", reasons.NO_POSITION)
        return
    if not accepted:
        row.shape = None
    elif row.shape.is_empty:
        batch.refuse(row, "geometry", reasons.EMPTY_SHAPE, value=row.shape.geom_type)
    elif _kind(row.shape) not in accepted:
        batch.refuse(row, "geometry", reasons.WRONG_SHAPE, ", ".join(accepted), value=row.shape.geom_type)
    elif _kind(row.shape) == "point":
        row.shape = shapely.get_geometry(row.shape, 0)
    elif _kind(row.shape) == "polygon":
        _mend(batch, row)


def _kind(shape: BaseGeometry) -> str:
    """Return ``point``, ``line`` or ``polygon``; several points are none of them."""
    kind: str = shape.geom_type.removeprefix("Multi")
    if kind == "Point" and shapely.get_num_geometries(shape) > 1:
        return "points"
    return {"Point": "point", "LineString": "line", "Polygon": "polygon"}.get(kind, kind)


AREA_LOST = 0.01
"""Share of its area that mending may change a shape by."""


def _mend(batch: Batch, row: Row) -> None:
    """Make a polygon valid, keeping polygons only; refuse it when that changes its area."""
    shape: Any = row.shape
    if shape.is_valid:
        if shape.area == 0:
            batch.refuse(row, "geometry", reasons.EMPTY_SHAPE, value=shape.geom_type)
        return
    mended = shapely.make_valid(shape)
    parts = [part for part in shapely.get_parts(shapely.get_parts(mended)) if part.geom_type == "Polygon"]
    kept = shapely.union_all(parts)
    if kept.is_empty:
        batch.refuse(row, "geometry", reasons.EMPTY_SHAPE, value=shape.geom_type)
        return
    change = abs(kept.area - shape.area) / max(kept.area, shape.area, 1e-300)
    if change > AREA_LOST:
        why = shapely.is_valid_reason(shape)
        batch.refuse(row, "geometry", reasons.INVALID_RING, f"{change:.0%}; {why}", value=shape.geom_type)
    else:
        row.shape = kept
        batch.repaired.append(row.place)
