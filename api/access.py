"""The access log: method, route, status and milliseconds; never a query, a position or a code asked for."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("gridgov.access")

UNKNOWN_ROUTE = "-"
"""Logged where no route was found: an unknown path may hold anything."""


class AccessLog:
    """ASGI middleware that logs each request by its route's template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if log.isEnabledFor(logging.INFO):
                # A mounted folder has no route; its own path is the root path of what is in it.
                route = getattr(scope.get("route"), "path", scope.get("root_path") or UNKNOWN_ROUTE)
                took_ms = (time.perf_counter() - begun) * 1000
                log.info("%s %s %d %.1f ms", scope["method"], route, status, took_ms)
