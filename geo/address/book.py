"""The address book: every name the register has for a building, found exactly or by its beginning."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from geo.address.spelling import Reading, normalise, readings
from geo.address.suggest import Suggester

_TOKEN = re.compile(r"\d+|\D")
# A name may follow these: 区, 街道, 社区, 镇, 路, 166号 ... Elsewhere a name would be cut out of a longer one.
_ENDS_AN_AREA = re.compile(r".*[省市区县旗乡镇道路街巷村号#-]")
_CITY = re.compile(r".*[省市]")
# A number alone is no name.
_TELLING = re.compile(r"[^\d#号-]")
_SHORTEST = 2


@dataclass(frozen=True)
class Compound:
    """A compound as addresses name it.

    Attributes
    ----------
    key : str
        Tells it from others of the same name.
    name : str
        Its official name.
    aliases : tuple of str
        What else it is called: former names, what people say.
    phase_of : str, optional
        Name of the estate it is a phase of: 盛世新城 for 盛世新城二期.
    road, road_number : str, optional
        Its street address.
    """

    key: str
    name: str
    aliases: tuple[str, ...] = ()
    phase_of: str | None = None
    road: str | None = None
    road_number: str | None = None

    @property
    def street(self) -> str | None:
        """The street address in one word, where it has a number."""
        number = self.road_number and self.road_number.removesuffix("号")
        return f"{self.road}{number}号" if self.road and number else None


@dataclass(frozen=True)
class Entry:
    """A building as addresses name it.

    Attributes
    ----------
    address : str, optional
        Standard address.
    aliases : tuple of str
        Other full names.
    compound : Compound, optional
        The compound it stands in.
    label : str, optional
        Number or name within the compound: 3幢.
    road, road_number, poi : str, optional
        Street address, and the place in it.
    town, community, district : str, optional
        What it lies in.
    """

    address: str | None = None
    aliases: tuple[str, ...] = ()
    compound: Compound | None = None
    label: str | None = None
    road: str | None = None
    road_number: str | None = None
    poi: str | None = None
    town: str | None = None
    community: str | None = None
    district: str | None = None

    @property
    def compounds(self) -> tuple[str, ...]:
        """Name, aliases and street address of its compound; the name first."""
        of = self.compound
        return tuple(filter(None, (of.name, *of.aliases, of.street))) if of else ()

    @property
    def areas(self) -> tuple[str, ...]:
        """What may be written in front of any name."""
        street = self.compound.street if self.compound else None
        return tuple(filter(None, (self.district, self.town, self.community, street)))


@dataclass(frozen=True)
class Found:
    """What an address names.

    Attributes
    ----------
    entries : tuple of int
        Positions of the buildings it can mean; empty where the book knows none.
    whole : bool
        It names a building in full, not only the beginning of names.
    entrance : int, optional
        The 单元 it names.
    unexplained : str
        Words in front of the name that the register does not have there, such as another town (a name
        in another city or province is not found at all).
    """

    entries: tuple[int, ...] = ()
    whole: bool = True
    entrance: int | None = None
    unexplained: str = ""


class AddressBook:
    """Every name of every building.

    Parameters
    ----------
    entries : sequence of Entry
        The buildings; answers name them by their position.

    Notes
    -----
    An address is matched by its end: what stands in front of a known name must be words of that
    building's own surroundings, in their order, or is reported as unexplained. So a missing province or
    district, and any short form (雨山 for 雨山区), needs no list of its own. A lookup costs O(k) dictionary
    reads and O(k log n) comparisons for an address of k characters and n names.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        names: dict[str, list[int]] = defaultdict(list)
        self._surroundings: list[list[str]] = []
        for position, entry in enumerate(entries):
            for name in {normalise(name) for name in _names(entry)}:
                if len(_TELLING.findall(name)) >= _SHORTEST:
                    names[name].append(position)
            around = normalise("".join((entry.address or "", *entry.areas)))
            self._surroundings.append(_TOKEN.findall(around))
        self._names = dict(names)
        self._sorted = sorted(names)

    @cached_property
    def suggester(self) -> Suggester:
        """What suggests from the same entries; made at its first use."""
        return Suggester(self._entries)

    def find(self, text: str) -> Found:
        """Return the buildings an address can mean; see `Found`."""
        address = normalise(text)
        if len(address) < _SHORTEST:
            return Found()
        for reading in readings(address):
            found = self._whole(reading)
            if found.entries:
                return found
        return self._beginning(address)

    def _whole(self, reading: Reading) -> Found:
        doubtful = Found()
        for front, name in _splits(reading.stem):
            entries = self._names.get(name)
            if not entries:
                continue
            explained = tuple(self._explained(front, entries))
            if explained:
                return Found(explained, entrance=reading.entrance)
            if not doubtful.entries and _ENDS_AN_AREA.fullmatch(front):
                city = _CITY.match(front)
                here = tuple(self._explained(city[0] if city else "", entries))
                doubtful = Found(here, entrance=reading.entrance, unexplained=front)
        return doubtful

    def _beginning(self, address: str) -> Found:
        for front, start in _splits(address):
            entries = {entry for name in self._starting(start) for entry in self._names[name]}
            explained = tuple(self._explained(front, sorted(entries)))
            if explained:
                return Found(explained, whole=False)
        return Found()

    def _starting(self, start: str) -> Iterator[str]:
        cut_number = re.compile(r"\d" if start[-1].isdigit() else r"(?!)")
        for position in range(bisect_left(self._sorted, start), len(self._sorted)):
            name = self._sorted[position]
            if not name.startswith(start):
                return
            if not cut_number.match(name, len(start)):
                yield name

    def _explained(self, front: str, entries: Iterable[int]) -> Iterator[int]:
        words = _TOKEN.findall(front.replace("-", ""))
        return (entry for entry in entries if _in_order(words, self._surroundings[entry]))


def _names(entry: Entry) -> Iterator[str]:
    yield from entry.aliases
    yield from filter(None, (entry.address, entry.poi))
    yield from _within_address(entry)
    if entry.label:
        yield from (compound + entry.label for compound in entry.compounds)
    if entry.road and entry.road_number:
        yield f"{entry.road}{entry.road_number.removesuffix('号')}号"


def _within_address(entry: Entry) -> Iterator[str]:
    """Yield the short forms of a standard address: what follows an area, or the compound by each name."""
    address = entry.address or ""
    for area in filter(None, entry.areas):
        yield address.partition(area)[2]
    for compound in entry.compounds[:1]:
        label = address.partition(compound)[2]
        yield from (name + label for name in entry.compounds if label)


def _splits(address: str) -> Iterator[tuple[str, str]]:
    """Yield what stands in front and the name, the longest name first."""
    for cut in range(len(address) - _SHORTEST + 1):
        yield address[:cut], address[cut:]


def _in_order(words: list[str], text: list[str]) -> bool:
    """Tell whether all words occur in a text in their order, with others between."""
    rest = iter(text)
    return all(word in rest for word in words)
