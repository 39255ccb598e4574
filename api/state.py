"""What a process serves from memory: one locator a district, replaced as a whole when its data changes."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from data import districts, locate
from data.districts import District
from data.locate import Edition
from data.session import Store
from data.settings import Settings
from data.versions import CHANNEL
from geo.errors import GridgovError, InputError, NotFoundError, UnavailableError
from geo.locate import Locator

log = logging.getLogger("gridgov.state")

RECHECK_S = 3.0
"""How often editions are compared when no notice comes; a plan's end and midnight send none."""
_WAIT_S = 0.5
"""How long the listener waits before it looks whether it should end."""


@dataclass(frozen=True)
class Served:
    """What a district is served from; ``locator`` is None while it has no plan in force."""

    district: District
    edition: Edition
    locator: Locator | None


class State:
    """The locators in force, kept current by a thread of its own.

    Readers take one reference and keep it for their whole answer, so an answer is never of two editions.

    Parameters
    ----------
    store : Store
        The database.
    settings : Settings
        The default district and the margin around it.

    Attributes
    ----------
    loaded : bool
        Whether the database was read at least once.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._served: dict[str, Served] = {}
        self.loaded = False
        self._ended = threading.Event()
        self._refreshing = threading.Lock()
        self._thread = threading.Thread(target=self._follow, name="gridgov-follow", daemon=True)

    def start(self) -> None:
        """Begin to serve: load what there is if the database can be reached, and follow changes."""
        try:
            self.refresh()
        except (GridgovError, SQLAlchemyError) as error:
            log.warning("nothing is served yet: %s", type(error).__name__)
        self._thread.start()

    def stop(self) -> None:
        """End the following thread and wait for it."""
        self._ended.set()
        self._thread.join()

    def refresh(self) -> None:
        """Build anew what is out of date, then serve it; what fails keeps being served as it was.

        Raises
        ------
        SetupError
            If the database cannot be reached.
        """
        with self._refreshing:
            with self.store.read() as connection:
                known = districts.every(connection)
            served = {district.code: self._current(district) for district in known}
            self._served = {code: found for code, found in served.items() if found}
            self.loaded = True

    def every(self) -> list[Served]:
        """Return what each district is served from, by code."""
        return list(self._served.values())

    def served(self, named: str | None) -> Served:
        """Return what the district meant is served from: the one named, the default, or the only one.

        Raises
        ------
        NotFoundError
            If that district does not exist, or there is none at all.
        InputError
            If several exist and none was named.
        UnavailableError
            If the database was not read yet.
        """
        known = self._served
        if not self.loaded:
            raise UnavailableError("The database was not read yet.", "Try again in a moment; see /readyz.")
        code = named or self.settings.district
        if code:
            if code in known:
                return known[code]
            raise NotFoundError(f"There is no district {code}.", f"Districts: {self._listed()}.")
        if not known:
            raise NotFoundError("There is no district yet.", "Import one, or run gridgov demo.")
        if len(known) > 1:
            raise InputError(
                "Several districts are served and none was named.", f"Add ?district= of: {self._listed()}."
            )
        return next(iter(known.values()))

    def locator(self, named: str | None) -> Locator:
        """Return the locator of the district meant; see `served`.

        Raises
        ------
        UnavailableError
            If it has no plan in force yet.
        """
        served = self.served(named)
        if served.locator is None:
            raise UnavailableError(
                f"District {served.district.code} has no plan in force.", "Publish one: gridgov plan publish."
            )
        return served.locator

    def locators(self, named: str | None) -> list[Locator]:
        """Return the locators a point may be asked of: all of them where no district is named or set."""
        if named or self.settings.district or len(self._served) < 2:
            return [self.locator(named)]
        found = [served.locator for served in self.every() if served.locator]
        if not found:
            raise UnavailableError("No district has a plan in force.", "Publish one: gridgov plan publish.")
        return found

    def _listed(self) -> str:
        return ", ".join(f"{s.district.code} {s.district.name}" for s in self.every()) or "none yet"

    def _current(self, district: District) -> Served | None:
        """Return what a district should be served from now, None if it cannot be read for the first time."""
        code = district.code
        before = self._served.get(code)
        try:
            with self.store.read(code) as connection:
                if before and before.edition == locate.edition(connection, code):
                    return before
                edition, register = locate.register(connection, code)
            locator = Locator(register, margin_m=self.settings.outside_margin_m) if register else None
        except Exception:  # whatever is wrong with one district must not stop the others
            log.exception("district %s stays as it was", code)
            return before
        log.info("district %s is served from version %d", code, edition.version)
        return Served(district, edition, locator)

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except (GridgovError, SQLAlchemyError, psycopg.Error) as error:
                log.warning("changes are not followed now: %s", type(error).__name__)
                self._ended.wait(RECHECK_S)

    def _listen(self) -> None:
        """Refresh on each notice and every few seconds, until the connection breaks or the end."""
        pooled = self.store.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        if connection is None:  # pragma: no cover - a checked-out connection always has one
            raise RuntimeError("the connection was given back")
        with connection:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            checked = float("-inf")  # something may have changed while nobody listened
            while not self._ended.is_set():
                noticed = any(connection.notifies(timeout=_WAIT_S, stop_after=1))
                if noticed or time.monotonic() - checked >= RECHECK_S:
                    self.refresh()
                    checked = time.monotonic()
