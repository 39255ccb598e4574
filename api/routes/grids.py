"""Grids: those of the plan in force, what a code names, and what became of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import read
from api.params import API, LARGEST_NUMBER, Asked, Code, Limit, Offset, Reading
from api.schemas import Model
from data import codes, history, listings, plans
from data.listings import Selection
from data.locate import Edition
from geo.errors import InputError, NotFoundError

router = APIRouter(prefix=API, tags=["grids"])


class Grid(BaseModel):
    """Grid (网格) as a plan has it."""

    code: str = Field(examples=["340504001007003"])
    external_code: str | None = Field(description="The ledger's own code.", examples=["C07-G03"])
    provisional: bool = Field(description="The code is ours, not an official one.")
    kind: str = Field(description="basic (基础) or special (专属)", examples=["basic"])
    community_code: str = Field(examples=["340504001007"])
    community: str = Field(examples=["安居社区"])
    plan: int = Field(examples=[3])
    target: int = Field(description="Households a grid should have.", examples=[300])
    households: int | None = Field(
        description="On the day of publication; None where fewer than 10.", examples=[281]
    )
    buildings: int | None = Field(examples=[22])
    area_m2: float | None
    perimeter_m: float | None


class Grids(BaseModel):
    """A page of grids."""

    total: int
    grids: list[Grid]


Status = Literal["in_force", "retired", "scheduled", "never_in_force"]
Share = Annotated[float, Field(ge=0, le=1, examples=[0.83])]


class Heir(Grid):
    """A grid of the plan in force that has some of what a code stood for."""

    model_config = Model.model_config

    share: Share = Field(description="Of the code's households, of its area where it had fewer than 10.")


class Part(Model):
    """A grid that a code names."""

    code: str
    external_code: str | None
    share: float | None = Field(
        description="Of the ledger's grid when it was imported; None for our own code."
    )
    status: Status
    since: datetime | None
    until: datetime | None


class Resolved(Model):
    """What a code names: any code ever issued, ours or the ledger's."""

    code: str
    at: datetime
    status: Status = Field(
        description="never_in_force: issued for a plan that was withdrawn before it took effect."
    )
    since: datetime | None = Field(description="Since when it holds, or when it last began to.")
    until: datetime | None = Field(description="Until when it held; None while no end is known.")
    parts: list[Part] = Field(description="One for our own code; a ledger's grid may have become several.")
    grids: list[Heir] = Field(description="What it is at that instant, the largest share first.")


class Period(Model):
    """A time in which every plan had a grid."""

    since: datetime
    until: datetime | None
    plan: int = Field(description="Number of the plan it began with.")
    origin: str = Field(description="Of that plan; rolled_back: the grid got its code back.")


class Count(Model):
    """Households on the day a plan was published."""

    plan: int
    since: datetime
    households: int | None = Field(description="None where fewer than 10.")


class Passage(Model):
    """Part of a grid that a plan gave to another one."""

    plan: int
    at: datetime
    source: str = Field(examples=["340504001007003"])
    target: str = Field(examples=["340504001007012"])
    share_of_source: Share
    share_of_target: Share


class History(Model):
    """One grid through time, the earliest first."""

    code: str
    external_code: str | None
    status: Status
    periods: list[Period]
    counts: list[Count]
    came_from: list[Passage]
    went_to: list[Passage]


class Histories(BaseModel):
    """The history of each grid a code names."""

    code: str
    grids: list[History]


class Node(Model):
    """A grid of a lineage."""

    code: str
    in_force: bool
    periods: list[Period]


class Lineage(Model):
    """Splits and merges around a code: a graph of grids and of what passed between them."""

    code: str
    roots: list[str] = Field(description="The grids the code names.")
    nodes: list[Node]
    edges: list[Passage]


@router.get("/grids", summary="Grids (网格)", response_model=Grids)
def grids(
    asked: Reading,
    community: Annotated[
        str | None, Query(pattern=r"^\d{12}$", description="Only those of this community.")
    ] = None,
    kind: Annotated[Literal["basic", "special"] | None, Query()] = None,
    plan: Annotated[
        int | None, Query(ge=1, le=LARGEST_NUMBER, description="Those of this published plan, also to come.")
    ] = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Response:
    """List the grids of the plan in force, or of another that was published, by code."""
    asked = asked if plan is None else _when_in_force(asked, plan)
    filters = {"community_code": community, "kind": kind}
    chosen = Selection(
        {column: value for column, value in filters.items() if value},
        as_of=asked.as_of,
        limit=limit,
        offset=offset,
    )

    def make(connection: Connection, district: str, _: Edition) -> Grids:
        total, rows = listings.listing(connection, district, "grids", chosen)
        return Grids(total=total, grids=rows)

    return read(asked, make)


def _when_in_force(asked: Asked, number: int) -> Asked:
    """Return what is asked for the instant a plan took, or will take, effect."""
    if asked.as_of is not None:
        raise InputError("A plan is named and an instant too.", "Give plan or as_of.")
    code = asked.state.served(asked.district).district.code
    with asked.state.store.read(code) as connection:
        effective = plans.get(connection, code, number).effective
    if effective is None:
        raise NotFoundError(f"Plan {number} is not published.", "GET /api/v1/plans lists those that are.")
    return replace(asked, as_of=effective)


@router.get("/grids/{code}", summary="What a grid's code names (网格编码)", response_model=Resolved)
def grid(asked: Reading, code: Code) -> Response:
    """Tell which grids a code is now, by share of households: retired codes and the ledger's too."""

    def make(connection: Connection, district: str, _: Edition) -> Resolved:
        return Resolved.model_validate(codes.resolve(connection, district, code, asked.as_of))

    return read(asked, make)


@router.get("/grids/{code}/history", summary="A grid through time (网格沿革)", response_model=Histories)
def grid_history(asked: Reading, code: Code) -> Response:
    """Tell when the grids of a code held, their households then, what they came from and went to."""

    def make(connection: Connection, district: str, _: Edition) -> Histories:
        found = history.histories(connection, district, code)
        return Histories(code=code, grids=[History.model_validate(one) for one in found])

    return read(asked, make)


@router.get("/grids/{code}/lineage", summary="Splits and merges (网格谱系)", response_model=Lineage)
def grid_lineage(
    asked: Reading,
    code: Code,
    depth: Annotated[
        int, Query(ge=1, le=history.MAX_DEPTH, description="Through how many changes, either way.")
    ] = 3,
) -> Response:
    """Return the graph of what the grids of a code came from and became."""

    def make(connection: Connection, district: str, _: Edition) -> Lineage:
        return Lineage.model_validate(history.lineage(connection, district, code, depth))

    return read(asked, make)
