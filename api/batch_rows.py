"""Rows of a batch as they come: lines of JSON, or CSV; what each of their columns means."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

import orjson

from geo.errors import InputError, TooMuchError

ROLES = {
    "id": ("id", "编号"),
    "address": ("address", "q", "地址", "标准地址"),
    "x": ("lon", "x", "经度"),
    "y": ("lat", "y", "纬度"),
    "crs": ("crs", "坐标系"),
    "accuracy": ("accuracy_m", "精度"),
    "level": ("accuracy_level", "精度置信度"),
    "source": ("source", "来源"),
}
"""What columns, or fields of an object, are called by what they mean."""

ENCODINGS = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "utf-16": "utf-16",
}
"""Encodings that rows may be in, and how each is read."""

MOST_ID = 200
"""Longest id that is told back, characters."""

_SPACE = re.compile(r"\s")
_ROLE_OF = {name: role for role, names in ROLES.items() for name in names}
_NAMES = "address (地址), or lon and lat (经度, 纬度)"


@dataclass
class Rows:
    """Some rows, in their order.

    Attributes
    ----------
    count : int
        How many they are.
    columns : dict of str to list
        Values by role, one a row; None where a row has none.
    faults : dict of int to InputError
        Why a row cannot be read, by its place.
    cells : list of list of str
        Of a table: the cells as they came.
    broken : InputError or None
        Why nothing can be read after these rows.
    """

    count: int
    columns: dict[str, list[Any]] = field(default_factory=dict)
    faults: dict[int, InputError] = field(default_factory=dict)
    cells: list[list[str]] = field(default_factory=list)
    broken: InputError | None = None


class Reader(Protocol):
    """Makes rows of lines.

    Attributes
    ----------
    headers : list of str
        Of a table, once they were read: the titles of its columns.
    table : bool
        Whether every row has the same columns, and all values are text.
    """

    headers: list[str]
    table: bool

    def rows(self, lines: Sequence[bytes], *, last: bool = False) -> Rows:
        """Read the lines that came next, in UTF-8 and without their ends; ``last`` says that none follow."""


class Lines:
    """Cuts what comes into lines.

    Parameters
    ----------
    most_bytes : int
        Longest line.

    Attributes
    ----------
    broken : InputError or None
        Why there are no lines after those told: one is too long.
    """

    def __init__(self, most_bytes: int) -> None:
        self.broken: InputError | None = None
        self._most_bytes = most_bytes
        self._begun = b""
        self._first = True

    def cut(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete now, without their ends."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        if max(map(len, lines), default=0) > self._most_bytes:
            self.broken = too_long(self._most_bytes)
            lines = list(takewhile(lambda line: len(line) <= self._most_bytes, lines))
        elif len(self._begun) > self._most_bytes:
            self.broken = too_long(self._most_bytes)
        if self._first and lines:
            self._first = False
            lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
        return lines

    def end(self) -> list[bytes]:
        """Return the last line, if it has no end."""
        return self.cut(b"\n") if self._begun else []


def too_long(most_bytes: int) -> TooMuchError:
    """Return the fault of a row that is too long."""
    return TooMuchError(
        f"A row is longer than {most_bytes:,} bytes.",
        "One row is one line; look for a quote that is not closed.",
    )


class Decoder:
    """Brings what comes in an encoding to UTF-8.

    Parameters
    ----------
    encoding : str
        What it comes in; what is said to be in UTF-8 is left as it is, and found to be or not where it is read.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()

    def take(self, data: bytes, *, last: bool = False) -> bytes:
        """Return what is complete now; ``last`` says that nothing follows.

        Raises
        ------
        InputError
            If it is not in that encoding.
        """
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, last).encode()
        except UnicodeError as error:
            raise not_in(self._encoding) from error


