"""How large a request may be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Kind, problem

MAX_TARGET_BYTES = 8_192
"""Longest path and query together."""

_OF_A_BODY = frozenset({b"content-length", b"transfer-encoding"})
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
    exceptions : mapping of str to int
        Longest body of single routes, by method and path: ``POST /api/v1/imports``.
    max_target_bytes : int
        Longest path and query together.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        exceptions: Mapping[str, int],
        max_target_bytes: int = MAX_TARGET_BYTES,
    ) -> None:
        self._app = app
        self._max_target_bytes = max_target_bytes
        self._max_body_bytes = max_body_bytes
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = _refused_target(scope, self._max_target_bytes)
        stated = [value for name, value in scope["headers"] if name in _OF_A_BODY]
        if not stated and not refused:  # no body comes
            await self._app(scope, receive, send)
            return
        most = self._exceptions.get(f"{scope['method']} {scope['path']}", self._max_body_bytes)
        refused = refused or _refused_length(dict(scope["headers"]).get(b"content-length", b"0"), most)
        if refused:
            await problem(*refused)(scope, receive, send)
            return
        await self._pass_on(scope, receive, send, most)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Count the body as it comes: it may be longer than stated, or come without a length."""
        received = 0
        started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if received > most and not started:
                raise _TooLargeError  # whatever was made of it where the body is read
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLargeError:
            if not started:
                await problem(*_too_large(most))(scope, receive, send)


def _refused_target(scope: Scope, most: int) -> tuple[Kind, str] | None:
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > most:
        return _URI_TOO_LONG, f"The address is longer than {most} bytes."
    if _CONTROL.search(scope["path"]):
        return _BAD_PATH, "The path holds control characters."
    return None


def _refused_length(stated: bytes, most: int) -> tuple[Kind, str] | None:
    if not stated.isdigit():
        return _BAD_LENGTH, "Content-Length is not a number."
    return _too_large(most) if int(stated[:20]) > most else None


def _too_large(most: int) -> tuple[Kind, str]:
    return _BODY_TOO_LARGE, f"The body is larger than {most} bytes."
