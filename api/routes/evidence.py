"""Evidence slips: what was answered, when and by which plan, verified without anything having been kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import Field

from api.auth import Acting
from api.evidence import LONGEST, Verified, verified
from api.hot import of_query
from api.params import API, District, Plain, Serving
from api.questions import Address, OfDistrict, Point, written_address
from etl.actor import Actor
from geo.errors import InputError

router = APIRouter(prefix=API, tags=["locate"])


class Again(Point, OfDistrict):
    """What was asked about, as it was asked: `q`, or a point with its system and what else was said of it."""

    q: Address | None = Field(default=None, description="The address.")

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


def _once(request: Request) -> None:
    """Refuse a query that gives a parameter twice: one of the two would be taken."""
    of_query(request.scope["query_string"])


Id = Annotated[
    str,
    Path(min_length=1, max_length=LONGEST, description="The slip: `evidence` of an answer."),
    Plain,
]


@router.get("/evidence/{slip}", summary="Verify an evidence slip (核验凭证)", dependencies=[Depends(_once)])
async def verify(
    response: Response, state: Serving, actor: Acting, slip: Id, asked: Annotated[Again, Query()]
) -> Verified:
    """Say what was answered, by which plan, and whether the slip is genuine.

    Name the input again as it was asked (`lon`, `lat`, `crs` ..., or `q`) to be told whether the slip is about it.
    """
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(
        verified, state.store, state.slips, slip, _own(actor, asked.district), asked.input()
    )


@router.post("/evidence/{slip}", summary="Verify an evidence slip (核验凭证)", dependencies=[Depends(_once)])
async def verify_in_body(
    response: Response, state: Serving, actor: Acting, slip: Id, asked: Again, district: District = None
) -> Verified:
    """Answer as for GET, with the input in the body, where no log of a proxy has it."""
    response.headers["Cache-Control"] = "no-store"
    if asked.district is not None and district is not None:
        raise RequestValidationError([{"loc": ("body", "district"), "msg": "given more than once"}])
    named = _own(actor, asked.district or district)
    return await run_in_threadpool(verified, state.store, state.slips, slip, named, asked.input())


def _own(actor: Actor, named: str | None) -> str | None:
    """Return the district named, else the actor's only one; a slip that is asked about in none chooses its own."""
    return next(iter(actor.scope)) if named is None and len(actor.scope) == 1 else named
