"""Routes that are asked most: FastAPI describes them, and they run without what it does for a request.

A hot route has one argument beside the request, a model: read from the query of a GET, from the JSON object of a
POST. The model is what FastAPI documents and what is checked here, so there is one place for limits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, get_type_hints
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.params import signed
from api.permissions import permit

MOST_PARAMETERS = 50
"""More in one query are refused unread."""


class Told(NamedTuple):
    """An answer of a hot route: status 200."""

    body: bytes
    headers: Iterable[tuple[bytes, bytes]]


Answering = Callable[[Request, Any], Awaitable[Told]]


class FrontRoute(APIRoute):
    """A route that is answered before the application's own stack."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        raise NotImplementedError

    def answered(self, app: FastAPI, serve: ASGIApp) -> ASGIApp:
        """Return the route as it stands by itself: what it refuses is answered as the application answers it.

        Parameters
        ----------
        serve : ASGIApp
            What serves it: `serve`, or that within middleware.
        """
        handlers = app.exception_handlers

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            scope["app"], scope["route"] = app, self
            begun = False

            async def noted(message: Message) -> None:
                nonlocal begun
                begun = True
                await send(message)

            try:
                await serve(scope, receive, noted)
            except ClientDisconnect:  # nobody is left to answer
                return
            except Exception as error:
                if begun:  # one answer a request: the server ends the connection
                    raise
                kind = next(kind for kind in type(error).__mro__ if kind in handlers)
                response: Any = handlers[kind](Request(scope, receive), error)
                await (await response)(scope, receive, send)
                if kind is Exception:  # a fault of ours, for the server's log
                    raise

        return answer


class HotRoute(FrontRoute):
    """A route of its own: guarded by `permit`, its model checked, its answer sent as it is."""

    def __init__(self, path: str, endpoint: Answering, **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        self._answer = endpoint
        self._methods = frozenset(self.methods or ())
        self._model: type[BaseModel] = get_type_hints(endpoint)["asked"]
        self.app = self.serve

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path as it is: it has no parameters."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")) != self.path:
            return Match.NONE, {}
        found = {"endpoint": self.endpoint, "path_params": {}, "route": self}
        return (Match.FULL if scope["method"] in self._methods else Match.PARTIAL), found

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request and answer it."""
        request = Request(scope, receive)
        await permit(request)
        asked = self._of_query(scope) if scope["method"] == "GET" else await self._of_body(request)
        body, headers = await self._answer(request, asked)
        sized = [*headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": sized})
        await send({"type": "http.response.body", "body": body})

    def _of_query(self, scope: Scope) -> BaseModel:
        named = of_query(scope["query_string"])
        if "as_of" in named:
            named["as_of"] = signed(named["as_of"])
        try:
            return self._model.model_validate_strings(named)
        except ValidationError as error:
            raise _told(error, "query") from None

    async def _of_body(self, request: Request) -> BaseModel:
        """Read the one JSON object of a body; the district may be named beside it, as for every request."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        beside = _pairs(request.scope["query_string"])
        if any(name != "district" for name, _ in beside):
            raise _refused("query", "", "the question is in the body; only the district may stand here")
        body = await request.body()
        try:
            named = json.loads(body.decode(), object_pairs_hook=self._once)
        except UnicodeDecodeError:
            raise _refused("body", "", "not UTF-8") from None
        except (ValueError, RecursionError):
            raise _refused("body", "", "not JSON") from None
        if beside and isinstance(named, dict):
            body = json.dumps(self._once([*named.items(), *beside])).encode()
        try:
            return self._model.model_validate_json(body, strict=True)
        except ValidationError as error:
            raise _told(error, "body") from None

    def _once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Read an object: no member twice, and no more of them than there are names."""
        named = dict(pairs)
        if len(named) != len(pairs):
            raise _repeated("body", pairs)
        if len(named) > len(self._model.model_fields):
            raise _refused("body", "", "too many members")
        return named


def add_to(
    app: FastAPI, path: str, methods: Mapping[str, Answering], *, summary: str, **described: Any
) -> None:
    """Add the hot routes of one path, before all others that are added later.

    Parameters
    ----------
    methods : mapping of str to callable
        What answers each method.
    """
    for method, endpoint in methods.items():
        app.router.add_api_route(
            path, endpoint, methods=[method], route_class_override=HotRoute, summary=summary, **described
        )


def of_query(query: bytes) -> dict[str, Any]:
    """Return the values of a query by their names.

    Raises
    ------
    RequestValidationError
        If a name is given more than once, or the query cannot be read.
    """
    pairs = _pairs(query)
    named = dict(pairs)
    if len(named) != len(pairs):
        raise _repeated("query", pairs)
    return named


def pairs_of(query: str) -> list[tuple[str, str]]:
    """Return the names and values of a query.

    Raises
    ------
    UnicodeDecodeError
        If what is quoted in it is not UTF-8.
    ValueError
        If it has more than `MOST_PARAMETERS`.
    """
    if "%" not in query and "+" not in query and query.count("&") < MOST_PARAMETERS:
        # Nothing is quoted: in a third of the time.
        return [part.partition("=")[::2] for part in query.split("&") if part]
    return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return pairs_of(query.decode())
    except UnicodeDecodeError:
        raise _refused("query", "", "not UTF-8") from None
    except ValueError:
        raise _refused("query", "", "too many parameters") from None


def _repeated(where: str, pairs: list[tuple[str, Any]]) -> RequestValidationError:
    counted = Counter(name for name, _ in pairs)
    name = next(name for name, times in counted.items() if times > 1)
    return _refused(where, name, "given more than once")


def _told(error: ValidationError, where: str) -> RequestValidationError:
    return RequestValidationError(
        [{**fault, "loc": (where, *fault["loc"])} for fault in error.errors(include_input=False)]
    )


def _refused(where: str, name: str, said: str) -> RequestValidationError:
    return RequestValidationError([{"loc": (where, *([name] if name else [])), "msg": said}])
