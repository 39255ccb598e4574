"""Serve for the benches: ``python -m tests.bench.server PORT [DATABASE_URL]``; without a database, the trivial
endpoint that everything is set beside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uvicorn
from fastapi import FastAPI, Response

from api.app import create_app
from api.cli.serve import Server
from api.protocol import Protocol
from data.session import Store
from data.settings import Settings

HOST = "127.0.0.1"


@contextmanager
def serving(*database_url: str, **environment: str) -> Iterator[tuple[int, psutil.Process]]:
    """Keep a server running; give its port and its process."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.server", str(port), *database_url]
    with subprocess.Popen(command, env=os.environ | environment) as process:
        try:
            await_answers(port, process)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def await_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens."""
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("a server of the benches did not start")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("a server of the benches did not answer within a minute")


def trivial() -> FastAPI:
    """Return an application whose one endpoint returns a fixed response."""
    app = FastAPI()
    fixed = Response(b'{"ok":true}', media_type="application/json")

    @app.get("/")
    async def answer() -> Response:
        return fixed

    return app


def main(port: str, *database_url: str) -> None:
    """Serve until terminated."""
    common: dict[str, Any] = {"host": HOST, "port": int(port), "access_log": False, "log_level": "warning"}
    if database_url:
        app = create_app(Store(*database_url), Settings())
        Server(uvicorn.Config(app, http=Protocol, **common)).run()
    else:
        uvicorn.Server(uvicorn.Config(trivial(), **common)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
