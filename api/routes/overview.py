"""How a district stands: the figures of the landing page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import read
from api.params import API, Reading
from data import districts, imports
from data import overview as stored
from data.locate import Edition

router = APIRouter(prefix=API, tags=["districts"])


class Plan(BaseModel):
    """The plan in force (生效方案) and what it aims at."""

    number: int
    title: str
    valid_from: datetime
    valid_until: datetime | None
    target: int = Field(description="Households a grid should have.", examples=[300])
    tolerance_percent: int = Field(examples=[10])


class Figures(BaseModel):
    """Counts; those about grids are of the plan in force."""

    grids: int = Field(examples=[452])
    households: int = Field(description="Sum of the counts that are public.", examples=[135600])
    withheld: int = Field(description="Grids whose count is withheld: fewer than 10.")
    within: int = Field(description="Grids within the tolerance of the target.")
    below: int
    above: int
    vacant: int = Field(description="Grids with nobody on primary duty that day (值守空缺).")
    communities: int = Field(examples=[35])
    compounds: int
    buildings: int
    unplaced: int = Field(description="Buildings without a position.")
    sites: int
    facilities: int
    rider_communities: int


class Overview(BaseModel):
    """How a district stands."""

    district: str = Field(examples=["340504"])
    name: str = Field(examples=["雨山区"])
    made_up: bool = Field(description="Demo data; whoever shows it must say so.")
    plan: Plan | None = Field(description="None before the first publication.")
    figures: Figures
    share_within: float | None = Field(description="Grids within the tolerance, 0 to 1.", examples=[0.93])
    attribution: str = Field(description="Whom a map must name.")
    data_version: int


@router.get("/overview", summary="How a district stands (总览)", response_model=Overview)
def overview(asked: Reading) -> Response:
    """Return the figures of a district as it stands."""

    def make(connection: Connection, code: str, edition: Edition) -> Overview:
        known = districts.get(connection, code)
        counted = stored.figures(connection, code, edition.at)
        standard = stored.standard(connection, code, edition.at)
        return Overview(
            district=known.code,
            name=known.name,
            made_up=known.made_up,
            plan=Plan(**asdict(standard)) if standard else None,
            figures=Figures(**asdict(counted)),
            share_within=counted.within / counted.grids if counted.grids else None,
            attribution="; ".join(imports.attribution(connection, code)),
            data_version=edition.version,
        )

    return read(asked, make)
