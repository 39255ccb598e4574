"""Grids: those of the plan in force, and what a code names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import respond
from api.params import API, AsOf, Code, District, Limit, Offset, Serving
from data import codes, layers
from data.layers import Selection
from data.locate import Edition
from geo.errors import NotFoundError

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


class NamedGrid(Grid):
    """A grid a code names, as the last plan that held it has it."""

    in_force: bool = Field(description="Whether the plan in force has it.")
    valid_from: datetime
    valid_until: datetime | None
    share: float | None = Field(description="Of the ledger's grid, by households, where that became several.")


class Named(BaseModel):
    """What a grid's code names: ours names one, a ledger's may have become several."""

    code: str
    grids: list[NamedGrid]


@router.get("/grids", summary="Grids (网格)", response_model=Grids)
def grids(
    request: Request,
    state: Serving,
    district: District = None,
    community: Annotated[
        str | None, Query(pattern=r"^\d{12}$", description="Only those of this community.")
    ] = None,
    kind: Annotated[Literal["basic", "special"] | None, Query()] = None,
    as_of: AsOf = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Response:
    """List the grids of the plan in force by code."""
    filters = {"community_code": community, "kind": kind}
    chosen = Selection(
        {column: value for column, value in filters.items() if value},
        as_of=as_of,
        limit=limit,
        offset=offset,
    )

    def make(connection: Connection, code: str, _: Edition) -> Grids:
        total, rows = layers.listing(connection, code, "grids", chosen)
        return Grids(total=total, grids=rows)

    return respond(request, state, district, make)


@router.get("/grids/{code}", summary="What a grid's code names (网格编码)", response_model=Named)
def grid(request: Request, state: Serving, code: Code, district: District = None) -> Response:
    """Tell which grids a code names, ours or the ledger's, and whether they are in force."""

    def make(connection: Connection, tenant: str, _: Edition) -> Named:
        found = codes.named(connection, tenant, code)
        if not found:
            raise NotFoundError("No grid has this code.", "GET /api/v1/grids lists the grids.")
        return Named(code=code, grids=[NamedGrid.model_validate(row) for row in found])

    return respond(request, state, district, make)
