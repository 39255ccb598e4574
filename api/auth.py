"""Who asks: the token of a request, by cookie or as a bearer, and the district that is meant."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, cast
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api import errors
from api.params import API, Serving
from api.params import District as Named
from api.state import State
from data.districts import District
from etl import accounts
from etl.accounts import SignedIn
from etl.acting import check_scope
from etl.actor import Actor
from geo.errors import ForbiddenError, InputError, SignInError

COOKIE = "gridgov_session"
SIGN_IN = "/sign-in"
PROGRAMS = (API, "/ogc", "/tiles")
"""What is asked by programs, which are not led to a page."""

_CREDENTIALS = {b"authorization", b"cookie"}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}  # "none": typed in, or opened from a bookmark


def bearer(request: Request) -> str | None:
    """Return the token a program sends: ``Authorization: Bearer ...``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def token_of(request: Request) -> str | None:
    """Return the token of a request, the bearer's before the cookie's."""
    found = bearer(request)
    return request.cookies.get(COOKIE) if found is None else found


def credentials(request: Request) -> bool:
    """Tell whether anything is sent that could say who asks."""
    return any(name in _CREDENTIALS for name, _ in request.scope["headers"])


async def identify(request: Request) -> SignedIn | None:
    """Return who is signed in; nothing is asked of the database where no token is sent.

    Raises
    ------
    SignInError
        If a token is sent and is not, or no longer, good.
    """
    token = token_of(request)
    if token is None:
        return None
    state: State = request.app.state.served
    return await run_in_threadpool(accounts.signed_in, state.store, token)


def check_origin(request: Request) -> None:
    """See that a page of ours made a browser send what would change something.

    A browser sends the cookie on its own; a program that sends a token says what it means.

    Raises
    ------
    ForbiddenError
        If the request comes from another site, or carries the cookie and does not tell where it comes from.
    """
    if request.method in _SAFE_METHODS or bearer(request) is not None:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        own = site in _OWN_SITES
    elif origin is not None:
        own = origin.partition("://")[2] == request.headers.get("host")
    else:
        own = COOKIE not in request.cookies
    if not own:
        raise ForbiddenError("The request comes from another site.", "Send it from a page of this server.")


def give_cookie(request: Request, response: Response, made: SignedIn, hours: int) -> None:
    """Let the browser keep a sign-in, out of reach of scripts and of other sites."""
    response.set_cookie(
        COOKIE,
        made.token,
        max_age=hours * 3600,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def drop_cookie(response: Response) -> None:
    """Let the browser forget its sign-in."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


async def refused(request: Request, error: Exception) -> Response:
    """Answer a `SignInError`: a program with 401, somebody who opened a page by the way to sign in.

    A cookie that is no longer good is dropped, else nothing would open in that browser any more.
    """
    told = cast(SignInError, error)
    response: Response
    if request.url.path.startswith(PROGRAMS):
        headers = {"WWW-Authenticate": "Bearer"}
        response = errors.problem(errors.kind_of(told), told.fault, told.remedy, headers=headers)
    else:
        asked = f"{request.url.path}?{request.url.query}".rstrip("?") if request.method == "GET" else "/"
        response = RedirectResponse(f"{SIGN_IN}?next={quote(asked)}", HTTPStatus.SEE_OTHER)
    if COOKIE in request.cookies:
        drop_cookie(response)
    return response


async def _acting(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


Acting = Annotated[Actor, Depends(_acting)]
"""Who asks; `PUBLIC` when nobody is signed in. ``api.permissions.permit`` has found it out."""


def district_of(state: State, actor: Actor, named: str | None) -> District:
    """Return the district meant: the actor's own if it has one only, else the one named, the default, the only one.

    Raises
    ------
    ForbiddenError
        If it is none of the actor's.
    NotFoundError
        If it does not exist, or there is none at all.
    InputError
        If several are possible and none was named.
    UnavailableError
        If the database was not read yet.
    """
    if named is None and actor.scope and state.settings.district not in actor.scope:
        if len(actor.scope) > 1:
            raise InputError(
                f"{actor.id} acts on several districts and none was named.",
                f"Add ?district= of: {', '.join(sorted(actor.scope))}.",
            )
        (named,) = actor.scope
    if named is not None:
        check_scope(actor, named)
    return state.served(named).district


async def _tenant(state: Serving, actor: Acting, district: Named = None) -> District:
    return district_of(state, actor, district)


Tenant = Annotated[District, Depends(_tenant)]
"""The district a route acts on or shows to staff; see `district_of`."""
