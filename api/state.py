"""What a process serves from memory: for each district the locator of now, and the one that takes over next."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import NamedTuple

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from api.evidence import Slips
from api.telling import Teller
from data import districts, keys, locate
from data.districts import District
from data.locate import Edition
from data.session import Store
from data.settings import Settings
from geo.errors import GridgovError, InputError, NotFoundError, UnavailableError
from geo.locate import Locator

log = logging.getLogger("gridgov.state")

AHEAD = timedelta(minutes=10)
"""How long before a plan or a day begins its locator is built."""
PATIENCE_S = 2.0
"""How long a request waits for the version it names."""
PAST = 4
"""How many locators of other times are kept."""


class Ready(NamedTuple):
    """A district that has answers, as `Served` has it."""

    district: District
    teller: Teller
    then: Teller | None = None


@dataclass(frozen=True)
class Served:
    """What a district is answered from.

    Attributes
    ----------
    teller : Teller or None
        What writes its answers; None while no plan in force is known.
    then : Teller or None
        That of the next plan, where it is there already.
    """

    district: District
    edition: Edition
    teller: Teller | None
    then: Teller | None = None

    @property
    def locator(self) -> Locator | None:
        """What it is answered from, None while no plan in force is known."""
        return self.teller.locator if self.teller else None

    def ready(self) -> Ready | None:
        """Return it where it has a plan in force."""
        return Ready(self.district, self.teller, self.then) if self.teller else None


@dataclass(frozen=True)
class _Clock:
    """The database's clock, carried on by one that never steps; so a process needs no clock of its own."""

    at: datetime
    read_s: float

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.read_s)


@dataclass(frozen=True)
class _Kept:
    """What is known of a district: ``upcoming`` takes over at the instant of its edition."""

    current: Served
    upcoming: Served | None
    clock: _Clock

    def present(self) -> Served:
        """Choose by the clock; an ended plan is answered from no longer, whether or not the next is known."""
        chosen = self.current
        if self.upcoming is None and chosen.edition.until is None:
            return chosen  # whatever the clock shows
        now = self.clock.now()
        if self.upcoming and now >= self.upcoming.edition.at:
            chosen = self.upcoming
        ends = chosen.edition.until
        return replace(chosen, teller=None) if ends and now >= ends else chosen

    def all(self) -> list[Served]:
        return [self.current, self.upcoming] if self.upcoming else [self.current]


