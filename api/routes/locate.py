"""Whose grid is this? By point and by address, from memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import schemas
from api.params import API, District, Plain, Serving
from geo.crs import KNOWN
from geo.errors import InputError

router = APIRouter(prefix=API, tags=["locate"])

Lon = Annotated[
    float | None, Query(allow_inf_nan=False, description="Longitude, degrees.", examples=[118.4589])
]
Lat = Annotated[
    float | None, Query(allow_inf_nan=False, description="Latitude, degrees.", examples=[31.6519])
]
X = Annotated[float | None, Query(allow_inf_nan=False, description="Easting, metres (or longitude).")]
Y = Annotated[float | None, Query(allow_inf_nan=False, description="Northing, metres (or latitude).")]
Crs = Annotated[
    str,
    Query(min_length=1, max_length=40, description=f"Coordinate system: {KNOWN}.", examples=["wgs84"]),
    Plain,
]
Address = Annotated[
    str,
    Query(
        min_length=1,
        max_length=500,
        description="Address (地址), as it was given.",
        examples=["湖东路166号康宁三村3幢2单元502室"],
    ),
    Plain,
]


@router.get("/locate", summary="Grid of a point (按坐标定位)")
async def by_point(
    response: Response,
    state: Serving,
    crs: Crs,
    lon: Lon = None,
    lat: Lat = None,
    x: X = None,
    y: Y = None,
    district: District = None,
) -> schemas.Answer:
    """Answer which grid a point is in, whom to turn to and the nearest open sites.

    Give `lon` and `lat`, or `x` and `y`, and always the coordinate system. A point on a shared border belongs to
    the grid with the smallest code. Where several districts are served and none is named, the point chooses.
    """
    point = _point(lon, lat, x, y)
    found = [locator.at(*point, crs) for locator in state.locators(district)]
    response.headers["Cache-Control"] = "no-store"
    return schemas.answer(min(found, key=lambda answer: answer.outside_m or 0.0))


@router.get("/resolve", summary="Grid of an address (按地址定位)")
async def by_address(
    response: Response, state: Serving, q: Address, district: District = None
) -> schemas.Answer:
    """Answer which grid an address is in; what the register does not have is `none`, never guessed."""
    response.headers["Cache-Control"] = "no-store"
    return schemas.answer(state.locator(district).resolve(q))


def _point(lon: float | None, lat: float | None, x: float | None, y: float | None) -> tuple[float, float]:
    if lon is not None and lat is not None and x is None and y is None:
        return lon, lat
    if x is not None and y is not None and lon is None and lat is None:
        return x, y
    raise InputError("A point needs lon and lat, or x and y.", "Give one pair and no other.")
