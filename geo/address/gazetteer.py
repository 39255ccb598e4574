"""The register as addresses speak of it: named things with numbered members, places with a name, and areas."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from geo.address.entry import Compound, Entry
from geo.address.faults import Fault, Kind, fault
from geo.address.numbers import WORDS, is_label, label, tokens
from geo.address.numerals import DIGITS
from geo.address.sound import TELLING
from geo.address.spelling import normalise


class Sort(StrEnum):
    """What a name is the name of."""

    COMPOUND = "compound"
    ROAD = "road"
    POI = "poi"
    TOWN = "town"
    COMMUNITY = "community"
    DISTRICT = "district"
    CITY = "city"
    ELSEWHERE = "elsewhere"


NUMBERED = frozenset({Sort.COMPOUND, Sort.ROAD})
PRIMARY = NUMBERED | {Sort.POI}
"""What may be the place itself; the others are what lies around it."""


@dataclass(eq=False)
class Thing:
    """A compound or a road: a name with numbered members.

    Attributes
    ----------
    sort : Sort
        Compound or road.
    name : str
        Official name, spelled.
    members : dict of str to list of int
        Buildings by `geo.address.numbers.label`.
    every : list of int
        All its buildings.
    compounds : dict of str to list of Thing
        Of a road: the compounds with that number.
    street : (Thing, str), optional
        Of a compound: its road and number.
    storeys : bool
        Of a compound: that none of its buildings is called 5楼, so that this is a storey.
    """

    sort: Sort
    name: str
    members: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    every: list[int] = field(default_factory=list)
    compounds: dict[str, list[Thing]] = field(default_factory=lambda: defaultdict(list))
    street: tuple[Thing, str] | None = None
    storeys: bool = True


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a name may mean, and what it costs that it is not the official one.

    Attributes
    ----------
    thing : Thing, optional
        The compound or road.
    buildings : tuple of int
        The buildings a point of interest is in.
    area : str
        The official name of an area.
    """

    sort: Sort
    thing: Thing | None = None
    buildings: tuple[int, ...] = ()
    area: str = ""
    fault: Fault | None = None

    @property
    def partial(self) -> bool:
        """Whether the name lacks what tells it from its siblings."""
        return self.fault is not None and self.fault.kind is Kind.PART_OF_NAME


class Meanings(tuple[Meaning, ...]):
    """All that a name may mean.

    Attributes
    ----------
    primary : bool
        Whether it may be the place itself, not only an area around it.
    road : bool
        Whether it may be a road.
    """

    primary: bool
    road: bool

    def __new__(cls, meanings: Iterable[Meaning] = ()) -> Self:
        """Take the meanings; every lookup asks for their sorts, so that they are looked through once."""
        made = super().__new__(cls, meanings)
        made.primary = any(meaning.sort in PRIMARY for meaning in made)
        made.road = any(meaning.sort is Sort.ROAD for meaning in made)
        return made


FORMER = re.compile("^(?:原来?的?|老)(?=..)")
"""What stands before a name that is no longer used: 原车轮厂家属院."""
_SIGNIFICANT = re.compile(
    "[" + "".join(sorted(TELLING - set("0123456789abcdefgh中"))) + "]|中(?=[路街巷道苑园区里])"
)
_SUFFIX = {
    Sort.TOWN: re.compile("(?:街道办事处|街道|地区|镇|乡)$"),
    Sort.DISTRICT: re.compile("(?:区|县|市|旗)$"),
    Sort.CITY: re.compile("(?:特别行政区|自治[区州]|地区|[省市盟区县旗])$"),
}
_ABOVE = re.compile("(.+?(?:省|自治区))?(.+?(?:市|自治州|地区|盟))?(.+?[区县市旗])?")
_COUNTED = re.compile("^(?:[期组]|街坊)")
_HAN_DIGIT = str.maketrans({han: str(DIGITS[han]) for han in "一二三四五六七八九"})
_SHORTEST = 2


