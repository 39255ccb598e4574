"""What a process serves from memory: for each district the locator of now, and the one that takes over next."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from queue import SimpleQueue

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from api.errors import said_of
from api.evidence import Slips
from api.kept import Kept
from api.making import Maker
from api.served import Clock, Held, Ready, Served
from data import districts, keys, locate, plans
from data.districts import District
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
DRAFTS = 2
"""How many of plans that are not published are kept."""


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
        self._kept: dict[str, Held] = {}
        self._past: OrderedDict[tuple[str, int | None], Served] = OrderedDict()
        self._refreshing: dict[str, threading.Lock] = {}
        self._telling = threading.Lock()
        self._changed: Future[None] = _announcement()
        self._maker = Maker(settings)
        self._drafts: Kept[Ready] = Kept(DRAFTS)
        self._slips: Slips | None = None
        self._one = CapacityLimiter(1)  # locators of other times are built one after the other

    def load(self) -> None:
        """Read what there is, if the database can be reached."""
        try:
            self.refresh()
        except (GridgovError, SQLAlchemyError) as error:
            log.warning("nothing is served yet: %s", said_of(error))

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
        before = set(self._kept)  # what another thread comes to serve meanwhile is not in what is read here
        with self.store.read() as connection:
            known = districts.every(connection)
            self._slips = self._slips or Slips(keys.of_evidence(connection, self.settings))
        for district in known:
            if not wanted or district.code in wanted or district.code not in self._kept:
                try:
                    self._refresh(district)
                    self._foresee(district)
                except Exception:  # whatever is wrong with one district must not stop the others
                    log.exception("district %s stays as it was", district.code)
        for code in before - {district.code for district in known}:
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
            kept = self._refresh(district)
        except (GridgovError, SQLAlchemyError) as error:
            raise UnavailableError(
                "What was asked for is done, but cannot be shown here yet.", "Read it again in a moment."
            ) from error
        self._announce()
        return kept.present()

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

    async def ready_for(self, named: str | None, plan: int, *, drafts: bool) -> Ready:
        """Return what a plan answers, whenever it is, was or will be in force; see `ready_at`.

        Parameters
        ----------
        plan : int
            Its number.
        drafts : bool
            Whether one that is not published may be asked too: as if it were in force today.

        Raises
        ------
        NotFoundError
            If there is no such plan, or it may not be asked.
        """
        district = self.served(named).district
        return await to_thread.run_sync(self._ready_for, district, plan, drafts, limiter=self._one)

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

    def _refresh(self, district: District) -> Held:
        code = district.code
        with self._refreshing.setdefault(code, threading.Lock()), self.store.read(code) as connection:
            kept = self._kept.get(code)
            read_s = time.monotonic()
            edition = locate.edition(connection, code)
            since = kept.present().edition.since if kept else None
            if since and since > edition.at:  # a clock that stepped back does not bring back an ended plan
                edition = locate.edition(connection, code, since)
            held = kept.all() if kept else []
            current = self._maker.made(connection, district, edition, held)
            upcoming = None
            if edition.changes - edition.at <= AHEAD:
                near = locate.edition(connection, code, edition.changes)
                upcoming = self._maker.made(connection, district, near, [*held, current])
            ahead = _still_ahead(current, kept.ahead if kept else None)
            made = self._kept[code] = Held(
                replace(current, then=ahead.teller if ahead else None),
                upcoming,
                Clock(edition.at, read_s),
                ahead,
            )
        if not kept or kept.current.edition.version != edition.version:
            log.info("district %s is served from version %d", code, edition.version)
        return made

    def _foresee(self, district: District) -> None:
        """Make what the next plan will be answered from, so that every answer can say what a place will be in."""
        code = district.code
        with self._refreshing.setdefault(code, threading.Lock()), self.store.read(code) as connection:
            kept = self._kept.get(code)
            change = kept.current.change if kept else None
            if kept is None or change is None or kept.ahead is not None:
                return
            edition = locate.edition(connection, code, change.at)
            if edition.ground == kept.current.edition.ground:  # else it is refreshed again at once
                ahead = self._maker.made(connection, district, edition, kept.all())
                self._kept[code] = replace(
                    kept, current=replace(kept.current, then=ahead.teller), ahead=ahead
                )

    def _ready_for(self, district: District, number: int, drafts: bool) -> Ready:
        code = district.code
        with self.store.read(code) as connection:
            plan = plans.get(connection, code, number)
            if plan.effective is None:
                if not drafts:
                    raise _unpublished(number)
                edition = locate.edition(connection, code)
                kept = self._kept.get(code)
                return self._drafts.get(
                    (code, number, plan.state, plan.revision, edition),
                    lambda: self._maker.drafted(
                        connection, district, plan, edition, kept.all() if kept else []
                    ),
                )
        return self._ready_at(district, plan.effective)

    def _ready_at(self, district: District, at: datetime) -> Ready:
        kept = self._kept.get(district.code)
        past = [served for served in self._past.values() if served.district == district]
        with self.store.read(district.code) as connection:
            edition = locate.edition(connection, district.code, at)
            found = self._maker.made(connection, district, edition, past + (kept.all() if kept else []))
        ready = found.ready()
        if ready is None:
            raise NotFoundError("No plan was in force then.", "GET /api/v1/plans tells which was when.")
        key = (district.code, edition.plan)
        self._past[key] = found
        self._past.move_to_end(key)
        while len(self._past) > PAST:
            self._past.popitem(last=False)
        return ready


def _still_ahead(current: Served, ahead: Served | None) -> Served | None:
    """Return what was made for the next plan where it is that still, and of the same ground."""
    change = current.change
    if ahead is None or change is None or ahead.edition.ground != current.edition.ground:
        return None
    return ahead if ahead.edition.plan == change.number else None


def _not_read() -> UnavailableError:
    return UnavailableError("The database was not read yet.", "Try again in a moment; see /readyz.")


def _unpublished(number: int) -> NotFoundError:
    return NotFoundError(f"Plan {number} is not published.", "GET /api/v1/plans lists those that are.")


def behind(version: int) -> UnavailableError:
    """Return the error of a request for a version that is not served yet."""
    return UnavailableError(f"Version {version} is not served here yet.", "Try again in a moment.")


def _announcement() -> Future[None]:
    """Return a future that whoever waits for it cannot cancel for the others."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future
