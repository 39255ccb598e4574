"""What somebody who types may mean: names of the register by their characters, pinyin or initials, then numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from string import ascii_lowercase
from typing import NamedTuple

from geo.address.directory import Kind, Number, NumberKey, directory, number_key, streets, surroundings
from geo.address.entry import Entry
from geo.address.scan import Match, Reached, Scan, Typed
from geo.address.typed import fold, keys

LIMIT = 10
"""How many suggestions are made where nothing else is asked for."""
MOST_AREAS = 8
"""How many areas and streets may stand in front: province, city, district, town, community, road, number, one more."""

_AREA_ENDS = re.compile("[省市区县旗乡镇道路巷号]|街(?!道)")
_TOKEN = re.compile(r"\d+|\D")
_LETTERS = frozenset(ascii_lowercase)


@dataclass(frozen=True)
class Suggestion:
    """Something that may be meant.

    Attributes
    ----------
    text : str
        What to put in place of what was typed; it can be asked about as an address.
    kind : Kind
        What it is.
    spans : tuple of (int, int)
        Begin and end, in characters, of the parts of ``text`` that match what was typed.
    entries : tuple of int
        Positions of the buildings it is.
    compound : str, optional
        Official name of the compound it is, or is in.
    community, town : str, optional
        What all of it lies in.
    """

    text: str
    kind: Kind
    spans: tuple[tuple[int, int], ...]
    entries: tuple[int, ...]
    compound: str | None
    community: str | None
    town: str | None


class _Hit(NamedTuple):
    """A name that is reached, or a number within what it names, of which so many characters were typed."""

    match: Match
    number: Number | None = None
    typed: int = 0


class Suggester:
    """Suggestions from a register; it never changes, so any number of threads may ask it.

    Parameters
    ----------
    entries : sequence of Entry
        The buildings; suggestions name them by their position.

    Notes
    -----
    Names that begin with what was typed come first, by their own characters, official before other names; then
    those that hold it; then the same by pinyin, by initials, and by readings that are not usual in the name. Within
    each, a name typed in full precedes, and those of more buildings do. Memory is O(keys of all characters · N / 8)
    bytes for N characters of names: some megabytes for 10,000 buildings. What is asked costs what `Scan.scan`
    does, four times at most.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._names = directory(entries)
        folded = [fold(name.text) for name in self._names]
        self._at = [each.at for each in folded]
        self._scan = scan = Scan([keys(each.characters) for each in folded])
        self._ways = (scan.literal, scan.pinyin, scan.initials, scan.heteronyms)

    def suggest(self, text: str, limit: int = LIMIT) -> list[Suggestion]:
        """Return what may be meant, the likeliest first; empty where nothing in the register is like it.

        Parameters
        ----------
        text : str
            What was typed so far. Where it is no name, areas and streets that lie around what is meant may stand in
            front: 望江街道康宁.
        limit : int
            At most so many.
        """
        for cut in (0, *(found.end() for found in islice(_AREA_ENDS.finditer(text), MOST_AREAS))):
            front = _TOKEN.findall(fold(text[:cut]).characters)
            hits = (hit for hit in self._found(text[cut:]) if self._lies_in(hit, front))
            if suggestions := [self._suggestion(hit) for hit in islice(hits, limit)]:
                return suggestions
        return []

    def _found(self, text: str) -> Iterator[_Hit]:
        typed, at = _typed(text)
        if not typed.characters:
            return
        key_at = cache(lambda place: number_key(text[at[place] :]))
        seen = set()
        for states, heads in self._passes(typed):
            numbered = self._numbered(typed.characters, states, heads, key_at)
            for hit in chain(self._named(states[-1], heads), numbered):
                told = (self._names[hit.match.name].target, hit.number and hit.number.label)
                if told not in seen:
                    seen.add(told)
                    yield hit

    def _passes(self, typed: Typed) -> Iterator[tuple[list[Reached], bool]]:
        """Yield what is reached in each way to type names, twice: for their heads first, then for their insides."""
        by_letters = not _LETTERS.isdisjoint(typed.characters)
        for way in self._ways if by_letters else self._ways[:1]:
            states = self._scan.scan(typed, way)
            yield states, True
            yield states, False

    def _named(self, reached: Reached, heads: bool) -> Iterator[_Hit]:
        for whole in (True, False):
            yield from map(_Hit, self._scan.matches(reached, heads=heads, whole=whole))

    def _numbered(
        self, typed: str, states: list[Reached], heads: bool, key_at: Callable[[int], NumberKey]
    ) -> Iterator[_Hit]:
        """Yield numbers of what is named in front of them; of what is not named in full only from a digit on."""
        for place in range(1, len(states)):
            found = list(self._scan.matches(states[place], heads=True, whole=True)) if heads else []
            if place < len(typed) and typed[place].isdecimal() and not typed[place - 1].isdecimal():
                for whole in (False,) if heads else (True, False):
                    found += self._scan.matches(states[place], heads=heads, whole=whole)
            if found:
                yield from self._numbers_of(found, *key_at(place))

    def _numbers_of(self, found: Sequence[Match], key: str, worded: bool) -> Iterator[_Hit]:
        starting = [(match, self._names[match.name].target.numbers.starting(key)) for match in found]
        for longer in (False, True)[: 1 if worded else 2]:
            for match, numbers in starting:
                for number in numbers:
                    if (number.key != key) == longer:
                        yield _Hit(match, number, len(number.label) if worded else len(key))

    def _suggestion(self, hit: _Hit) -> Suggestion:
        name = self._names[hit.match.name]
        target, at = name.target, self._at[hit.match.name]
        start = len(name.front)
        spans = [(start + at[hit.match.begin], start + at[hit.match.end - 1] + 1)]
        text, kind, entries, around = name.front + name.text, target.kind, target.entries, target.around
        if hit.number:
            if hit.typed:
                spans.append((len(text), len(text) + hit.typed))
            text += hit.number.label
            kind = Kind.HOUSE if kind is Kind.ROAD else Kind.BUILDING
            entries = hit.number.entries
            around = surroundings(self._entries, entries)
        return Suggestion(text, kind, tuple(spans), entries, *around)

    def _lies_in(self, hit: _Hit, front: Sequence[str]) -> bool:
        """Tell whether what stands in front lies around one of the buildings, in its order."""
        if not front:
            return True
        samples = hit.number.entries[:1] if hit.number else self._names[hit.match.name].target.samples
        entries = (self._entries[position] for position in samples)
        around = (fold("".join(_around(entry))).characters for entry in entries)
        return any(_in_order(front, _TOKEN.findall(text)) for text in around)


def _around(entry: Entry) -> Iterator[str]:
    yield from (entry.address or "", *entry.areas)
    for street in streets(entry):
        yield from street


def _typed(text: str) -> tuple[Typed, tuple[int, ...]]:
    """Fold what was typed; letters between which something else stood are not of one syllable."""
    folded = fold(text)
    characters, at = folded
    stops = list(range(1, len(characters) + 1))
    for place in range(len(characters) - 2, -1, -1):
        joined = at[place + 1] - at[place] <= 1 and {*characters[place : place + 2]} <= _LETTERS
        stops[place] = stops[place + 1] if joined else place + 1
    return Typed(characters, tuple(stops)), (*at, len(text))


def _in_order(words: Sequence[str], text: Sequence[str]) -> bool:
    rest = iter(text)
    return all(word in rest for word in words)
