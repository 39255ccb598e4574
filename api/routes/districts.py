"""Districts: the tenants served."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.params import API, Serving

router = APIRouter(prefix=API, tags=["districts"])


class District(BaseModel):
    """District (区) and the plan it is served from."""

    code: str = Field(examples=["340504"])
    name: str = Field(examples=["雨山区"])
    made_up: bool = Field(description="Demo data; whoever shows it must say so.")
    plan: int | None = Field(description="Number of the plan in force; None before the first.")
    data_version: int


class Districts(BaseModel):
    """All districts served."""

    districts: list[District]


@router.get("/districts", summary="Districts (区)")
async def districts(state: Serving) -> Districts:
    """List the districts served, by code."""
    return Districts(
        districts=[
            District(
                code=served.district.code,
                name=served.district.name,
                made_up=served.district.made_up,
                plan=served.edition.plan,
                data_version=served.edition.version,
            )
            for served in state.every()
        ]
    )
