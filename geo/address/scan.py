"""All names at once, matched with what was typed character by character: a bit-parallel scan."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from typing import NamedTuple

from geo.address.typed import LONGEST_READING, Keys, beginnings, initials

Masks = dict[str, int]
"""From what may be typed for a character to the places that have such a character, one bit each."""
Reached = dict[int, int]
"""From a number of characters matched to the places after them, one bit each."""


class Match(NamedTuple):
    """A name that holds what was typed, and the characters that do."""

    name: int
    begin: int
    end: int


@dataclass(frozen=True)
class Way:
    """A way to type names: what stands for a character, and what may for the last one of a run of letters."""

    inner: Masks
    last: Masks


@dataclass(frozen=True)
class Typed:
    """What was typed.

    Attributes
    ----------
    characters : str
        Folded characters.
    stops : tuple of int
        For each of them, the end of the letters it belongs to; what stands for one character ends there at the latest.
    """

    characters: str
    stops: tuple[int, ...]


class Scan:
    """Names in a row, scanned in one pass of whole-number operations (shift-and; Baeza-Yates and Gonnet 1992).

    Parameters
    ----------
    names : sequence of sequence of Keys
        What may be typed for each character of each name. Matches come in the order of the names.

    Notes
    -----
    For n characters typed and N characters of names: O(n · 6 · m) operations on numbers of N bits, where m is
    the number of characters of the longest match.
    """

    def __init__(self, names: Sequence[Sequence[Keys]]) -> None:
        self._begins: list[int] = []
        end = 0
        for name in names:
            self._begins.append(end)
            end += len(name) + 1  # the place after a name is nobody's, so that no match runs on
        self._heads = _mask(self._begins, end)
        self._ends = _mask((begin + len(name) for begin, name in zip(self._begins, names, strict=True)), end)
        self._insides = (1 << end) - 1 & ~self._heads & ~self._ends
        self.literal, self.pinyin, self.initials, self.heteronyms = _ways(names, self._begins, end)

    def scan(self, typed: Typed, way: Way) -> list[Reached]:
        """Match what was typed anywhere in names; the answer has, for each length of it, what that reaches."""
        length = len(typed.characters)
        states: list[Reached] = [{} for _ in range(length + 1)]
        states[0] = {0: self._heads | self._insides}
        for at in range(length):
            reached = states[at]
            stop = typed.stops[at]
            for end in range(at + 1, min(at + LONGEST_READING, stop) + 1) if reached else ():
                mask = (way.last if end == stop else way.inner).get(typed.characters[at:end])
                if mask:
                    _step(reached, mask, states[end])
        return states

    def matches(self, reached: Reached, *, heads: bool, whole: bool) -> Iterator[Match]:
        """Yield the names reached: from their heads or from inside, those that end there or those that go on."""
        begins = self._heads if heads else self._insides
        ends = self._ends if whole else ~self._ends
        found = (_places(bits & ends & begins << count, count) for count, bits in reached.items())
        for end, count in merge(*found):
            name = bisect_right(self._begins, end - 1) - 1
            begin = self._begins[name]
            yield Match(name, end - count - begin, end - begin)


def _step(reached: Reached, mask: int, onward: Reached) -> None:
    for count, bits in reached.items():
        if kept := bits & mask:
            onward[count + 1] = onward.get(count + 1, 0) | kept << 1


def _places(bits: int, count: int) -> Iterator[tuple[int, int]]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1, count
        bits ^= lowest


def _ways(names: Sequence[Sequence[Keys]], begins: Sequence[int], length: int) -> tuple[Way, Way, Way, Way]:
    """Return the ways by the characters, by usual readings, by initials too, and by any reading and its initials."""
    places: dict[Keys, list[int]] = defaultdict(list)
    for begin, name in zip(begins, names, strict=True):
        for place, each in enumerate(name, begin):
            places[each].append(place)
    bits = {each: _mask(found, length) for each, found in places.items()}

    def masks(typed: Callable[[Keys], Iterable[str]]) -> Masks:
        gathered: Masks = defaultdict(int)
        for each, mask in bits.items():
            for key in each.itself.union(typed(each)):
                gathered[key] |= mask
        return dict(gathered)

    itself = masks(lambda each: ())
    begun = masks(lambda each: _all(beginnings, each.usual))
    return (
        Way(itself, itself),
        Way(masks(lambda each: each.usual), begun),
        Way(masks(lambda each: each.usual.union(_all(initials, each.usual))), begun),
        Way(
            masks(lambda each: each.every.union(_all(initials, each.every))),
            masks(lambda each: _all(beginnings, each.every)),
        ),
    )


def _all(spelled: Callable[[str], Iterator[str]], readings: Iterable[str]) -> Iterator[str]:
    return chain.from_iterable(map(spelled, readings))


def _mask(places: Iterable[int], length: int) -> int:
    bits = bytearray(length // 8 + 1)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")
