"""Suggestions for what is typed, on a small register."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.address import AddressBook, Compound, Entry
from geo.address.directory import Kind, directory
from geo.address.suggest import Suggester

WANGJIANG, CAIJIANG = {"town": "望江街道", "district": "雨山区"}, {"town": "采江街道", "district": "雨山区"}
THIRD = Compound("1", "康宁三村", ("老幸福大院",), road="湖东路", road_number="166")
FIFTH = Compound("2", "康宁五村")
NEW = Compound("3", "盛世新城一期", phase_of="盛世新城")
NEWER = Compound("4", "盛世新城二期", phase_of="盛世新城")
PARK, OTHER_PARK = Compound("5", "永宁小区"), Compound("6", "永宁小区")
FLAG = Compound("7", "红旗花园")


def _within(compound: Compound, labels: str, community: str, **around: str) -> list[Entry]:
    return [Entry(compound=compound, label=label, community=community, **around) for label in labels.split()]


def _along(road: str, numbers: str, community: str, **around: str) -> list[Entry]:
    return [Entry(road=road, road_number=number, community=community, **around) for number in numbers.split()]


ENTRIES = [
    *_within(THIRD, "12幢 2幢 1幢 10幢 A座", "富民社区", **WANGJIANG),
    *_within(FIFTH, "1号楼 3号楼 30号楼", "安居社区", **CAIJIANG),
    *_within(NEW, "1栋 2栋", "湖畔社区", **WANGJIANG),
    *_within(NEWER, "1栋", "湖畔社区", **WANGJIANG),
    *_within(PARK, "3幢", "富民社区", **WANGJIANG),
    *_within(OTHER_PARK, "3幢", "安居社区", **CAIJIANG),
    *_within(FLAG, "1幢 2幢", "富民社区", **WANGJIANG),
    *_along("红旗东路", "8 16 16-2 160", "安居社区", **CAIJIANG),
    *_along("湖东路", "168号", "富民社区", **WANGJIANG),
    *_along("长乐路", "3", "安居社区", **CAIJIANG),
    *_along("绿洲街", "3", "安居社区", **CAIJIANG),
    Entry(poi="重庆商务楼", road="湖东路", road_number="200", community="富民社区", **WANGJIANG),
    Entry(poi="明月Ａ座·药房", road="湖东路", road_number="202", community="富民社区", **WANGJIANG),
    Entry(address="安徽省雨山区望江街道矿工宿舍", aliases=("老矿山",), community="富民社区", **WANGJIANG),
]
SUGGESTER = Suggester(ENTRIES)


def texts(typed: str, limit: int = 10) -> list[str]:
    return [suggestion.text for suggestion in SUGGESTER.suggest(typed, limit)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("红", "红旗东路"),
        ("红旗花", "红旗花园"),
        ("紅旗花園", "红旗花园"),
        ("hqdl", "红旗东路"),
        ("hongqi", "红旗东路"),
        ("ＨｏｎｇＱｉ", "红旗东路"),
        ("hóngqí", "红旗东路"),
        ("hong qi d", "红旗东路"),
        ("红qi d", "红旗东路"),
        ("红qih", "红旗花园"),
        ("hongqh", "红旗花园"),
        ("knsc", "康宁三村"),
        ("康宁3", "康宁三村"),
        ("kangning 3", "康宁三村"),
        ("老幸福", "老幸福大院"),
        ("幸福", "老幸福大院"),
        ("lvzhou", "绿洲街"),
        ("lüzhou", "绿洲街"),
        ("luzhou", "绿洲街"),
        ("明月a座药", "明月Ａ座·药房"),
        ("mingyue a zuo yaofang", "明月Ａ座·药房"),
        ("矿工", "矿工宿舍"),
        ("laoks", "老矿山"),
        ("望江", "望江街道"),
        ("安居", "安居社区"),
    ],
)
def test_names_are_found_by_characters_pinyin_and_initials(typed, first):
    assert texts(typed)[:1] == [first]


@pytest.mark.parametrize("typed", ["changle", "changyue", "zhangle", "zhangyue", "cl", "zy", "长yue"])
def test_a_character_answers_to_each_of_its_readings(typed):
    assert "长乐路" in texts(typed)


@pytest.mark.parametrize("typed", ["chongqing", "zhongqing", "cq", "zq", "重庆", "重慶"])
def test_so_it_does_in_the_name_of_a_place(typed):
    assert texts(typed)[0] == "重庆商务楼"


def test_the_usual_reading_comes_before_the_others():
    roads = [*_along("长安路", "1 2", "富民社区"), *_along("张家路", "1", "富民社区")]
    assert [each.text for each in Suggester(roads).suggest("zhang")] == ["张家路", "长安路"]


def test_buildings_come_once_a_compound_is_meant():
    assert texts("康宁三村") == [
        "康宁三村",
        "康宁三村A座",
        "康宁三村1幢",
        "康宁三村2幢",
        "康宁三村10幢",
        "康宁三村12幢",
    ]
    assert texts("康宁三村1") == ["康宁三村1幢", "康宁三村10幢", "康宁三村12幢"]
    assert texts("knsc1") == texts("康寧三村１") == texts("康宁三村1")
    assert texts("康宁三村١") == texts("康宁三村一") == texts("康宁三村1")
    for typed in ("康宁三村1幢", "康宁三村1号楼", "康宁三村1#", "knsc 1栋", "康宁三村一栋"):
        assert texts(typed) == ["康宁三村1幢"]
    assert texts("康宁三村a") == texts("康宁三村A座") == ["康宁三村A座"]
    assert texts("老幸福大院12") == ["老幸福大院12幢"]
    assert texts("康宁三村十二") == texts("康宁三村12号楼") == ["康宁三村12幢"]
    assert texts("康宁三村9") == texts("康宁三村1幢9") == []


def test_a_number_after_the_beginning_of_names_is_that_of_each():
    assert texts("康宁1") == ["康宁三村1幢", "康宁五村1号楼", "康宁三村10幢", "康宁三村12幢"]
    assert texts("盛世新城1") == ["盛世新城一期", "盛世新城一期1栋", "盛世新城二期1栋"]


def test_house_numbers_come_once_a_road_is_meant():
    assert texts("红旗东路16") == ["红旗东路16号", "红旗东路16-2号", "红旗东路160号"]
    assert texts("hqdl16-") == ["红旗东路16号", "红旗东路16-2号", "红旗东路160号"]
    assert texts("hqdl16-2") == ["红旗东路16-2号"]
    assert texts("湖东路166号") == ["湖东路166号"]
    (house,) = SUGGESTER.suggest("湖东路166")
    assert (house.kind, house.compound, len(house.entries)) == (Kind.HOUSE, "康宁三村", 5)


def test_an_estate_is_known_by_its_phases():
    found = SUGGESTER.suggest("盛世新城")
    assert [(each.text, each.kind) for each in found] == [
        ("盛世新城", Kind.ESTATE),
        ("盛世新城一期", Kind.COMPOUND),
        ("盛世新城二期", Kind.COMPOUND),
    ]
    assert len(found[0].entries) == 3


def test_names_that_are_shared_say_where_they_are():
    assert texts("永宁小区3") == ["安居社区永宁小区3幢", "富民社区永宁小区3幢"]
    suggestion = SUGGESTER.suggest("yn3")[0]
    assert [suggestion.text[begin:end] for begin, end in suggestion.spans] == ["永宁", "3"]


def test_what_lies_around_may_stand_in_front():
    assert texts("望江街道永宁") == ["富民社区永宁小区"]
    assert texts("采江街道永宁") == ["安居社区永宁小区"]
    assert texts("采江街道康宁三") == []
    assert texts("雨山区望江街道红旗") == ["红旗花园"]
    assert texts("湖东路166号康") == ["康宁三村"]
    assert texts("湖东路16号康") == []
    assert texts("湖东路166号康宁三村10") == ["康宁三村10幢"]


def test_beginnings_of_official_names_come_first_then_those_of_more_buildings():
    entries = [
        *_within(Compound("1", "旧东园", ("东园",)), "1 2 3 4", "富民社区"),
        *_within(Compound("2", "东园村"), "1", "富民社区"),
        *_within(Compound("3", "东园里"), "1 2", "富民社区"),
        *_within(Compound("4", "新东园"), "1 2 3 4 5 6", "富民社区"),
        *_within(Compound("5", "董元苑"), "1 2 3 4 5 6 7", "富民社区"),
        *_within(Compound("6", "大袁苑"), "1 2 3 4 5 6 7", "富民社区"),
    ]
    asked = Suggester(entries)
    assert [each.text for each in asked.suggest("东园里", 1)] == ["东园里"]
    names = [each.text for each in asked.suggest("东园", 50) if each.kind is Kind.COMPOUND]
    assert names == ["东园", "东园里", "东园村", "新东园"]
    names = [each.text for each in asked.suggest("dongyuan", 50) if each.kind is Kind.COMPOUND]
    assert names == ["东园", "董元苑", "东园里", "东园村", "新东园"]
    names = [each.text for each in asked.suggest("dy", 50) if each.kind is Kind.COMPOUND]
    assert names == ["东园", "大袁苑", "董元苑", "东园里", "东园村", "新东园"]


def test_a_building_is_known_by_its_aliases_too():
    entries = [
        Entry(compound=THIRD, label="1幢", aliases=("红房子", "一号楼"), community="富民社区"),
        Entry(road="红房路", road_number="7", community="富民社区"),
        Entry(aliases=("红房子西",), community="富民社区"),
    ]
    found = Suggester(entries).suggest("hongfang")
    assert [(each.text, each.kind, each.entries) for each in found] == [
        ("红房路", Kind.ROAD, (1,)),
        ("红房子", Kind.BUILDING, (0,)),
        ("红房子西", Kind.BUILDING, (2,)),
    ]
    assert found[1].compound == "康宁三村"


def test_a_suggestion_tells_what_matched_and_where_it_is():
    (suggestion,) = SUGGESTER.suggest("老幸福大院12")
    assert suggestion.kind is Kind.BUILDING
    assert suggestion.spans == ((0, 5), (5, 7))
    assert [ENTRIES[position].label for position in suggestion.entries] == ["12幢"]
    assert (suggestion.compound, suggestion.community, suggestion.town) == (
        "康宁三村",
        "富民社区",
        "望江街道",
    )
    (suggestion,) = SUGGESTER.suggest("a座药房")
    assert [suggestion.text[begin:end] for begin, end in suggestion.spans] == ["Ａ座·药房"]
    (road,) = SUGGESTER.suggest("湖东路", 1)
    assert (road.compound, road.community, road.town) == (None, "富民社区", "望江街道")


def test_the_limit_is_kept():
    assert texts("康宁三村", 3) == texts("康宁三村")[:3]
    assert len(texts("h", 2)) == 2


@pytest.mark.parametrize(
    "typed", ["", " ", "😀", "😀😀", "-", "!?", "\x00", "' OR 1=1 --", "<b>", "zzzz", "火星路"]
)
def test_what_is_like_nothing_gets_no_suggestion(typed):
    assert texts(typed) == []


def test_an_empty_register_suggests_nothing():
    assert Suggester([]).suggest("红旗") == Suggester([Entry()]).suggest("1") == []


@given(st.text(max_size=60))
def test_nothing_that_can_be_typed_fails(typed):
    for suggestion in SUGGESTER.suggest(typed):
        assert suggestion.entries
        assert all(0 <= begin < end <= len(suggestion.text) for begin, end in suggestion.spans)


@given(st.text(alphabet="康宁红旗东路湖永三村aghiknoquz'13١⑫ⅳ 幢号#-之百", max_size=12))
def test_suggestions_are_the_same_each_time_and_none_comes_twice(typed):
    found = texts(typed, 50)
    assert found == [each.text for each in Suggester(ENTRIES).suggest(typed, 50)]
    assert len(found) == len(set(found))


def test_a_building_that_is_suggested_is_the_one_its_text_names():
    book = AddressBook(ENTRIES)
    found = [each for name in directory(ENTRIES) for each in SUGGESTER.suggest(name.text, 50)]
    buildings = [each for each in found if len(each.entries) == 1]
    assert {Kind.BUILDING, Kind.HOUSE, Kind.POI} <= {each.kind for each in buildings}
    named = [(each.text, book.find(each.text).possible[0].entry) for each in buildings]
    assert named == [(each.text, each.entries[0]) for each in buildings]
