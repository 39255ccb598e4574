"""The server's own worker: a process beside it, at lower priority, that ends when the server does."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from data.settings import Settings
from etl.jobs.worker import STOP_S

log = logging.getLogger("gridgov.worker")

NICENESS = 10
"""Added to the worker's niceness: requests come first."""
SHORT_S = 10.0
"""A worker that ended sooner than this is started again ever later."""
LONGEST_WAIT_S = 60.0


@contextmanager
def beside(settings: Settings) -> Iterator[None]:
    """Keep a worker running while the block runs, where the settings want one."""
    if settings.worker == "none":
        yield
        return
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(ended,), name="gridgov-keeper")
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _keep(ended: threading.Event) -> None:
    """Start the worker, and again whenever it ends by itself, until told to end."""
    wait = 1.0
    while not ended.is_set():
        begun = time.monotonic()
        # The pipe is never written to: its end tells the worker that the server is gone, however it went.
        child = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "worker", "--beside-server"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the server's; it ends the worker in order
        )
        while child.poll() is None and not ended.wait(0.5):
            pass
        if ended.is_set():
            _end(child)
            return
        if child.stdin:
            child.stdin.close()
        wait = 1.0 if time.monotonic() - begun > SHORT_S else min(2 * wait, LONGEST_WAIT_S)
        log.warning("the worker ended (%s); it is started again in %d s", child.returncode, wait)
        ended.wait(wait)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S + 5)
    except subprocess.TimeoutExpired:
        child.kill()  # its job is taken up by the next worker
        child.wait()
    if child.stdin:
        child.stdin.close()


def end_with_parent() -> None:
    """Lower this process's priority, and have it end like by Ctrl-C when its standard input does."""
    os.nice(NICENESS)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="gridgov-parent", daemon=True).start()
