"""Communities."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import read
from api.params import API, Limit, Offset, Reading
from data import listings
from data.listings import Selection
from data.locate import Edition

router = APIRouter(prefix=API, tags=["districts"])


class Community(BaseModel):
    """Community (社区)."""

    code: str = Field(examples=["340504001007"])
    external_code: str | None = Field(examples=["C07"])
    provisional: bool = Field(description="The code is ours, not an official one.")
    name: str = Field(examples=["安居社区"])
    status: str = Field(description="active, or preparatory (筹备)", examples=["active"])
    boundary_source: str = Field(description="stated, or derived from its buildings", examples=["stated"])
    town: str | None = Field(examples=["映湖街道"])
    phone: str | None = Field(description="The channel the public is given.")
    buildings: int
    households: int | None = Field(description="None where fewer than 10.", examples=[3810])


class Communities(BaseModel):
    """A page of communities."""

    total: int
    communities: list[Community]


@router.get("/communities", summary="Communities (社区)", response_model=Communities)
def communities(
    asked: Reading,
    status: Annotated[Literal["active", "preparatory"] | None, Query()] = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Response:
    """List communities by code."""
    chosen = Selection({"status": status} if status else {}, limit=limit, offset=offset)

    def make(connection: Connection, code: str, _: Edition) -> Communities:
        total, rows = listings.listing(connection, code, "communities", chosen)
        return Communities(total=total, communities=rows)

    return read(asked, make)
