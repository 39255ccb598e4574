"""The web server's side of a connection: what is sent in one go leaves in one piece.

Uvicorn writes the head of an answer and its body one after the other, and each write is a call of the kernel and a
packet; for short answers that is a fifth of all they cost.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTION = "gridgov.connection"
"""Extension of a scope: the transport, for an answer that has to end a connection whose client takes nothing."""


class Joined:
    """A transport that holds what is written until the loop's next turn.

    Parameters
    ----------
    transport : asyncio.Transport
        What writes; all but `write` and `close` is its own.
    loop : asyncio.AbstractEventLoop
        Whose turns are meant.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._transport, name)
        setattr(self, name, found)
        return found

    def write(self, data: bytes) -> None:
        """Take what is to be sent."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if not self._held:
            return
        try:
            self._transport.write(b"".join(self._held))
        finally:  # what could not be written is not written again
            self._held.clear()


class Protocol(HttpToolsProtocol):
    """Uvicorn's protocol over a `Joined` transport."""

    def connection_made(self, transport: Any) -> None:
        """Begin with a connection."""
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self.transport}  # type: ignore[dict-item]
