"""What made-up districts are named with. Provinces and cities exist; everything in a district is invented."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

_WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


class Division(NamedTuple):
    """Where a district lies: its own names, its neighbours in the same city, and a point to build it around."""

    province: str
    city: str
    district: str
    neighbours: tuple[str, ...]
    lon: float
    lat: float


DIVISIONS = (
    Division("山东省", "济南市", "槐荫区", ("历下区", "市中区", "天桥区", "长清区"), 116.9, 36.65),
    Division("四川省", "绵阳市", "涪城区", ("游仙区", "安州区"), 104.7, 31.46),
    Division("黑龙江省", "齐齐哈尔市", "龙沙区", ("建华区", "铁锋区", "富拉尔基区"), 123.95, 47.3),
    Division("内蒙古自治区", "赤峰市", "松山区", ("红山区", "元宝山区"), 118.9, 42.3),
    Division("湖南省", "株洲市", "石峰区", ("荷塘区", "芦淞区", "渌口区"), 113.1, 27.87),
    Division("福建省", "三明市", "沙县区", ("三元区",), 117.8, 26.4),
    Division("上海市", "", "普陀区", ("静安区", "长宁区", "嘉定区"), 121.4, 31.25),
    Division("云州省", "临江市", "青溪区", ("云西区", "玉河区", "临湖区"), 112.5, 30.2),
    Division("广西壮族自治区", "桂林市", "七星区", ("秀峰区", "叠彩区", "象山区"), 110.3, 25.25),
    Division("宁川省", "石岭市", "望岗县", ("石北县", "望川县"), 109.1, 34.5),
)

ELSEWHERE = (
    "江苏省苏州市吴中区",
    "浙江省杭州市西湖区",
    "北京市海淀区",
    "天津市河西区",
    "重庆市渝中区",
    "广东省深圳市南山区",
    "陕西省西安市雁塔区",
    "湖北省武汉市江汉区",
    "成都市武侯区",
    "郑州市金水区",
    "河北省石家庄市",
    "辽宁省大连市中山区",
    "南京市鼓楼区",
    "合肥市",
)
"""Other cities; none is one of `DIVISIONS`."""

TOWN_STEMS: list[str] = _WORDS["towns"].split()
TOWN_SUFFIXES = ("街道", "街道", "街道", "街道", "镇", "镇", "乡")

STEMS: list[str] = " ".join(_WORDS["stems"].values()).split()
ROAD_STEMS: list[str] = _WORDS["roads"].split()
COMPOUND_SUFFIXES: list[str] = _WORDS["compound_ends"].split()
COMMON_SUFFIXES = ("小区", "花园", "家园", "佳苑", "花苑", "公寓", "新村", "嘉园")
VILLAGES: list[str] = _WORDS["villages"].split()
CHARACTERS: str = _WORDS["characters"]
"""Any two of them make a stem."""
INVENTED: list[str] = _WORDS["invented"].split()
"""Stems that are in no district."""

FAMILIES = (
    ("{}{}村", "一二三四五六", "{}村"),
    ("{}{}里", "一二三东西", "{}里"),
    ("{}{}苑", "东西南北", "{}苑"),
    ("{}花园{}期", "一二三四五", "{}花园"),
    ("{}新城{}区", "ABCD", "{}新城"),
    ("{}家园{}区", "东西南北", "{}家园"),
    ("{}嘉园{}期", "一二三", "{}嘉园"),
    ("{}新村{}组", "一二三", "{}新村"),
    ("{}{}街坊", "一二三四", "{}街坊"),
)
"""How estates that belong together are named, their marks, and what is said of all of them."""
PHASED = ("期", "区")
"""Families named so are phases of an estate in the register."""

UNITS: list[str] = _WORDS["units"].split()
HOUSINGS = ("家属院", "宿舍", "生活区", "职工宿舍", "家属楼")
ALIAS_SUFFIXES = ("大院", "楼", "老楼", "大厦", "商城", "花城", "小院", "庄")

POI_KINDS: list[str] = _WORDS["place_kinds"].split()
BRANDS: list[str] = _WORDS["brands"].split()

SHAPES: list[str] = _WORDS["shapes"].split()
"""Groups of characters that look like one another."""
BEFORE: list[str] = _WORDS["before"]
BEHIND: list[str] = _WORDS["behind"]
TICKETS: list[str] = _WORDS["tickets"]
STORIES: list[str] = _WORDS["stories"]
"""Around an address that is one of the places named: ``at`` in ``community`` in ``town``."""
NEAR: list[str] = _WORDS["near"].split()
NEAR_TICKETS: list[str] = _WORDS["near_tickets"]
LOOSE: list[str] = _WORDS["loose"]
"""Around a compound without a building."""
TALK: list[str] = _WORDS["talk"]
"""What is no address."""


def _twins(kind: str) -> dict[str, list[str]]:
    both: dict[str, list[str]] = {}
    for pair in _WORDS["twins"][kind].split():
        one, other = pair.split("=")
        both.setdefault(one, []).append(other)
        both.setdefault(other, []).append(one)
    return both


TWIN_STEMS, TWIN_ENDS = _twins("stems"), _twins("ends")
"""What is taken for what."""
