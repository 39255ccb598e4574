"""How an address is said: what stands in front, how numbers and rooms are written."""

from __future__ import annotations

import re
from random import Random

from tests.bench.books.ledger import Building
from tests.bench.books.words import Division

_DIGITS = "零一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"


def front(rng: Random, of: Division, town: str = "") -> str:
    """Return province, city, district and town in one of the ways they are cut short, maybe none of them."""
    province = rng.choice((of.province, of.province.removesuffix("省"), short(of.province), ""))
    city = rng.choice((of.city, of.city.removesuffix("市"))) if of.city else ""
    district = rng.choice((of.district, of.district, of.district, short(of.district)))
    whole = rng.choice(
        (
            province + city + district,
            province + city + district,
            city + district,
            district,
            province + district,
            (province + city) if of.city else district,
            "",
            "",
            "中国" + of.province + city + district,
        )
    )
    if town and rng.random() < 0.5:
        cut = re.sub("街道$|[镇乡]$", "", town)
        whole += cut if rng.random() < 0.08 and len(cut) > 1 else town
    return whole


def short(area: str) -> str:
    """Leave out what kind of area it is."""
    plain = re.sub(r"(壮族|回族|维吾尔)?自治区$|[省市县区]$", "", area)
    return plain if len(plain) > 1 else area


def chinese(number: int, rng: Random) -> str:
    """Write a number in Chinese in one of the ways it is read out."""
    digits = str(number)
    one_by_one = "".join(_DIGITS[int(digit)] for digit in digits)
    ways = [counted(number), counted(number), one_by_one, one_by_one.replace("零", "〇")]
    if 10 <= number < 20:
        ways.append("一" + counted(number))
    if number < 100:
        ways.append(_formal(number))
    if number >= 200 and digits[0] == "2":
        ways.append("两" + counted(number)[1:])
    if number > 100 and digits[1] == "0" and digits[2] != "0":
        ways.append(counted(number).replace("零", "〇"))
    return rng.choice(ways)


def counted(number: int) -> str:
    """Write a number below 1000 as it is counted: 一百零四, 十二."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    out = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        out += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        out += "零"
    return out + (_DIGITS[ones] if ones or not number else "")


def _formal(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (f"{_FORMAL[tens]}拾" if tens else "") + (_FORMAL[ones] if ones or not tens else "")


def own(building: Building) -> str:
    """Return the number as the register writes it."""
    return f"{building.label}{building.word}"


def otherwise(building: Building, rng: Random) -> str:
    """Return the number with another word than the register's, or none."""
    if building.road:
        return rng.choice(street_numbers(building.label))
    label = building.label
    if building.compound and building.compound.village:
        return rng.choice((label + "号", label, label + "号院", label + "#"))
    if not label[-1].isdigit():
        return rng.choice((label + "栋", label + "座", label + "幢", label + "楼", label.lower() + "座"))
    if rng.random() < 0.04:
        return "第" + label + rng.choice(("幢", "栋", "座"))
    ends = ("幢", "栋", "座", "号楼", "号", "#", "#楼", "楼", "")
    return label + rng.choice(ends if label.isdigit() else ends[:6])


def street_numbers(label: str) -> list[str]:
    """Return the ways to write a house number."""
    plain = re.fullmatch(r"(\d+)(?:(?:-|之|号附)(\d+)|([甲乙]))?", label)
    if not plain:
        return [label + "号"]
    number, extra, letter = plain.groups()
    if letter:
        return [f"{number}{letter}号", f"{number}号{letter}", f"{number}{letter}"]
    if extra:
        return [f"{number}-{extra}号", f"{number}号附{extra}号", f"{number}之{extra}号", f"{number}-{extra}"]
    return [
        f"{number}号",
        number,
        f"{number}#",
        f"No.{number}",
        f"NO.{number}",
        f"{number}号院",
        f"{number}號",
    ]


def in_chinese(building: Building, rng: Random) -> str:
    """Return the number in Chinese numerals."""
    word = building.word
    if building.compound and not building.compound.village:
        word = rng.choice(("幢", "栋", "座", "号楼", "号", "楼"))
    return chinese(int(building.label), rng) + (word or "栋")


def room(building: Building, rng: Random) -> str:
    """Return entrance, floor and room behind a building's number; empty as often as not."""
    if rng.random() < 0.5 or building.road or (building.compound and building.compound.village):
        return ""
    unit, floor, door = _door(building, rng)
    flat = f"{floor}0{door}"
    return rng.choice(
        (
            f"{unit}单元{flat}",
            f"{unit}单元{flat}室",
            f"{unit}单元{flat}室",
            f"{flat}室",
            f"{flat}",
            f"-{unit}-{flat}",
            f"-{flat}",
            f"{unit}-{flat}室",
            f"{unit}单元",
            f"{floor}楼",
            f"{unit}单元{floor}层",
            f"{unit}单元{floor}楼{flat}室",
            f"{unit}门{flat}",
            f"{flat}房",
            f"{flat}号",
            f"-{flat}号",
            f"-{unit}单元{flat}号",
            f"-{flat}室",
            f"东单元{flat}",
            f"{floor}楼西户",
            f"{unit}单元东户",
        )
    )


def room_in_chinese(building: Building, rng: Random) -> str:
    """Return entrance and room as they are said."""
    unit, floor, door = _door(building, rng)
    said = "".join(_DIGITS[int(digit)] for digit in f"{floor}0{door}")
    return rng.choice(
        (
            "",
            f"{rng.choice(('两', '二')) if unit == 2 else _DIGITS[unit]}单元{said.replace('零', rng.choice('零〇'))}",
            f"{_DIGITS[unit]}单元{counted(floor)}楼",
            f"{_DIGITS[unit]}单元{said.replace('一', '幺')}室",
            f"{_DIGITS[unit]}单元{floor}0{door}",
        )
    )


def dashed(building: Building, rng: Random) -> str:
    """Return building, entrance and room with marks between: 12-2-301."""
    unit, floor, door = _door(building, rng)
    flat = f"{floor}0{door}"
    label = building.label
    return rng.choice(
        (
            f"{label}-{unit}-{flat}",
            f"{label}-{unit}-{flat}室",
            f"{label}-{unit}-{flat}",
            f"{label}-{flat}",
            f"{label}#{flat}",
            f"{label}#{unit}-{flat}",
            f"{label}-{unit}单元{flat}",
            f"{label}/{unit}/{flat}",
            f"{label}—{unit}—{flat}",
            f"{label}号-{unit}-{flat}",
            f"{label}幢-{unit}-{flat}",
        )
    )


def _door(building: Building, rng: Random) -> tuple[int, int, int]:
    return rng.randint(1, building.units), rng.randint(1, building.floors), rng.randint(1, building.rooms)