class State:
    """What every district is served from; `api.following` keeps it current.

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
    asked : queue of str
        Districts of which somebody waits for a version that was not seen yet.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.loaded = False
        self.asked: SimpleQueue[str] = SimpleQueue()
        self._kept: dict[str, _Kept] = {}
        self._past: OrderedDict[tuple[str, int | None], Served] = OrderedDict()
        self._refreshing: dict[str, threading.Lock] = {}
        self._telling = threading.Lock()
        self._changed: Future[None] = _announcement()
        self._slips: Slips | None = None
        self._one = CapacityLimiter(1)  # locators of other times are built one after the other

    def load(self) -> None:
        """Read what there is, if the database can be reached."""
        try:
            self.refresh()
        except (GridgovError, SQLAlchemyError) as error:
            log.warning("nothing is served yet: %s", type(error).__name__)

    def refresh(self, only: Iterable[str] = ()) -> None:
        """Build anew what is out of date, then serve it; what fails keeps being served as it was.

        Parameters
        ----------
        only : iterable of str
            Districts to look at besides those not served yet; all of them by default.

        Raises
        ------
        SetupError
            If the database cannot be reached.
        """
        wanted = set(only)
        with self.store.read() as connection:
            known = districts.every(connection)
            self._slips = self._slips or Slips(keys.of_evidence(connection, self.settings))
        for district in known:
            if not wanted or district.code in wanted or district.code not in self._kept:
                try:
                    self._refresh(district)
                except Exception:  # whatever is wrong with one district must not stop the others
                    log.exception("district %s stays as it was", district.code)
        for code in self._kept.keys() - {district.code for district in known}:
            self._kept.pop(code, None)
        self.loaded = True
        self._announce()

    def catch_up(self, code: str) -> Served:
        """Serve what was committed before the call; for the process that wrote it, before it answers.

        Raises
        ------
        UnavailableError
            If the database cannot be read now: the write holds, but this process cannot show it yet.
        """
        try:
            with self.store.read() as connection:
                district = districts.get(connection, code)
            self._refresh(district)
        except (GridgovError, SQLAlchemyError) as error:
            raise UnavailableError(
                "What was asked for is done, but cannot be shown here yet.", "Read it again in a moment."
            ) from error
        self._announce()
        return self._kept[code].present()

    @property
    def slips(self) -> Slips:
        """What signs and reads evidence slips.

        Raises
        ------
        UnavailableError
            If the database was not read yet.
        """
        if self._slips is None:
            raise _not_read()
        return self._slips

    def every(self) -> list[Served]:
        """Return what each district is served from, by code."""
        return [kept.present() for _, kept in sorted(self._kept.items())]

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
        known = self._kept
        if not self.loaded:
            raise _not_read()
        code = named or self.settings.district
        if code:
            if code in known:
                return known[code].present()
            raise NotFoundError(f"There is no district {code}.", f"Districts: {self._listed()}.")
        if not known:
            raise NotFoundError("There is no district yet.", "Import one, or run gridgov demo.")
        if len(known) > 1:
            raise InputError(
                "Several districts are served and none was named.", f"Add ?district= of: {self._listed()}."
            )
        return next(iter(known.values())).present()

    def ready(self, named: str | None) -> Ready:
        """Return what the district meant is served from, where it has a plan in force; see `served`.

        Raises
        ------
        UnavailableError
            If it has no plan in force that is known here.
        """
        served = self.served(named)
        found = served.ready()
        if found is None:
            raise UnavailableError(
                f"District {served.district.code} has no plan in force.", "Publish one: gridgov plan publish."
            )
        return found

    def locator(self, named: str | None) -> Locator:
        """Return the locator of the district meant; see `ready`."""
        return self.ready(named).teller.locator

    def ready_anywhere(self, named: str | None) -> list[Ready]:
        """Return what a point may be asked of: every district where none is named or set."""
        if named or self.settings.district or len(self._kept) < 2:
            return [self.ready(named)]
        found = [ready for served in self.every() if (ready := served.ready())]
        if not found:
            raise UnavailableError("No district has a plan in force.", "Publish one: gridgov plan publish.")
        return found

    async def ready_at(self, named: str | None, at: datetime) -> Ready:
        """Return what another time is answered from; buildings and sites are today's. See `served`.

        Raises
        ------
        NotFoundError
            If no plan was in force then.
        """
        district = self.served(named).district
        return await to_thread.run_sync(self._ready_at, district, at, limiter=self._one)

    async def reach(self, named: str | None, version: int) -> None:
        """Wait until the district meant is served from a version or a later one.

        Raises
        ------
        UnavailableError
            If that takes too long.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    changed = self._changed
                    served = self.served(named)
                    if served.edition.version >= version:
                        return
                    self.asked.put(served.district.code)
                    await asyncio.shield(asyncio.wrap_future(changed))
        except TimeoutError:
            raise behind(version) from None

    def due(self) -> list[str]:
        """Return the districts in which a plan took effect and what falls due with it was not carried out."""
        return [code for code, kept in list(self._kept.items()) if kept.present().edition.due]

    def _listed(self) -> str:
        return ", ".join(f"{s.district.code} {s.district.name}" for s in self.every()) or "none yet"

    def _announce(self) -> None:
        with self._telling:
            changed, self._changed = self._changed, _announcement()
        changed.set_result(None)

    def _refresh(self, district: District) -> None:
        code = district.code
        with self._refreshing.setdefault(code, threading.Lock()), self.store.read(code) as connection:
            kept = self._kept.get(code)
            read_s = time.monotonic()
            edition = locate.edition(connection, code)
            since = kept.present().edition.since if kept else None
            if since and since > edition.at:  # a clock that stepped back does not bring back an ended plan
                edition = locate.edition(connection, code, since)
            held = kept.all() if kept else []
            current = self._made(connection, district, edition, held)
            upcoming = None
            if edition.changes - edition.at <= AHEAD:
                ahead = locate.edition(connection, code, edition.changes)
                upcoming = self._made(connection, district, ahead, [*held, current])
                if ahead.plan != edition.plan:
                    current = replace(current, then=upcoming.teller)
            self._kept[code] = _Kept(current, upcoming, _Clock(edition.at, read_s))
        if not kept or kept.current.edition.version != edition.version:
            log.info("district %s is served from version %d", code, edition.version)

    def _made(
        self, connection: Connection, district: District, edition: Edition, held: list[Served]
    ) -> Served:
        """Return what an edition is served from, with as much as still holds of what is held already."""
        code = district.code
        for other in held:
            if other.edition == edition:
                return replace(other, edition=edition)
        grounds = [s for s in held if s.locator and s.edition.ground == edition.ground]
        names = locate.on_duty(connection, code, edition.day, staff=True)
        for other in grounds:
            if other.locator and other.edition.plan == edition.plan:
                duties = locate.on_duty(connection, code, edition.day)
                locator = other.locator.restated(edition.version, duties)
                return Served(district, edition, Teller(locator, names))
        register = locate.register(connection, edition, code)
        if register is None:
            return Served(district, edition, None)
        book = next((s.locator.book for s in held if s.locator), None)
        locator = Locator(
            register,
            margin_m=self.settings.outside_margin_m,
            near_border_m=self.settings.near_border_m,
            book=book,
        )
        _ = locator.book.suggester  # made here, so that no request waits for it
        return Served(district, edition, Teller(locator, names))

    def _ready_at(self, district: District, at: datetime) -> Ready:
        kept = self._kept.get(district.code)
        past = [served for served in self._past.values() if served.district == district]
        with self.store.read(district.code) as connection:
            edition = locate.edition(connection, district.code, at)
            found = self._made(connection, district, edition, past + (kept.all() if kept else []))
        ready = found.ready()
        if ready is None:
            raise NotFoundError("No plan was in force then.", "GET /api/v1/plans tells which was when.")
        key = (district.code, edition.plan)
        self._past[key] = found
        self._past.move_to_end(key)
        while len(self._past) > PAST:
            self._past.popitem(last=False)
        return ready


def _not_read() -> UnavailableError:
    return UnavailableError("The database was not read yet.", "Try again in a moment; see /readyz.")


def behind(version: int) -> UnavailableError:
    """Return the error of a request for a version that is not served yet."""
    return UnavailableError(f"Version {version} is not served here yet.", "Try again in a moment.")


def _announcement() -> Future[None]:
    """Return a future that whoever waits for it cannot cancel for the others."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future
