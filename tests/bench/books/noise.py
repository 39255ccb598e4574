"""What happens to an address on its way: typing, speech and print recognition, forms, and the words around it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from random import Random

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from tests.bench.books import alike, words

_FULL = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_RADICALS = dict(
    zip("马西车长门见贝青风飞食鬼鱼鸟麦黄齐龙龟角", "⻢⻄⻋⻓⻔⻅⻉⻘⻛⻜⻝⻤⻥⻦⻨⻩⻬⻰⻳⻆", strict=True)
)
_BLANKS = (" ", "  ", "\u3000", "\t", "\u200b", "\u00a0")
_MARKS = "，。、/·_,.;"
_NUMERALS = frozenset("〇零一二三四五六七八九十百两幺壹贰叁肆伍陆柒捌玖拾０１２３４５６７８９")
_AREAS = frozenset("省市区县乡镇村")
_SLIPS = {
    "幢": "撞憧懂潼",
    "栋": "冻拣动洞",
    "号楼": ("号搂", "号喽", "号娄", "好楼"),
    "座": "坐做",
    "单元": ("单原", "单员", "单园", "但元"),
    "室": "市是",
}


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")


def traditional(text: str) -> str:
    """Write in traditional characters, one by one: phrases would get those of other times."""
    return "".join(_converter().convert(char) for char in text)


def full_width(text: str, rng: Random) -> str:
    """Write letters and digits as wide as characters."""
    return text.translate(_FULL)


def radicals(text: str) -> str:
    """Put in the look-alikes from the blocks of radicals that print recognisers give."""
    return "".join(_RADICALS.get(char) or _kangxi().get(char, char) for char in text)


@cache
def _kangxi() -> dict[str, str]:
    return {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0x2F00, 0x2FD6)}


def strewn(text: str, rng: Random, marks: tuple[str, ...]) -> str:
    """Put one to three blanks or marks anywhere but within numbers."""
    for _ in range(rng.randint(1, 3)):
        places = [
            n
            for n in range(1, len(text))
            if not (text[n - 1] in _NUMERALS and text[n] in _NUMERALS)
            and not (text[n - 1].isascii() and text[n].isascii())
        ]
        if places:
            at = rng.choice(places)
            text = text[:at] + rng.choice(marks) + text[at:]
    return text


def blanks(text: str, rng: Random) -> str:
    """Put blanks in."""
    return strewn(text, rng, _BLANKS)


def marks(text: str, rng: Random) -> str:
    """Put punctuation in."""
    return strewn(text, rng, tuple(_MARKS))


def wrapped(text: str, rng: Random) -> str:
    """Put the words of a form around it."""
    behind = rng.choice(words.BEHIND)
    if text[-1].isascii() or (behind[0].isdigit() and text[-1] in _NUMERALS):
        behind = " " + behind
    return (rng.choice(words.BEFORE) if rng.random() < 0.6 else "") + text + behind


def slip_of_word(number: str, rng: Random) -> str:
    """Misspell the word behind a number: 12撞."""
    for word, wrong in _SLIPS.items():
        if word in number:
            return number.replace(word, rng.choice(wrong), 1)
    return number


def misspelt(name: str, rng: Random) -> tuple[str, str]:
    """Misspell a name in one place; return it and how."""
    kind = rng.choice(
        ("sound", "sound", "sound", "near_sound", "shape", "shape", "doubled", "dropped", "swapped")
    )
    free = [n for n, char in enumerate(name) if char not in alike.KEPT and not char.isascii()]
    if not free or len(name) < 3:
        return name, ""
    at = rng.choice(free)
    if at == 0 and name[0] in _AREAS and kind in ("dropped", "swapped"):
        return name, ""
    if kind == "doubled":
        return name[: at + 1] + name[at:], kind
    if kind == "dropped":
        if len(name) < 4 or (at == len(name) - 1 and name[at - 1] in alike.KEPT):
            return name, ""
        return name[:at] + name[at + 1 :], kind
    if kind == "swapped":
        return swapped(name, rng), kind
    syllable = alike.sounds(name)[at] if len(alike.sounds(name)) == len(name) else ""
    options = {
        "sound": alike.same_sound(name[at], syllable),
        "near_sound": alike.near_sound(name[at], syllable),
        "shape": alike.same_shape(name[at]),
    }[kind]
    return (name[:at] + rng.choice(options) + name[at + 1 :], kind) if options else (name, "")


def swapped(name: str, rng: Random) -> str:
    """Swap two neighbours."""
    fixed = {n for n, char in enumerate(name) if char in _NUMERALS or char.isascii()}
    free = [n for n in range(len(name) - 1) if not {n, n + 1} & fixed]
    if not free or len(name) < 3:
        return name
    at = rng.choice(free)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def heard(name: str, rng: Random) -> str:
    """Write a name as something that sounds like it, two or three characters other ones."""
    sounds = alike.sounds(name)
    if len(sounds) != len(name):
        return name
    out = list(name)
    for at in rng.sample(range(len(name)), min(len(name), rng.choice((2, 2, 3)))):
        others = alike.same_sound(name[at], sounds[at])
        if others and name[at] not in alike.KEPT:
            out[at] = rng.choice(others)
    return "".join(out)


def spelt(text: str, rng: Random, *, blank: str | None = None) -> str:
    """Write in pinyin, syllables apart or together."""
    joint = rng.choice(("", " ", None)) if blank is None else blank
    syllables = [_UMLAUT.get(sound, sound) for sound in lazy_pinyin(text)]
    return "".join(
        sound + (joint if joint is not None else rng.choice(("", " "))) for sound in syllables
    ).strip()


_UMLAUT = {"lü": "lv", "nü": "nv"}


def initials(text: str) -> str:
    """Write the first letters of the syllables."""
    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER))


def formed(text: str, rng: Random) -> str:
    """Put it through one or two forms: wide, traditional, recognised from print, with blanks or marks, in a form."""
    ways: tuple[Callable[[str], str], ...] = (
        lambda t: full_width(t, rng),
        traditional,
        radicals,
        lambda t: blanks(t, rng),
        lambda t: marks(t, rng),
        lambda t: wrapped(t, rng),
    )
    for way in rng.sample(ways, rng.choice((1, 1, 2))):
        text = way(text)
    return text
