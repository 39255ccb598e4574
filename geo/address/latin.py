"""Addresses in English and in pinyin, in full or by initials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, product

from pypinyin import lazy_pinyin

from geo.address.faults import Kind, fault
from geo.address.finding import Exact, Hit
from geo.address.gazetteer import NUMBERED, Meaning, Meanings
from geo.address.sound import syllables
from geo.address.spelling import Spelled

_READINGS = 12
"""How many readings of a name with ambiguous characters are known."""
_ENGLISH = {
    "花园": ("garden", "gardens"),
    "花苑": ("garden", "gardens"),
    "家园": ("home", "homes", "homeland"),
    **dict.fromkeys(("佳园", "嘉园", "佳苑", "雅苑"), ("garden", "home", "homes")),
    "新村": ("newvillage", "newestate"),
    "小区": (
        "residentialquarter",
        "residentialarea",
        "residentialcommunity",
        "community",
        "estate",
        "compound",
    ),
    "公寓": ("apartment", "apartments"),
    "山庄": ("villa", "villas", "mountainvilla"),
    "大厦": ("building", "mansion", "tower"),
    "广场": ("plaza", "square"),
    "新城": ("newtown", "newcity"),
    "国际": ("international",),
    "小学": ("primaryschool",),
    "中学": ("middleschool",),
    "学校": ("school",),
    "幼儿园": ("kindergarten",),
    "医院": ("hospital",),
    "超市": ("supermarket",),
    "宾馆": ("hotel",),
    "酒店": ("hotel",),
    "大道": ("avenue", "ave", "boulevard", "blvd"),
    "路": ("road", "rd"),
    "街": ("street", "st"),
    "大街": ("street", "st", "avenue", "ave"),
    "巷": ("lane", "alley", "ln"),
    "弄": ("lane",),
    "街道": ("subdistrict",),
    "社区": ("community",),
    "镇": ("town",),
    "乡": ("township",),
    "村": ("village",),
    "区": ("district",),
    "县": ("county",),
    "市": ("city",),
    "省": ("province",),
}
"""What the last part of a name is called in English, letters run together."""
_WORDS = {
    "east": "dong",
    "west": "xi",
    "south": "nan",
    "north": "bei",
    "middle": "zhong",
    "central": "zhong",
    **dict.fromkeys(("first", "1st"), "yi"),
    **dict.fromkeys(("second", "2nd"), "er"),
    **dict.fromkeys(("third", "3rd"), "san"),
    **dict.fromkeys(("fourth", "4th"), "si"),
    **dict.fromkeys(("fifth", "5th"), "wu"),
    **dict.fromkeys(("sixth", "6th"), "liu"),
}
_PHASES = {
    "1": "yiqi",
    "2": "erqi",
    "3": "sanqi",
    "4": "siqi",
    "5": "wuqi",
    "i": "yiqi",
    "ii": "erqi",
    "iii": "sanqi",
}
_N = r"[甲乙丙丁]?\d+(?:[a-z](?![a-z]))?(?:-\d+)*[甲乙丙丁]?|(?<![a-z])[a-z](?![a-z])"
_LABEL = rf"(?P<n>{_N})"
_FIGURE = r"[甲乙丙丁]?\d+(?:[a-z](?= ))?(?:-\d+)*[甲乙丙丁]?"
_SAID = rf"(?P<n>{_FIGURE}|(?<![a-z])[a-z]) ?"
_SAID_APART = rf"(?P<n>{_FIGURE}|(?<![a-z])[a-z](?= )) ?"
"""A number in front of its word in pinyin, which may follow without a gap; a letter not, where zhao would be z hao."""
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b(?:building|bldg|block|blk|tower)s? ?(?:no ?)?#?{_LABEL}"), "幢"),
    (re.compile(rf"\bunit ?(?:no ?)?{_LABEL}"), "单元"),
    (re.compile(rf"\b(?:room|rm|apartment|apt|flat|suite) ?(?:no ?)?{_LABEL}(?![\d幢单号])"), "室"),
    (re.compile(rf"(?:\b(?:no|number|nr) ?|#){_LABEL}"), "号"),
    (re.compile(_SAID_APART + r"hao ?lou(?![a-z])"), "号楼"),
    (re.compile(_SAID + r"(?:zhuang|dong|zuo)(?![a-z])"), "幢"),
    (re.compile(_SAID_APART + r"dan ?yuan(?![a-z])"), "单元"),
    (re.compile(_SAID_APART + r"shi(?![a-z])"), "室"),
    (re.compile(_SAID_APART + r"hao(?![a-z])"), "号"),
)
_ZONE = re.compile(r"\bzone ?(?P<n>[a-h])\b")
_SIDE_FIRST = re.compile(
    r"\b(?P<side>east|west|south|north|middle|central) (?P<name>[a-z]+) "
    r"(?=(?:road|rd|street|st|avenue|ave|lane|lu|jie)\b)"
)
_PHASE = re.compile(r"\bphase ?(?P<n>[1-5]|i{1,3})\b")
_WORD = re.compile(r"\b(?:" + "|".join(_WORDS) + r")\b")
_LETTERS = re.compile("[a-z]+")
_NOT_NAMES = re.compile(r"\b(?:no|nr|a|b|c|d|address|addr|tel|room|unit)\b")
_FEWEST = 3
_MIXED = re.compile(r"[a-z]{2,}[^\W\da-z_]|[^\W\da-z_][a-z]{2,}")
_HANZI = re.compile(
    r"(?P<kept>[甲乙丙丁](?=\d)|(?:[甲乙丙丁]?\d|[a-z](?![a-z]))[\da-z-]*(?:号楼|单元|[栋幢座号楼室层门#])|"
    r"[零〇一二三四五六七八九十百两]+(?:号楼|单元|[栋幢座号楼室层门#]))|[^\W\da-z_]"
)
Piece = tuple[str, int]
"""A character and where it came from."""


class Latin:
    """Finds names written in letters.

    Parameters
    ----------
    names : mapping of str to sequence of Meaning
        Names in Chinese characters, spelled.
    """

    def __init__(self, names: Mapping[str, Sequence[Meaning]]) -> None:
        full: dict[str, list[Meaning]] = defaultdict(list)
        self._initials: dict[str, list[Meaning]] = defaultdict(list)
        for name, meanings in names.items():
            for form in dict.fromkeys(_forms(name)):
                if len(form) >= _FEWEST:
                    full[form] += meanings
            whole = [m for m in meanings if m.sort in NUMBERED and m.fault is None]
            initials = "".join(sound[0] for sound in lazy_pinyin(name))
            if len(initials) >= _FEWEST:
                self._initials[initials] += whole
        self._exact = Exact(full)

    def concerns(self, text: str) -> bool:
        """Tell whether there is a name in letters in a spelled text."""
        letters = _NOT_NAMES.sub("", text)
        return bool(_MIXED.search(letters)) or sum(map(len, _LETTERS.findall(letters))) >= _FEWEST

    def turned(self, spelled: Spelled) -> Spelled:
        """Return a text with its number words in Chinese and its letters run together.

        Examples
        --------
        >>> Latin({}).turned(Spelled("building 13 furong garden", list(range(25)))).text
        '13幢furonggarden'
        """
        pieces = list(zip(spelled.text, spelled.origins, strict=True))
        if _MIXED.search(spelled.text):
            pieces = _replaced(pieces, _HANZI, _said)
        pieces = _replaced(pieces, _SIDE_FIRST, lambda found: f"{found['name']} {found['side']} ")
        for pattern, word in _RULES:
            pieces = _replaced(pieces, pattern, _with(word))
        pieces = _replaced(pieces, _PHASE, lambda found: _PHASES[found["n"]])
        pieces = _replaced(pieces, _ZONE, lambda found: f"{found['n']}qu")
        pieces = _replaced(pieces, _WORD, lambda found: _WORDS[found[0]])
        pieces = [p for n, p in enumerate(pieces) if p[0] != " " or _parts_numbers(pieces, n)]
        return Spelled("".join(c for c, _ in pieces), [at for _, at in pieces])

    def find(self, text: str) -> list[Hit]:
        """Return the names in a turned text; where there is no place among them, by initials."""
        hits = [hit._replace(fault=fault(Kind.PINYIN, hit.name)) for hit in self._exact.find(text)]
        if any(hit.primary for hit in hits):
            return hits
        found = [
            Hit(*run.span(), run[0], Meanings(self._initials[run[0]]), fault(Kind.INITIALS, run[0]))
            for run in _LETTERS.finditer(text)
            if run[0] in self._initials
        ]
        kept = [h for h in hits if not any(h.start < f.end and f.start < h.end for f in found)]
        return sorted([*kept, *found], key=lambda hit: hit.start)


def _said(found: re.Match[str]) -> str:
    """Return a hanzi in pinyin, by its commonest reading; the words of a number stay."""
    return found[0] if found["kept"] else "".join(lazy_pinyin(found[0]))


def _with(word: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found['n']}{word}"


def _forms(name: str) -> Iterator[str]:
    """Yield a name in pinyin, run together, and with its last part in English."""
    for read in _readings(name):
        yield "".join(read)
    for kind, words in _ENGLISH.items():
        front, kind, behind = name.rpartition(kind)
        if front:
            for read in _readings(front):
                tail = "".join(lazy_pinyin(behind))
                yield from ("".join(read) + word + tail for word in words)


def _readings(name: str) -> Iterator[tuple[str, ...]]:
    together = tuple(lazy_pinyin(name))
    apart = islice(product(*map(_ordered, name)), _READINGS)
    return iter(dict.fromkeys((together, *apart)))


@cache
def _ordered(character: str) -> tuple[str, ...]:
    """Return every reading of a character, the commonest first."""
    common = lazy_pinyin(character)
    return tuple(dict.fromkeys((*common, *sorted(syllables(character)))))


def _parts_numbers(pieces: list[tuple[str, int]], at: int) -> bool:
    return pieces[at - 1][0].isdigit() and at + 1 < len(pieces) and pieces[at + 1][0].isdigit()


def _replaced(
    pieces: list[Piece], pattern: re.Pattern[str], made: Callable[[re.Match[str]], str]
) -> list[Piece]:
    """Replace what a pattern finds; what is made comes from where the pattern was found."""
    replaced: list[Piece] = []
    end = 0
    for found in pattern.finditer("".join(character for character, _ in pieces)):
        replaced += pieces[end : found.start()]
        start = found.start("n") if "n" in found.groupdict() else found.start()
        replaced += [(character, pieces[start][1]) for character in made(found)]
        end = found.end()
    return replaced + pieces[end:]
