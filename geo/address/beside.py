"""Which numbers in an address belong to which of its names, and the ways to read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from geo.address.faults import HARD, MISSPELLED_BESIDE, Fault, Kind, fault
from geo.address.finding import Hit
from geo.address.numbers import Token
from geo.address.sound import NEVER, substitution

_HARMLESS = re.compile(
    "(?:小区|社区|大院|院子|院内|里面|里边|那边|这边|那里|这里|一带|楼盘|的|里|内|处|在|第|住宅楼|这栋|那栋|楼栋|居民)*"
)
_SMALL = re.compile("(?:的|在|第|上|那边|这边|附近|门牌|门牌号|路北|路南|路东|路西)*")
_PHASE = re.compile(r"[一二三四五六七八九十\d].?|[a-z].?|[东西南北中][区苑院园]|[东西南北中]")
_BEFORE = re.compile(
    "(?:在|到|去|住|来|是|于|至|从|我|请|的|称|问|说|派|人|往|和|与|跟|反映|位于|地址|投诉|即|又名|现|现名|也叫|俗称|半)$"
)
_DENIED = re.compile("(?:没有|不是|不在|不去|除了|除|非|原)$")
_AND = re.compile("(?:号|楼)?(?:[与和到至及跟,]|对面|旁边|隔壁|附近|东边|西边|南边|北边)的?")
_LONG_NUMBER = re.compile(r"[\d-]{6,}")
_LIST = re.compile("[与和到至及跟,]")
_RUN = re.compile(r"[^\W_a-z]+")
_A_PHASE = re.compile(r"[一二三四五六七八九十\d]+[期区组]|[a-z]区|[东西南北中]区")
_A_PLACE = re.compile(
    "(?:学|院|所|店|场|园|村|苑|路|房|街|铺|棚|寓|站|中心|馆|厅|巷|城|厦|府|庭|湾|学校|银行)$"
)
_TELLS_SIBLINGS = frozenset("新老旧小大东西南北中上下前后")
_SIBLING = 4.0
"""What 新 or 南 before a name weighs more: with it the name may be a sibling's."""
_RUNNING_ON = 2.0
_RANGE = 4.0
_FAR = 8
"""A number this many characters from a name does not belong to it."""
_UNIT = frozenset(("单元", "单", "门"))
_WITHIN = _UNIT | {"室", "户", "层", "号房"}
"""Words after a number that is not a building's."""
_STOREYS = 33
"""More storeys have few."""
_PREFIX = 2
"""More unknown characters before a name that is spelled right are taken for what is told about it."""
_ROOM = 3
"""From this many digits on a number after a dash is a room."""


@dataclass
class Line:
    """An address with the names and numbers found in it, from left to right.

    ``text`` and ``origins`` are those of `geo.address.spelling.Spelled`, ``quiet`` of `geo.address.numbers.quiet`;
    ``primary`` are the hits that may be the place itself, ``houses`` the ways to read the numbers that belong to each
    name that may be a road's, by where the name starts.
    """

    text: str
    quiet: str
    origins: Sequence[int]
    hits: Sequence[Hit]
    numbers: Sequence[Token]
    primary: list[Hit] = field(init=False)
    houses: dict[int, list[Number]] = field(init=False)

    def __post_init__(self) -> None:
        self.primary = [hit for hit in self.hits if hit.primary]
        roads = [hit for hit in self.primary if hit.meanings.road]
        self.houses = {hit.start: next_to(self, hit, road=True) for hit in roads}


class Number(NamedTuple):
    """One way to read the numbers next to a name.

    Attributes
    ----------
    label : str
        Of the building, or of the house in its road; see `geo.address.numbers.label`.
    entrance : int, optional
        The 单元 named.
    faults : tuple of Fault
        What speaks against this way.
    start, end : int
        Where it is written.
    marked : bool
        Whether a word after it says that it is a building's.
    gap : str
        Unexpected words between it and the name.
    listed : bool
        Whether it is one more of a list, not a room: 5号 of 3、5号.
    """

    label: str
    entrance: int | None
    faults: tuple[Fault, ...]
    start: int
    end: int
    marked: bool = False
    gap: str = ""
    listed: bool = False


