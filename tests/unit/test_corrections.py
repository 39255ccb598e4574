"""The name alone out of what was asked: no number, no person, no name that something else bears."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.address.corrections import LONGEST, STORED, Named, check_free, span
from geo.errors import ConflictError, InputError

WORDS = (
    *(
        "老纺织厂宿舍",
        "康宁花园",
        "十三冶",
        "小区",
        "湖东路",
        "soho",
        "Moma",
        "·",
        " ",
        "，",
        "（",
        "）",
        "-",
        "\t",
        "\U0001f600",
    ),
    *(
        "3幢",
        "12号楼",
        "二单元",
        "501室",
        "A座",
        "栋",
        "号",
        "１２",
        "③",
        "五",
        "13800000000",
        "一三八零零零零零",
    ),
    *("王先生", "李小明", "老王", "联系人", "电话：", "旁边", "北门", "我住在"),
)
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("老纺织厂宿舍", "老纺织厂宿舍"),
        ("老纺织厂宿舍3幢2单元501室", "老纺织厂宿舍"),
        ("老纺织厂宿舍１２号楼", "老纺织厂宿舍"),
        ("老纺织厂宿舍12-3-402", "老纺织厂宿舍"),
        ("老纺织厂宿舍十二栋二单元", "老纺织厂宿舍"),
        ("3幢老纺织厂宿舍", "老纺织厂宿舍"),
        ("老纺织厂宿舍 王先生 13800000000", "老纺织厂宿舍"),
        ("13800000000老纺织厂宿舍", "老纺织厂宿舍"),
        ("老纺织厂宿舍一三八零零零零零零零零", "老纺织厂宿舍"),
        ("老纺织厂宿舍李小明女士", "老纺织厂宿舍"),
        ("联系人：张三 老纺织厂宿舍", "老纺织厂宿舍"),
        ("老纺织厂宿舍电话0555-1234567", "老纺织厂宿舍"),
        ("请问我住在老纺织厂宿舍旁边", "老纺织厂宿舍"),
        ("老邮局对面", "老邮局"),
        ("老邮局（小区）", "老邮局"),
        ("十三冶宿舍", "十三冶宿舍"),
        ("三号桥宿舍", "三号桥宿舍"),
        ("永安里", "永安里"),
        ("凯旋·国际", "凯旋国际"),
        ("SOHO现代城A座", "soho现代城"),
        ("Moma Garden 3", "moma garden"),
        ("老邮局，老邮局3幢", "老邮局"),
    ],
)
def test_the_name_is_kept_and_nothing_else(text, name):
    assert span(text) == name


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no name"),
        ("12号楼3单元", "no name"),
        ("13800000000", "no name"),
        ("一三八零零零零零零零零", "no name"),
        ("小区", "no name"),
        ("老小区北门", "no name"),
        ("三村", "no name"),
        ("王先生", "no name"),
        ("101室老王", "no name"),
        ("张小明家", "no name"),
        ("a", "too short"),
        ("xy", "too short"),
        ("龘", "too short"),
        ("纺" * (LONGEST + 1), "too long"),
        ("老邮局 老粮站", "2 names"),
        ("13冶宿舍", "number belongs"),
        ("华润24城", "number belongs"),
        ("张师傅面馆", "a person"),
        ("ひらがな", "HIRAGANA"),
    ],
)
def test_what_is_no_one_name_is_refused_and_not_repeated(text, fault):
    with pytest.raises(InputError, match=fault) as refused:
        span(text)
    assert text not in str(refused.value) or len(text) < 2


@given(TEXTS)
def test_whatever_is_asked_a_name_holds_letters_only_and_stays_what_it_is(text):
    try:
        name = span(text)
    except InputError:
        return
    assert re.fullmatch(STORED, name)
    assert not re.search(r"\d", name)
    assert span(name) == name


NAMES = (
    Named("district", None, "雨山区"),
    Named("town", None, "望江街道"),
    Named("community", None, "富民社区"),
    Named("road", None, "湖东路"),
    Named("compound", 1, "康宁花园"),
    Named("compound", 1, "老幸福大院"),
    Named("compound", 2, "碧水小区"),
    Named("compound", 3, "钢城12村"),
    Named("building", 1, "邮局大楼"),
    Named("division", None, "合肥市"),
)


@pytest.mark.parametrize(
    ("words", "noun", "target"),
    [
        ("老纺织厂宿舍", "compound", 1),
        ("康宁", "compound", 1),  # the beginning of its own name
        ("康宁花园东区", "compound", 2),
        ("邮局", "compound", 2),
        ("合肥", "compound", 2),
        ("碧水小院", "building", 1),
    ],
)
def test_a_name_that_nothing_has_is_free(words, noun, target):
    check_free(words, noun, target, NAMES)


@pytest.mark.parametrize(
    ("words", "noun", "target", "fault"),
    [
        ("康宁花园", "compound", 1, "called 康宁花园 already"),
        ("碧水", "compound", 2, "called 碧水小区 already"),
        ("康宁花园", "compound", 2, "a compound, 康宁花园"),
        ("康宁花园小区", "compound", 2, "a compound, 康宁花园"),
        ("老幸福大院", "building", 1, "a compound, 老幸福大院"),
        ("邮局大楼", "compound", 1, "a building, 邮局大楼"),
        ("康宁", "compound", 2, "a compound, 康宁花园"),
        ("湖东", "compound", 1, "a road, 湖东路"),
        ("富民", "building", 1, "a community, 富民社区"),
        ("望江街道", "compound", 1, "a town, 望江街道"),
        ("雨山", "compound", 1, "the district, 雨山区"),
        ("邮局大樓", "compound", 1, "a building, 邮局大楼"),
        ("老康宁花园", "compound", 2, "a compound, 康宁花园"),
        ("合肥市", "compound", 1, "a province, city or county, 合肥市"),
        ("钢城十二村", "compound", 1, "a compound, 钢城12村"),
    ],
)
def test_a_name_of_something_else_is_refused(words, noun, target, fault):
    with pytest.raises(ConflictError, match=fault):
        check_free(words, noun, target, NAMES)
