"""What a district is answered from, chosen by the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from api.telling import Teller
from data.districts import District
from data.locate import Edition
from geo.answers import Change
from geo.locate import Locator


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

    @property
    def change(self) -> Change | None:
        """The plan that follows, where one is published."""
        return self.teller.locator.register.plan.change if self.teller else None

    def ready(self) -> Ready | None:
        """Return it where it has a plan in force."""
        return Ready(self.district, self.teller, self.then) if self.teller else None


@dataclass(frozen=True)
class Clock:
    """The database's clock, carried on by one that never steps; so a process needs no clock of its own."""

    at: datetime
    read_s: float

    def now(self) -> datetime:
        """Return what it shows."""
        return self.at + timedelta(seconds=time.monotonic() - self.read_s)


@dataclass(frozen=True)
class Held:
    """What is known of a district.

    Attributes
    ----------
    current : Served
        What it is answered from now.
    upcoming : Served or None
        What takes over at the instant of its edition, once that is near.
    clock : Clock
        Chooses between them.
    ahead : Served or None
        What the next plan will be answered from, however far it is.
    """

    current: Served
    upcoming: Served | None
    clock: Clock
    ahead: Served | None = None

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
        """Return all that is there, the newest first."""
        return [served for served in (self.current, self.upcoming, self.ahead) if served]
