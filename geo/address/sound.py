"""How easily one character is written for another: because it sounds alike, or looks alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from pypinyin import Style, pinyin

from geo.address.alike import look_alike
from geo.address.numerals import DIGITS

SAME_SOUND = 0.15
NEAR_SOUND = 0.25
ALIKE = 0.35
"""Costs of writing another character, where leaving one out costs `MISSING`; others are never taken for it."""
MISSING = 0.5
DOUBLED = 0.15
INSERTED = 0.55
SWAPPED = 0.3
NEVER = 9.0

_KEPT = 1 << 16
"""Of how many characters is kept what they sound like: more than are in use, but a text may hold any."""

_VALUES = {**DIGITS, **{str(value): value for value in range(10)}}
_TELLING = (
    frozenset("零〇一二三四五六七八九十百两0123456789"),
    frozenset("东西南北中"),
    frozenset("甲乙丙丁"),
    frozenset("abcdefgh"),
)
"""Characters that tell siblings apart, by kind: within a kind none is a slip of another."""
TELLING = frozenset().union(*_TELLING)

_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"))
_HU = {"": "fu", "i": "fei", "n": "fen"}
_TWO_READINGS = frozenset("乐长朝重行都调曾藏厦柏单便弄巷堡泊冠角宿种着")
"""Characters of which a second reading is common too."""
_CODES: dict[str, int] = {}
_NUMBERS = count()
_FIRST_CODE = 0xE000
"""Sounds are numbered from Unicode's private use area on."""
_FINALS = (("ng", "n"), ("uo", "o"), ("ue", "e"), ("ve", "e"), ("v", "u"))


@lru_cache(maxsize=_KEPT)
def syllables(character: str) -> frozenset[str]:
    """Return every reading of a character, pinyin without tones; a character without one reads as itself."""
    return frozenset(pinyin(character, style=Style.NORMAL, heteronym=True)[0])


@lru_cache(maxsize=_KEPT)
def blurred(syllable: str) -> str:
    """Return a syllable with the sounds made one that are often confused: zh and z, n and l, in and ing, hu and f."""
    if syllable.startswith("hu"):
        syllable = _HU.get(syllable[2:], f"f{syllable[2:]}")
    for heard, said in _INITIALS:
        if syllable.startswith(heard):
            syllable = said + syllable[len(heard) :]
            break
    for heard, said in _FINALS:
        if syllable.endswith(heard):
            return syllable[: -len(heard)] + said
    return syllable


@lru_cache(maxsize=_KEPT)
def sounds(character: str) -> frozenset[str]:
    """Return every reading of a character, `blurred`."""
    return frozenset(map(blurred, syllables(character)))


def heard(text: str) -> str:
    """Return a text with each character replaced by one that stands for its commonest sound, `blurred`."""
    return "".join(map(_heard, text))


@lru_cache(maxsize=_KEPT)
def _heard(character: str) -> str:
    sound = blurred(pinyin(character, style=Style.NORMAL)[0][0])
    return chr(_FIRST_CODE + _CODES.setdefault(sound, next(_NUMBERS)))


@lru_cache(maxsize=_KEPT)
def substitution(meant: str, written: str) -> float:
    """Return what it costs to write one character for another: 0 the same, `NEVER` for what is no slip."""
    if meant == written:
        return 0.0
    if _VALUES.get(meant, -1) == _VALUES.get(written, -2):
        return 0.0
    if any(meant in kind and written in kind for kind in _TELLING):
        return NEVER
    one, other = _said(meant), _said(written)
    if one & other:
        return NEAR_SOUND if meant in TELLING else SAME_SOUND
    if set(map(blurred, one)) & set(map(blurred, other)):
        return NEAR_SOUND
    return ALIKE if meant not in TELLING and look_alike(meant, written) else NEVER


@lru_cache(maxsize=_KEPT)
def _said(character: str) -> frozenset[str]:
    """Return how a character is commonly read."""
    if character in _TWO_READINGS:
        return syllables(character)
    return frozenset(pinyin(character, style=Style.NORMAL)[0])


class Aligned(NamedTuple):
    """The stretch of a text that is most like a name, and what the difference costs."""

    cost: float
    start: int
    end: int


def align(name: str, text: str, most: float, insertions: Sequence[float]) -> Aligned | None:
    """Find the stretch of a text most like a name.

    Semi-global weighted edit distance with transpositions of neighbours (Damerau): all of the name is aligned, the
    ends of the text are free. O(len(name) · len(text)).

    Parameters
    ----------
    most : float
        What the difference may cost.
    insertions : sequence of float
        Those of the text; see `insertions`.

    Returns
    -------
    Aligned or None
        The cheapest, the longest where equal; None where every stretch costs more.
    """
    width = len(text) + 1
    before: list[float] = []
    above = [0.0] * width
    began_before: list[int] = []
    began = list(range(width))
    for row, meant in enumerate(name, 1):
        missing = MISSING if meant not in TELLING else NEVER
        here, start = [above[0] + missing], [0]
        for column in range(1, width):
            written = text[column - 1]
            cost, at = above[column - 1] + substitution(meant, written), began[column - 1]
            if above[column] + missing < cost:
                cost, at = above[column] + missing, began[column]
            extra = here[-1] + insertions[column - 1] if row < len(name) else NEVER
            if extra < cost:
                cost, at = extra, start[-1]
            swapped = row > 1 and column > 1 and name[row - 2] == written and meant == text[column - 2]
            if swapped and meant != written and before[column - 2] + SWAPPED < cost:
                cost, at = before[column - 2] + SWAPPED, began_before[column - 2]
            here.append(cost)
            start.append(at)
        if min(here) > most < min(above):  # a swap may still lead from the row above
            return None
        before, above, began_before, began = above, here, began, start
    cost, length, end = min((cost, began[end] - end, end) for end, cost in enumerate(above))
    return Aligned(cost, began[end], end) if cost <= most and length < 0 else None


def insertions(text: str) -> tuple[float, ...]:
    """Return what each character costs that is too much: little where it only repeats its neighbour."""
    return tuple(
        DOUBLED if before == character else NEVER if character in TELLING else INSERTED
        for before, character in zip(f" {text}", text, strict=False)
    )
