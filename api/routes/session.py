"""Signing in and out: for programs as JSON, for people by a page that needs no script."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from api import auth, pages
from api.auth import Acting
from api.page_routes import PageRoute
from api.params import API, Plain, Serving
from api.state import State
from data.districts import District
from etl import accounts
from etl.accounts import LONGEST_PASSWORD, SignedIn
from etl.actor import PUBLIC
from geo.errors import SignInError

router = APIRouter()
people = APIRouter(include_in_schema=False, route_class=PageRoute)

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")

Name = Annotated[str, Field(min_length=1, max_length=64, examples=["planner"]), Plain]
Password = Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD), Plain]
Next = Annotated[str, Field(max_length=2000)]


class Credentials(BaseModel):
    """What an account signs in with."""

    name: Name
    password: Password


class Session(BaseModel):
    """Who is signed in; nobody, when ``account`` is None."""

    account: str | None = Field(examples=["planner"])
    roles: list[str] = Field(examples=[["planner"]])
    scope: list[str] = Field(description="Districts it may act on; empty means all.", examples=[["340504"]])
    expires_at: datetime | None


class Opened(Session):
    """A new sign-in."""

    token: str = Field(description="For programs: `Authorization: Bearer ...`. It is told this once.")


@router.post(
    f"{API}/session", summary="Sign in (登录)", tags=["accounts"], status_code=201, response_model=Opened
)
def open_session(request: Request, response: Response, state: Serving, given: Credentials) -> Opened:
    """Sign in: a browser gets a cookie, a program takes the token."""
    made = _signed_in(request, response, state, given.name, given.password)
    return Opened(token=made.token, **_told(made))


@router.get(f"{API}/session", summary="Who am I? (当前账号)", tags=["accounts"])
async def session(request: Request, response: Response) -> Session:
    """Tell who is signed in."""
    response.headers["Cache-Control"] = "no-store"
    found: SignedIn | None = request.state.signed_in
    return Session(**_told(found)) if found else Session(account=None, roles=[], scope=[], expires_at=None)


@router.delete(f"{API}/session", summary="Sign out (退出)", tags=["accounts"], status_code=204)
def close_session(request: Request, response: Response, state: Serving, actor: Acting) -> None:
    """Sign out: the token is of no use any more."""
    _sign_out(request, response, state, actor)


@people.get(auth.SIGN_IN)
async def sign_in_page(request: Request, state: Serving, next: Annotated[Next, Query()] = "/") -> Response:  # noqa: A002
    """Show the form to sign in with."""
    return pages.render(request, "sign_in.html", district=_only(state), next=next, name="", failed=False)


@people.post(auth.SIGN_IN)
def sign_in(
    request: Request,
    state: Serving,
    name: Annotated[Name, Form()],
    password: Annotated[Password, Form()],
    next: Annotated[Next, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in and go to where the form was asked for from, if that is here."""
    response = RedirectResponse(next if _LOCAL.fullmatch(next) else "/", HTTPStatus.SEE_OTHER)
    try:
        _signed_in(request, response, state, name, password)
    except SignInError:
        return pages.render(
            request, "sign_in.html", district=_only(state), status=401, next=next, name=name, failed=True
        )
    return response


@people.post("/sign-out")
def sign_out(request: Request, state: Serving, actor: Acting) -> Response:
    """Sign out and go to the map."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    _sign_out(request, response, state, actor)
    return response


router.include_router(people)


def _signed_in(request: Request, response: Response, state: State, name: str, password: str) -> SignedIn:
    hours = state.settings.session_hours
    made = accounts.sign_in(state.store, name, password, hours=hours)
    auth.give_cookie(request, response, made, hours)
    response.headers["Cache-Control"] = "no-store"
    return made


def _sign_out(request: Request, response: Response, state: State, actor: Acting) -> None:
    token = auth.token_of(request)
    if token is not None and actor != PUBLIC:
        accounts.sign_out(state.store, actor, token)
    auth.drop_cookie(response)


def _told(made: SignedIn) -> dict[str, Any]:
    account = made.account
    return {
        "account": account.name,
        "roles": sorted(account.roles),
        "scope": sorted(account.scope),
        "expires_at": made.expires_at,
    }


def _only(state: State) -> District | None:
    """Return the district the page is surely about: the only one there is."""
    known = state.every()
    return known[0].district if len(known) == 1 else None
