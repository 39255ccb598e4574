"""Following the database: two threads that keep what is served current, and carry out what falls due or lacks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from api.errors import said_of
from api.state import State
from data.versions import CHANNEL, DRAFTS
from etl import activation, levels
from geo.errors import GridgovError

log = logging.getLogger("gridgov.state")

RECHECK_S = 3.0
"""How often everything is compared when no notice comes."""
_TICK_S = 0.25
"""How often it is looked whether to end, whether somebody waits, and whether a plan took effect."""
_BACK_OFF_S = (0.1, 0.3, 1.0, RECHECK_S)
"""How long to wait after the first, second, ... failure in a row."""


def _districts(payloads: Iterable[str]) -> set[str]:
    """Return the districts of which something that is shown was changed; see `data.versions`."""
    notices = (payload.split(" ") for payload in payloads)
    return {district for district, layer, _ in notices if layer != DRAFTS}


class Following:
    """The threads, from `start` to `stop`.

    Parameters
    ----------
    state : State
        What is kept current.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._ended = threading.Event()
        self._failures = 0
        self._drawn: set[str] = set()
        self._threads = [
            threading.Thread(target=act, name=f"gridgov-{act.__name__.strip('_')}", daemon=True)
            for act in (self._follow, self._carry_out)
        ]

    def start(self) -> None:
        """Load what there is, and begin to follow changes."""
        self._state.load()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and wait for them."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except (GridgovError, SQLAlchemyError, psycopg.Error) as error:
                log.warning("changes are not followed now: %s", said_of(error))
            except Exception:  # a thread that ended would leave answers to grow stale
                log.exception("changes are not followed now")
            self._ended.wait(_BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)])
            self._failures += 1

    def _listen(self) -> None:
        """Refresh on each notice and every few seconds, until the connection breaks or the end."""
        pooled = self._state.store.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        if connection is None:  # pragma: no cover - a checked-out connection always has one
            raise RuntimeError("the connection was given back")
        with connection:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            checked = float("-inf")  # something may have changed while nobody listened
            while not self._ended.is_set():
                notices = connection.notifies(timeout=_TICK_S, stop_after=1)
                changed = _districts(notice.payload for notice in notices) | self._taken()
                if time.monotonic() - checked >= RECHECK_S:
                    self._state.refresh()
                    checked = time.monotonic()
                    self._failures = 0
                elif changed:
                    self._state.refresh(changed)

    def _taken(self) -> set[str]:
        """Take the districts somebody waits for."""
        waiting = self._state.asked
        return {waiting.get() for _ in range(waiting.qsize())}

    def _carry_out(self) -> None:
        """Carry out what falls due as plans take effect; what fails is tried again until it is done."""
        again: dict[str, float] = {}
        while not self._ended.wait(_TICK_S):
            self._draw()
            for code in self._state.due():
                if time.monotonic() < again.get(code, 0.0):
                    continue
                again[code] = time.monotonic() + RECHECK_S
                try:
                    activation.activate_due(self._state.store, code)
                    self._state.catch_up(code)
                except Exception:  # it stays due, and answers go on meanwhile
                    log.exception("what falls due in district %s is not carried out yet", code)

    def _draw(self) -> None:
        """Make what maps draw at each zoom where a database of before lacks it, once a district."""
        for served in self._state.every():
            code = served.district.code
            if code in self._drawn:
                continue
            self._drawn.add(code)
            try:
                levels.complete_all(self._state.store, code)
            except Exception:  # maps draw what is stored meanwhile
                log.exception("what maps draw of district %s is not simplified yet", code)