def not_in(encoding: str) -> InputError:
    """Return the fault of text that is in another encoding than was said."""
    return InputError(
        f"This is not text in {encoding.upper()}.",
        f"State its encoding, one of {', '.join(ENCODINGS)}, or save it in UTF-8.",
    )


class ObjectReader:
    """Reads lines of JSON, an object each; empty lines do not count."""

    table = False

    def __init__(self) -> None:
        self.headers: list[str] = []

    def rows(self, lines: Sequence[bytes], *, last: bool = False) -> Rows:
        """Read lines; see `Reader`. One that is no object has a fault of its own."""
        faults: dict[int, InputError] = {}
        try:
            values = list(map(orjson.loads, lines))
        except orjson.JSONDecodeError:
            told = [line for line in lines if line and not line.isspace()]
            values = [_loaded(line, place, faults) for place, line in enumerate(told)]
        found = Rows(len(values), faults=faults)
        for layout, places in _layouts(values, faults).items():
            self._add(found, layout, places, values)
        _check_ids(found)
        return found

    @staticmethod
    def _add(found: Rows, layout: tuple[str, ...], places: Sequence[int], values: list[Any]) -> None:
        """Put the rows with the same fields in the columns."""
        try:
            roles = roles_of(layout)
        except InputError as error:
            found.faults |= dict.fromkeys(places, error)
            return
        for role, at in roles.items():
            name = layout[at]
            if len(places) == found.count:
                found.columns[role] = [value[name] for value in values]
                continue
            column = found.columns.setdefault(role, [None] * found.count)
            for place in places:
                column[place] = values[place][name]


def _layouts(values: list[Any], faults: dict[int, InputError]) -> dict[tuple[str, ...], Sequence[int]]:
    """Return the places of the objects by the names of their fields; what is no object has a fault."""
    if set(map(type, values)) == {dict} and len(layouts := set(map(tuple, values))) == 1:
        return {layouts.pop(): range(len(values))}
    found: dict[tuple[str, ...], list[int]] = {}
    for place, value in enumerate(values):
        if type(value) is dict:
            found.setdefault(tuple(value), []).append(place)
        elif place not in faults:
            faults[place] = InputError("The row is no JSON object.", "Give one object a line.")
    return dict(found)


def _check_ids(found: Rows) -> None:
    """See that every id can be told back; one that cannot is none, and its row has a fault."""
    ids = found.columns.get("id")
    if ids is None or (
        set(map(type, ids)) <= {str, int} and max(map(len, map(str, ids)), default=0) <= MOST_ID
    ):
        return
    for place, key in enumerate(ids):
        if key is not None and not (type(key) in (str, int) and len(str(key)) <= MOST_ID):
            ids[place] = None
            found.faults.setdefault(
                place,
                InputError(
                    f"The id is no text or whole number of at most {MOST_ID} characters.", "Give another."
                ),
            )


def _loaded(line: bytes, place: int, faults: dict[int, InputError]) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        faults[place] = InputError(
            f"The row is no JSON: {error.msg}, column {error.colno}.", "Give one object a line, in UTF-8."
        )
        return None


