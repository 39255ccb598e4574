"""Addresses: one spelling, readings, and what the book finds or honestly does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.address import AddressBook, Compound, Entry, normalise, readings

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
    ]
)


def found(text):
    return BOOK.find(text).entries


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("康宁三村１２号楼", "康宁三村12#"),
        ("康宁三村12栋", "康宁三村12#"),
        ("康宁三村12座", "康宁三村12#"),
        ("康宁三村A座", "康宁三村a#"),
        ("康宁三村12#楼", "康宁三村12#"),
        ("康宁三村１２號樓", "康宁三村12#"),
        (" 健康路 38 号。", "健康路38号"),
        ("健康路38—2号", "健康路38-2号"),
        ("（湖东路）166号", "湖东路166号"),
        ("", ""),
    ],
)
def test_one_spelling(written, plain):
    assert normalise(written) == plain


@given(st.text())
def test_the_one_spelling_is_stable(text):
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("address", "stem", "entrance"),
    [
        ("康宁三村3#2单元502室", "康宁三村3#", 2),
        ("康宁三村3#502室", "康宁三村3#", None),
        ("康宁三村3#2单元5楼502", "康宁三村3#", 2),
        ("康宁三村3-2-502", "康宁三村3#", 2),
        ("康宁三村3-502室", "康宁三村3#", None),
        ("康宁三村3#-2-502", "康宁三村3#", 2),
        ("康宁三村3-2单元502室", "康宁三村3#", 2),
        ("健康路38号201室", "健康路38号", None),
        ("康宁三村3", "康宁三村3#", None),
        ("康宁三村3号", "康宁三村3#", None),
        ("健康路38#", "健康路38号", None),
    ],
)
def test_readings(address, stem, entrance):
    assert (stem, entrance) in [(reading.stem, reading.entrance) for reading in readings(address)]


def test_the_literal_reading_comes_first():
    assert next(readings("枫林花园1-1#")).stem == "枫林花园1-1#"


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
    answer = BOOK.find(text)
    assert (answer.entries, answer.whole, answer.unexplained) == ((0,), True, "")


def test_street_place_and_alias():
    assert [found(text) for text in ("健康路38号", "印山小学", "健康路40号", "印刷厂宿舍")] == [
        (2,),
        (2,),
        (3,),
        (3,),
    ]


def test_the_entrance_is_kept():
    assert BOOK.find("康宁三村12幢2单元502室").entrance == 2


@pytest.mark.parametrize(
    "text",
    [
        "康宁三村2幢",  # no such number
        "康宁三村1幢3幢",
        "健康路380号",
        "金鼎康宁三村1幢",  # part of a longer name is another name
        "幸福新村3幢",
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


def test_another_town_in_front_is_reported():
    answer = BOOK.find("博望区健康路38号")
    assert (answer.entries, answer.unexplained) == ((2,), "博望区")


def test_a_wrong_house_number_in_front_is_reported():
    assert BOOK.find("湖东路16号康宁三村1幢").unexplained == "湖东路16号"


def test_a_name_of_two_is_both_until_the_surroundings_tell():
    assert found("碧水小区1幢") == (4, 5)
    assert found("映湖街道碧水小区1幢") == (5,)
    assert found("中央社区碧水小区1幢") == (4,)


def test_a_beginning_finds_all_that_begin_like_it():
    answer = BOOK.find("雨山区康宁三村")
    assert (answer.entries, answer.whole) == ((0, 1), False)
    assert found("健康路") == (2, 3)


def test_a_beginning_does_not_cut_a_number():
    book = AddressBook([Entry("健康路12号"), Entry("健康路1号甲")])
    assert book.find("健康路1号").entries == (1,)
    assert book.find("健康路1").entries == (1,)


def test_a_ledger_without_labels_is_found_by_its_standard_addresses():
    book = AddressBook(
        [Entry(f"{HERE}湖东路166号康宁三村1幢", **KANGNING), Entry(f"{HERE}健康路38号", **AREAS)]
    )
    assert book.find("老幸福大院1栋").entries == (0,)
    assert book.find("健康路38号").entries == (1,)


@given(st.text(max_size=200))
def test_anything_can_be_asked(text):
    answer = BOOK.find(text)
    assert all(0 <= entry < 7 for entry in answer.entries)


@given(
    st.sampled_from("康宁三村湖东路健碧水小区街道0123456789-#号幢栋室单元"),
    st.text("康宁三村碧水12号幢栋-#单元室", max_size=30),
)
def test_the_number_found_is_the_number_asked_for(first, rest):
    """What is found in full ends, after the room is left out, in a number the register has."""
    answer = BOOK.find(first + rest)
    if answer.entries and answer.whole:
        assert any(number in normalise(first + rest) for number in ("1", "12", "38", "40", "3"))
