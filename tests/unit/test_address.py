"""Addresses: one spelling, numbers and names, and what the book finds or honestly does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.address import AddressBook, Compound, Entry, Kind, Precision, normalise
from geo.address.faults import NOTHING
from geo.address.numbers import integer
from geo.address.spelling import spell
from geo.address.words import WORDS

HERE = "安徽省马鞍山市雨山区望江街道"
AREAS = {"district": "雨山区", "town": "望江街道", "community": "富民社区"}
KANGNING = AREAS | {"compound": Compound("X1", "康宁三村", ("老幸福大院",), road="湖东路", road_number="166")}

BOOK = AddressBook(
    [
        Entry(f"{HERE}湖东路166号康宁三村1幢", label="1幢", **KANGNING),
        Entry(f"{HERE}湖东路166号康宁三村12幢", label="12幢", **KANGNING),
        Entry(f"{HERE}健康路38号", road="健康路", road_number="38", poi="印山小学", **AREAS),
        Entry(None, ("印刷厂宿舍",), road="健康路", road_number="40号", **AREAS),
        Entry(None, compound=Compound("X2", "碧水小区"), label="1幢", **(AREAS | {"community": "中央社区"})),
        Entry(
            None,
            compound=Compound("X3", "碧水小区"),
            label="1幢",
            district="雨山区",
            town="映湖街道",
            community="祥和社区",
        ),
        Entry(f"{HERE}新村路9号新村3幢", **AREAS, compound=Compound("X4", "新村")),
    ],
    "340504",
)


def found(text):
    return tuple(sorted(possible.entry for possible in sure(BOOK.find(text))))


def sure(answer):
    """What is likelier than that nothing is meant, and nearly as likely as the best."""
    likely = [each for each in answer.possible if each.weight < NOTHING]
    return [each for each in likely if each.weight < likely[0].weight + 1]


def kinds(answer):
    return [wrong.kind for wrong in answer.possible[0].faults]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("康宁三村１２号楼", "康宁三村12号楼"),
        ("康寧三村Ａ座", "康宁三村a座"),
        (" 健康路 38 号。", "健康路38号"),
        ("健康路38—2号", "健康路38-2号"),
        ("健康路-38号", "健康路38号"),
        ("（湖东路）166号", "湖东路166号"),
        ("⻢鞍⼭⽯桥", "马鞍山石桥"),
        ("1单元301 302", "1单元301 302"),
        ("①号㊁", "1号二"),
        ("3\u200b幢\x00", "3幢"),
        ("", ""),
    ],
)
def test_one_spelling(written, plain):
    assert normalise(written) == plain


@given(st.text())
def test_the_one_spelling_is_stable(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=60))
def test_every_character_knows_where_it_came_from(text):
    spelled = spell(text)
    assert len(spelled.text) == len(spelled.origins)
    assert spelled.origins == sorted(spelled.origins)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("一百六十三", 163),
        ("二〇四", 204),
        ("十九", 19),
        ("二百五", 250),
        ("四〇幺", 401),
        ("12", 12),
        ("百", 100),
    ],
)
def test_numerals(written, value):
    assert integer(written) == value


@given(st.integers(1, 999))
def test_numerals_as_they_are_counted(value):
    hundreds, tens, ones = value // 100, value // 10 % 10, value % 10
    digits = "零一二三四五六七八九"
    said = f"{digits[hundreds]}百" if hundreds else ""
    said += f"{digits[tens]}十" if tens else "零" if hundreds and ones else ""
    assert integer(said + (digits[ones] if ones else "")) == value


@pytest.mark.parametrize(
    ("address", "building", "entrance"),
    [
        ("康宁三村12#2单元502室", 1, 2),
        ("康宁三村12号楼502室", 1, None),
        ("康宁三村十二栋二单元5楼502", 1, 2),
        ("康宁三村12-2-502", 1, 2),
        ("康宁三村12-502室", 1, None),
        ("康宁三村12幢-2-502", 1, 2),
        ("康宁三村12-2单元502室", 1, 2),
        ("康宁三村12", 1, None),
        ("康宁三村12号", 1, None),
        ("12幢康宁三村", 1, None),
        ("健康路38号201室", 2, None),
        ("健康路38#", 2, None),
        ("38号健康路", 2, None),
    ],
)
def test_numbers(address, building, entrance):
    first = BOOK.find(address).possible[0]
    assert (first.entry, first.entrance) == (building, entrance)


@pytest.mark.parametrize(
    "text",
    [
        f"{HERE}湖东路166号康宁三村1幢",
        "康宁三村1幢",
        "康宁三村1号楼302室",
        "老幸福大院1栋",
        "雨山康宁三村1幢",
        "马鞍山市望江街道康宁三村１栋",
        "安徽省雨山区湖东路166号康宁三村1-2-302",
        "富民社区康宁三村1",
    ],
)
def test_forms_of_one_building(text):
    assert found(text) == (0,)
    assert BOOK.find(text).precision is Precision.BUILDING


def test_street_place_and_alias():
    assert [found(text) for text in ("健康路38号", "印山小学", "健康路40号", "印刷厂宿舍")] == [
        (2,),
        (2,),
        (3,),
        (3,),
    ]


def test_the_entrance_is_kept():
    assert BOOK.find("康宁三村12幢2单元502室").possible[0].entrance == 2


@pytest.mark.parametrize(
    "text",
    [
        "康宁三村2幢",  # no such number
        "健康路380号",
        "金鼎花园1幢",
        "康宁八村1幢",  # its siblings are other places
        "3幢",
        "38号",
        "号",
        "",
        "\x00",
        "北京市朝阳区康宁三村1幢",  # another city
        "今天天气不错",
    ],
)
def test_what_is_not_in_the_book_is_not_found(text):
    assert found(text) == ()


@pytest.mark.parametrize(
    ("text", "building", "kind"),
    [
        ("花山区健康路38号", 2, Kind.DISTRICT),
        ("映湖街道健康路38号", 2, Kind.TOWN),
        ("湖东路16号康宁三村1幢", 0, Kind.STREET_NUMBER),
        ("健康路康宁三村1幢", 0, Kind.STREET),
        ("老幸福大院1栋", 0, Kind.ALIAS),
        ("康凝三村1幢", 0, Kind.SPELLING),
        ("kangning sancun 1 zhuang", 0, Kind.PINYIN),
        ("Building 1, Kangning Sancun", 0, Kind.PINYIN),
        ("knsc1zhuang", 0, Kind.INITIALS),
        ("康宁三村北面的1幢", 0, Kind.WORDS),
        ("1幢康宁三村", 0, Kind.ORDER),
    ],
)
def test_what_is_wrong_is_named(text, building, kind):
    answer = BOOK.find(text)
    assert answer.possible[0].entry == building
    assert kind in kinds(answer)
    assert WORDS[kind].zh
    assert WORDS[kind].en


def test_a_number_that_is_not_there_is_named_and_the_nearest_are_offered():
    answer = BOOK.find("康宁三村11幢")
    assert answer.possible == ()
    assert [(wrong.kind, wrong.words) for wrong in answer.faults] == [(Kind.NUMBER_UNKNOWN, "康宁三村 11")]
    assert answer.offers == (1, 0)


def test_spans_are_of_the_text_as_it_was_written():
    text = "请问： 康寧三村 １２号楼在哪？"
    spans = BOOK.find(text).spans
    assert [(text[s.start : s.end], s.role, s.name) for s in spans] == [
        ("康寧三村", "compound", "康宁三村"),
        ("１２号楼", "number", "12"),
    ]


def test_a_name_of_two_is_both_until_the_surroundings_tell():
    assert found("碧水小区1幢") == (4, 5)
    assert found("映湖街道碧水小区1幢") == (5,)
    assert found("中央社区碧水小区1幢") == (4,)


def test_a_name_alone_means_all_of_it():
    assert found("雨山区康宁三村") == (0, 1)
    assert BOOK.find("雨山区康宁三村").precision is Precision.COMPOUND
    assert found("健康路") == (2, 3)
    assert BOOK.find("健康路").precision is Precision.ROAD


def test_a_ledger_without_labels_is_found_by_its_standard_addresses():
    book = AddressBook(
        [Entry(f"{HERE}湖东路166号康宁三村1幢", **KANGNING), Entry(f"{HERE}健康路38号", **AREAS)]
    )
    assert [book.find(text).possible[0].entry for text in ("老幸福大院1栋", "健康路38号")] == [0, 1]


@given(st.text(max_size=200) | st.text("康宁三村湖东路健碧水小区12号幢栋-#单元室ab ", max_size=40))
def test_anything_can_be_asked(text):
    answer = BOOK.find(text)
    assert all(0 <= possible.entry < 7 for possible in answer.possible)
    assert all(0 <= span.start < span.end <= len(text) for span in answer.spans)


@given(st.integers(1, 400), st.sampled_from(["幢", "栋", "号楼", "#", "座", ""]))
def test_only_a_number_that_is_there_is_found(number, word):
    assert found(f"康宁三村{number}{word}") == ({1: (0,), 12: (1,)}.get(number, ()))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "康宁三村往东1米",
            "康宁三村1位老人",
            "康宁三村1台电梯",
            "康宁三村12平米",
            "康宁三村1.5米",
            "康宁三村12:30",
        ),
        *(
            "康宁三村1号门",
            "康宁三村1号车位",
            "康宁三村共12幢",
            "康宁三村两幢楼",
            "康宁三村倒数第1幢",
            "康宁三村第1排",
        ),
        *(
            "康宁三村负一楼",
            "康宁三村不是1幢",
            "康宁三村除了1幢都停水",
            "康宁三村小学1号楼",
            "康宁三村1期1幢",
        ),
        *("康宁书村1幢", "康宁国村1幢", "人民小区1幢"),
    ],
)
def test_a_number_that_is_no_buildings_names_none(text):
    assert found(text) in ((), (0, 1))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("康宁三村12楼", Kind.READING),
        ("康宁三村12来人", Kind.WORDS),
        ("新康宁三村12幢", Kind.WORDS),
        ("没有康宁三村12幢", Kind.WORDS),
        ("鑫康宁三村12幢", Kind.PREFIX),
        ("康宁三村不是1幢是12幢", Kind.WORDS),
    ],
)
def test_what_may_be_something_else_is_told(text, kind):
    answer = BOOK.find(text)
    assert answer.possible[0].entry == 1
    assert kind in kinds(answer)


def test_several_numbers_are_several_buildings():
    for text in (
        "康宁三村1、12幢",
        "康宁三村一、十二幢",
        "康宁三村1幢和12幢",
        "康宁三村1-12幢",
        "1、12幢康宁三村",
    ):
        assert found(text) == (0, 1), text


@pytest.mark.parametrize(
    "text", ["康宁三村1幢、499幢", "康宁三村1、499幢", "康宁三村499幢、1幢", "湖东路166号康宁三村1幢、499幢"]
)
def test_one_of_a_list_that_is_not_there_is_told(text):
    answer = BOOK.find(text)
    assert found(text) == (0,)
    (wrong,) = answer.possible[0].faults
    assert (wrong.kind, wrong.words) == (Kind.LISTED_UNKNOWN, "499")
    assert kinds(BOOK.find("康宁三村1幢，501")) == []  # a room


def test_beside_is_not_in():
    for text in ("康宁三村1幢对面", "康宁三村1幢旁边50米", "康宁三村1幢往东", "康宁三村1幢北侧1号门"):
        assert BOOK.find(text).nearby, text
    assert not BOOK.find("康宁三村1幢，放门口").nearby


def test_two_places_are_not_one():
    assert found("康宁三村1幢与碧水小区1幢") == (0, 4, 5)


@pytest.mark.parametrize(
    "label", ["A区1幢", "东1幢", "1栋B座", "3号院2号楼", "综合楼", "AB栋", "Ⅲ幢", "12甲", "384之3号"]
)
def test_every_label_is_found(label):
    book = AddressBook([Entry(label=text, **KANGNING) for text in (label, "1幢", "2幢")])
    assert [each.entry for each in sure(book.find(f"康宁三村{label}"))] == [0]


@pytest.mark.parametrize(
    "entry",
    [
        Entry(),
        Entry("12号", compound=Compound("X", "")),
        Entry(compound=Compound("X", "康宁三村"), label="9" * 5000),
        Entry(road="路", road_number="9" * 5000),
        Entry("·", town="·", community="", district="\x00"),
        Entry(compound=Compound("X", "·", ("", "。")), label="1"),
    ],
)
def test_odd_entries_stop_nobody(entry):
    book = AddressBook([entry, Entry(f"{HERE}健康路38号", **AREAS)], "²")
    assert 1 in [each.entry for each in book.find("健康路38号").possible]
