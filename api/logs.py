"""The server's log: lines that come within a moment of each other are written together.

A line a request, formatted and written by itself, would be an eighth of all that a short answer costs.
"""

from __future__ import annotations

import logging
import threading
import time

HELD_S = 0.5
"""How long a line may be held before it is written."""


class Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines to standard error, warnings and what came before them at once."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[str] = []
        self.setFormatter(_Stamped("%(asctime)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; the handler's lock is held."""
        try:
            self._held.append(self.format(record))
        except Exception:  # noqa: BLE001 - told on standard error, as by logging's own handlers
            self.handleError(record)
        if record.levelno >= logging.WARNING:
            self.flush()
        elif len(self._held) == 1:
            later = threading.Timer(HELD_S, self.flush)
            later.daemon = True  # a process that ends writes what is left; see `logging.shutdown`
            later.start()

    def flush(self) -> None:
        """Write what is held."""
        with self.lock or threading.RLock():
            if self._held:
                self.stream.write("\n".join([*self._held, ""]))
                self._held.clear()
            super().flush()


class _Stamped(logging.Formatter):
    """Writes the date and time of a second once."""

    _second = -1
    _said = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        second = int(record.created)
        if second != self._second:
            self._second, self._said = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._said},{int(record.msecs):03d}"


def begin() -> None:
    """Let the program's log be written, without what no line shows."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as logging's guide has it: no search for the caller
    logging.basicConfig(handlers=[Lines()])
    logging.getLogger("gridgov").setLevel(logging.INFO)
