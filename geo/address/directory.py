"""Everything in the register that has a name, with the buildings it is and the numbers within it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

from geo.address.entry import Compound, Entry
from geo.address.numbers import label as plain_number
from geo.address.spelling import normalise

K = TypeVar("K")

_WORDS = tuple("栋幢座号楼#")
_DIGITS = re.compile(r"(\d+)")


Around = tuple[str | None, str | None, str | None]
"""Official name of the compound, community and town, None where it is not one."""
NumberKey = tuple[str, bool]
"""A number without its word, and whether it had one."""


class Kind(StrEnum):
    """What a name is the name of."""

    COMPOUND = "compound"
    ESTATE = "estate"
    BUILDING = "building"
    ROAD = "road"
    HOUSE = "house"
    POI = "poi"
    TOWN = "town"
    COMMUNITY = "community"


class Number(NamedTuple):
    """A building of a compound or a house of a road: as it is written, its key, and the buildings it is."""

    label: str
    key: str
    entries: tuple[int, ...]


class Numbers:
    """The numbers within a compound or a road, found by their beginning, in natural order: 1, 2, 10, 10-1.

    Parameters
    ----------
    labelled : mapping of str to list of int
        Buildings by label.
    """

    def __init__(self, labelled: Mapping[str, list[int]]) -> None:
        numbers = [Number(label, number_key(label)[0], tuple(found)) for label, found in labelled.items()]
        self._by_beginning: dict[str, list[Number]] = defaultdict(list)
        for number in sorted(numbers, key=_natural):
            for length in range(len(number.key) + 1):
                self._by_beginning[number.key[:length]].append(number)

    def starting(self, key: str) -> Sequence[Number]:
        """Return the numbers that begin with what was typed."""
        return self._by_beginning.get(key, ())


@dataclass(frozen=True, eq=False)
class Target:
    """Something that has a name, or several.

    Attributes
    ----------
    kind : Kind
        What it is.
    name : str
        Its official name.
    entries : tuple of int
        Positions of its buildings.
    around : (str or None, str or None, str or None)
        Compound, community and town that all of it lies in.
    samples : tuple of int
        One building of it in each community.
    numbers : Numbers
        What is numbered within it.
    """

    kind: Kind
    name: str
    entries: tuple[int, ...]
    around: Around
    samples: tuple[int, ...]
    numbers: Numbers


@dataclass(frozen=True)
class Name:
    """A name of a target; ``front`` is written before it where another target has the same one."""

    text: str
    target: Target
    front: str = ""

    @property
    def official(self) -> bool:
        """Whether it is no alias."""
        return self.text == self.target.name


def directory(entries: Sequence[Entry]) -> list[Name]:
    """Return the names of a register: the official ones first, then those of more buildings.

    Parameters
    ----------
    entries : sequence of Entry
        The buildings.

    Notes
    -----
    O(n log n) for n buildings.
    """
    named = [*_compounds(entries), *_roads(entries), *_areas(entries), *_others(entries)]
    bearers = Counter(text for text, _ in named)
    names = [Name(text, target, _front(target) if bearers[text] > 1 else "") for text, target in named]
    return sorted(names, key=_rank)


def number_key(label: str) -> NumberKey:
    """Return a number without its word, and whether it had one: 3 of 3幢, 3号楼, 三栋 and 3#."""
    spelled = normalise(label)
    return plain_number(spelled), spelled.endswith(_WORDS)


_Named = Iterator[tuple[str, Target]]


def _compounds(entries: Sequence[Entry]) -> _Named:
    compounds: dict[str, tuple[Compound, list[int]]] = {}
    for position, entry in enumerate(entries):
        if entry.compound:
            compounds.setdefault(entry.compound.key, (entry.compound, []))[1].append(position)
    estates: dict[str, list[int]] = defaultdict(list)
    for compound, found in compounds.values():
        labelled = _grouped((entries[position].label, position) for position in found)
        target = _target(entries, Kind.COMPOUND, compound.name, found, labelled)
        yield from ((text, target) for text in dict.fromkeys((compound.name, *compound.aliases)))
        if compound.phase_of:
            estates[compound.phase_of] += found
    for name in estates.keys() - {compound.name for compound, _ in compounds.values()}:
        yield name, _target(entries, Kind.ESTATE, name, estates[name])


