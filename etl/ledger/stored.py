"""What the store already holds, as far as the checks of an import ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from data import register, services
from data.register import StoredCommunity, StoredCompound, StoredTown
from data.register_targets import TARGETS


@dataclass(frozen=True)
class Stored:
    """What is stored of a district before an import.

    Attributes
    ----------
    codes : dict of str to set of str
        External codes by noun.
    grids : set of str
        The ledger's codes of grids.
    compounds : dict of str to StoredCompound
        By external code.
    riders : dict of str to str
        Compound to rider community, by external code.
    duties : dict of (str, str, str, date) to date or None
        Until when, by worker, grid, role and first day.
    published : set of str
        The ledger's codes of grids that cases can be given to.
    """

    codes: dict[str, set[str]]
    towns: list[StoredTown]
    communities: list[StoredCommunity]
    grids: set[str]
    compounds: dict[str, StoredCompound]
    riders: dict[str, str]
    duties: dict[tuple[str, str, str, date], date | None]
    published: set[str]


def load(connection: Connection, district: str) -> Stored:
    """Read what is stored of a district; empty for a new one."""
    return Stored(
        {table: register.codes(connection, district, table) for table in TARGETS},
        register.towns(connection, district),
        register.communities(connection, district),
        register.stated_grids(connection, district),
        register.compounds(connection, district),
        services.rider_compounds(connection, district),
        services.stated_duties(connection, district),
        services.grid_codes(connection, district),
    )
