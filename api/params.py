"""The parameters routes share, each with its limits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator

from api.plain import plain, prose
from api.state import State
from data.listings import Bounds
from geo.errors import CoordinateError
from geo.times import here

API = "/api/v1"
"""What every address of the API begins with."""
LARGEST_NUMBER = 2**31 - 1
MAX_FEATURES = 20_000
_ZONE_AFTER_SPACE = re.compile(r"^(\d{4}-\d\d-\d\d[T ]\d\d:[\d:.]*) (\d\d:?\d\d)$")


def signed(value: Any) -> Any:
    """Read the space before a zone as the plus sign it was in a query."""
    return _ZONE_AFTER_SPACE.sub(r"\1+\2", value) if isinstance(value, str) else value


def dated(value: datetime) -> datetime:
    """Read an instant in the district's time; one that is not of this age is refused."""
    if not 1900 <= value.year <= 2999:
        raise ValueError("the year must be from 1900 to 2999")
    return here(value)


def _state(request: Request) -> State:
    state: State = request.app.state.served
    return state


Serving = Annotated[State, Depends(_state)]
"""What the process serves."""

Plain = AfterValidator(plain)
Prose = AfterValidator(prose)
Instant = Annotated[datetime, AfterValidator(dated)]
"""An instant somebody states: +08:00 where no zone is, and of this age."""

District = Annotated[
    str | None,
    Query(
        pattern=r"^\d{6}$",
        description="District (区) meant, 6 digits; may be left out where only one is served.",
        examples=["340504"],
    ),
]
Code = Annotated[
    str, Path(min_length=1, max_length=64, description="Ours (15 digits) or the ledger's."), Plain
]
PlanNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Number of the plan (方案).")]
Limit = Annotated[int, Query(ge=1, le=MAX_FEATURES, description="At most this many.")]
Offset = Annotated[int, Query(ge=0, le=LARGEST_NUMBER, description="After leaving out this many.")]
AsOf = Annotated[
    datetime | None,
    Query(
        description="The instant shown, now by default: 2026-07-01 or 2026-07-01T08:00:00+08:00. The plan and its"
        " duties are those of that instant; buildings, sites and what else has no history are today's."
    ),
    BeforeValidator(signed),
    AfterValidator(lambda value: value and dated(value)),
]
MinVersion = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**63 - 1,
        description="Never answer from an older version of the data: the `Gridgov-Version` of an earlier answer."
        " What is not there in two seconds is answered 503.",
    ),
]


@dataclass(frozen=True)
class Asked:
    """What every read of a district is asked with; of an account's only district without naming it."""

    request: Request
    state: State
    district: str | None
    as_of: datetime | None
    min_version: int


def _asked(
    request: Request,
    state: Serving,
    district: District = None,
    as_of: AsOf = None,
    min_version: MinVersion = None,
) -> Asked:
    own = request.state.actor.scope if district is None else ()
    return Asked(request, state, next(iter(own)) if len(own) == 1 else district, as_of, min_version or 0)


Reading = Annotated[Asked, Depends(_asked)]
"""A read of one district, at an instant, from a version on."""

Box = Annotated[
    str | None,
    Query(
        max_length=120,
        description="Only what touches west,south,east,north (degrees, WGS 84).",
        examples=["118.45,31.64,118.50,31.70"],
    ),
]


def bounds(box: str | None) -> Bounds | None:
    """Read a box.

    Raises
    ------
    CoordinateError
        If it is not west,south,east,north in degrees.
    """
    if box is None:
        return None
    try:
        west, south, east, north = (float(part) for part in box.split(","))
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise CoordinateError(
            "bbox is not a box in degrees.", "Give west,south,east,north: 118.45,31.64,118.50,31.70."
        )
    return west, south, east, north
