"""Which characters are taken for one another: by sound, near sound, or shape."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from pypinyin import Style, lazy_pinyin, pinyin

from tests.bench.books.words import SHAPES

COMMON = "".join(
    bytes((row, column)).decode("gb2312")
    for row in range(0xB0, 0xD8)
    for column in range(0xA1, 0xFF)
    if (row, column) < (0xD7, 0xFA)
)
"""The 3,755 characters in daily use."""

KEPT = frozenset("东西南北一二三四五六七八九十百千零〇两双甲乙丙丁")
"""No typing error makes or unmakes these: they tell one place from another."""

_FOLDS = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("ng", "n"),
)


def sounds(text: str) -> tuple[str, ...]:
    """Return the syllables of a text, without tones, as it is read in context."""
    return tuple(lazy_pinyin(text))


@cache
def readings(char: str) -> frozenset[str]:
    """Return every reading of a character, without tones."""
    return frozenset(pinyin(char, style=Style.NORMAL, heteronym=True)[0])


@cache
def folded(syllable: str) -> str:
    """Bring a syllable to what many speakers say: zh as z, ng as n, n as l, h before u as f."""
    for said, kept in _FOLDS:
        syllable = syllable.replace(said, kept)
    if syllable.startswith("n"):
        syllable = "l" + syllable[1:]
    return "f" + syllable[2:] if syllable.startswith("hu") and len(syllable) > 2 else syllable


@cache
def _by_sound() -> dict[str, str]:
    by = defaultdict(str)
    for char in COMMON:
        by[lazy_pinyin(char)[0]] += char
    return dict(by)


@cache
def _by_near_sound() -> dict[str, str]:
    by = defaultdict(str)
    for char in COMMON:
        by[folded(lazy_pinyin(char)[0])] += char
    return dict(by)


@cache
def _by_shape() -> dict[str, str]:
    by: dict[str, str] = defaultdict(str)
    for group in SHAPES:
        for char in group:
            by[char] += "".join(other for other in group if other != char and other not in by[char])
    return dict(by)


def same_sound(char: str, syllable: str) -> str:
    """Return the other common characters with a sound."""
    return _without(_by_sound().get(syllable, ""), char)


def near_sound(char: str, syllable: str) -> str:
    """Return the common characters with a sound that is taken for this one, without those of the very sound."""
    near = _by_near_sound().get(folded(syllable), "")
    exact = _by_sound().get(syllable, "")
    return _without("".join(other for other in near if other not in exact), char)


def same_shape(char: str) -> str:
    """Return the characters that look like one."""
    return _without(_by_shape().get(char, ""), char)


def _without(chars: str, char: str) -> str:
    return "".join(other for other in chars if other != char and other not in KEPT)


@cache
def apart(one: str, other: str) -> float:
    """Return how far two characters are from being taken for one another: 0 the same, 1 not at all alike."""
    if one == other:
        return 0.0
    if readings(one) & readings(other):
        return 0.3
    if other in _by_shape().get(one, ""):
        return 0.4
    if {folded(sound) for sound in readings(one)} & {folded(sound) for sound in readings(other)}:
        return 0.5
    return 1.0


def cost(text: str, name: str) -> float:
    """Return the least cost of writing a text for a name: wrong, missing, doubled, and swapped characters."""
    rows = [[float(j) for j in range(len(name) + 1)]]
    for i, char in enumerate(text, 1):
        doubled = i > 1 and char == text[i - 2]
        row = [rows[-1][0] + 1.0]
        for j, wanted in enumerate(name, 1):
            best = min(
                rows[-1][j - 1] + apart(char, wanted),
                rows[-1][j] + (0.5 if doubled else 1.0),
                row[j - 1] + 1.0,
            )
            if i > 1 and j > 1 and char == name[j - 2] and text[i - 2] == wanted:
                best = min(best, rows[-2][j - 2] + 0.7)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