def _roads(entries: Sequence[Entry]) -> _Named:
    roads: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    buildings = _grouped((entry.road, position) for position, entry in enumerate(entries))
    for position, entry in enumerate(entries):
        for road, number in streets(entry):
            roads[road][number].append(position)
    for name in dict.fromkeys((*buildings, *roads)):
        labelled = roads[name]
        found = {position for each in (buildings.get(name, ()), *labelled.values()) for position in each}
        yield name, _target(entries, Kind.ROAD, name, sorted(found), labelled)


def streets(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield road and number of a building, and of its compound."""
    for of in (entry, entry.compound):
        if of and of.road and of.road_number:
            yield of.road, f"{of.road_number.removesuffix('号')}号"


def _areas(entries: Sequence[Entry]) -> _Named:
    towns = _grouped((entry.town, position) for position, entry in enumerate(entries))
    communities: dict[tuple[str, str | None], list[int]] = _grouped(
        ((entry.community, entry.town) if entry.community else None, position)
        for position, entry in enumerate(entries)
    )
    for name, found in towns.items():
        yield name, _target(entries, Kind.TOWN, name, found)
    for (name, _), found in communities.items():
        yield name, _target(entries, Kind.COMMUNITY, name, found)


def _others(entries: Sequence[Entry]) -> _Named:
    """Yield points of interest, buildings with names of their own, and those that have nothing but an address."""
    pois: dict[tuple[str, str | None], list[int]] = _grouped(
        ((entry.poi, entry.community) if entry.poi else None, position)
        for position, entry in enumerate(entries)
    )
    for (name, _), found in pois.items():
        yield name, _target(entries, Kind.POI, name, found)
    for position, entry in enumerate(entries):
        own = None if entry.compound or entry.road or entry.poi else _address_within(entry)
        if own or entry.aliases:
            target = _target(entries, Kind.BUILDING, own or _called(entry), [position])
            yield from ((text, target) for text in dict.fromkeys(filter(None, (own, *entry.aliases))))


def _called(entry: Entry) -> str:
    """Return what a building is called that something else of the register names already."""
    within = f"{entry.compound.name}{entry.label or ''}" if entry.compound else None
    return entry.poi or within or f"{entry.road or ''}{entry.road_number or ''}"


def _address_within(entry: Entry) -> str | None:
    """Return an address without the areas it begins with."""
    address = entry.address or ""
    ends = (address.find(area) + len(area) for area in entry.areas if area in address)
    return address[max(ends, default=0) :] or address or None


def _target(
    entries: Sequence[Entry],
    kind: Kind,
    name: str,
    found: Sequence[int],
    labelled: Mapping[str, list[int]] | None = None,
) -> Target:
    samples = {entries[position].community: position for position in reversed(found)}
    return Target(
        kind,
        name,
        tuple(found),
        surroundings(entries, found),
        tuple(samples.values()),
        Numbers(labelled or {}),
    )


def surroundings(entries: Sequence[Entry], found: Iterable[int]) -> Around:
    """Return what buildings share."""
    within = [entries[position] for position in found]
    compounds = {entry.compound.key: entry.compound.name for entry in within if entry.compound}
    wholly = all(entry.compound for entry in within)
    return (
        _only(compounds.values()) if wholly else None,
        _only({entry.community for entry in within}),
        _only({entry.town for entry in within}),
    )


def _only(values: Collection[str | None]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _grouped(pairs: Iterable[tuple[K | None, int]]) -> dict[K, list[int]]:
    groups: dict[K, list[int]] = defaultdict(list)
    for key, position in pairs:
        if key:
            groups[key].append(position)
    return groups


def _front(target: Target) -> str:
    if target.kind in (Kind.TOWN, Kind.ROAD, Kind.ESTATE):
        return ""
    _, community, town = target.around
    return (town if target.kind is Kind.COMMUNITY else community) or ""


def _rank(name: Name) -> tuple[bool, int, str, str]:
    return not name.official, -len(name.target.entries), name.text, name.front


def _natural(number: Number) -> tuple[list[tuple[int, str]], str]:
    parts = filter(None, _DIGITS.split(number.key))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], number.label
