"""Cells: what they mean, or why not; and the table of columns they are read by."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.ledger import reasons
from etl.ledger.columns import Column
from etl.ledger.document import insert_tables
from etl.ledger.provisional import Code, assign
from etl.ledger.reasons import Reason
from etl.ledger.spec import LEDGER
from etl.ledger.values import Unreadable, read
from geo.errors import InputError

COLUMNS = [column for noun in LEDGER.values() for column in noun.columns]


def meaning(value, kind, **options):
    return read(value, Column("x", "某列", kind, **options))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("12.0", "integer", 12),
        (12.0, "integer", 12),
        ("１２", "integer", 12),
        ("+7", "integer", 7),
        (None, "integer", None),
        (float("nan"), "integer", None),
        (pd.NaT, "date", None),
        ("2025-01-31", "date", date(2025, 1, 31)),
        ("2025/1/31", "date", date(2025, 1, 31)),
        ("2025.1.31", "date", date(2025, 1, 31)),
        ("20250131", "date", date(2025, 1, 31)),
        ("2025年1月31日", "date", date(2025, 1, 31)),
        (datetime(2025, 1, 31), "date", date(2025, 1, 31)),
        (pd.Timestamp("2025-01-31"), "date", date(2025, 1, 31)),
        ("甲；乙、丙;甲; ", "list", ["甲", "乙", "丙"]),
        (["甲", "乙"], "list", ["甲", "乙"]),
        ("", "list", []),
        ("是", "flag", True),
        (False, "flag", False),
        (" 东路\t8号\n", "text", "东路 8号"),
        (340504001001.0, "text", "340504001001"),
    ],
)
def test_cells_are_read(value, kind, expected):
    assert meaning(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ("-1", "integer", reasons.NEGATIVE),
        ("1.5", "integer", reasons.NOT_INTEGER),
        ("十二", "integer", reasons.NOT_INTEGER),
        ("1,200", "integer", reasons.NOT_INTEGER),
        ("nan", "integer", reasons.NOT_INTEGER),
        (float("inf"), "integer", reasons.NOT_INTEGER),
        (True, "integer", reasons.NOT_INTEGER),
        ("99999999", "integer", reasons.OUT_OF_RANGE),
        ("2025-02-30", "date", reasons.BAD_DATE),
        ("31.1.2025", "date", reasons.BAD_DATE),
        ("45688", "date", reasons.BAD_DATE),
        ("0001-01-01", "date", reasons.BAD_DATE),
        ("perhaps", "flag", reasons.BAD_CHOICE),
        ("a\x00b", "text", reasons.CONTROL_CHARACTER),
        ("a\ud800b", "text", reasons.CONTROL_CHARACTER),
        ("x" * 201, "text", reasons.TOO_LONG),
        ("#N/A", "text", reasons.SPREADSHEET_ERROR),
        ("#REF!", "integer", reasons.SPREADSHEET_ERROR),
    ],
)
def test_cells_that_mean_nothing_say_why(value, kind, reason):
    with pytest.raises(Unreadable) as fault:
        meaning(value, kind)
    assert fault.value.reason is reason


def test_empty_cells_are_missing_where_required_and_the_default_elsewhere():
    with pytest.raises(Unreadable) as fault:
        meaning("  ", "text", required=True)
    assert fault.value.reason is reasons.MISSING
    assert meaning("", "integer", default=1) == 1
    with pytest.raises(Unreadable) as fault:
        meaning("0", "integer", least=1)
    assert fault.value.hint == "1 - 1000000"


def test_wrong_words_name_the_right_ones():
    with pytest.raises(Unreadable) as fault:
        read("关闭", LEDGER["communities"].column("status"))
    assert fault.value.hint == "active, 正式, preparatory, 筹备"


anything = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.lists(st.text()),
)


@given(value=anything, column=st.sampled_from(COLUMNS))
def test_any_cell_is_read_or_refused_and_what_is_read_can_be_stored(value, column):
    try:
        found = read(value, column)
    except Unreadable:
        return
    for part in found if isinstance(found, list) else [found]:
        if isinstance(part, str):
            assert "\x00" not in part
            assert len(part.encode()) <= 4 * column.limit
        if isinstance(part, int) and column.kind == "integer":
            assert column.least <= part <= column.limit


def test_reasons_have_names_of_their_own_and_both_languages():
    every = [value for value in vars(reasons).values() if isinstance(value, Reason)]
    assert len({reason.name for reason in every}) == len(every) > 25
    assert all(reason.en.isascii() and not reason.zh.isascii() for reason in every)


@pytest.mark.parametrize("noun", LEDGER.values(), ids=list(LEDGER))
def test_a_header_means_one_column_and_examples_can_be_read(noun):
    headers = [header for column in noun.all_columns for header in column.headers]
    assert len(set(headers)) == len(headers)
    for column in noun.columns:
        assert column.meaning
        assert column.example or not column.required
        assert column.refers_to in {"", *LEDGER}
        if column.example:
            read(column.example, column)
        if column.default is not None and column.choices:
            assert column.default in column.choices.values()


def test_the_document_lists_every_column():
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert page == insert_tables(page), "made anew by etl.ledger.document.update"


def test_provisional_codes_last_and_are_never_given_twice():
    stored = {"old": Code("990001900900", provisional=True), "gone": Code("990001900901", provisional=True)}
    prefixes = dict.fromkeys(("old", "b", "a", "official"), "990001900")
    codes = assign(prefixes, {"official": "990001001001"}, stored, prefixes)
    assert codes == {
        "old": stored["old"],
        "a": Code("990001900902", provisional=True),
        "b": Code("990001900903", provisional=True),
        "official": Code("990001001001", provisional=False),
    }


def test_provisional_codes_run_out_with_a_message():
    keys = [f"{number:04d}" for number in range(999)]
    codes = assign(keys, {}, {}, dict.fromkeys(keys, "990001"))
    assert len({code.code for code in codes.values()}) == 999
    with pytest.raises(InputError, match="No provisional code is left"):
        assign(["one more"], {}, codes, {"one more": "990001"})
