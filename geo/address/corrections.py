"""Corrections: the name alone out of what was asked, and whether something else bears it already.

What is kept of an address that was not found is a name that people use and the register lacks. Numbers, persons and
the words of a request around it are left out here, before anything is stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from geo.address import AddressBook, normalise
from geo.address.gazetteer import FORMER
from geo.address.numerals import HAN, integer
from geo.errors import ConflictError, InputError

LONGEST = 20
"""Characters of a name."""

_HANZI = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
STORED = f"[a-z{_HANZI}]([a-z{_HANZI}]| (?=[a-z])){{1,{LONGEST - 1}}}"
"""Every name that `span` returns, as a pattern that Python and PostgreSQL read alike."""

_PARTED = re.compile(r"(?<=[a-z])[\s'’.&-]+(?=[a-z])")
_DOTTED = re.compile(r"(?<=\w)[·•・‧](?=\w)")
_NUMBER = re.compile(f"[{HAN}]+")
_SPELT_NUMBER = re.compile(f"[{HAN}]{{5,}}")
_PIECE = re.compile(rf"(?P<number>\d[\d#.-]*)|(?P<run>(?:[a-z]+(?: [a-z]+)*|[{_HANZI}])+)")
_UNIT = r"(?:号楼|号院|号(?!线)|栋|幢|座|单元|室|层|楼|户|弄|期)"
_AFTER_NUMBER = re.compile(rf"{_UNIT}+")
_NUMBER_AT_END = re.compile(rf"(?:(?:[{HAN}]+|[a-z甲乙丙丁]){_UNIT})+$")
_LONGEST_IN_NAME = 3

_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤])"
)
_TITLE = "(?:先生|女士|小姐|太太|师傅|阿姨|叔叔|伯伯|大爷|大妈|大哥|大姐|爷爷|奶奶|老师|同志|书记|主任|医生|经理|老板)"
_PERSON = re.compile(rf"{_SURNAME}[{_HANZI}]{{0,2}}?{_TITLE}")
_BY_NAME = re.compile(rf"[老小]{_SURNAME}|{_SURNAME}[{_HANZI}]{{1,2}}家")
_CONTACT = re.compile("联系人|联系电话|收件人|收货人|电话|手机|微信|姓名|业主|住户|身份证|wechat|phone|tel")

_BEFORE = re.compile(
    "(?:请问|你好|您好|麻烦|(?:我们|他们|她们|我|他|她)家?(?:就?住在|就?住|就?在)|(?:我|他|她)们?家|住在|送到|就是|这是|叫做|靠近|那个|这个|地址是|地址)+"
)
_BEHIND = re.compile(
    "(?:旁边|旁|斜对面|对面|附近|门口|里面|楼下|楼上|那边|这边|那里|这里|后面|前面|隔壁|背后|周边|一带|入口|出口"
    "|大门|正门|后门|侧门|[东南西北]门|方向|的|吗|呢|啊|吧|谢谢|怎么走|在哪里|在哪|哪里|是哪个网格|属于哪个网格)$"
)
_TELLS_NOTHING = re.compile(
    "(?:小区|花园|社区|街道|家属院|家属区|大院|院子|新村|公寓|宿舍|大楼|大厦|广场|停车场|学校|小学|中学|幼儿园|医院|银行|超市"
    f"|商场|公司|单位|网格|地址|门口|家|[省市区县镇乡村路街巷弄号楼栋幢座期院室层门东南西北中前后左右老新大小的我你他她们{HAN}]"
    "|单元)+"
)
_SHORTEST_LETTERS = 3


@dataclass(frozen=True)
class Named:
    """A name in the register and what bears it.

    Attributes
    ----------
    noun : str
        One of `NOUNS`.
    id : int or None
        Of a compound or building; None of what no alias can be given.
    name : str
        As it is written in the register, or an alias.
    """

    noun: str
    id: int | None
    name: str


NOUNS = {
    "district": "the district",
    "town": "a town",
    "community": "a community",
    "road": "a road",
    "site": "a site",
    "estate": "an estate of several phases",
    "compound": "a compound",
    "building": "a building",
    "division": "a province, city or county",
}
_SHORT_FORMS = frozenset(NOUNS) - {"building", "division"}
"""What people also name by the beginning of its name."""


def span(text: str) -> str:
    """Return the one name in a text: hanzi and words of small letters, without numbers, persons and words around it.

    Parameters
    ----------
    text : str
        A name, or an address with a name that the register lacks.

    Raises
    ------
    InputError
        If there is no name, there are several, it is too short or too long, a number belongs to it, or it names a
        person. The text is not repeated.

    Examples
    --------
    >>> span("老纺织厂宿舍3幢2单元501室 王先生 13800000000")
    '老纺织厂宿舍'

    Notes
    -----
    O(k) for k characters. A person named without a title, or a label such as 电话, is not recognised: that is what the
    second confirmation is for.
    """
    plain = _DOTTED.sub("", unicodedata.normalize("NFKC", text).lower())
    plain = _PARTED.sub(" ", plain)
    plain = _SPELT_NUMBER.sub(lambda found: "0" * len(found[0]), plain)
    if strange := next((c for c in plain if c.isalpha() and not re.match(f"[a-z{_HANZI}〇]", c)), None):
        raise InputError(
            f"{unicodedata.name(strange, 'A character')} is no letter of a name here.", "Write it in Chinese."
        )
    found = list(dict.fromkeys(name for run in _runs(plain) if (name := _trimmed(run))))
    if not found:
        raise InputError(
            "There is no name in it: only numbers, persons or words that every address has.",
            "Give the name people use, such as 老纺织厂宿舍.",
        )
    if len(found) > 1:
        raise InputError(f"There are {len(found)} names in it.", "Give the one that is meant.")
    return _measured(found[0])


def unexplained(asked: str, book: AddressBook) -> str:
    """Return an address without the names the register has, which leaves the name it lacks for `span`."""
    left = list(asked)
    for known in book.find(asked).spans:
        if known.role != "number":
            left[known.start : known.end] = " " * (known.end - known.start)
    return "".join(left)


def check_free(words: str, noun: str, target: int, names: Iterable[Named]) -> None:
    """See that a name would name one thing only.

    It must differ, in the resolver's spelling, from every name of anything else, and be the beginning of no name of
    another area, road or compound: 康宁 cannot stand for 康宁花园 where there is a 康宁新村 too.

    Parameters
    ----------
    words : str
        The name.
    noun, target : str and int
        ``compound`` or ``building``, and its id.
    names : iterable of Named
        Every name there is.

    Raises
    ------
    ConflictError
        If the target bears the name already, or something else does.

    Notes
    -----
    O(n) spellings for n names.
    """
    wanted = spelling(words)
    for other in names:
        spelt = spelling(other.name)
        if not spelt.startswith(wanted):
            continue
        own = (other.noun, other.id) == (noun, target)
        if own and spelt == wanted:
            raise ConflictError(f"It is called {other.name} already.", "Nothing needs to be proposed.")
        if not own and (spelt == wanted or other.noun in _SHORT_FORMS):
            raise ConflictError(
                f"The name is that of {NOUNS[other.noun]}, {other.name}, or begins it.",
                "Give a name that nothing else in the district has.",
            )


def spelling(name: str) -> str:
    """Return what makes a name one of a kind: its spelling in figures, without a 小区 or 老 that may be left out."""
    spelt = _NUMBER.sub(_as_digits, normalise(name))
    spelt = FORMER.sub("", spelt)
    return spelt.removesuffix("小区") if len(spelt) > len("小区") + 1 else spelt


def _runs(plain: str) -> Iterator[str]:
    """Yield the words between numbers and punctuation, without the units of a number before them."""
    number, end, contact = "", 0, False
    for piece in _PIECE.finditer(plain):
        attached = number if piece.start() == end else ""
        number, end = piece["number"] or "", piece.end()
        run = piece["run"]
        if run is None:
            continue
        words = _AFTER_NUMBER.sub("", run, count=1) if attached and _AFTER_NUMBER.match(run) else run
        if words == run and 0 < len(attached) <= _LONGEST_IN_NAME and _trimmed(run):
            raise InputError("A number belongs to the name.", "Write it in Chinese numerals: 十三冶宿舍.")
        label = _CONTACT.search(words)
        if not contact:
            yield words[: label.start()] if label else words
        contact = bool(label and not words[label.end() :])  # a name stands behind it, after a colon


def _trimmed(run: str) -> str:
    """Return the name in a run of words, empty where there is none."""
    before = None
    name = run
    while name != before:
        before = name
        name = _without_person(name)
        for pattern in (_BEHIND, _NUMBER_AT_END):
            shorter = pattern.sub("", name)
            name = shorter if len(shorter) > 1 else name
        opening = _BEFORE.match(name)
        name = name[opening.end() :] if opening and len(name) > opening.end() + 1 else name
    return (
        "" if _TELLS_NOTHING.fullmatch(name) or _BEHIND.fullmatch(name) or _BEFORE.fullmatch(name) else name
    )


def _without_person(run: str) -> str:
    if _BY_NAME.fullmatch(run):
        return ""
    found = _PERSON.search(run)
    if found is None:
        return run
    if found.end() < len(run):
        raise InputError("It seems to name a person.", "Give the name of the place alone.")
    return run[: found.start()]


def _measured(name: str) -> str:
    hanzi = sum(c > "z" for c in name)
    if hanzi < 2 and len(name) - hanzi < _SHORTEST_LETTERS:
        raise InputError("The name is too short.", "Give at least two hanzi, or three letters.")
    if len(name) > LONGEST:
        raise InputError("The name is too long.", f"Give at most {LONGEST} characters.")
    return name


def _as_digits(found: re.Match[str]) -> str:
    value = integer(found[0])
    return found[0] if value is None else str(value)
