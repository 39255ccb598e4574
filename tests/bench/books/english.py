"""Addresses in English, as delivery forms and visitors write them."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

from pypinyin import lazy_pinyin

from tests.bench.books import speech

if TYPE_CHECKING:
    from tests.bench.books.ledger import Building
    from tests.bench.books.maker import Maker

_ENDS = {
    "花园": "Garden",
    "花苑": "Garden",
    "小区": "Residential Quarter",
    "家园": "Home",
    "新村": "New Village",
    "公寓": "Apartment",
    "广场": "Plaza",
    "国际": "International",
    "新城": "New Town",
}
_ROADS = {
    "大道": ("Avenue", "Ave"),
    "大街": ("Street", "St"),
    "胡同": ("Hutong",),
    "支路": ("Zhi Road", "Zhi Rd"),
    "路": ("Road", "Rd", "Rd.", "Lu"),
    "街": ("Street", "St", "Jie"),
    "巷": ("Lane", "Alley"),
    "弄": ("Lane",),
}
_SIDES = {"东": "East", "西": "West", "南": "South", "北": "North", "中": "Middle"}
_ORDINALS = {"一": ("1st", "First"), "二": ("2nd", "Second"), "三": ("3rd", "Third")}
_PHASE = re.compile(r"(?P<estate>.+?)(?:(?P<phase>[一二三四五])期|(?P<zone>[A-D])区)")


def write(name: str, building: Building, maker: Maker) -> tuple[str, list[str]]:
    """Return an address in English and the names in the register that are written so."""
    rng = maker.rng
    style = rng.randrange(1000)
    named = _named(name, style, road=bool(building.road))
    forms = ((other, _named(other, style, road=bool(building.road))) for other in maker.truth.names)
    same = [
        other
        for other, form in forms
        if (other in maker.truth.of_road) == bool(building.road)
        and _plain(named) in (_plain(form), _plain(_title(other)))
    ]
    number = building.label
    if building.road or (building.compound and building.compound.village):
        text = rng.choice(
            (f"No. {number} {named}", f"#{number}, {named}", f"{named} No.{number}", f"{number} {named}")
        )
    else:
        text = rng.choice(
            (
                f"Building {number}, {named}",
                f"Bldg. {number}, {named}",
                f"{named} Building {number}",
                f"{named}, Block {number}",
                f"Room 301, Unit 1, Building {number}, {named}",
                f"Unit 2, Bldg {number}, {named}",
                f"Rm 501, {number}# {named}",
            )
        )
    return text + _tail(maker, rng), same


def _named(name: str, style: int, *, road: bool) -> str:
    rng = Random(style)  # noqa: S311
    return _road(name, rng) if road else _compound(name, rng)


def _compound(name: str, rng: Random) -> str:
    translate, joint = rng.random() < 0.5, rng.random()
    phase = _PHASE.fullmatch(name)
    if phase and rng.random() < 0.5:
        estate, digit = phase["estate"], phase["phase"]
        mark = f"Phase {'一二三四五'.index(digit) + 1}" if digit else f"Zone {phase['zone']}"
        return f"{_words(estate, translate, joint)} {mark}"
    return _words(name, translate, joint)


def _words(name: str, translate: bool, joint: float) -> str:
    for end, word in _ENDS.items():
        if translate and name.endswith(end) and len(name) > len(end):
            return f"{_title(name.removesuffix(end))} {word}"
    if len(name) > 3 and joint < 0.7 and not name[:2].isascii():
        return f"{_title(name[:2])} {_title(name[2:])}"
    return _title(name)


def _road(name: str, rng: Random) -> str:
    for end, words in _ROADS.items():
        if name.endswith(end):
            word, stem = rng.choice(words), name.removesuffix(end)
            spread = rng.random()
            if stem[-1] in _SIDES and len(stem) > 2 and spread < 0.6:
                side, bare = _SIDES[stem[-1]], _title(stem[:-1])
                return f"{side} {bare} {word}" if spread < 0.25 else f"{bare} {side} {word}"
            if stem[-1] in _ORDINALS and len(stem) > 2 and spread < 0.4:
                return f"{_title(stem[:-1])} {rng.choice(_ORDINALS[stem[-1]])} {word}"
            return f"{_title(stem)} {word}"
    return _title(name)


def _tail(maker: Maker, rng: Random) -> str:
    of = maker.ledger.division
    district, city = _title(speech.short(of.district)), _title(speech.short(of.city or of.province))
    kind = "County" if of.district.endswith("县") else "District"
    return rng.choice(
        (
            "",
            f", {district} {kind}",
            f", {district} {kind}, {city}",
            f", {district}, {city}, {_title(speech.short(of.province))}, China",
            f", {city}",
        )
    )


def _title(name: str) -> str:
    spelt = "".join(lazy_pinyin(name)).replace("lü", "lv").replace("nü", "nv")
    return spelt[:1].upper() + spelt[1:]


def _plain(text: str) -> str:
    return text.replace(" ", "").lower()
