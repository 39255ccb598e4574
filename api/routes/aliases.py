"""Aliases: names people use that the register lacks, proposed, confirmed, withdrawn."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.auth import Acting, Tenant
from api.fresh import written
from api.params import API, LARGEST_NUMBER, Plain, Serving
from api.permissions import may
from api.routes.plan_acts import Body, Key, Word
from api.state import State
from data import aliases as stored
from data.aliases import Alias
from etl import aliases
from geo.address.corrections import unexplained
from geo.errors import InputError

router = APIRouter(prefix=API, tags=["aliases"])

AliasNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Number of the alias (别名).")]


Asked = Annotated[str, Field(min_length=1, max_length=500), Plain]


class Proposal(Body):
    """A name, or an address with it, and what it is to name: a compound, or a building with the place in it."""

    words: Asked | None = Field(
        default=None,
        description="The name. Numbers, persons and words of a request around it are left out.",
        examples=["老纺织厂宿舍"],
    )
    q: Asked | None = Field(
        default=None,
        description="Instead of `words`, the address as it was asked: what the register has names for is left out too."
        " It is not kept.",
        examples=["湖东路老纺织厂宿舍3幢2单元"],
    )
    compound: Word | None = Field(default=None, description="The ledger's code.", examples=["X017"])
    building: Word | None = Field(default=None, description="The ledger's code.")


class Aliases(BaseModel):
    """Aliases, the newest first."""

    aliases: list[Alias]


@router.get("/aliases", summary="Aliases (别名)")
def every(
    response: Response,
    state: Serving,
    tenant: Tenant,
    only: Annotated[
        Literal["proposed", "in_force", "withdrawn"] | None, Query(alias="state", description="Only these.")
    ] = None,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only those older than this number.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Aliases:
    """List aliases; the next page is that `before` the last number."""
    response.headers["Cache-Control"] = "no-store"
    with state.store.read(tenant.code) as connection:
        return Aliases(aliases=stored.every(connection, tenant.code, state=only, before=before, limit=limit))


@router.post("/aliases", summary="Propose an alias (提议别名)", status_code=201, response_model=Alias)
def propose(state: Serving, actor: Acting, tenant: Tenant, body: Proposal, key: Key = None) -> Response:
    """Propose a name. A planner's is in force at once, anybody else's when another account proposes or confirms it."""
    done = aliases.propose(
        state.store,
        actor,
        tenant.code,
        _name(state, tenant.code, body),
        compound=body.compound,
        building=body.building,
        alone=may(actor, "alias.agree"),
        key=key,
    )
    return written(state, tenant.code, done, status=201)


def _name(state: State, district: str, body: Proposal) -> str:
    if body.words is not None and body.q is None:
        return body.words
    if body.q is not None and body.words is None:
        return unexplained(body.q, state.locator(district).book)
    raise InputError("A name is given alone or in an address.", "Send words, or q.")


@router.post("/aliases/{number}/confirm", summary="Confirm an alias (确认别名)", response_model=Alias)
def confirm(state: Serving, actor: Acting, tenant: Tenant, number: AliasNumber, key: Key = None) -> Response:
    """Put a name that another account proposed in force; addresses are found by it from this answer on."""
    done = aliases.confirm(state.store, actor, tenant.code, number, alone=may(actor, "alias.agree"), key=key)
    return written(state, tenant.code, done)


@router.post("/aliases/{number}/withdraw", summary="Withdraw an alias (撤销别名)", response_model=Alias)
def withdraw(state: Serving, actor: Acting, tenant: Tenant, number: AliasNumber, key: Key = None) -> Response:
    """Take a name back, proposed or in force; nothing is found by it any more."""
    return written(state, tenant.code, aliases.withdraw(state.store, actor, tenant.code, number, key=key))
