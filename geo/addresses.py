"""From what an address names to whose grid that is: how sure it is, and which grids may be meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import shapely

from geo.address import Entry, Found
from geo.answers import ALTERNATIVES, Alternative, Answer, Building, Grid, Reason, Status


@dataclass(frozen=True)
class Place:
    """A building as it is looked up.

    Attributes
    ----------
    building : Building
        What is answered about it.
    entry : Entry
        Its names.
    cells : tuple of (int or None, str)
        Entrance, where it is split, and code of the grid that holds that cell.
    stated : tuple of str
        Codes of the grids the ledger states, for a building without a position.
    land : shapely Polygon or MultiPolygon, optional
        What a pending building, one with a position and in no cell of the plan, stands on; EPSG:4326.
    """

    building: Building
    entry: Entry
    cells: tuple[tuple[int | None, str], ...] = ()
    stated: tuple[str, ...] = ()
    land: shapely.Geometry | None = None


class Held(NamedTuple):
    """The grids a building is in, and what is to be told about how that is known."""

    grids: list[Grid]
    note: Reason | None = None


GridsOf = Callable[[Place, int | None], Held]
"""Says which grids a building, at one of its entrances where one is named, is in."""


class _Hit(NamedTuple):
    """A grid an address may mean: which building and why."""

    grid: Grid
    building: Building
    reason: Reason | None


def judge(found: Found, places: Sequence[Place], grids_of: GridsOf, nothing: Answer) -> Answer:
    """Say whose grid an address is in.

    Parameters
    ----------
    found : Found
        What the address names.
    places : sequence of Place
        Buildings, by the positions ``found`` has.
    nothing : Answer
        The answer where nothing is found; every answer is made from it.
    """
    if not found.entries:
        return nothing
    meant = [places[entry] for entry in found.entries]
    held = [(place, grids_of(place, found.entrance)) for place in meant]
    hits = [_Hit(grid, place.building, by.note) for place, by in held for grid in by.grids]
    building = meant[0].building if len(meant) == 1 else None
    by_grid = {hit.grid.code: hit for hit in reversed(hits)}
    doubts = _doubts(found, len(meant), len(by_grid))
    reasons = tuple(dict.fromkeys((*doubts, *(hit.reason for hit in hits if hit.reason))))
    answer = replace(nothing, building=building, reasons=reasons)
    if not hits:
        return replace(answer, status=Status.NO_ANSWER)
    if len(by_grid) > 1:
        ranked = sorted(by_grid.values(), key=lambda hit: hit.grid.code)
        options = tuple(Alternative(hit.grid, hit.building) for hit in islice(ranked, ALTERNATIVES))
        return replace(answer, status=Status.AMBIGUOUS, entrance=found.entrance, alternatives=options)
    status = Status.APPROXIMATE if doubts else Status.MATCH
    return replace(answer, status=status, grid=hits[0].grid, entrance=found.entrance)


def _doubts(found: Found, buildings: int, grids: int) -> list[Reason]:
    """Return why an address cannot be a plain match."""
    several = buildings > 1
    table = {
        Reason.UNKNOWN_WORDS: bool(found.unexplained),
        Reason.INCOMPLETE: not found.whole,
        Reason.SEVERAL_BUILDINGS: found.whole and several,
        Reason.SPLIT_BUILDING: not several and grids > 1,
    }
    return [reason for reason, holds in table.items() if holds]
