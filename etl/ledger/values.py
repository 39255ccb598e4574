"""What a cell means: text to counts, dates, words, lists; or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from etl.ledger import reasons
from etl.ledger.batch import Batch, Row
from etl.ledger.columns import Column
from etl.ledger.reasons import Reason
from etl.ledger.spec import LEDGER

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPREADSHEET_ERROR = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)")
_INTEGER = re.compile(r"([+-]?)(\d{1,18})(?:\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[ T]00:00(?::00(?:\.0+)?)?)?"
)
_FLAGS = {
    **dict.fromkeys(("true", "yes", "y", "1", "1.0", "是", "有"), True),
    **dict.fromkeys(("false", "no", "n", "0", "0.0", "否", "无"), False),
}


class Unreadable(Exception):  # noqa: N818 - a signal between two functions of this module
    """A cell that cannot be used."""

    def __init__(self, reason: Reason, hint: str = "") -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.hint = hint


def parse(batch: Batch) -> None:
    """Replace every cell by what it means; refuse rows with cells that mean nothing.

    Afterwards a row has a value for every column of its noun, also for those its file lacks.
    """
    for noun, rows in batch.rows.items():
        for row in rows:
            for column in LEDGER[noun].columns:
                row.values[column.name] = _parsed(batch, row, column)


def _parsed(batch: Batch, row: Row, column: Column) -> Any:
    if column.name in row.values:
        try:
            return read(row.values[column.name], column)
        except Unreadable as fault:
            batch.refuse(row, column.name, fault.reason, fault.hint)
    return empty(column)


def empty(column: Column) -> Any:
    """Return what an empty cell of a column means."""
    return [] if column.kind == "list" else column.default


def read(value: Any, column: Column) -> Any:
    """Return what a cell means in a column.

    Raises
    ------
    Unreadable
        With the reason.
    """
    text = as_text(value)
    if not text:
        if column.required:
            raise Unreadable(reasons.MISSING)
        return empty(column)
    return _READERS[column.kind](text, column)


def as_text(value: Any) -> str:
    """Return a cell as clean text; empty for None and NaN.

    Whole numbers lose the ``.0`` that spreadsheets and data frames give them; line breaks become
    spaces.

    Raises
    ------
    Unreadable
        If it holds a control character or an error of the spreadsheet.
    """
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime | date):
        return value.isoformat(*(" ",) if isinstance(value, datetime) else ())
    if isinstance(value, list | tuple | set):
        value = ";".join(str(part) for part in value)
    text = _BREAKS.sub(" ", str(value)).strip()
    if _CONTROL.search(text):
        raise Unreadable(reasons.CONTROL_CHARACTER)
    if _SPREADSHEET_ERROR.fullmatch(text):
        raise Unreadable(reasons.SPREADSHEET_ERROR)
    return text


def number(value: Any) -> float | None:
    """Return a cell as a coordinate; None when it is empty.

    Raises
    ------
    Unreadable
        If it is no number, or no finite one.
    """
    text = as_text(value)
    if not text:
        return None
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise Unreadable(reasons.NOT_FINITE)
    if not _NUMBER.fullmatch(text):
        raise Unreadable(reasons.NOT_A_NUMBER)
    found = float(text)
    if abs(found) == float("inf"):
        raise Unreadable(reasons.NOT_FINITE)
    return found


def _text(text: str, column: Column) -> str:
    if len(text) > column.limit:
        raise Unreadable(reasons.TOO_LONG, f"{len(text)} > {column.limit}")
    return text


def _integer(text: str, column: Column) -> int:
    found = _INTEGER.fullmatch(text)
    if not found:
        raise Unreadable(reasons.NOT_INTEGER)
    number = int(found[1] + found[2])
    if number < 0:
        raise Unreadable(reasons.NEGATIVE)
    if not column.least <= number <= column.limit:
        raise Unreadable(reasons.OUT_OF_RANGE, f"{column.least} - {column.limit}")
    return number


def _date(text: str, column: Column) -> date:
    found = _DATE.fullmatch(text)
    try:
        year, *rest = (int(part) for part in found.groups() if part) if found else (0,)
        month, day = rest
        read = date(year, month, day)
    except ValueError:
        raise Unreadable(reasons.BAD_DATE, "2025-01-31") from None
    if not 1900 <= read.year < 2200:
        raise Unreadable(reasons.BAD_DATE, "1900 - 2199")
    return read


def _list(text: str, column: Column) -> list[str]:
    parts = [part.strip() for part in re.split("[;；、]", text)]
    return [_text(part, column) for part in dict.fromkeys(parts) if part]


def _flag(text: str, column: Column) -> bool:
    return _word(text, _FLAGS)  # type: ignore[no-any-return]


def _choice(text: str, column: Column) -> str:
    return _word(text, column.choices or {})  # type: ignore[no-any-return]


def _word(text: str, words: dict[str, Any]) -> Any:
    try:
        return words[text.lower()]
    except KeyError:
        raise Unreadable(reasons.BAD_CHOICE, ", ".join(words)) from None


_READERS: dict[str, Callable[[str, Column], Any]] = {
    "text": _text,
    "integer": _integer,
    "date": _date,
    "list": _list,
    "flag": _flag,
    "choice": _choice,
}