class Gazetteer:
    """Every name of the register and what it may mean.

    Parameters
    ----------
    entries : sequence of Entry
        The buildings; they are named by their positions.

    Attributes
    ----------
    names : dict of str to list of Meaning
        By spelled name.
    entries : sequence of Entry
        As given.
    own : set of str
        Names of what the district lies in: its city, its province.

    Notes
    -----
    O(length of all names). Besides what the register has, a name is known by its numeral in digits (康宁3村), an area
    without its kind (雨山), a former name without 原 (车轮厂家属院), and a compound without what tells it from its
    siblings (佳和村, 盛世新城), which then means all of them.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.names: dict[str, list[Meaning]] = defaultdict(list)
        self.own: set[str] = set()
        self._compounds: dict[str, Thing] = {}
        self._roads: dict[str, Thing] = {}
        places: dict[str, list[int]] = defaultdict(list)
        for position, entry in enumerate(entries):
            self._add(position, entry, places)
        for name, at in places.items():
            self._name(name, Meaning(Sort.POI, buildings=tuple(dict.fromkeys(at))))
        for road in self._roads.values():
            self._name(road.name, Meaning(Sort.ROAD, road))
            for part in _parts(road.name):
                self._name(part, Meaning(Sort.ROAD, road, fault=fault(Kind.PART_OF_NAME, road.name)))
        self._name_areas(entries)
        for name, meanings in self.names.items():  # a name in full is not also part of another
            if any(meaning.fault is None for meaning in meanings):
                self.names[name] = [m for m in meanings if not m.partial]

    def _add(self, position: int, entry: Entry, places: dict[str, list[int]]) -> None:
        if entry.compound and entry.compound.name:
            self._label(position, entry, entry.compound, places)
        elif entry.road and entry.road_number:
            self._number(position, entry.road, entry.road_number)
        for name in filter(None, (entry.poi, *entry.aliases)):
            self._place(position, name, places)
        if entry.address and not entry.compound and not (entry.road and entry.road_number):
            self._place(position, _within(entry), places)

    def _label(self, position: int, entry: Entry, compound: Compound, places: dict[str, list[int]]) -> None:
        """Know a building by its label; one that is no single number (东楼, A区1幢) is part of names."""
        thing = self._compound(compound)
        thing.every.append(position)
        written = normalise(entry.label or (entry.address or "").rpartition(compound.name)[2])
        if is_label(written):
            thing.members[label(written)].append(position)
            thing.storeys &= not (written.endswith("楼") and not written.endswith("号楼"))
        elif written:
            stem = written.removesuffix(next((w for w in WORDS if written.endswith(w)), ""))
            for name in (compound.name, *compound.aliases):
                for form in dict.fromkeys((written, *(stem + word for word in WORDS))):
                    places[normalise(name) + form].append(position)

    def _place(self, position: int, name: str, places: dict[str, list[int]]) -> None:
        """Know a building by a name, or by a name and a number: 王家庄12号."""
        plain = normalise(name)
        last = next(iter(tokens(plain)[-1:]), None)
        if last and last.end == len(plain) and last.start >= _SHORTEST and last.label[-1].isdigit():
            self._number(position, plain[: last.start], last.label)
        elif len(plain) >= _SHORTEST and not is_label(plain):
            places[plain].append(position)

    def _number(self, position: int, name: str, number: str) -> None:
        road = self._road(name)
        road.every.append(position)
        road.members[label(normalise(number))].append(position)

    def _road(self, name: str) -> Thing:
        plain = normalise(name)
        return self._roads.setdefault(plain, Thing(Sort.ROAD, plain))

    def _compound(self, compound: Compound) -> Thing:
        known = self._compounds.get(compound.key)
        if known:
            return known
        thing = self._compounds[compound.key] = Thing(Sort.COMPOUND, normalise(compound.name))
        if compound.road and compound.road_number:
            road, number = self._road(compound.road), label(normalise(compound.road_number))
            road.compounds[number].append(thing)
            thing.street = road, number
        for name, wrong in _compound_names(compound):
            self._name(name, Meaning(Sort.COMPOUND, thing, fault=wrong))
        return thing

    def _name(self, name: str, meaning: Meaning) -> None:
        """Know a meaning by a name; of two ways to the same thing the better one holds."""
        for form in dict.fromkeys((name, name.translate(_HAN_DIGIT))):
            if len(form) < _SHORTEST:
                continue
            same = [m for m in self.names[form] if m.thing is meaning.thing and m.sort is meaning.sort]
            if meaning.thing is None or not same:
                self.names[form].append(meaning)

    def _name_areas(self, entries: Iterable[Entry]) -> None:
        written = {
            (sort, name)
            for entry in entries
            for sort, name in (
                (Sort.TOWN, entry.town),
                (Sort.COMMUNITY, entry.community),
                (Sort.DISTRICT, entry.district),
            )
            if name
        }
        areas = {(sort, normalise(name)) for sort, name in written}
        above = {
            entry.address.partition(lowest)[0]
            for entry in entries
            if entry.address and (lowest := entry.town or entry.community)
        }
        for parts in filter(None, map(_ABOVE.fullmatch, map(normalise, above))):
            areas |= {(Sort.CITY, part) for part in parts.groups() if part}
        for sort, name in sorted(areas):
            meaning = Meaning(sort, area=name)
            short = _SUFFIX[sort].sub("", name) if sort in _SUFFIX else name
            for form in dict.fromkeys((name, short)):
                self._name(form, meaning)
            if sort is Sort.CITY:
                self.own |= {name, short}


def _within(entry: Entry) -> str:
    """Return what a standard address says below the areas."""
    rest = entry.address or ""
    for area in filter(None, (entry.district, entry.town, entry.community)):
        rest = rest.rpartition(area)[2]
    return rest


def _compound_names(compound: Compound) -> Iterator[tuple[str, Fault | None]]:
    name = normalise(compound.name)
    yield name, None
    for alias in compound.aliases:
        plain = normalise(alias)
        yield plain, fault(Kind.ALIAS, plain)
        yield FORMER.sub("", plain), fault(Kind.ALIAS, plain, 2.0)
    if compound.phase_of:
        yield normalise(compound.phase_of), fault(Kind.PART_OF_NAME, name)
    for part in _parts(name):
        yield part, fault(Kind.PART_OF_NAME, name)


def _parts(name: str) -> Iterator[str]:
    """Yield a name without the numeral or direction that tells it from its siblings."""
    for found in _SIGNIFICANT.finditer(name, 1):
        after = name[found.end() :]
        for rest in dict.fromkeys((after, _COUNTED.sub("", after))):
            if len(name[: found.start()] + rest) > _SHORTEST:
                yield name[: found.start()] + rest
