"""What is sent in one go leaves in one piece, over a real connection."""

from __future__ import annotations

import asyncio
import http.client
import threading

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from api.protocol import Joined, Protocol

LONG = "0123456789" * 1_000_000


class Wire:
    """Stands where a transport does, and keeps what is written."""

    def __init__(self):
        self.sent, self.closed = [], False

    def write(self, data):
        assert not self.closed
        self.sent.append(data)

    def close(self):
        self.closed = True


def test_what_is_written_in_one_turn_is_one_piece():
    async def turns():
        wire = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        joined.write(b"head")
        joined.write(b"body")
        assert wire.sent == []
        await asyncio.sleep(0)
        assert wire.sent == [b"headbody"]
        joined.write(b"last")
        joined.close()
        assert (wire.sent, wire.closed) == ([b"headbody", b"last"], True)
        await asyncio.sleep(0)
        assert wire.sent == [b"headbody", b"last"]

    asyncio.run(turns())


def test_what_could_not_be_written_is_not_written_again():
    class Broken(Wire):
        def write(self, data):
            super().write(data)
            raise RuntimeError("no more")

    async def turns():
        wire = Broken()
        joined = Joined(wire, asyncio.get_running_loop())
        joined.write(b"first")
        with pytest.raises(RuntimeError):
            joined.close()
        joined.write(b"second")
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await asyncio.sleep(0)
        assert wire.sent == [b"first", b"second"]

    asyncio.run(turns())


@pytest.fixture(scope="module")
def port():
    async def pieces():
        for n in range(3):
            yield f"{n}\n"
            await asyncio.sleep(0)

    routes = [
        Route("/short", lambda _: PlainTextResponse("short")),
        Route("/long", lambda _: PlainTextResponse(LONG)),
        Route("/stream", lambda _: StreamingResponse(pieces())),
    ]
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), port=0, http=Protocol, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def test_answers_arrive_whole(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def get(path, **headers):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.read().decode(), answer.headers["connection"]

    for _ in range(3):  # on one connection
        assert get("/short") == ("short", None)
        assert get("/long") == (LONG, None)
        assert get("/stream") == ("0\n1\n2\n", None)
    assert get("/long", Connection="close") == (LONG, "close")
    connection.close()
