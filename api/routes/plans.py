"""Plans: those that were published."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import respond
from api.params import API, District, PlanNumber, Serving
from data import plans as stored
from data.locate import Edition
from geo.errors import NotFoundError

router = APIRouter(prefix=API, tags=["plans"])


class Plan(BaseModel):
    """Published plan (方案)."""

    number: int = Field(examples=[3])
    title: str
    state: str = Field(description="published, or superseded by a later one", examples=["published"])
    origin: str = Field(description="imported, balanced, edited or rolled_back", examples=["balanced"])
    target: int = Field(description="Households a grid should have.", examples=[300])
    tolerance_percent: int = Field(examples=[10])
    valid_from: datetime
    valid_until: datetime | None = Field(description="None while it is in force.")


class Plans(BaseModel):
    """Published plans, the newest first."""

    plans: list[Plan]


@router.get("/plans", summary="Published plans (方案)", response_model=Plans)
def plans(request: Request, state: Serving, district: District = None) -> Response:
    """List the published plans, the newest first; drafts are not public."""

    def make(connection: Connection, code: str, _: Edition) -> Plans:
        return Plans(plans=_published(stored.every(connection, code)))

    return respond(request, state, district, make)


@router.get("/plans/{number}", summary="One published plan (方案)", response_model=Plan)
def plan(request: Request, state: Serving, number: PlanNumber, district: District = None) -> Response:
    """Return one published plan."""

    def make(connection: Connection, code: str, _: Edition) -> Plan:
        found = _published([stored.get(connection, code, number)])
        if not found:
            raise NotFoundError(f"Plan {number} is not published.", "GET /api/v1/plans lists those that are.")
        return found[0]

    return respond(request, state, district, make)


def _published(known: list[stored.Plan]) -> list[Plan]:
    return [
        Plan(
            number=plan.number,
            title=plan.title,
            state=plan.state,
            origin=plan.origin,
            target=plan.target,
            tolerance_percent=plan.tolerance_percent,
            valid_from=plan.valid.lower,
            valid_until=plan.valid.upper,
        )
        for plan in known
        if plan.valid is not None and plan.valid.lower is not None
    ]
