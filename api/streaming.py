"""Answers that are sent while the request is still being read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class BothWays(Response):
    """A response whose parts are sent as they are made, and made as the request is read.

    Starlette's own streaming response reads the request too, to learn whether the client is still there. Here only
    ``parts`` reads it; a client that is gone ends it there.

    Parameters
    ----------
    parts : async generator of bytes
        The body; it must not fail but for a client that is gone, and is closed at the end.
    ahead_bytes : int
        How much is made before it can be sent: a client may send all it has before it reads the first answer.
    deadline : float
        Until when all must be sent, by the clock of the event loop; then the connection is cut.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        ahead_bytes: int,
        deadline: float,
    ) -> None:
        super().__init__(headers=dict(headers), media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts
        self._ahead_bytes = ahead_bytes
        self._deadline = deadline
        self._waiting = bytearray()
        self._ended = False
        self._changed = asyncio.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._deadline):
                await self._both(send)

    async def _both(self, send: Send) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._make())
                group.create_task(self._send(send))
        except* ClientDisconnect:
            pass  # nobody is left to answer

    async def _make(self) -> None:
        async with aclosing(self._parts):
            async for part in self._parts:
                async with self._changed:
                    await self._changed.wait_for(lambda: len(self._waiting) < self._ahead_bytes)
                    self._waiting += part
                    self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _send(self, send: Send) -> None:
        more = True
        while more:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting or self._ended)
                body, more = bytes(self._waiting), not self._ended
                self._waiting.clear()
                self._changed.notify_all()
            await send({"type": "http.response.body", "body": body, "more_body": more})
