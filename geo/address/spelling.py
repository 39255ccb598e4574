"""One spelling for the many ways to write a Chinese address, and the ways to read what was written.

In the one spelling a building's number ends in ``#`` (12幢, 12栋, 12座 and 12号楼 are all ``12#``) and a
street number in ``号``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_WORDS = str.maketrans("號樓棟區縣鎮鄉單層戶", "号楼栋区县镇乡单层户")
_DASHES = re.compile("[\u2010-\u2015\u2212\u2500\u2501\u30fc~－—]+")
_NOISE = re.compile(r"[^\w#-]|_")
_BUILDING = re.compile(r"(?<=[0-9a-z甲乙丙丁])(?:号楼|#楼|[栋幢座])")
_ROOM = r"(?:\d+室?|\d+户|\d{3,4}号房?)"
_TAIL = re.compile(rf"(?P<stem>.*?[#号])-?(?:(?P<unit>\d{{1,2}})(?:单元|-)-?)?(?:\d+[层楼]-?)?{_ROOM}?")
_DASHED = re.compile(rf"(?P<stem>.*[^\d-]\d+)-(?:(?P<unit>\d{{1,2}})(?:单元-?|-|$))?{_ROOM}?")
_NUMBER_WORD = re.compile(r"(?P<stem>.*\D\d+)[号#楼]?")


@dataclass(frozen=True)
class Reading:
    """One way to read an address: the building's name, and the entrance (单元) where one is given."""

    stem: str
    entrance: int | None = None


def normalise(text: str) -> str:
    """Bring an address to the one spelling.

    Full-width forms and compatibility characters become plain (NFKC), letters small, the traditional
    forms of address words simplified, dashes ``-``; spaces and punctuation go; a building's number ends in ``#``.

    Examples
    --------
    >>> normalise("望江街道 湖东路１６６号，康宁三村１２号楼")
    '望江街道湖东路166号康宁三村12#'
    """
    plain = unicodedata.normalize("NFKC", text).lower().translate(_WORDS)
    plain = _NOISE.sub("", _DASHES.sub("-", plain))
    return _BUILDING.sub("#", plain).strip("-")


def readings(address: str) -> Iterator[Reading]:
    """Yield the ways to read a normalised address, the most literal first, each once.

    Room numbers are left out (3#2单元502室 is entrance 2 of 3#, and so is 3-2-502); 12, 12号 and 12#
    are taken for one another after the way it was written.
    """
    seen = set()
    for reading in _literal(address):
        for stem in _number_words(reading.stem):
            if stem not in seen:
                seen.add(stem)
                yield Reading(stem, reading.entrance)


def _literal(address: str) -> Iterator[Reading]:
    yield Reading(address)
    for pattern in (_TAIL, _DASHED):
        found = pattern.fullmatch(address)
        if found:
            unit = found["unit"]
            yield Reading(found["stem"], int(unit) if unit else None)


def _number_words(stem: str) -> Iterator[str]:
    yield stem
    found = _NUMBER_WORD.fullmatch(stem)
    if found:
        yield found["stem"] + "#"
        yield found["stem"] + "号"