def next_to(line: Line, hit: Hit, *, road: bool, storeys: bool = True, since: int = 0) -> list[Number]:
    """Return the ways to read the numbers that belong to a name: those after it, else those before it.

    Parameters
    ----------
    road : bool
        Whether the name is a road's.
    storeys : bool
        Whether 5楼 may be a storey; not where the register calls buildings so.
    since : int
        Only numbers from there on.
    """
    others = [other for other in line.primary if other.start != hit.start]
    stop = min((other.start for other in others if other.start >= hit.end), default=len(line.text))
    after = [n for n in line.numbers if max(hit.end, since) <= n.start < stop]
    found = list(_of_road(line, after) if road else _of_compound(line, after, storeys)) if after else []
    if found:
        gap = _between(line, hit.end, min(number.start for number in found))
        if len(gap) <= _FAR:
            ends = substitution(hit.name[-1], line.text[hit.end - 1]) < NEVER
            whole = ends or not _cut_off(hit)
            return [_across(number, hit, gap, whole=whole, road=road) for number in found]
    if any(other.end <= hit.start for other in others):
        return []  # what stands before belongs to another name
    before = [n for n in line.numbers if since <= n.start and n.end <= hit.start]
    if not before or len(_between(line, before[-1].end, hit.start)) > _FAR:
        return []
    return _turned(before, bare=hit.name.isascii(), road=road)


def _of_road(line: Line, numbers: list[Token]) -> Iterator[Number]:
    """Yield the house number after a road: of several, each."""
    first = numbers[0]
    parts = first.label.split("-")
    if first.mark in _WITHIN:
        parts = parts[:-1]  # 38-201室
        if not parts:
            return
    word = (fault(Kind.NUMBER_WORD),) if first.names_building else ()
    faults = (*word, *_running_on(line, first))
    entrance = _entrance([n for n in numbers if n.start >= first.end])
    yield Number("-".join(parts), entrance, faults, first.start, first.end, first.names_building)
    yield from _listed(line, numbers, ("号", ""))
    if len(parts) > 1 and not first.mark and len(parts[-1]) >= _ROOM:  # 38-201: a room of 38
        yield Number("-".join(parts[:-1]), None, (fault(Kind.READING),), first.start, first.end)


def _of_compound(line: Line, numbers: list[Token], storeys: bool) -> Iterator[Number]:
    """Yield the ways to read building and entrance after a compound: of several buildings, each."""
    marked = [n for n in numbers if n.names_building]
    first = (marked or numbers)[0]
    if first.mark in _WITHIN:
        yield from _of_room(first)
        return
    if first.mark == "排":  # of row houses
        return
    for building in (*numbers[: numbers.index(first)], *marked[1:]):  # 12、3号楼; 4号楼和26号楼
        if not building.mark or building.names_building:
            marked_so = building.names_building
            yield Number(building.label, None, (), building.start, building.end, marked_so, listed=True)
    rest = [n for n in numbers if n.start >= first.end]
    storey = storeys and _may_be_storey(line, first) and not (rest and rest[0].start - first.end <= 1)
    faults = ((fault(Kind.READING, f"{first.label}楼"),) if storey else ()) + _running_on(line, first)
    yield Number(first.label, _entrance(rest), faults, first.start, first.end, first.names_building)
    yield from _listed(line, rest, ("号", "楼", ""), since=first)
    yield from _parts_of(first, faults)


def _may_be_storey(line: Line, number: Token) -> bool:
    """Tell whether 5楼 may be a storey: not where a whole address leads to it, nor B楼 or 42楼."""
    plain = number.mark == "楼" and number.label.isdecimal() and int(number.label) <= _STOREYS
    return plain and len(line.hits) == 1


