"""Which buildings the names and numbers found in an address can mean, and what speaks against each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from geo.address.beside import Line, Number, next_to, places_apart, words_after, words_before
from geo.address.faults import Fault, Kind, fault
from geo.address.finding import Hit
from geo.address.gazetteer import Gazetteer, Meaning, Meanings, Sort, Thing
from geo.address.numbers import quiet, tokens
from geo.address.spelling import Spelled, normalise

MOST_NAMES = 8
"""Of how many places that a text names the first are read; one that names more is no address."""


class Precision(IntEnum):
    """How precisely an address names something."""

    NONE = 0
    ROAD = 1
    COMPOUND = 2
    BUILDING = 3


class Candidate(NamedTuple):
    """A building an address can mean.

    Attributes
    ----------
    building : int
        Its position in the register.
    faults : tuple of Fault
        What speaks against it.
    entrance : int, optional
        The 单元 named.
    precision : Precision
        What the address names.
    among : int
        How many buildings that is.
    start, end : int
        From where the name stands that leads to it, to the end of its number.
    """

    building: int
    faults: tuple[Fault, ...]
    entrance: int | None
    precision: Precision
    among: int
    start: int
    end: int

    @property
    def weight(self) -> float:
        """The sum of its faults' weights, in nats."""
        return sum(wrong.weight for wrong in self.faults)


class Unknown(NamedTuple):
    """A number that is not there, and whether it stands directly at its name."""

    thing: Thing
    label: str
    direct: bool


@dataclass
class Read:
    """What a set of names found in an address can mean.

    Attributes
    ----------
    line : Line
        The address, with the names and numbers in it.
    candidates : list of Candidate
        Buildings, in no order.
    unknown : list of Unknown
        Numbers that are not there.
    """

    line: Line
    candidates: list[Candidate] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)


_OF_AREA = {
    Sort.TOWN: Kind.TOWN,
    Sort.COMMUNITY: Kind.COMMUNITY,
    Sort.DISTRICT: Kind.DISTRICT,
    Sort.ELSEWHERE: Kind.ELSEWHERE,
}


