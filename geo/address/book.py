"""The address book: what a messy address names, how sure that is, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

from geo.address.elsewhere import elsewhere
from geo.address.entry import Entry
from geo.address.faults import NOTHING, Fault, Kind, fault
from geo.address.finding import Exact, Fuzzy, Hit
from geo.address.gazetteer import Gazetteer, Meaning, Sort
from geo.address.latin import Latin
from geo.address.reading import Precision, Read, Reader, Unknown
from geo.address.spelling import spell
from geo.address.suggest import Suggester
from geo.answers import Span

OFFERED = 5
"""How many existing numbers are offered where the one named is not there."""
_NEARBY = re.compile(
    "附近|旁|对面|隔壁|前面|后面|(?<!放)门口|路口|周边|周围|空地|之间|交叉口|对过|楼下$|[往以][东南西北]|离|[东南西北](?:[侧边门面头]|$)"
    "|[东南西北][东南西北]?角|\\d米"
)
_EXPLAINED = 1.0
"""A reading with faults that weigh no more needs no misspelling to explain it."""
_WORTH = 7.0
"""A reading that is exp(-7) times as likely as the best is not worth keeping."""


@dataclass(frozen=True)
class Possible:
    """A building an address can mean.

    Attributes
    ----------
    entry : int
        Its position among the book's entries.
    weight : float
        What speaks against it, nats, `faults` and that it is one of several; see `geo.address.faults`.
    entrance : int, optional
        The 单元 named.
    faults : tuple of Fault
        What speaks against it.
    """

    entry: int
    weight: float
    entrance: int | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Found:
    """What an address names.

    Attributes
    ----------
    possible : tuple of Possible
        The buildings it can mean, the likeliest first; empty where the register has none.
    precision : Precision
        How precisely.
    faults : tuple of Fault
        Where nothing is possible: why.
    offers : tuple of int
        Where the number does not exist: the buildings with the nearest numbers.
    nearby : bool
        It speaks of something beside the building.
    spans : tuple of Span
        What was understood; the role is a `geo.address.gazetteer.Sort`, or ``number``.
    """

    possible: tuple[Possible, ...] = ()
    precision: Precision = Precision.NONE
    faults: tuple[Fault, ...] = ()
    offers: tuple[int, ...] = ()
    nearby: bool = False
    spans: tuple[Span, ...] = ()


class AddressBook:
    """Every name of every building.

    Parameters
    ----------
    entries : sequence of Entry
        The buildings; answers name them by their positions.
    district : str
        GB/T 2260 code of the district, 6 digits, to tell its city from others.

    Attributes
    ----------
    entries : sequence of Entry
        As given.

    Notes
    -----
    Names come first: those of the register that are in the text, longest first, by Aho-Corasick; numbers are then read
    next to them, and every building they lead to is verified against all else that is named. Only where that leaves
    a doubt are names looked for that would be misspelled so. A lookup is O(length) without, and some dozens of
    alignments of a name with the text with misspellings.
    """

    def __init__(self, entries: Sequence[Entry], district: str = "") -> None:
        self.entries = entries
        self.gazetteer = Gazetteer(entries)
        names = self.gazetteer.names
        siblings, others = elsewhere(district, self.gazetteer.own)
        around = {name: [Meaning(Sort.ELSEWHERE, area=name)] for name in others}
        around |= {name: [Meaning(Sort.DISTRICT, area=name)] for name in siblings}
        self._exact = Exact(around | names)
        self._fuzzy = Fuzzy(names)
        self._latin = Latin(names)
        self._reader = Reader(self.gazetteer)

    @cached_property
    def suggester(self) -> Suggester:
        """What suggests from the same entries; made at its first use."""
        return Suggester(self.entries)

    def find(self, written: str) -> Found:
        """Return what an address names; see `Found`."""
        spelled = spell(written)
        hits = _around(spelled.text, self._exact.find(spelled.text))
        reads = [self._reader.read(spelled, hits)]
        if _is_doubtful(reads[0], hits):
            if self._latin.concerns(spelled.text):
                turned = self._latin.turned(spelled)
                reads.append(self._reader.read(turned, self._latin.find(turned.text)))
            reads += [self._reader.read(spelled, other) for other in self._misspelled(spelled.text, hits)]
        return _judged(reads)

    def _misspelled(self, text: str, hits: list[Hit]) -> Iterable[list[Hit]]:
        """Yield the hits with one more name that the text may have, misspelled, in place of what it covers."""
        for found in self._fuzzy.find(_only_names(text, hits)):
            covered = [h for h in hits if h.start < found.end and found.start < h.end]
            better = [h for h in covered if _is_whole(h) and h.end - h.start >= found.end - found.start]
            if found.fault and not better:
                yield sorted([*(h for h in hits if h not in covered), found], key=lambda hit: hit.start)


def _is_doubtful(read: Read, hits: list[Hit]) -> bool:
    """Tell whether another reading may explain an address better."""
    if read.candidates:
        return min(candidate.weight for candidate in read.candidates) > _EXPLAINED
    # Where a name is there in full and only its number does not exist, no other name is meant.
    return not (any(map(_is_whole, hits)) and any(each.direct for each in read.unknown))


def _is_whole(hit: Hit) -> bool:
    return hit.primary and not all(meaning.fault for meaning in hit.meanings)


def _judged(reads: list[Read]) -> Found:
    """Put together what several ways to read an address lead to."""
    best: dict[int, tuple[Possible, Read, int]] = {}
    likely = [c.precision for read in reads for c in read.candidates if c.weight < NOTHING]
    every = [c.precision for read in reads for c in read.candidates]
    precision = max(likely or every, default=Precision.NONE)
    for read in reads:
        for c in read.candidates:
            weight = c.weight + log(c.among)
            if c.precision is precision and (c.building not in best or weight < best[c.building][0].weight):
                best[c.building] = Possible(c.building, weight, c.entrance, c.faults), read, c.end
    if not best:
        unknown = next((each for read in reads for each in read.unknown), None)
        if unknown is None:
            return Found(spans=_spans(reads[0]))
        wrong = fault(Kind.NUMBER_UNKNOWN, f"{unknown.thing.name} {unknown.label}")
        return Found(faults=(wrong,), offers=_nearest(unknown), spans=_spans(reads[0]))
    ranked = sorted(best.values(), key=lambda found: (found[0].weight, found[0].entry))
    first, read, end = ranked[0]
    return Found(
        tuple(possible for possible, _, _ in ranked if possible.weight <= first.weight + _WORTH),
        precision,
        nearby=bool(_NEARBY.search(read.line.text, end)),
        spans=_spans(read),
    )


def _spans(read: Read) -> tuple[Span, ...]:
    origins = read.line.origins
    names = [(h.start, h.end, h.meanings[0].sort.value, h.name) for h in read.line.hits]
    said = [n for n in read.line.numbers if n.mark or n.label[-1].isdigit()]
    numbers = [(n.start, n.end, "number", n.label) for n in said]
    found = {(origins[s], origins[e - 1] + 1, role, name) for s, e, role, name in (*names, *numbers)}
    return tuple(Span(*each) for each in sorted(found))


def _around(text: str, hits: list[Hit]) -> list[Hit]:
    """Leave out names of other places that are only part of other words.

    江苏 is meant where a name follows it, 江宁区 where one stands before it, or nothing.
    """
    starts, ends = {hit.start for hit in hits}, {0, *(hit.end for hit in hits)}
    return [
        h
        for h in hits
        if not _is_elsewhere(h)
        or (
            h.start in ends and not text[h.end : h.end + 1].isdecimal()  # 玉泉区3幢 of 玉泉小区
            if h.name[-1] in "区县旗"
            else h.end in starts or h.name[-1] in "省市"
        )
    ]


def _is_elsewhere(hit: Hit) -> bool:
    return hit.meanings[0].sort is Sort.ELSEWHERE


def _only_names(text: str, hits: list[Hit]) -> str:
    """Return a text with areas in full blotted out, so that no name is made of them."""
    for hit in hits:
        if not hit.primary and not _is_elsewhere(hit) and hit.name[-1] in "省市区县镇乡道社":
            text = text[: hit.start] + "|" * (hit.end - hit.start) + text[hit.end :]
    return text


def _nearest(unknown: Unknown) -> tuple[int, ...]:
    """Return the buildings whose numbers are nearest to one that is not there."""
    members, wanted = unknown.thing.members, _leading(unknown.label)
    numbered = sorted(members, key=lambda n: (abs(_leading(n) - wanted), n))
    return tuple(dict.fromkeys(b for n in numbered[:OFFERED] for b in members[n]))[:OFFERED]


def _leading(number: str) -> int:
    found = re.search(r"\d{1,9}", number)
    return int(found[0]) if found else 0