def _parts_of(first: Token, faults: tuple[Fault, ...]) -> Iterator[Number]:
    """Yield the ways to read a number with dashes: 12-2-301, 21-502, and 3-5幢, which is several."""
    parts = first.label.split("-")
    if first.names_building and len(parts) == 2 and _ascending(parts):
        for part in parts:
            yield Number(part, None, (fault(Kind.READING, more=_RANGE),), first.start, first.end, True)
    if first.mark and not (first.mark == "号" and len(parts[-1]) >= _ROOM):
        return
    for cut in range(len(parts) - 1, 0, -1):
        unit = parts[cut] if len(parts) - cut > 1 or len(parts[cut]) < _ROOM else None
        plain = len(parts) - cut == 2 or len(parts) == 2
        doubt = () if plain else (fault(Kind.READING),)
        yield Number("-".join(parts[:cut]), _integer(unit), (*faults, *doubt), first.start, first.end)


def _ascending(parts: list[str]) -> bool:
    return all(part.isdecimal() for part in parts) and int(parts[0]) < int(parts[1])


def _listed(
    line: Line, numbers: list[Token], marks: tuple[str, ...], since: Token | None = None
) -> Iterator[Number]:
    """Yield the numbers that go on a list: 5 and 7 of 3、5、7号, 3号和5号."""
    before = since or numbers[0]
    for number in numbers if since else numbers[1:]:
        if number.mark not in marks or not _LIST.fullmatch(line.text, before.end, number.start):
            return
        yield Number(number.label, None, (), number.start, number.end, listed=bool(number.mark))
        before = number


def _running_on(line: Line, number: Token) -> tuple[Fault, ...]:
    """Return that a number is followed by a word that is none for numbers: 3来人."""
    apart = number.end < len(line.text) and line.origins[number.end] - line.origins[number.end - 1] > 1
    runs_on = number.runs_on and not apart
    return (fault(Kind.WORDS, line.text[number.end], _RUNNING_ON),) if runs_on else ()


def _of_room(first: Token) -> Iterator[Number]:
    """Yield the building in front of an entrance or room: 9-2单元, 19-602室, 32-2-602室."""
    parts = first.label.split("-")
    inside = 1 if first.mark in _UNIT or len(parts) < _ROOM else 2
    if len(parts) > inside:
        unit = parts[-inside] if first.mark in _UNIT or inside > 1 else None
        yield Number("-".join(parts[:-inside]), _integer(unit), (), first.start, first.end)


def _entrance(rest: list[Token]) -> int | None:
    """Return the entrance after a building's number: 2单元, or the first of -2-301."""
    for number in rest:
        if number.mark in _UNIT and number.label.isdigit():
            return int(number.label)
    if rest and "-" in rest[0].label and rest[0].mark in ("", "室"):
        return _integer(rest[0].label.split("-")[0])
    return None


def _integer(unit: str | None) -> int | None:
    return int(unit) if unit and unit.isdigit() else None


def _turned(before: list[Token], *, bare: bool, road: bool) -> list[Number]:
    """Return the number in front of a name: 34栋红旗花园; without a word after it only where names are in letters."""
    buildings = [n for n in before if n.names_building or n.mark in ("号", "楼") or (bare and not n.mark)]
    entrance = None if road else _entrance([n for n in before if n.mark in _UNIT])
    several = [n for n in before[:-1] if not n.mark and not bare and n.end + 1 >= before[-1].start]  # 3、5幢
    return [
        Number(n.label, entrance, (fault(Kind.ORDER),), n.start, n.end) for n in (*several, *buildings[-1:])
    ]


def _between(line: Line, start: int, end: int) -> str:
    """Return the words between two positions that no area explains."""
    part = line.text[start:end]
    for hit in line.hits:
        if start <= hit.start and hit.end <= end and not hit.primary:
            part = part.replace(line.text[hit.start : hit.end], "")
    return _LONG_NUMBER.sub("", part).replace("-", "").replace(" ", "")


