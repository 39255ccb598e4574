"""Routes with parameters in their path that run without what FastAPI does for a request; see `api.hot`.

Such a route's endpoint takes the request, checks all of it, and returns the whole answer, or a response that sends
itself. It is asked with GET; HEAD and OPTIONS follow from that.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.hot import FrontRoute
from api.permissions import permit

Header = tuple[bytes, bytes]

METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ALLOWED: Header = (b"allow", b"GET, HEAD, OPTIONS")
_BARE = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
"""Statuses of answers without a body."""
MAX_TARGET_BYTES = 65_536
"""Longest path and query together: what is longer than a question may be is refused by who reads it, and says why."""
_SHORTEST = 1_000
"""Bytes of a body that is worth packing."""
_LONG = 200_000
"""Bytes of a body that takes so long to pack that others must not wait for it."""


@dataclass
class Answer:
    """What a request is answered.

    Attributes
    ----------
    body : bytes
        The body.
    headers : list of (bytes, bytes)
        All but the length and the encoding, names in lower case.
    status : int
        The status.
    tag : str
        The entity tag, with its quotes and ``W/``; empty for none.
    """

    body: bytes
    headers: list[Header]
    status: int = 200
    tag: str = ""
    _packed: bytes | None = field(default=None, repr=False)

    def packed(self) -> bytes:
        """Return the body packed with gzip; it is packed once."""
        if self._packed is None:
            packer = zlib.compressobj(5, wbits=31)
            self._packed = packer.compress(self.body) + packer.flush()
        return self._packed

    @property
    def size(self) -> int:
        """Bytes it takes to keep, with the packed body it may come to have."""
        return len(self.body) * 3 // 2 + 500

    def holds(self, request: Request) -> bool:
        """Tell whether the client has it already, compared weakly as RFC 9110 wants it for If-None-Match."""
        held = header(request.scope, b"if-none-match")
        if not held or not self.tag:
            return False
        opaque = self.tag.removeprefix("W/")
        return any(part.strip().removeprefix("W/") in ("*", opaque) for part in held.split(","))


Answering = Callable[[Request], Awaitable[Answer | Response]]


class DirectRoute(FrontRoute):
    """A route that is guarded by `permit` and sends what its endpoint returns."""

    def __init__(self, path: str, endpoint: Answering, **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        self._answer = endpoint
        self.first = path[1:].partition("/")[0]
        self.app = self.serve

    def takes(self, path: str, scope: Scope) -> bool:
        """Tell whether a request is the route's, and put the parameters of its path at the scope."""
        if scope.get("method") not in METHODS:
            return False
        found = self.path_regex.match(path)
        if found is None:
            return False
        scope["path_params"] = {
            name: self.param_convertors[name].convert(value) for name, value in found.groupdict().items()
        }
        return True

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; of HEAD the body is left out."""
        method = scope["method"]
        if method == "OPTIONS":
            await _send(send, HTTPStatus.NO_CONTENT, [_ALLOWED], b"")
            return
        request = Request(scope if method == "GET" else {**scope, "method": "GET"}, receive)
        await permit(request)
        answer = await self._answer(request)
        if isinstance(answer, Response):
            await answer(scope, receive, send)
            return
        status = HTTPStatus.NOT_MODIFIED if answer.holds(request) else answer.status
        if status in _BARE:
            kept = [header for header in answer.headers if header[0] != b"content-type"]
            await _send(send, status, kept, b"")
            return
        body, headers = answer.body, answer.headers
        if len(body) >= _SHORTEST and "gzip" in header(scope, b"accept-encoding"):
            body = await to_thread.run_sync(answer.packed) if len(body) > _LONG else answer.packed()
            headers = [*headers, (b"content-encoding", b"gzip")]
        sized = [*headers, (b"content-length", b"%d" % len(body))]
        await _send(send, status, sized, b"" if method == "HEAD" else body)


def add_to(app: FastAPI, path: str, endpoint: Answering) -> None:
    """Add a direct route; it is described where its own kind of routes are."""
    app.router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        route_class_override=DirectRoute,
        include_in_schema=False,
        response_model=None,
    )


def header(scope: Scope, name: bytes) -> str:
    """Return a header of a request, its name in lower case; empty where there is none."""
    for each, value in scope["headers"]:
        if each == name:
            return str(value, "latin-1")
    return ""


async def _send(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
