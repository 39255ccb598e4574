"""Requests a second under load: what wrk asks, and servers kept to one core."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psutil import Process

from tests.bench.server import HOST

SECONDS, CONNECTIONS = 2, 16
_SCRIPT = Path(__file__).parent / "load" / "paths.lua"
_TOLD = re.compile(r"rps=([\d.]+) p50_us=\d+ p99_us=\d+ non2xx=(\d+) errors=(\d+)")


@dataclass(frozen=True)
class Target:
    """What wrk asks of a server: these paths in turns, as a client that holds what ``tag`` names."""

    what: str
    port: int
    paths: tuple[str, ...]
    tag: str = ""


def loaded(target: Target, folder: Path) -> Callable[[], float]:
    """Make an act that asks for a few seconds and gives the seconds a request took; any error ends the bench."""
    listed = folder / f"{target.port} {target.what}"
    listed.write_text("\n".join(target.paths) + "\n", encoding="utf-8")
    environment = os.environ | {"PATHS": str(listed)} | ({"TAG": target.tag} if target.tag else {})
    where = f"http://{HOST}:{target.port}"

    def take() -> float:
        seconds, rate = SECONDS, 0.0
        while not rate:  # a slow rival answers nothing in so short a time
            command = [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{seconds}s",
                "--timeout=60s",
                "-s",
                str(_SCRIPT),
                where,
            ]
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            found = _TOLD.search(ran.stdout)
            assert found, (target.what, ran.stdout, ran.stderr)
            assert found.group(2) == found.group(3) == "0", (target.what, ran.stdout)
            seconds, rate = 2 * seconds, float(found.group(1))
        return 1 / rate

    return take


def pin(process: Process) -> None:
    """Keep a server to one core, where there are several: wrk and the database have the others."""
    cores = process.cpu_affinity()
    if len(cores) > 1:
        process.cpu_affinity(cores[:1])


def asked(port: int, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask once; give status, headers and body."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.headers, response.read()
    connection.close()
    return answer


def told(port: int, path: str) -> Any:
    """Return a document."""
    status, _, body = asked(port, path)
    assert status == 200, (path, body[:300])
    return json.loads(body)
