"""``gridgov serve``: the web server."""

from __future__ import annotations

import contextlib
import gc
import socket
import sys
from typing import Annotated, Any

import typer
import uvicorn

from api import logs
from api.app import create_app
from api.cli.console import opened, out
from api.protocol import Protocol
from api.worker import beside
from data.session import Store
from data.settings import Settings
from geo.errors import SetupError

app = typer.Typer(add_completion=False)

TURN_S = 0.0005
"""How long a thread computes before another one that waits has its turn; Python's own is ten times that."""
STREAMS_END_S = 3
"""How long a server that ends waits for answers that are still being given, such as streams of events."""


@app.command(epilog="Examples: gridgov serve   ·   GRIDGOV_PORT=8080 gridgov serve")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; GRIDGOV_HOST by default.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; GRIDGOV_PORT by default.")] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="Start a worker for jobs; GRIDGOV_WORKER.")
    ] = None,
) -> None:
    """Serve the pages and the API until Ctrl-C (启动服务)."""
    settings = Settings()
    stated: dict[str, Any] = {"host": host, "port": port}
    if worker is not None:
        stated["worker"] = "child" if worker else "none"
    settings = settings.model_copy(update={name: value for name, value in stated.items() if value})
    check_port(settings)
    with opened(settings) as store:
        run(store, settings)


def check_port(settings: Settings) -> None:
    """See that the port is free before anything slow is begun.

    Raises
    ------
    SetupError
        If something listens there already, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SetupError(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                "Choose another with GRIDGOV_PORT or GRIDGOV_HOST, or end what uses it.",
            ) from error


def run(store: Store, settings: Settings) -> None:
    """Serve on the settings' address until Ctrl-C."""
    logs.begin()
    config = uvicorn.Config(
        create_app(store, settings),
        host=settings.host,
        port=settings.port,
        http=Protocol,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=STREAMS_END_S,
    )
    # By the interruption the server has shut down cleanly.
    with contextlib.suppress(KeyboardInterrupt), beside(settings):
        _Announced(config).run()


class Server(uvicorn.Server):
    """A server that goes on answering while the index of another plan is built beside it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; what is in memory then is there to stay, and is never searched for garbage while others wait."""
        await super().startup(sockets)
        sys.setswitchinterval(TURN_S)
        gc.collect()
        gc.freeze()


class _Announced(Server):
    """A server that says where it is once it can be reached."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        base = f"http://{host}:{self.config.port}"
        out.print(f"\ngridgov is at {base}/  (map · 地图)", style="bold", soft_wrap=True)
        out.print(f"            {base}/docs  (API · 接口文档)", soft_wrap=True)
        out.print("            Ctrl-C stops it · 按 Ctrl-C 停止\n")
