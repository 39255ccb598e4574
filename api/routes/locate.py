"""Whose grid is this? By point and by address, from memory."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request

from api import asking, hot, schemas
from api.hot import Told
from api.params import API
from api.questions import AddressAsked, PointAsked
from api.state import State
from geo.answers import Answer
from geo.candidates import unstated
from geo.locate import Locator


def add_to(app: FastAPI, **described: Any) -> None:
    """Add the routes; ``described`` is what FastAPI says of every route of the application."""
    described |= {"tags": ["locate"], "response_model": schemas.Answer}
    point = {"GET": by_point, "POST": by_point_in_body}
    address = {"GET": by_address, "POST": by_address_in_body}
    hot.add_to(app, f"{API}/locate", point, summary="Grid of a point (按坐标定位)", **described)
    hot.add_to(app, f"{API}/resolve", address, summary="Grid of an address (按地址定位)", **described)


async def by_point(request: Request, asked: Annotated[PointAsked, Query()]) -> Told:
    """Answer which grid a point is in and whom to turn to.

    Give `lon` and `lat`, or `x` and `y`, and always the coordinate system. Metres may be given northing first and
    with or without their zone's prefix: how they were read is said. Where several districts are served and none is
    named, the point chooses.

    With `accuracy_m` the answer is `match` where one grid holds the place with a probability of 0.9 or more, else
    `ambiguous` with the likeliest grids first; above 500 m it is `no_answer`. A point without it is exact: the grid
    that covers it, `ambiguous` with both grids close to a border (15 m unless set otherwise), where the grid that
    covers it, the one with the smallest code on the border itself, comes first.
    """
    state: State = request.app.state.served
    point = asked.point()
    found = await asking.chosen(state, request.state.actor, asked, anywhere=True)
    if asked.crs is None:
        raise unstated(*point, [ready.teller.locator for ready in found])
    crs = asked.crs

    def ask(locator: Locator) -> Answer:
        return locator.at(
            *point, crs, accuracy_m=asked.accuracy_m, level=asked.accuracy_level, source=asked.source
        )

    return asking.told(state, request.state.actor, asked, found, ask, lambda locator: locator.at(*point, crs))


async def by_point_in_body(request: Request, asked: PointAsked) -> Told:
    """Answer as for GET; a position in a body is in no address, and so in no log of a proxy."""
    return await by_point(request, asked)


async def by_address(request: Request, asked: Annotated[AddressAsked, Query()]) -> Told:
    """Answer which grid an address is in; what the register does not have is `none`, never guessed.

    Addresses are those of today's register, also for another instant.
    """
    state: State = request.app.state.served
    found = await asking.chosen(state, request.state.actor, asked)
    return asking.told(state, request.state.actor, asked, found, lambda locator: locator.resolve(asked.q))


async def by_address_in_body(request: Request, asked: AddressAsked) -> Told:
    """Answer as for GET; an address in a body is in no address of a request, and so in no log of a proxy."""
    return await by_address(request, asked)
