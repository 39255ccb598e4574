"""From what an address names to whose grid that is: how sure it is, and which grids may be meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any, NamedTuple

import shapely

from geo import answers
from geo.address import Entry, Fault, Found, Kind, Possible, Precision
from geo.address.faults import NOTHING
from geo.address.words import WORDS
from geo.answers import ALTERNATIVES, Alternative, Answer, Grid, Reason, Status

SURE = 0.9
"""From this probability on a building's grid is the answer."""
DOUBTFUL = frozenset(
    {
        Kind.PART_OF_NAME,
        Kind.WORDS,
        Kind.PREFIX,
        Kind.READING,
        Kind.COMPOUND,
        Kind.NUMBER_UNUSED,
        Kind.LISTED_UNKNOWN,
    }
)
"""Faults with which an answer is no plain match, however little there is beside it: something else may be meant."""
LIKELIER = 1.0
"""A building is named where no other is less than this many nats behind it."""
WORTH_NAMING = 0.005
"""A grid less likely than this is no alternative."""
_NOTHING = exp(-NOTHING)


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

    building: answers.Building
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


@dataclass
class _Case:
    """A grid an address may mean: how likely, by which building, with what told."""

    grid: Grid
    first: Possible
    mass: float = 0.0
    note: Reason | None = None


def judge(found: Found, places: Sequence[Place], grids_of: GridsOf, nothing: Answer) -> Answer:
    """Say whose grid an address is in.

    The buildings it can mean are weighed against each other and against nothing being meant (Bayes' rule with the
    weights of `geo.address.faults`); those of one grid add up.

    Parameters
    ----------
    found : Found
        What the address names.
    places : sequence of Place
        Buildings, by the positions ``found`` has.
    nothing : Answer
        The answer where nothing is found; every answer is made from it.
    """
    cases, homeless = _cases(found.possible, places, grids_of)
    whole = sum([case.mass for case in cases]) + homeless + _NOTHING
    told: dict[str, Any] = {"spans": found.spans}
    if not found.possible or whole < 2 * _NOTHING:
        wrong = found.possible[0].faults if found.possible else found.faults
        offers = tuple(_offers(found.offers, places, grids_of))
        told |= {"precision": "none", "confidence": 0.0, "faults": _faults(wrong), "alternatives": offers}
        return replace(nothing, **told)
    best = found.possible[0]
    building = _building(found.possible, places)
    told |= {"precision": found.precision.name.lower(), "faults": _faults(best.faults)}
    told |= {"entrance": best.entrance, "building": building}
    if cases:
        told |= _answered(found, cases, whole, building, places)
    else:
        told |= {"status": Status.NO_ANSWER, "confidence": homeless / whole}
    return replace(nothing, **told)


def _cases(
    possible: Iterable[Possible], places: Sequence[Place], grids_of: GridsOf
) -> tuple[list[_Case], float]:
    """Return the grids that may be meant, the likeliest first, and how much weighs on buildings in none."""
    cases: dict[str, _Case] = {}
    homeless = 0.0
    for each in possible:
        held = grids_of(places[each.entry], each.entrance)
        mass = exp(-each.weight)
        homeless += 0.0 if held.grids else mass
        for grid in held.grids:
            case = cases.setdefault(grid.code, _Case(grid, each, note=held.note))
            case.mass += mass / len(held.grids)
    return sorted(cases.values(), key=lambda case: (-case.mass, case.grid.code)), homeless


def _answered(
    found: Found,
    cases: list[_Case],
    whole: float,
    building: answers.Building | None,
    places: Sequence[Place],
) -> dict[str, Any]:
    """Return status, confidence, reasons, grid and alternatives."""
    confidence = cases[0].mass / whole
    several = len(cases) > 1 and cases[1].mass / whole >= WORTH_NAMING
    certain = confidence >= SURE and (found.precision is Precision.BUILDING or not several)
    doubts = _doubts(found, building, several=several and not certain)
    reasons = tuple(dict.fromkeys((*doubts, *([cases[0].note] if cases[0].note else ()))))
    others = tuple(
        Alternative(case.grid, places[case.first.entry].building, confidence=case.mass / whole)
        for case in (cases[1:] if certain else cases)[:ALTERNATIVES]
        if several and case.mass / whole >= WORTH_NAMING
    )
    told = {"confidence": confidence, "reasons": reasons, "alternatives": others}
    if several and not certain:
        return told | {"status": Status.AMBIGUOUS}
    doubtful = any(wrong.kind in DOUBTFUL for wrong in found.possible[0].faults)
    plain = certain and not doubtful and not found.nearby
    told |= {"status": Status.MATCH if plain else Status.APPROXIMATE, "grid": cases[0].grid}
    return told | {"place": building.place if building else None}


def _doubts(found: Found, building: answers.Building | None, *, several: bool) -> Iterable[Reason]:
    """Yield why an answer is no plain match."""
    if found.precision is not Precision.BUILDING:
        yield Reason.INCOMPLETE
    elif building is None:
        yield Reason.SEVERAL_BUILDINGS
    elif several:
        yield Reason.SPLIT_BUILDING
    if found.nearby:
        yield Reason.NEARBY


def _building(possible: Sequence[Possible], places: Sequence[Place]) -> answers.Building | None:
    """Return the building meant, where it is one."""
    if len(possible) > 1 and possible[1].weight < possible[0].weight + LIKELIER:
        return None
    return places[possible[0].entry].building


def _offers(offers: Iterable[int], places: Sequence[Place], grids_of: GridsOf) -> Iterable[Alternative]:
    """Yield the buildings that are there in place of the one that is not."""
    for entry in offers:
        for grid in grids_of(places[entry], None).grids[:1]:
            yield Alternative(grid, places[entry].building)


def _faults(wrong: Iterable[Fault]) -> tuple[answers.Fault, ...]:
    ordered = sorted(wrong, key=lambda each: -each.weight)
    return tuple(
        answers.Fault(each.kind.value, each.weight, _said(each.kind, each.words)) for each in ordered
    )


def _said(kind: Kind, words: str) -> answers.Words:
    said = WORDS[kind]
    named = f"：{words}" if words else "。", f": {words}" if words else "."
    return answers.Words(said.zh + named[0], said.en + named[1])
