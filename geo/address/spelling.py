"""One spelling for the many ways to write a Chinese address, with where each of its characters came from."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

import opencc

from geo.address.numerals import HAN

# Radicals of the block U+2E80 that NFKC leaves as they are (Unicode's EquivalentUnifiedIdeograph.txt). Text copied
# from PDF files is full of them.
_RADICALS = str.maketrans(
    "⺁⺋⺌⺎⺒⺓⺛⺜⺝⺞⺟⺠⺧⺪⺫⺬⺯⺰⺶⺷⺸⺻⺼⺽⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻐⻑⻒⻓⻔⻗⻘⻙⻚⻛⻜⻝⻞⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲",
    "厂㔾小尢巳幺旡日月歺母民牛疋目示糹纟羊羊羊聿月臼虎衤覀西见角角讠贝足车辶钅長镸长门雨青韦页风飞食食饣首马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龟亀",
)
_DASHES = frozenset("‐‑‒–—―−─━ー~⁃〜")
_GAP = " "
_KEPT = 1 << 16
"""There are not many more characters in use, but a text may hold any."""
# A point, colon or comma that does not stand between two numbers is a gap.
_LOOSE_POINT = re.compile(rf"[:.](?!\d)|(?<!\d)[:.]|(?<!\d)%|,(?![\d{HAN}])|(?<![\d{HAN}]),")
# What is dropped: a dash that does not stand between a number, or a word that ends one, and a number; a gap that does
# not part letters or digits.
_LOOSE = (
    re.compile(rf"(?<![0-9a-z栋幢座号楼元室#{HAN}]) *-+|-+(?! *[0-9a-z{HAN}])|(?<=-)-+"),
    re.compile(r"(?<![0-9a-z]) +| +(?! *[0-9a-z])|(?<=[0-9a-z] ) +"),
)


class Spelled(NamedTuple):
    """An address in the one spelling.

    Attributes
    ----------
    text : str
        Hanzi simplified, letters small and plain, digits ASCII; ``#`` and ``-`` where they mean something; a
        space only between letters or digits.
    origins : list of int, length of ``text``
        Position in what was written of each character.
    """

    text: str
    origins: list[int]


class _Plain(dict[int, str]):
    """Plain form of each character by its code, found when first seen."""

    def __missing__(self, code: int) -> str:
        written = chr(code).translate(_RADICALS)
        plain = "".join(map(_plain, unicodedata.normalize("NFKC", written).lower()))
        if len(self) < _KEPT:
            self[code] = plain
        return plain


_PLAIN = _Plain()


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _plain(character: str) -> str:
    """Return what a compatible, small character becomes: itself, a dash, a gap, or nothing."""
    if character.isascii():
        return character if character.isalnum() or character in "#-:.%," else "" if character == "'" else _GAP
    if character in _DASHES:
        return "-"
    if character in "、":
        return ","
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.digit(character))
    if kind in ("Cf", "Mn", "Cs", "Cn", "Co"):
        return ""
    if kind[0] not in "LN":
        return _GAP
    return str(_simplifier().convert(character)) if kind == "Lo" else character


def spell(written: str) -> Spelled:
    """Bring an address to the one spelling, character by character; O(length)."""
    text = _LOOSE_POINT.sub(_GAP, written.translate(_PLAIN))
    if len(text) == len(written) and text.isalnum():
        return Spelled(text, list(range(len(text))))
    origins = [position for position, character in enumerate(written) for _ in _PLAIN[ord(character)]]
    for loose in _LOOSE:
        dropped = {p for found in loose.finditer(text) for p in range(*found.span())}
        if dropped:
            kept = [p for p in range(len(text)) if p not in dropped]
            text = "".join(text[p] for p in kept)
            origins = [origins[p] for p in kept]
    return Spelled(text, origins)


def normalise(written: str) -> str:
    """Bring an address to the one spelling.

    Full-width forms, compatibility characters and stray radicals become plain, letters small, traditional
    characters simplified one by one; spaces and punctuation go, but for what parts two numbers or words of letters.

    Examples
    --------
    >>> normalise("望江街道 湖东路１６６號，康寧三村１２号楼")
    '望江街道湖东路166号康宁三村12号楼'
    """
    return spell(written).text
