"""The audit: who did what to a district."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.auth import Tenant
from api.params import API, Plain, Serving
from data import audit as stored

router = APIRouter(prefix=API, tags=["audit"])


class Entry(BaseModel):
    """One act."""

    id: int
    at: datetime
    actor: str = Field(examples=["planner", "operator:root", "system"])
    action: str = Field(examples=["plan.publish"])
    subject: str = Field(examples=["plan 3"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Audit(BaseModel):
    """Acts, the newest first."""

    entries: list[Entry]


@router.get("/audit", summary="Who did what (审计)")
def audit(
    response: Response,
    state: Serving,
    district: Tenant,
    subject: Annotated[str | None, Query(max_length=100, examples=["plan 3"]), Plain] = None,
    before: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="Only acts older than this id.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Audit:
    """List what was done to a district; the next page is that `before` the last id."""
    response.headers["Cache-Control"] = "no-store"
    with state.store.read(district.code) as connection:
        found = stored.entries(connection, district.code, subject=subject, before_id=before, limit=limit)
    return Audit(entries=[Entry(**asdict(entry)) for entry in found])
