"""A locator read for one use: of a command, or of a job."""

from __future__ import annotations

from datetime import datetime

from data import locate
from data.session import Store
from data.settings import Settings
from geo.errors import NotFoundError
from geo.locate import Locator


def locator_of(
    store: Store, settings: Settings, district: str, *, at: datetime | None = None, staff: bool = False
) -> Locator:
    """Read the plan of an instant, now by default, and what goes with it.

    Parameters
    ----------
    staff : bool
        Whether workers on duty are named.

    Raises
    ------
    NotFoundError
        If no plan was in force then.
    """
    with store.read(district) as connection:
        register = locate.register(
            connection, locate.edition(connection, district, at), district, staff=staff
        )
    if register is None:
        raise NotFoundError(
            f"District {district} has no plan in force{' then' if at else ''}.",
            "gridgov plan list tells which was when." if at else "Publish one: gridgov plan publish.",
        )
    return Locator(register, margin_m=settings.outside_margin_m, near_border_m=settings.near_border_m)
