"""Making what a district is answered from, with as much as still holds of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from api.served import Ready, Served
from api.telling import Teller
from data import drafted, locate
from data.districts import District
from data.locate import Edition
from data.plans import Plan
from data.settings import Settings
from geo.locate import Locator, Register


class Maker:
    """Makes it from what is stored.

    Parameters
    ----------
    settings : Settings
        Margins.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def made(
        self, connection: Connection, district: District, edition: Edition, held: Sequence[Served]
    ) -> Served:
        """Return what an edition is answered from.

        Parameters
        ----------
        connection : Connection
            In which the edition was read.
        held : sequence of Served
            What is there already.
        """
        for other in held:
            if other.edition == edition:
                return Served(district, edition, other.teller)
        for other in held:
            same = (other.edition.ground, other.edition.plan) == (edition.ground, edition.plan)
            if other.locator and same:
                duties = locate.on_duty(connection, district.code, edition.day)
                locator = other.locator.restated(edition.version, duties)
                return Served(district, edition, _teller(connection, district, edition.day, locator))
        register = locate.register(connection, edition, district.code)
        if register is None:
            return Served(district, edition, None)
        locator = self._locator(register, held)
        return Served(district, edition, _teller(connection, district, edition.day, locator))

    def drafted(
        self,
        connection: Connection,
        district: District,
        plan: Plan,
        edition: Edition,
        held: Sequence[Served],
    ) -> Ready:
        """Return what a plan that is not published would be answered from, were it in force.

        Parameters
        ----------
        edition : Edition
            Of today.
        """
        locator = self._locator(drafted.register(connection, district, plan, edition), held)
        return Ready(district, _teller(connection, district, edition.day, locator))

    def _locator(self, register: Register, held: Sequence[Served]) -> Locator:
        locator = Locator(
            register,
            margin_m=self._settings.outside_margin_m,
            near_border_m=self._settings.near_border_m,
            book=next((other.locator.book for other in held if other.locator), None),
        )
        # Made here, so that no request waits for it.
        locator.points.index.complete()
        _ = locator.book.suggester
        return locator


def _teller(connection: Connection, district: District, day: date, locator: Locator) -> Teller:
    return Teller(locator, locate.on_duty(connection, district.code, day, staff=True))
