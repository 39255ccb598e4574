"""The numbers in an address: 十五幢二单元301室, 12-2-301, 384之3号, 20#, No. 12."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from geo.address.alike import look_alike
from geo.address.numerals import HAN, integer
from geo.address.sound import syllables

_NUMBER = rf"(?:(?<!\d)\d{{1,5}}(?!\d)|[{HAN}]{{1,7}})"
_STEM = (
    rf"(?:附?[甲乙丙丁]?{_NUMBER}(?:[甲乙丙丁](?![栋幢座]?\d)|[a-z](?![a-z]))?"
    r"|[a-z](?![a-z])(?:\d{1,2})?|[甲乙丙丁](?=[-栋幢座号#楼]|$))"
)
_TOKEN = re.compile(
    rf"(?:no *|#|第)?(?P<label>{_STEM}(?:(?:号?[之附]|弄|-){_STEM})*(?:号[甲乙丙丁](?![\d栋幢座]))?)"
    r"(?P<mark>单元|号楼(?![道下上梯层顶])|号院|#楼|号房|楼栋|[栋幢座号#层室户单排]|门(?![口面前外卫岗])|楼(?![道下上梯层顶]))?"
)
_NOISE = re.compile(
    r"(?<![\da-z])(?:1\d{10}|0\d{2,3}-?\d{7,8}|\d{6,}|[1-9]\d{4,}(?=工单))(?!\d)"  # telephones
    r"|\d+[:.]\d+(?:-\d+[:.]\d+)?"  # times, decimals
    rf"|(?:\d+-)?(?:\d{{1,4}}|[{HAN}]{{1,4}})(?:年|月|日|点半?|时|分|小时|天|周|元|度|岁|折|%)"
    r"|(?!no)[a-z]{2,}|no[a-z]+"
)
"""Numbers, and words of letters, that are none of an address."""
_COUNTED = re.compile(
    "[多几]|(?:公?里|平?米|平方|位|名|人|部|台|家|户人|处|次|辆|只|条|个|件|起|标段|车位|级|吨|斤|寸|倍|路公交|号线)"
)
"""What follows a number that counts or measures something."""
_FITTINGS = re.compile("门(?![口面前外])|岗|车位|地铁|线|井盖|标段|摊|柜|充电|配电|地块|出口|入口|泵")
"""What has numbers of its own beside the buildings: 3号门, 2号车位."""
_HOUSES = re.compile("楼(?![道下上梯层顶])")
_NOT_MEANT = re.compile(
    "(?:(?:[有共多全]|所有|倒数|最后|数|负|地下|往里|往外)第?|不是|不在|没有|非|除了|除|原|不包括)$"
)
"""What in front of a number says that it counts, counts from elsewhere or is denied: 共30幢, 负一楼, 不是3幢."""
_CORRECTED = re.compile("(?:应为|应是|改为|改成|更正为|换成)")
_AFTER_NUMBER = re.compile(rf"(?<=[\d{HAN}#号])([^\W\d_a-z])(?=$|[ -]|[\d{HAN}楼])")
_DIGIT = {"o": "0", "l": "1", "i": "1"}
_MISREAD = re.compile(r"(?<=\d)[oli](?![a-z])|(?<![a-z])[oli](?=\d)")
_MARKS = "栋幢座号楼#单层室户门元排"
_SOUND_OF_MARK = {"dong": "栋", "zhuang": "幢", "chuang": "幢", "zuo": "座", "lou": "楼", "hao": "号"}
_BUILDING = frozenset(("栋", "幢", "座", "#", "号楼", "#楼", "楼栋", "号院"))
_ORDINAL = frozenset("期村路街巷区组队中院里")
WORDS = ("号楼", "幢", "栋", "座", "楼", "#")
"""What may follow a building's number."""
_STEP = re.compile("号?[之附]|弄")
_WORD = re.compile(r"(?:号楼|#楼|号院|楼栋|[栋幢座号#楼])+$")
_HAN_NUMBER = re.compile(rf"\d+|[{HAN}]+")


class Token(NamedTuple):
    """A number and the word after it: label 14-2 and mark 栋 of 14-2栋; positions in the spelled text.

    ``runs_on`` tells that no word for a number follows it but another: 3 in 3来人.
    """

    label: str
    mark: str
    start: int
    end: int
    runs_on: bool = False

    @property
    def names_building(self) -> bool:
        """Whether its mark says that it is a building's number in a compound."""
        return self.mark in _BUILDING


@lru_cache(4096)
def label(written: str) -> str:
    """Return the one form of a building's or street number: 12 of 十二号楼, 384-3 of 384之3号, 甲2 of 甲2幢."""
    plain = _STEP.sub("-", _WORD.sub("", written).removeprefix("附")).replace("号", "")
    return _HAN_NUMBER.sub(_as_digits, plain)


def is_label(written: str) -> bool:
    """Tell whether a label is one number, as `tokens` reads them."""
    return _TOKEN.fullmatch(written) is not None


def _as_digits(found: re.Match[str]) -> str:
    value = integer(found[0])
    return found[0] if value is None else str(value)


def quiet(text: str, taken: Iterable[tuple[int, int]]) -> str:
    """Return a spelled address with names and what is no part of one blotted out (|), as long as before.

    Parameters
    ----------
    taken : iterable of (int, int)
        Stretches that are names.
    """
    for start, end in taken:
        text = text[:start] + "|" * (end - start) + text[end:]
    return _NOISE.sub(lambda found: "|" * len(found[0]), text)


def tokens(text: str) -> list[Token]:
    """Find the numbers of a `quiet` address."""
    text = _MISREAD.sub(lambda found: _DIGIT[found[0]], text)
    text = _AFTER_NUMBER.sub(_mark_of, text)
    return [
        Token(
            label(found["label"]),
            found["mark"] or "",
            *found.span(),
            not found["mark"] and text[found.end() : found.end() + 1].isalpha(),
        )
        for found in _TOKEN.finditer(text)
        if _counts(text, found)
    ]


def _counts(text: str, found: re.Match[str]) -> bool:
    """Tell whether a number is one of an address, and is meant: not 二 in 二期, 3 in 共3幢, 不是3幢 or 3台电梯."""
    before, behind = text[max(0, found.start() - 3) : found.start()], text[found.end() :]
    written, mark = found["label"], found["mark"]
    if _NOT_MEANT.search(before) or _CORRECTED.match(behind.lstrip(" ")):
        return False
    if mark:
        plural = mark in ("幢", "栋") and (_HOUSES.match(behind) or written == "两")
        return not plural and not (mark == "号" and _FITTINGS.match(behind))
    following = behind[:1]
    if not following.isalpha():
        return following != "%" and (not written.isalpha() or written.isascii() or written[0] in HAN)
    return (
        written[0].isdigit()
        and written[-1] not in HAN
        and not (following in _ORDINAL or _COUNTED.match(behind))
    )


def _mark_of(found: re.Match[str]) -> str:
    """Return the word a character after a number was meant to be, if it only sounds like one: 9撞, 13号搂."""
    character = found[1]
    if character in _MARKS:
        return character
    sounding = (mark for sound, mark in _SOUND_OF_MARK.items() if sound in syllables(character))
    looking = (mark for mark in "栋幢座" if look_alike(mark, character))
    return (*sounding, *looking, character)[0]
