"""How large a request may be."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Kind, problem

MAX_TARGET_BYTES = 8_192
"""Longest path and query together."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URI_TOO_LONG = Kind(414, "too-long")
_BODY_TOO_LARGE = Kind(413, "too-large")
_BAD_PATH = Kind(400, "path")
_BAD_LENGTH = Kind(400, "content-length")


class _TooLargeError(Exception):
    """More body came than is allowed."""


class Limits:
    """ASGI middleware that refuses requests that are too long, before or while they are read.

    Parameters
    ----------
    app : ASGIApp
        What is asked when the request is small enough.
    max_body_bytes : int
        Longest body.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        if refused:
            await problem(*refused)(scope, receive, send)
            return
        await self._pass_on(scope, receive, send)

    def _refused(self, scope: Scope) -> tuple[Kind, str] | None:
        if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return _URI_TOO_LONG, f"The address is longer than {MAX_TARGET_BYTES} bytes."
        if _CONTROL.search(scope["path"]):
            return _BAD_PATH, "The path holds control characters."
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit():
            return _BAD_LENGTH, "Content-Length is not a number."
        if int(stated[:20]) > self._max_body_bytes:
            return self._too_large()
        return None

    def _too_large(self) -> tuple[Kind, str]:
        return _BODY_TOO_LARGE, f"The body is larger than {self._max_body_bytes} bytes."

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as it comes: it may be longer than stated, or come without a length."""
        received = 0
        started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLargeError:
            if not started:
                await problem(*self._too_large())(scope, receive, send)
