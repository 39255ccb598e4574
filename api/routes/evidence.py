"""Evidence slips: what was answered, when and by which plan, verified without anything having been kept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api import evidence, schemas
from api.auth import Acting
from api.params import API, District, Plain, Serving
from api.plain import LONGEST_ADDRESS
from api.questions import OfDistrict, Point, written_address
from api.routes.grids import Status
from api.state import State
from data import codes, districts, plans
from etl.actor import Actor
from geo import answers
from geo.errors import InputError, NotFoundError

router = APIRouter(prefix=API, tags=["locate"])


class Again(Point, OfDistrict):
    """What was asked about, as it was asked: `q`, or a point with its system and what else was said of it."""

    q: Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS), Plain] | None = Field(
        default=None, description="The address."
    )

    def input(self) -> bytes | None:
        """Write it in the one way it always is; None where nothing is said.

        Raises
        ------
        InputError
            If it is an address and a point, or no whole point.
        """
        said = self.model_fields_set - {"district"}
        if not said:
            return None
        if self.q is None:
            return self.written()
        if len(said) > 1:
            raise InputError("An address is given and a point too.", "Give what was asked about.")
        return written_address(self.q)


class Told(BaseModel):
    """What was answered."""

    kind: Literal["point", "address"] = Field(description="What was asked about.")
    at: datetime = Field(description="When it was answered.")
    status: answers.Status
    grid: str | None = Field(description="Code of the grid.", examples=["340504001007003"])
    border_m: float | None = Field(description="From the border of the grid that covers the place, metres.")
    data_version: int


class Verified(BaseModel):
    """What a slip is worth."""

    valid: bool = Field(description="Whether this server gave it out and nothing in it was changed.")
    told: Told | None = Field(
        default=None, description="What was answered; None where the slip is not valid."
    )
    district: schemas.District | None = None
    plan: schemas.Plan | None = Field(default=None, description="The plan that answered, as it stands now.")
    in_force: bool | None = Field(default=None, description="Whether that plan is in force now.")
    grid_status: Status | None = Field(default=None, description="How the grid's code stands now.")
    same_input: bool | None = Field(
        default=None, description="Whether it is about the input that is named; None where none is."
    )


Id = Annotated[
    str,
    Path(min_length=1, max_length=evidence.LONGEST, description="The slip: `evidence` of an answer."),
    Plain,
]


@router.get("/evidence/{slip}", summary="Verify an evidence slip (核验凭证)")
async def verify(
    response: Response, state: Serving, actor: Acting, slip: Id, asked: Annotated[Again, Query()]
) -> Verified:
    """Say what was answered, by which plan, and whether the slip is genuine.

    Name the input again as it was asked (`lon`, `lat`, `crs` ..., or `q`) to be told whether the slip is about it.
    """
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(_verified, state, slip, _own(actor, asked.district), asked.input())


@router.post("/evidence/{slip}", summary="Verify an evidence slip (核验凭证)")
async def verify_in_body(
    response: Response, state: Serving, actor: Acting, slip: Id, asked: Again, district: District = None
) -> Verified:
    """Answer as for GET, with the input in the body, where no log of a proxy has it."""
    response.headers["Cache-Control"] = "no-store"
    named = _own(actor, asked.district or district)
    return await run_in_threadpool(_verified, state, slip, named, asked.input())


def _own(actor: Actor, named: str | None) -> str | None:
    """Return the district named, else the actor's only one; a slip that is asked about in none chooses its own."""
    return next(iter(actor.scope)) if named is None and len(actor.scope) == 1 else named


def _verified(state: State, token: str, named: str | None, asked: bytes | None) -> Verified:
    slip = state.slips.read(token)
    if slip is None:
        return Verified(valid=False)
    if named not in (None, slip.district):
        raise NotFoundError(f"District {named} gave out no such slip.", "Leave the district out.")
    with state.store.read(slip.district) as connection:
        district = districts.get(connection, slip.district)
        plan = plans.get(connection, slip.district, slip.plan)
        current = plans.in_force(connection, slip.district)
        grid_status = codes.resolve(connection, slip.district, slip.grid).status if slip.grid else None
    return Verified(
        valid=True,
        told=Told.model_validate(slip, from_attributes=True),
        district=schemas.District.model_validate(district),
        plan=schemas.Plan(
            number=plan.number,
            title=plan.title,
            state=plan.state,
            valid_from=plan.valid.lower if plan.valid else None,
            valid_until=plan.valid.upper if plan.valid else None,
        ),
        in_force=current is not None and current.number == plan.number,
        grid_status=cast(Status | None, grid_status),
        same_input=None if asked is None else slip.is_about(asked),
    )
