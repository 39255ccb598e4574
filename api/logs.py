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
        self._due = False
        self.setFormatter(_Stamped("%(asctime)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; the handler's lock is held. Whatever is wrong is told as by logging's own handlers."""
        try:
            self._held.append(self.format(record))
            if record.levelno >= logging.WARNING:
                self._write()
            elif not self._due:
                later = threading.Timer(HELD_S, self._write_later, [record])
                later.daemon = True  # a process that ends writes what is left; see `logging.shutdown`
                later.start()
                self._due = True
        except Exception:  # noqa: BLE001 - no line of the log may fail what it is about
            self.handleError(record)

    def flush(self) -> None:
        """Write what is held.

        Raises
        ------
        OSError
            If it cannot be written; the lines are lost then.
        """
        self.acquire()
        try:
            self._write()
        finally:
            self.release()

    def _write(self) -> None:
        held, self._held = self._held, []
        if held:
            self.stream.write("\n".join([*held, ""]))
        self.stream.flush()

    def _write_later(self, last: logging.LogRecord) -> None:
        self.acquire()
        try:
            self._write()
        except Exception:  # noqa: BLE001 - as in `emit`
            self.handleError(last)
        finally:
            self._due = False
            self.release()


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
    logging.basicConfig(handlers=[Lines()])
    logging.getLogger("gridgov").setLevel(logging.INFO)
