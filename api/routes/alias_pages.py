"""The page of aliases: what is proposed and in force, and the acts people do with a click."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from api import pages, words
from api.auth import Acting, Tenant
from api.page_routes import PageRoute, done, link_in
from api.params import LARGEST_NUMBER, Plain, Serving
from api.permissions import may
from api.routes.aliases import AliasNumber
from data import aliases as stored
from etl import aliases

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PAGE = 50
"""Aliases a page lists."""


@router.get("/aliases")
def alias_list(
    request: Request,
    state: Serving,
    place: Tenant,
    only: Annotated[str | None, Query(alias="state", max_length=20)] = None,
    before: Annotated[int, Query(ge=1, le=LARGEST_NUMBER)] = LARGEST_NUMBER,
    done: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """List the aliases, the newest first."""
    with state.store.read(place.code) as connection:
        counts = stored.counts(connection, place.code)
        found = stored.every(connection, place.code, state=only, before=before, limit=PAGE + 1)
    return pages.render(
        request,
        "aliases.html",
        district=place,
        counts=counts,
        only=only,
        rows=found[:PAGE],
        older=found[PAGE - 1].number if len(found) > PAGE else None,
        link=link_in(request),
        words=words,
        done=words.DONE.get(done or ""),
    )


@router.post("/aliases")
def propose(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    name: Annotated[str, Form(min_length=1, max_length=500), Plain],
    noun: Annotated[Literal["compound", "building"], Form()],
    code: Annotated[str, Form(min_length=1, max_length=64), Plain],
) -> Response:
    """Propose a name."""
    alone, target = may(actor, "alias.agree"), {noun: code.strip()}
    aliases.propose(state.store, actor, place.code, name, alone=alone, **target)
    return done(request, state, place, "/aliases", "propose")


@router.post("/aliases/{number}/confirm")
def confirm(request: Request, state: Serving, place: Tenant, actor: Acting, number: AliasNumber) -> Response:
    """Put a proposed name in force."""
    aliases.confirm(state.store, actor, place.code, number, alone=may(actor, "alias.agree"))
    return done(request, state, place, "/aliases", "confirm")


@router.post("/aliases/{number}/withdraw")
def withdraw(request: Request, state: Serving, place: Tenant, actor: Acting, number: AliasNumber) -> Response:
    """Take a name back."""
    aliases.withdraw(state.store, actor, place.code, number)
    return done(request, state, place, "/aliases", "withdraw")
