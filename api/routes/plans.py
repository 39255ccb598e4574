"""Plans: those that were published, and for staff drafts and what is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.auth import Acting, Tenant
from api.fresh import read
from api.params import API, LARGEST_NUMBER, Asked, Limit, Offset, PlanNumber, Reading, Serving
from api.permissions import may
from api.reasons import plain, reasons_of
from data import audit, comments, grids, locks, moves, problems
from data import plans as stored
from data.locate import Edition
from etl.actor import Actor
from etl.compare import Comparison
from etl.compare import compare as compare_plans
from geo.errors import NotFoundError

router = APIRouter(prefix=API, tags=["plans"])


class Plan(BaseModel):
    """Plan (方案). The public is shown those that were published."""

    number: int = Field(examples=[3])
    title: str
    state: str = Field(
        description="draft, submitted, approved, published, superseded or withdrawn", examples=["published"]
    )
    origin: str = Field(description="imported, balanced, edited or rolled_back", examples=["balanced"])
    target: int = Field(description="Households a grid should have.", examples=[300])
    tolerance_percent: int = Field(examples=[10])
    valid_from: datetime | None = Field(description="None until it is published.")
    valid_until: datetime | None = Field(description="None while none follows it.")
    in_force: bool = Field(description="False too for one that is published for a time to come.")


class StaffPlan(Plan):
    """Plan as staff see it."""

    revision: int = Field(description="Rises with every edit; an edit names the one it saw.")
    author: str
    approved_by: str | None
    approval: str | None = Field(description="What the approver said.")
    based_on: int | None = Field(description="Number of the plan it was made from.")
    cell_set: int
    created_at: datetime
    report: dict[str, Any] = Field(description="Figures when it was made: before and after.")


class Plans(BaseModel):
    """Plans, the newest first."""

    plans: list[StaffPlan | Plan]


class PlanGrid(BaseModel):
    """Grid of a plan; ``code`` is None until the plan is published."""

    id: int
    code: str | None
    external_code: str | None
    community_code: str
    community: str
    cells: int
    households: int


class Details(BaseModel):
    """What is in a plan, and what was said and done about it."""

    grids: list[PlanGrid]
    problems: list[dict[str, Any]]
    moves: list[moves.Entry]
    locks: list[dict[str, Any]]
    comments: list[comments.Comment]
    history: list[audit.Entry]


class Why(BaseModel):
    """Reasons of a plan that the balancer made: in words, and as rows to reckon with."""

    told: dict[str, Any] | None = Field(
        description="By community and grid, in Chinese and English; None where the balancer told none."
    )
    rows: dict[str, Any] = Field(
        description="reasons: moves, placed, breaks, stays, by ids of grids; bounds: what is proven."
    )


@router.get("/plans", summary="Plans (方案)", response_model=Plans)
def plans(asked: Reading, actor: Acting, limit: Limit = 100, offset: Offset = 0) -> Response:
    """List the plans, the newest first: all for staff who may see drafts, else the published ones."""

    def make(connection: Connection, code: str, _: Edition) -> Plans:
        known = stored.every(connection, code, published=not staff, limit=limit, offset=offset)
        return Plans(plans=_shown(connection, code, known, staff=staff))

    staff = _is_staff(asked, actor)
    return read(asked, make, private=staff)


@router.get("/plans/{number}", summary="One plan (方案)", response_model=StaffPlan | Plan)
def plan(asked: Reading, actor: Acting, number: PlanNumber) -> Response:
    """Return one plan; drafts only for staff who may see them."""

    def make(connection: Connection, code: str, _: Edition) -> Plan:
        found = _shown(connection, code, [stored.get(connection, code, number)], staff=staff)
        if not found:
            raise NotFoundError(f"Plan {number} is not published.", "GET /api/v1/plans lists those that are.")
        return found[0]

    staff = _is_staff(asked, actor)
    return read(asked, make, private=staff)


@router.get("/plans/{number}/details", summary="What is in a plan")
def details(
    state: Serving,
    tenant: Tenant,
    number: PlanNumber,
    after: Annotated[int, Query(ge=0, le=LARGEST_NUMBER, description="Only moves after this revision.")] = 0,
) -> Details:
    """Return the grids of a plan with today's counts, its problems, moves, locks, comments and history."""
    with state.store.read(tenant.code) as connection:
        known = stored.get(connection, tenant.code, number)
        return Details(
            grids=[PlanGrid(**row) for row in grids.counted(connection, tenant.code, known.id)],
            problems=_rows(problems.of_plan(connection, tenant.code, known.id)),
            moves=moves.entries(connection, tenant.code, known.id, after=after),
            locks=_rows(locks.of_plan(connection, tenant.code, known.id)),
            comments=comments.of_plan(connection, tenant.code, known.id),
            history=audit.entries(connection, tenant.code, subject=f"plan {number}"),
        )


@router.get("/plans/{number}/reasons", summary="Why a proposal is as it is (均衡理由)")
def reasons(state: Serving, tenant: Tenant, number: PlanNumber) -> Why:
    """Say why the balancer moved each cell, broke each compound and left grids out of band; proven or not."""
    with state.store.read(tenant.code) as connection:
        known = stored.get(connection, tenant.code, number)
        told = plain(reasons_of(connection, tenant.code, known))
        return Why(told=told, rows=stored.reasons(connection, tenant.code, known.id))


@router.get("/plans/{number}/compare", summary="What a plan changes")
def compare(
    state: Serving,
    tenant: Tenant,
    number: PlanNumber,
    before: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_NUMBER, description="Held against this plan; by default the one it follows."),
    ] = None,
) -> Comparison:
    """Compare a plan with another: moves, households, workers, open cases that would change hands."""
    return compare_plans(state.store, tenant.code, number, before)


def _is_staff(asked: Asked, actor: Actor) -> bool:
    """Tell whether drafts are shown; staff of other districts are shown what everybody is."""
    return may(actor, "plan.read") and actor.reaches(asked.state.served(asked.district).district.code)


def _rows(frame: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _shown(
    connection: Connection, district: str, known: list[stored.Plan], *, staff: bool
) -> list[StaffPlan | Plan]:
    current = stored.in_force(connection, district)
    numbers = stored.numbers(connection, district) if staff else {}
    shown: list[StaffPlan | Plan] = []
    for plan in known:
        public = Plan(
            number=plan.number,
            title=plan.title,
            state=plan.state,
            origin=plan.origin,
            target=plan.target,
            tolerance_percent=plan.tolerance_percent,
            valid_from=plan.valid.lower if plan.valid else None,
            valid_until=plan.valid.upper if plan.valid else None,
            in_force=current is not None and plan.id == current.id,
        )
        if staff:
            shown.append(
                StaffPlan(
                    **public.model_dump(),
                    revision=plan.revision,
                    author=plan.author,
                    approved_by=plan.approved_by,
                    approval=plan.approval,
                    based_on=numbers.get(plan.based_on) if plan.based_on else None,
                    cell_set=plan.cell_set,
                    created_at=plan.created_at,
                    report=plan.report,
                )
            )
        elif plan.valid is not None:
            shown.append(public)
    return shown
