"""What routes of server-rendered pages share: faults told as a page, links that keep the district, ways back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import RedirectResponse

from api import errors, pages
from api.state import State
from api.words import CHOOSE, fault_of
from data.districts import District
from etl.actor import Actor
from geo.errors import CheckError, GridgovError, InputError, SignInError, StaleError

Link = Callable[..., str]
"""From a path and query parameters to an address in the district that was asked about."""


class PageRoute(APIRoute):
    """A route whose faults are told as a page too; who has to sign in is led there as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInError:
                raise
            except (GridgovError, RequestValidationError, OperationalError, PoolTimeout) as error:
                return told(request, errors.for_anybody(error))

        return answer


def link_in(request: Request) -> Link:
    """Return what makes links that keep the district the request names."""
    named = request.query_params.get("district")

    def link(path: str, **params: object) -> str:
        query = {"district": named, **params}
        given = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{path}?{given}" if given else path

    return link


def done(request: Request, state: State, place: District, path: str, verb: str) -> Response:
    """Lead to a page that shows what was done, once this process serves it; verbs are those of `words.DONE`."""
    state.catch_up(place.code)
    return RedirectResponse(link_in(request)(path, done=verb), HTTPStatus.SEE_OTHER)


def told(request: Request, error: Exception) -> Response:
    """Return the page that tells a fault, with its status."""
    status = errors.kind_of(error).status
    shown: Exception
    if isinstance(error, RequestValidationError):
        shown, details = InputError("A field is missing or not as it should be."), _fields(error)
    else:
        shown, details = error, _details(error)
    choices = _choices(request) if isinstance(error, InputError) else []
    came_from = urlsplit(request.headers.get("referer", ""))
    back = came_from.path if came_from.netloc == request.headers.get("host") else "/"
    return pages.render(
        request,
        "problem.html",
        status=status,
        head=CHOOSE if choices else fault_of(shown),
        error=shown,
        details=details,
        choices=choices,
        back=link_in(request)(back),
    )


def _choices(request: Request) -> list[District]:
    """Return the districts to choose from where that is what the request lacks."""
    state: State = request.app.state.served
    if request.method != "GET" or "district" in request.query_params or state.settings.district:
        return []
    actor: Actor = request.state.actor
    open_to = [
        known.district for known in state.every() if known.district.code in actor.scope or not actor.scope
    ]
    return open_to if len(open_to) > 1 else []


def _fields(error: RequestValidationError) -> list[str]:
    """Name the fields that are wrong, without repeating what was in them."""
    return [f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors()]


def _details(error: Exception) -> list[str]:
    if isinstance(error, CheckError):
        return error.problems
    if isinstance(error, StaleError):
        return [
            f"{change.get('actor')}: {change.get('from_code') or '—'} → {change.get('to_code') or '—'},"
            f" {change.get('cells')}"
            for change in error.changes
        ]
    return []