class Reader:
    """Reads numbers next to names, and verifies each building they lead to against all that is named.

    Parameters
    ----------
    gazetteer : Gazetteer
        The register.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._entries = gazetteer.entries
        spelled: dict[str, str] = {}
        self._areas = [
            frozenset(spelled.setdefault(n, normalise(n)) for n in e.areas) for e in gazetteer.entries
        ]
        self._of: list[list[Thing]] = [[] for _ in gazetteer.entries]
        things = {id(m.thing): m.thing for ms in gazetteer.names.values() for m in ms if m.thing}
        for thing in things.values():
            for building in thing.every:
                self._of[building].append(thing)

    def read(self, spelled: Spelled, hits: Sequence[Hit]) -> Read:
        """Return what an address can mean by some of the names in it.

        Parameters
        ----------
        hits : sequence of Hit
            From left to right, none overlapping another.
        """
        if len(hits) > MOST_NAMES:
            beyond = [hit for hit in hits if hit.primary][MOST_NAMES:]
            hits = [hit for hit in hits if hit not in beyond]
        still = quiet(spelled.text, ((hit.start, hit.end) for hit in hits))
        line = Line(spelled.text, still, spelled.origins, hits, tokens(still))
        read = Read(line)
        before = {hit.start: words_before(line, hit) for hit in line.primary}
        for hit in line.primary:
            unknown: list[Unknown] = []
            found = [
                candidate
                for meaning in hit.meanings
                for candidate in self._meant(line, hit, meaning, unknown)
            ]
            read.candidates += found
            if not found:
                read.unknown += [
                    each._replace(direct=each.direct and not before[hit.start]) for each in unknown
                ]
        best = max((c.precision for c in read.candidates), default=Precision.NONE)
        if read.candidates:
            self._verify(read, [c for c in read.candidates if c.precision is best], before)
        return read

    def _meant(self, line: Line, hit: Hit, meaning: Meaning, unknown: list[Unknown]) -> Iterator[Candidate]:
        """Yield the buildings one meaning of a name, with the numbers next to it, leads to."""
        thing = meaning.thing
        common = tuple(wrong for wrong in (meaning.fault, hit.fault) if wrong)
        if thing is None:
            yield from self._pois(line, hit, meaning, common)
            return
        road = thing.sort is Sort.ROAD
        near = line.houses[hit.start] if road else next_to(line, hit, road=False, storeys=thing.storeys)
        if not near:
            precision = Precision.COMPOUND if thing.sort is Sort.COMPOUND else Precision.ROAD
            yield from _every(thing.every, (*common, *words_after(line, hit)), precision, hit)
            return
        found = False
        lacking = _lacking(thing, near)
        for number in near:
            faults = (*_told_apart(meaning, hit, number, common), *lacking)
            for building in thing.members.get(number.label, ()):
                found = True
                yield _numbered(building, faults, number, hit)
            for compound in thing.compounds.get(number.label, ()):
                found = True
                yield from self._within(line, hit, compound, faults, number, unknown)
        if not found:
            unknown.append(Unknown(thing, near[0].label, not near[0].gap))

    def _pois(self, line: Line, hit: Hit, meaning: Meaning, common: tuple[Fault, ...]) -> Iterator[Candidate]:
        left = next_to(line, hit, road=False) if meaning.buildings else []
        unused = (fault(Kind.NUMBER_UNUSED, left[0].label),) if left and left[0].marked else ()
        for building in meaning.buildings:
            yield Candidate(building, (*common, *unused), None, Precision.BUILDING, 1, hit.start, hit.end)

    def _within(
        self,
        line: Line,
        hit: Hit,
        compound: Thing,
        common: tuple[Fault, ...],
        street: Number,
        unknown: list[Unknown],
    ) -> Iterator[Candidate]:
        """Yield the buildings of a compound that is named by its street address, ``hit`` being its street."""
        later = [h for h in line.primary if h.start >= street.end]
        named = [h for h in later if any(m.thing is compound for m in h.meanings)]
        place = named[0] if named else Hit(street.start, street.end, compound.name, Meanings())
        near = next_to(line, place, road=False, storeys=compound.storeys, since=street.end)
        if not near:
            yield from _every(compound.every, common, Precision.COMPOUND, hit)
            return
        found = False
        lacking = _lacking(compound, near)
        for number in near:
            for building in compound.members.get(number.label, ()):
                found = True
                faults = (*common, *number.faults, *lacking)
                yield _numbered(building, faults, number, hit)
        if not found:
            unknown.append(Unknown(compound, near[0].label, not near[0].gap))

    def _verify(
        self, read: Read, candidates: list[Candidate], before: Mapping[int, tuple[Fault, ...]]
    ) -> None:
        """Add to each candidate what else in the address speaks against it, ``before`` what stands before its name."""
        line = read.line
        beside = {start: {number.label for number in near} for start, near in line.houses.items()}
        lacking = [each.thing for each in read.unknown if each.thing.sort is Sort.COMPOUND]
        missing = (fault(Kind.COMPOUND, lacking[0].name),) if lacking else ()
        apart = places_apart(line)
        said: dict[str, Hit] = {hit.name: hit for hit in reversed(line.hits)}  # each name once
        read.candidates = []
        for candidate in candidates:
            wrong = [
                against
                for hit in said.values()
                if (against := self._against(candidate.building, hit, beside.get(hit.start)))
                and not (hit.primary and _is_apart(hit.start, candidate.start, apart))
            ]
            entrances = self._entries[candidate.building].entrances
            if candidate.entrance is not None and entrances and not 0 < candidate.entrance <= entrances:
                wrong.append(fault(Kind.ENTRANCE, str(candidate.entrance)))
            faults = (*candidate.faults, *before[candidate.start], *wrong, *missing)
            read.candidates.append(candidate._replace(faults=faults))

    def _against(self, building: int, hit: Hit, numbers: set[str] | None) -> Fault | None:
        """Return what a name says against a building; nothing where one of its meanings agrees."""
        wrong: list[Fault] = []
        for meaning in hit.meanings:
            found = self._disagreement(building, meaning, hit.name, numbers)
            if found is None:
                return None
            wrong.append(found)
        return min(wrong, key=lambda each: each.weight)

    def _disagreement(
        self, building: int, meaning: Meaning, name: str, numbers: set[str] | None
    ) -> Fault | None:
        thing = meaning.thing
        if meaning.sort in _OF_AREA:
            return None if meaning.area in self._areas[building] else fault(_OF_AREA[meaning.sort], name)
        if thing is None:
            known = building in meaning.buildings or meaning.sort is Sort.CITY
            return None if known else fault(Kind.POI, name)
        if thing in self._of[building]:
            return None
        if thing.sort is Sort.COMPOUND:
            return fault(Kind.COMPOUND, name)
        streets = [each.street for each in self._of[building] if each.street and each.street[0] is thing]
        another = next(
            (c for n in numbers or () for c in thing.compounds.get(n, ()) if c not in self._of[building]),
            None,
        )
        if another:
            return fault(Kind.COMPOUND, another.name)
        if not streets:
            return fault(Kind.STREET, name)
        if numbers and not any(street[1] in numbers for street in streets):
            return fault(Kind.STREET_NUMBER, name)
        return None


def _is_apart(one: int, other: int, apart: Sequence[int]) -> bool:
    """Tell whether two positions are those of two places that are named one after the other."""
    start, end = sorted((one, other))
    return any(start < position <= end for position in apart)


def _every(
    buildings: Sequence[int], faults: tuple[Fault, ...], precision: Precision, hit: Hit
) -> Iterator[Candidate]:
    faults, among = (*faults, fault(Kind.NO_NUMBER)), len(buildings)
    return (Candidate(each, faults, None, precision, among, hit.start, hit.end) for each in buildings)


def _lacking(thing: Thing, near: Sequence[Number]) -> tuple[Fault, ...]:
    """Return which numbers of a list are not there: what is asked about is more than the ones that are."""
    if not any(number.listed for number in near):
        return ()
    meant = [n for n in near if n.listed or ((n.marked or n is near[0]) and "-" not in n.label)]
    unknown = [n.label for n in meant if n.label not in thing.members and n.label not in thing.compounds]
    return tuple(fault(Kind.LISTED_UNKNOWN, label) for label in unknown)


def _numbered(building: int, faults: tuple[Fault, ...], number: Number, hit: Hit) -> Candidate:
    end = max(hit.end, number.end)
    return Candidate(building, faults, number.entrance, Precision.BUILDING, 1, hit.start, end)


def _told_apart(meaning: Meaning, hit: Hit, number: Number, common: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Return the faults of a number, where what a name lacks may only stand in another place: 珠江路东 for 珠江东路."""
    partial = meaning.fault
    if partial is None or partial.kind is not Kind.PART_OF_NAME or len(number.gap) != 1:
        return (*common, *number.faults)
    lacking = set(partial.words) - set(hit.name)
    if number.gap not in lacking:
        return (*common, fault(Kind.PHASE_UNKNOWN, number.gap))
    others = [
        wrong
        for wrong in (*common, *number.faults)
        if wrong.kind not in (Kind.PART_OF_NAME, Kind.PHASE_UNKNOWN)
    ]
    return (*others, fault(Kind.ORDER, number.gap))
