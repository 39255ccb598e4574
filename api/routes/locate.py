"""Whose grid is this? By point and by address, from memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api import schemas
from api.fresh import stamp
from api.params import API, Asked, Plain, Reading, plain
from geo.accuracy import Level
from geo.answers import Answer
from geo.candidates import unstated
from geo.crs import KNOWN
from geo.errors import InputError
from geo.locate import Locator, Source

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
    str | None,
    Query(
        min_length=1,
        max_length=40,
        description=f"Coordinate system, required: {KNOWN}. Without it the answer is 422 and `candidates` show where"
        " the point would be in each.",
        examples=["wgs84"],
    ),
    AfterValidator(lambda value: value and plain(value)),
]
Accuracy = Annotated[
    float | None,
    Query(
        gt=0,
        allow_inf_nan=False,
        description="Radius that holds the true place, metres; left out for a point that is exact.",
        examples=[25],
    ),
]
AccuracyLevel = Annotated[
    Level,
    Query(description="Percent of positions that the radius holds; Android says 68, browsers 95."),
]
From = Annotated[
    Source | None,
    Query(description="Where the point comes from. One of a device is not answered without `accuracy_m`."),
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
    asked: Reading,
    crs: Crs = None,
    lon: Lon = None,
    lat: Lat = None,
    x: X = None,
    y: Y = None,
    accuracy_m: Accuracy = None,
    accuracy_level: AccuracyLevel = Level.UNKNOWN,
    source: From = None,
) -> schemas.Answer:
    """Answer which grid a point is in, whom to turn to and the nearest open sites.

    Give `lon` and `lat`, or `x` and `y`, and always the coordinate system. Metres may be given northing first and
    with or without their zone's prefix: how they were read is said. Where several districts are served and none is
    named, the point chooses.

    With `accuracy_m` the answer is `match` where one grid holds the place with a probability of 0.9 or more, else
    `ambiguous` with the likeliest grids first; above 500 m it is `no_answer`. A point without it is exact: the grid
    that covers it, `ambiguous` with both grids close to a border (15 m unless set otherwise), where the grid that
    covers it, the one with the smallest code on the border itself, comes first.
    """
    point = _point(lon, lat, x, y)
    locators = await _locators(asked)
    if crs is None:
        raise unstated(*point, locators)
    found = [
        locator.at(*point, crs, accuracy_m=accuracy_m, level=accuracy_level, source=source)
        for locator in locators
    ]
    return _told(response, min(found, key=lambda answer: answer.outside_m or 0.0))


@router.get("/resolve", summary="Grid of an address (按地址定位)")
async def by_address(response: Response, asked: Reading, q: Address) -> schemas.Answer:
    """Answer which grid an address is in; what the register does not have is `none`, never guessed.

    Addresses are those of today's register, also for another instant.
    """
    return _told(response, (await _locator(asked)).resolve(q))


async def _locator(asked: Asked) -> Locator:
    """Return the locator of the instant asked about, from the version asked for or a later one."""
    state = asked.state
    if asked.min_version:
        await state.reach(asked.district, asked.min_version)
    return (
        await state.locator_at(asked.district, asked.as_of) if asked.as_of else state.locator(asked.district)
    )


async def _locators(asked: Asked) -> list[Locator]:
    """Return the locators to ask; an instant and a version are those of one district."""
    if asked.as_of or asked.min_version:
        return [await _locator(asked)]
    return asked.state.locators(asked.district)


def _told(response: Response, answer: Answer) -> schemas.Answer:
    response.headers.update({**stamp(answer.plan.number, answer.data_version), "Cache-Control": "no-store"})
    return schemas.answer(answer)


def _point(lon: float | None, lat: float | None, x: float | None, y: float | None) -> tuple[float, float]:
    if lon is not None and lat is not None and x is None and y is None:
        return lon, lat
    if x is not None and y is not None and lon is None and lat is None:
        return x, y
    raise InputError("A point needs lon and lat, or x and y.", "Give one pair and no other.")
