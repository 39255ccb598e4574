"""The numbers in an address: 十五幢二单元301室, 12-2-301, 384之3号, 20#, No. 12."""

from __future__ import annotations

import re
from typing import NamedTuple

from geo.address.sound import syllables

_DIGITS = {
    c: n
    for n, cs in enumerate(
        ("零〇", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for c in cs
}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
_HAN = "".join((*_DIGITS, *_TENS))
_NUMBER = rf"(?:\d{{1,5}}|[{_HAN}]{{1,7}})"
_STEM = (
    rf"(?:附?[甲乙丙丁]?{_NUMBER}(?:[甲乙丙丁](?![栋幢座]?\d)|[a-z](?![a-z]))?"
    r"|[a-z](?![a-z])(?:\d{1,2})?|[甲乙丙丁](?=[-栋幢座号#楼]|$))"
)
_TOKEN = re.compile(
    rf"(?:no *|#|第)?(?P<label>{_STEM}(?:(?:号?[之附]|-){_STEM})*(?:号[甲乙丙丁](?![\d栋幢座]))?)"
    r"(?P<mark>单元|号楼(?![道下上梯层顶])|号院|#楼|号房|栋楼|幢楼|楼栋|[栋幢座号#层室户单门]|楼(?![道下上梯层顶]))?"
)
_PHONE = re.compile(r"(?<![\da-z])(?:1\d{10}|0\d{2,3}-?\d{7,8}|\d{7,}|[1-9]\d{4,}(?=工单))(?!\d)")
_TIME = re.compile(r"\d{1,4}(?:年|月|日|点|时|分|小时|天|元|人|次|度|岁|辆|只|条|个)")
_AFTER_NUMBER = re.compile(rf"(?<=[\d{_HAN}#号])([^\W\d_a-z])(?=$|[ -]|[\d{_HAN}])")
_LETTERS = re.compile("(?!no)[a-z]{2,}|no[a-z]+")
_ORDINAL = frozenset("期村路街巷区组队中院里")
_MARKS = "栋幢座号楼#单层室户门元"
_SOUND_OF_MARK = {"dong": "栋", "zhuang": "幢", "chuang": "幢", "zuo": "座", "lou": "楼", "hao": "号"}
_BUILDING = frozenset(("栋", "幢", "座", "#", "号楼", "#楼", "栋楼", "幢楼", "楼栋", "号院"))
_SUB = re.compile("号?[之附]")
_WORD = re.compile(r"(?:号楼|#楼|号院|楼栋|[栋幢座号#楼])+$")


class Token(NamedTuple):
    """A number and the word after it: label 14-2 and mark 栋 of 14-2栋; positions in the spelled text."""

    label: str
    mark: str
    start: int
    end: int

    @property
    def names_building(self) -> bool:
        """Whether its mark says that it is a building's number in a compound."""
        return self.mark in _BUILDING


def integer(written: str) -> int:
    """Read digits or Chinese numerals: 163, 一百六十三, 一六三, 二百五."""
    if written.isdigit() and written.isascii():
        return int(written)
    if not any(character in _TENS for character in written):
        return int("".join(str(_DIGITS[character]) for character in written))
    total, digit, unit = 0, 0, 1
    for character in written:
        if character in _TENS:
            unit = _TENS[character]
            total += (digit or 1) * unit
            digit = 0
        else:
            digit = _DIGITS[character]
    dropped_unit = digit and unit == 100 and written[-2] in "百佰"  # 二百五 is 250
    return total + digit * (10 if dropped_unit else 1)


_HAN_NUMBER = re.compile(rf"\d+|[{_HAN}]+")


def label(written: str) -> str:
    """Return the one form of a building's or street number: 12 of 十二号楼, 384-3 of 384之3号, 甲2 of 甲2幢."""
    plain = _SUB.sub("-", _WORD.sub("", written).removeprefix("附")).replace("号", "")
    return _HAN_NUMBER.sub(lambda found: str(integer(found[0])), plain)


def tokens(text: str, taken: list[tuple[int, int]]) -> list[Token]:
    """Find the numbers of a spelled address.

    Parameters
    ----------
    taken : list of (int, int)
        Stretches that are names, in which no number is looked for.
    """
    masked = blank(text, taken)
    for noise in (_PHONE, _TIME, _LETTERS):
        masked = noise.sub(lambda found: "|" * len(found[0]), masked)
    for letter, digit in (("o", "0"), ("l", "1"), ("i", "1")):
        masked = re.sub(rf"(?<=\d){letter}(?![a-z])|(?<![a-z]){letter}(?=\d)", digit, masked)
    masked = _AFTER_NUMBER.sub(_mark_of, masked)
    return [
        Token(label(found["label"]), found["mark"] or "", *found.span())
        for found in _TOKEN.finditer(masked)
        if found["mark"] or _counts(found["label"], masked[found.end() : found.end() + 1])
    ]


def _counts(written: str, following: str) -> bool:
    """Tell whether a number without a word after it is one: not 二 in 二期, 一 in 一下, A in A区."""
    if not following.isalpha():
        return not written.isalpha() or written.isascii() or written[0] in _HAN
    return written[0].isdigit() and written[-1] not in _HAN and following not in _ORDINAL


def blank(text: str, taken: list[tuple[int, int]]) -> str:
    """Return a text with stretches blotted out, as long as before."""
    for start, end in taken:
        text = text[:start] + "|" * (end - start) + text[end:]
    return text


def _mark_of(found: re.Match[str]) -> str:
    """Return the word a character after a number was meant to be, if it only sounds like one: 9撞, 13号搂."""
    character = found[1]
    if character in _MARKS:
        return character
    return next((mark for sound, mark in _SOUND_OF_MARK.items() if sound in syllables(character)), character)
