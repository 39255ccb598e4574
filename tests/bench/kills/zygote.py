"""A process that forks others to be killed: ``python -m tests.bench.kills.zygote``.

It reads an address of a database and the name of an act from each line, and forks a process that connects, writes
``ready PID``, carries the act out, and writes ``done`` or ``failed ERROR``. What is not killed ends by itself.
"""

from __future__ import annotations

import os
import signal
import sys

from data.session import Store
from tests.bench.kills.acts import ACTS


def main() -> None:
    """Fork for every line; the first line's acts are carried out here, so that nobody starts cold."""
    warm_up = Store(sys.stdin.readline().strip())
    for act in ACTS.values():
        act.carry_out(warm_up, act.district)
    warm_up.close()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed are buried by the system
    _say("warm")
    while line := sys.stdin.readline():
        url, name = line.split()
        if os.fork() == 0:
            _carry_out(url, name)
            os._exit(0)


def _carry_out(url: str, name: str) -> None:
    act, store = ACTS[name], Store(url)
    with store.read(act.district):
        _say(f"ready {os.getpid()}")
    try:
        act.carry_out(store, act.district)
        _say("done")
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
        _say(f"failed {type(error).__name__}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