class TableReader:
    """Reads CSV: titles first, then a row a line; quoted cells may go over several.

    Parameters
    ----------
    most_bytes : int
        Longest row.
    """

    table = True

    def __init__(self, most_bytes: int) -> None:
        self.headers: list[str] = []
        self._most_bytes = most_bytes
        self._roles: dict[str, int] = {}
        self._begun = ""

    def rows(self, lines: Sequence[bytes], *, last: bool = False) -> Rows:
        """Read lines; see `Reader`.

        Raises
        ------
        InputError
            If the titles name neither an address nor a point.
        """
        text, broken = _decoded(lines)
        records, faults = self._records(self._begun + text, last or broken is not None)
        if not self.headers and records:
            self._open(records.pop(0))
            faults = {place - 1: fault for place, fault in faults.items() if place}
        if len(self._begun.encode()) > self._most_bytes:
            broken = too_long(self._most_bytes)
        return self._rows(records, faults, broken)

    def _open(self, headers: list[str]) -> None:
        roles = roles_of(headers)
        if not ("address" in roles or {"x", "y"} <= roles.keys()):
            raise InputError(f"No column is called {_NAMES}.", "Name the columns so, in the first line.")
        self.headers += headers
        self._roles = roles

    def _records(self, text: str, last: bool) -> tuple[list[list[str]], dict[int, InputError]]:
        """Split text into cells; what is begun only is kept for the next time."""
        self._begun = ""
        source = io.StringIO(text, newline="\n")
        try:
            records = [record for record in csv.reader(source, strict=True) if record]
        except csv.Error:
            return self._one_by_one(text, last)
        # Each line is known to be short enough, so only a record of several can be too long.
        return (records, {}) if text.count("\n") <= len(records) else self._one_by_one(text, last)

    def _one_by_one(self, text: str, last: bool) -> tuple[list[list[str]], dict[int, InputError]]:
        """Split text record by record, up to one that is too long, which counts as begun only."""
        records: list[list[str]] = []
        faults: dict[int, InputError] = {}
        source, read = io.StringIO(text, newline="\n"), 0
        while True:
            try:
                for record in csv.reader(source, strict=True):
                    if self._is_too_long(text[read : source.tell()]):
                        self._begun = text[read:]
                        return records, faults
                    read = source.tell()
                    if record:
                        records.append(record)
                return records, faults
            except csv.Error as error:
                if (source.tell() == len(text) and not last) or self._is_too_long(text[read : source.tell()]):
                    self._begun = text[read:]
                    return records, faults
                faults[len(records)] = InputError(
                    f"The row is no CSV: {error}.", "Double the quotes within a quoted cell, and close it."
                )
                records.append([text[read : source.tell()].rstrip("\r\n")])
                read = source.tell()

    def _is_too_long(self, record: str) -> bool:
        return len(record.rstrip("\r\n").encode()) > self._most_bytes

    def _rows(
        self, records: list[list[str]], faults: dict[int, InputError], broken: InputError | None
    ) -> Rows:
        width = len(self.headers)
        if set(map(len, records)) - {width}:
            for place, record in enumerate(records):
                if len(record) > width and any(map(str.strip, record[width:])):
                    faults.setdefault(
                        place,
                        InputError(
                            f"The row has {len(record)} cells, there are {width} titles.",
                            "Quote a cell that holds commas.",
                        ),
                    )
            records = [(record + [""] * width)[:width] for record in records]
        columns = {role: _values([record[at] for record in records]) for role, at in self._roles.items()}
        found = Rows(len(records), columns, faults, records, broken)
        _check_ids(found)
        return found


def _values(cells: list[Any]) -> list[Any]:
    """Return the cells of a column without space around, None for what is empty."""
    if "" in cells or _SPACE.search("".join(cells)):
        return [cell.strip() or None for cell in cells]
    return cells


def _decoded(lines: Sequence[bytes]) -> tuple[str, InputError | None]:
    """Return lines as text, and what is wrong with the line after them if they had to be cut short."""
    whole = b"\n".join(lines) + b"\n" if lines else b""
    try:
        return whole.decode(), None
    except UnicodeDecodeError as error:
        good = whole.rfind(b"\n", 0, error.start) + 1
        return whole[:good].decode(), not_in("utf-8")


def roles_of(names: Sequence[str]) -> dict[str, int]:
    """Return where each role is among the names of columns; other columns have none.

    Raises
    ------
    InputError
        If two have the same.
    """
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        role = _ROLE_OF.get(name) or _ROLE_OF.get(name.strip().lower())
        if role is None:
            continue
        if role in found:
            raise InputError(
                f"'{names[found[role]][:40]}' and '{name[:40]}' say the same.", "Give one of them only."
            )
        found[role] = place
    return found
