"""Answers that are sent while the request is still being read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, aclosing
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.protocol import CONNECTION

_PIECE_BYTES = 65_536


class Within(Response):
    """A response that is made and sent within something that is held until all is sent.

    Parameters
    ----------
    held : context manager
        What is held.
    make : callable
        Makes the response.
    """

    def __init__(self, held: AbstractContextManager[None], make: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self._held = held
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the response and send it."""
        with self._held:
            response = await self._make()
            await response(scope, receive, send)


class BothWays(Response):
    """A response whose parts are sent as they are made, and made as the request is read.

    Starlette's own streaming response reads the request too, to learn whether the client is still there. Here only
    ``parts`` reads it; a client that is gone ends it there, and one that takes nothing is cut off.

    Parameters
    ----------
    parts : async generator of bytes
        The body; it must not fail but for a client that is gone, and is closed at the end.
    ahead_bytes : int
        How much is made before it can be sent: a client may send all it has before it reads the first answer.
    idle_s : float
        How long a client may take nothing once nothing else is left for it to do.
    deadline : float
        Until when all must be sent, by the clock of the event loop.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        ahead_bytes: int,
        idle_s: float,
        deadline: float,
    ) -> None:
        super().__init__(headers=dict(headers), media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts
        self._ahead_bytes = ahead_bytes
        self._idle_s = idle_s
        self._deadline = deadline
        self._waiting = bytearray()
        self._ended = False
        self._changed = asyncio.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        transport = scope.get("extensions", {}).get(CONNECTION)
        if transport is None:
            await self._in_time(send)
            return
        _limit(transport, high=0)  # what is sent has left this process before more is
        try:
            whole = await self._in_time(send)
        finally:
            _limit(transport)
        if not whole:
            await _cut_off(transport, receive)

    async def _in_time(self, send: Send) -> bool:
        """Send all of it; return whether the client took it in time."""
        try:
            async with asyncio.timeout_at(self._deadline):
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                await self._both(send)
        except TimeoutError:
            return False
        return True

    async def _both(self, send: Send) -> None:
        late = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._make())
                group.create_task(self._send(send))
        except* ClientDisconnect:
            pass  # nobody is left to answer
        except* TimeoutError:
            late = True
        if late:
            raise TimeoutError

    async def _make(self) -> None:
        async with aclosing(self._parts):
            async for part in self._parts:
                async with self._changed:
                    await self._fewer_than(self._ahead_bytes)
                    self._waiting += part
                    self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()
            await self._fewer_than(1)

    async def _fewer_than(self, most_bytes: int) -> None:
        """Wait until fewer bytes wait, as long as the client takes some."""
        while (before := len(self._waiting)) >= most_bytes:
            async with asyncio.timeout(self._idle_s):
                await self._changed.wait_for(lambda: len(self._waiting) < before)

    async def _send(self, send: Send) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting or self._ended)
                body = bytes(self._waiting[:_PIECE_BYTES])
            if not body:
                break
            await send({"type": "http.response.body", "body": body, "more_body": True})
            async with self._changed:
                del self._waiting[: len(body)]
                self._changed.notify_all()
        async with asyncio.timeout(self._idle_s):
            await asyncio.sleep(0)  # what was sent is written in the loop's next turn
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _limit(transport: Any, high: int | None = None) -> None:
    if not transport.is_closing():  # uvloop's has no limits any more once the client is gone
        transport.set_write_buffer_limits(high=high)


async def _cut_off(transport: Any, receive: Receive) -> None:
    """End a connection now: to close it would wait until the client has taken what is written."""
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
