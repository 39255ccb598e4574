"""What may be typed for a character of a name: itself, a pinyin reading of it, its initial, the beginning of one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pypinyin import Style, lazy_pinyin, pinyin

from geo.address.spelling import normalise

LONGEST_READING = 6
"""Letters of the longest syllables: zhuang, chuang, shuang."""

_NUMERALS = dict(zip("〇一二三四五六七八九", "0123456789", strict=True))
_TWINS = _NUMERALS | {digit: numeral for numeral, digit in _NUMERALS.items()} | {"零": "0"}
_TWO_LETTERS = ("zh", "ch", "sh")
# What has no reading is given back character by character, which pypinyin's types leave out.
_SINGLY: Any = list
_HANZI = range(0x3400, 0xA000)


class Folded(NamedTuple):
    """A text without what does not tell names apart.

    Attributes
    ----------
    characters : str
        Its letters, digits and hanzi: plain width, small, without tones, simplified.
    at : tuple of int
        Where each of them stands in the text.
    """

    characters: str
    at: tuple[int, ...]


class Keys(NamedTuple):
    """What may be typed for one character.

    Attributes
    ----------
    itself : frozenset of str
        The character; a numeral and its digit stand for each other.
    usual : frozenset of str
        Readings it has in the name.
    every : frozenset of str
        Readings it has anywhere.
    """

    itself: frozenset[str]
    usual: frozenset[str]
    every: frozenset[str]


def fold(text: str) -> Folded:
    """Fold a text; see `Folded`.

    Examples
    --------
    >>> fold("Ａ座·紅旗").characters
    'a座红旗'
    """
    kept = [(character, at) for at, written in enumerate(text) for character in _plain(written)]
    return Folded("".join(character for character, _ in kept), tuple(at for _, at in kept))


def keys(characters: str) -> list[Keys]:
    """Return what may be typed for each character of a folded name.

    Readings are those of pypinyin: what a phrase has is usual, every reading of a heteronym is known.
    """
    read = lazy_pinyin(characters, errors=_SINGLY)
    return [_keys(character, reading) for character, reading in zip(characters, read, strict=True)]


def initials(reading: str) -> Iterator[str]:
    """Yield what stands for a whole reading when only initials are typed: z and zh for zhang."""
    yield reading[0]
    if reading.startswith(_TWO_LETTERS):
        yield reading[:2]


def beginnings(reading: str) -> Iterator[str]:
    """Yield what is typed of a reading until it is whole."""
    return (reading[:length] for length in range(1, len(reading) + 1))


@lru_cache(maxsize=2**14)
def _plain(written: str) -> str:
    decomposed = unicodedata.normalize("NFKD", normalise(written))  # tones become marks, which go
    return "".join(each for each in decomposed if each.isalnum())


@cache
def _keys(character: str, reading: str) -> Keys:
    itself = frozenset({character, _TWINS.get(character, character)})
    if ord(character) not in _HANZI:
        return Keys(itself, frozenset(), frozenset())
    (readings,) = pinyin(character, style=Style.NORMAL, heteronym=True)
    usual = frozenset(_spellings(reading))
    return Keys(itself, usual, usual.union(*map(_spellings, readings)))


def _spellings(reading: str) -> Iterator[str]:
    """Yield a reading as it is typed: lü is lv on keyboards, lyu in passports and lu without its dots."""
    yield reading
    if "v" in reading:
        yield from (reading.replace("v", "u"), reading.replace("v", "yu"))
