"""A locator read for one use: of a command, or of a job."""

from __future__ import annotations

from datetime import datetime

from data import districts, drafted, locate, plans
from data.session import Store
from data.settings import Settings
from geo.errors import InputError, NotFoundError
from geo.locate import Locator, Register


def locator_of(
    store: Store,
    settings: Settings,
    district: str,
    *,
    at: datetime | None = None,
    plan: int | None = None,
    staff: bool = False,
) -> Locator:
    """Read the plan of an instant, now by default, and what goes with it.

    Parameters
    ----------
    plan : int, optional
        Number of the plan, in place of an instant; one that is not published answers as if it were in force.
    staff : bool
        Whether workers on duty are named.

    Raises
    ------
    InputError
        If a plan is named and an instant too.
    NotFoundError
        If no plan was in force then, or there is none of that number.
    """
    with store.read(district) as connection:
        if plan is not None:
            if at is not None:
                raise InputError("A plan is named and an instant too.", "Give --plan or --as-of.")
            meant = plans.get(connection, district, plan)
            if meant.effective is None:
                known = districts.get(connection, district)
                today = locate.edition(connection, district)
                return _locator(drafted.register(connection, known, meant, today, staff=staff), settings)
            at = meant.effective
        register = locate.register(
            connection, locate.edition(connection, district, at), district, staff=staff
        )
    if register is None:
        raise NotFoundError(
            f"District {district} has no plan in force{' then' if at else ''}.",
            "gridgov plan list tells which was when." if at else "Publish one: gridgov plan publish.",
        )
    return _locator(register, settings)


def _locator(register: Register, settings: Settings) -> Locator:
    return Locator(register, margin_m=settings.outside_margin_m, near_border_m=settings.near_border_m)
