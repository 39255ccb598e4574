"""The access log: method, route, status and milliseconds; never a query, a position or a code asked for."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("gridgov.access")

UNKNOWN_ROUTE = "-"
"""Logged where no route was found: an unknown path may hold anything."""
EACH = 50
"""How many requests of one kind have lines of their own, within a while."""
WITHIN_S = 1.0
CLIENT_GONE = 499
"""Logged as the status where nobody was left to be answered."""


class AccessLog:
    """ASGI middleware that logs each request by its route's template.

    Of requests that are answered alike more than `EACH` within `WITHIN_S` are counted, and told in one line: a line
    each would be a tenth of what they cost.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._alike: dict[tuple[str, str, int], _Alike] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
            status = status or CLIENT_GONE
        finally:
            if log.isEnabledFor(logging.INFO):
                # A mounted folder has no route; its own path is the root path of what is in it.
                route = str(getattr(scope.get("route"), "path", scope.get("root_path") or UNKNOWN_ROUTE))
                self._note((scope["method"], route, status or 500), (time.perf_counter() - begun) * 1000)

    def _note(self, answered: tuple[str, str, int], took_ms: float) -> None:
        alike = self._alike.get(answered)
        if alike is None:
            alike = self._alike[answered] = _Alike()
            asyncio.get_running_loop().call_later(WITHIN_S, self._tell, answered)
        alike.count += 1
        if alike.count <= EACH:
            log.info("%s %s %d %.1f ms", *answered, took_ms)
        elif took_ms > alike.longest_ms:
            alike.longest_ms = took_ms

    def _tell(self, answered: tuple[str, str, int]) -> None:
        alike = self._alike.pop(answered)
        if alike.count > EACH:
            log.info("%s %s %d %d more, up to %.1f ms", *answered, alike.count - EACH, alike.longest_ms)


class _Alike:
    """Requests of one kind within a while."""

    __slots__ = ("count", "longest_ms")

    def __init__(self) -> None:
        self.count = 0
        self.longest_ms = 0.0