def _across(number: Number, hit: Hit, words: str, *, whole: bool, road: bool) -> Number:
    """Return a number with what the words between the name and it say."""
    while words and words[0] == hit.name[-1]:  # its last character, twice
        words = words[1:]
    harmless = _SMALL if road else _HARMLESS
    if not words or (whole and harmless.fullmatch(words)):
        return number
    if _PHASE.fullmatch(words):
        wrong = fault(Kind.PHASE_UNKNOWN, words)
    elif _A_PLACE.search(words):
        wrong = fault(Kind.WORDS, words, HARD)
    else:
        wrong = fault(Kind.WORDS, words, HARD if _cut_off(hit) else _more(hit) + 4.0 * road)
    return number._replace(faults=(*number.faults, wrong), gap=words)


def _more(hit: Hit) -> float:
    """Return what unknown words beside a name weigh more where it is misspelled."""
    return MISSPELLED_BESIDE if hit.fault and hit.fault.kind is Kind.SPELLING else 0.0


def _cut_off(hit: Hit) -> bool:
    """Tell whether a misspelled name lacks a character, so that unknown words beside it may be in its place."""
    return hit.fault is not None and hit.fault.kind is Kind.SPELLING and hit.end - hit.start < len(hit.name)


def words_before(line: Line, hit: Hit) -> tuple[Fault, ...]:
    """Return that a name seems to be the end of a longer one that is not known: 新|康宁三村."""
    words = _run_before(line, hit)
    long = len(words) > _PREFIX
    if words and _DENIED.search(words):
        return (fault(Kind.WORDS, words),)
    if not words or (_BEFORE.search(words) and not _cut_off(hit)) or (long and not _more(hit)):
        return ()
    if words[-1] == hit.name[0]:
        return ()  # its first character, twice
    another = _cut_off(hit) or (hit.fault and substitution(hit.name[0], line.text[hit.start]) >= NEVER)
    if words[-1] in _TELLS_SIBLINGS:
        return (fault(Kind.WORDS, words, max(_SIBLING, _more(hit))),)
    return (fault(Kind.PREFIX, words, HARD if another else _more(hit)),)


def words_after(line: Line, hit: Hit) -> tuple[Fault, ...]:
    """Return what the words after a name without a number say: a phase, another place, or that it goes on."""
    stop = min((other.start for other in line.hits if other.start >= hit.end), default=len(line.text))
    words = _RUN.match(line.text[hit.end : stop])
    said = words[0] if words else ""
    if said and said[0] == hit.name[-1]:
        said = said[1:]
    if not said or _HARMLESS.fullmatch(said):
        return ()
    if _A_PHASE.match(said):
        return (fault(Kind.PHASE_UNKNOWN, said),)
    if _more(hit):
        return (fault(Kind.WORDS, said, MISSPELLED_BESIDE),)
    return (fault(Kind.WORDS, said),) if _A_PLACE.search(said) else ()


def _run_before(line: Line, hit: Hit) -> str:
    """Return the unknown hanzi directly before a name, with nothing left out between them."""
    ends = (n.end for n in line.numbers if n.end <= hit.start and (n.mark or line.text[n.start].isdecimal()))
    since = max(ends, default=0)
    start = hit.start
    while start > since and line.quiet[start - 1].isalpha() and not line.quiet[start - 1].isascii():
        if start < len(line.text) and line.origins[start] - line.origins[start - 1] > 1:
            break
        start -= 1
    return line.text[start : hit.start]


def places_apart(line: Line) -> list[int]:
    """Return where a word like 与 or 到 stands directly between two places that are named."""
    apart = []
    for one, other in pairwise(line.primary):
        end = max(
            (n.end for n in line.numbers if n.start >= one.end and n.end <= other.start), default=one.end
        )
        if _AND.fullmatch(line.text, end, other.start):
            apart.append(other.start)
    return apart
