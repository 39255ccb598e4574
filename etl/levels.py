"""Levels of what maps draw: made with whatever changes a coverage, so that none is shown torn."""

from __future__ import annotations

from sqlalchemy import Connection

from data import districts, levels
from data.layers import LAYERS
from data.levels import Coverage
from data.session import Store
from geo import simplify
from geo.crs import WEB_MERCATOR, to_metric


def complete(connection: Connection, district: str) -> None:
    """Make the levels that are missing of what is shown now or will be, in a transaction that holds the district."""
    for coverage in levels.missing(connection, district):
        _make(connection, district, coverage)


def complete_all(store: Store, district: str) -> int:
    """Make the levels that are missing, of past plans too, a transaction each; return how many coverages lacked them.

    A database of before there were levels has none.
    """
    with store.read(district) as connection:
        lacking = levels.missing(connection, district, past=True)
    for coverage in lacking:
        with store.begin(district) as connection:
            districts.lock(connection, district)
            if coverage in levels.missing(connection, district, past=True):  # nobody made them meanwhile
                _make(connection, district, coverage)
    return len(lacking)


def _make(connection: Connection, district: str, coverage: Coverage) -> None:
    ids, shapes = levels.shapes(connection, district, coverage)
    drawn = to_metric(shapes, WEB_MERCATOR)
    first, _ = LAYERS[coverage.layer].zooms
    made = simplify.levels(drawn, first)
    levels.write(connection, district, coverage, ids, made, simplify.label_points(drawn))
