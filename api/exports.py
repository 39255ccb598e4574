"""The shareable pages of a district, by number of plan."""

from __future__ import annotations

from sqlalchemy import Connection

from api.atlas import map_data, sheet_data
from api.reasons import reasons_of
from data import plans, reach
from data.districts import District
from data.plans import Plan
from geo.errors import ConflictError
from geo.withheld import WITHHELD_BELOW
from maps.compare import Told, comparison_page
from maps.coverage import coverage_page
from maps.deviation import deviation_page
from maps.overview import overview_page
from maps.sheets import Sheets


def overview(connection: Connection, district: District, number: int | None) -> str:
    """Return the overview page of a plan, of the one in force where none is named."""
    plan = plans.named_or_in_force(connection, district.code, number)
    return overview_page(map_data(connection, district, plan))


def deviation(connection: Connection, district: District, number: int | None) -> str:
    """Return the page of household deviation of a plan, of the one in force where none is named."""
    plan = plans.named_or_in_force(connection, district.code, number)
    return deviation_page(map_data(connection, district, plan))


def coverage(connection: Connection, district: District, number: int | None) -> str:
    """Return the page of the coverage of sites under a plan, under the one in force where none is named."""
    plan = plans.named_or_in_force(connection, district.code, number)
    dwellings = reach.dwellings(connection, district.code, plan.id)
    return coverage_page(map_data(connection, district, plan), dwellings)


MAPS = {"overview": overview, "deviation": deviation, "coverage": coverage}
"""The pages of one plan, by kind."""


def comparison(connection: Connection, district: District, number: int) -> str:
    """Return the page of a plan beside the one it is based on.

    Raises
    ------
    ConflictError
        If it is based on none.
    """
    after = plans.get(connection, district.code, number)
    before = plans.base_of(connection, district.code, after)
    if before is None or "before" not in after.report:
        raise ConflictError(
            f"Plan {number} is not based on another plan.", "Compare one made by gridgov plan rebalance."
        )
    old, new = (map_data(connection, district, each) for each in (before, after))
    figures = {name: after.report[name] for name in ("before", "after")}
    return comparison_page(old, new, figures, reasons(connection, district.code, after))


def sheets(
    connection: Connection,
    district: District,
    number: int | None,
    *,
    paper: str = "a4",
    staff: bool = False,
    base_url: str | None = None,
) -> Sheets:
    """Return the grid sheets of a plan, of the one in force where none is named; see `maps.sheets`."""
    plan = plans.named_or_in_force(connection, district.code, number)
    return Sheets(sheet_data(connection, district, plan, staff=staff, base_url=base_url), paper)


def reasons(connection: Connection, district: str, plan: Plan) -> list[Told]:
    """Return why a plan moves what it moves, by community; few households are not counted out."""
    told = reasons_of(connection, district, plan, withheld_below=WITHHELD_BELOW)
    return [
        Told(
            community.name,
            [sentence for grid in community.grids for sentence in grid.said],
            [*community.breaks, *community.stays],
        )
        for community in (told.communities if told else ())
    ]
