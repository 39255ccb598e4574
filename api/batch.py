"""A batch: many points and addresses asked of one locator, row by row; over HTTP, for files and in jobs alike.

Rows come as bytes and answers leave as bytes, a turn at a time: nothing is held but the turn, and a row that
cannot be asked has an answer of its own that says why. Every answer is of the one plan the batch began with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import repeat
from typing import Any

import numpy as np

from api.batch_lines import INVALID, Writer
from api.batch_rows import ROLES, Lines, Reader, Rows
from api.plain import LONGEST_ADDRESS, prose
from geo.accuracy import Level
from geo.bulk import Floats, Told, Verdict, exact, one, uncertain
from geo.candidates import unstated
from geo.crs import KNOWN, normalise
from geo.errors import CoordinateError, GridgovError, InputError, TooMuchError
from geo.locate import Locator
from geo.points import Source

TURN_ROWS = 1_500
"""Lines that are answered at a time."""
Columns = Mapping[str, list[Any]]

_PLAIN = frozenset({"id", "x", "y"})
_ASKED = ("x", "y", "accuracy", "level", "source", "crs", "address")
_SOURCES = frozenset(map(str, Source))
_LEVELS: dict[Any, Level] = (
    {None: Level.UNKNOWN} | {str(level): level for level in Level} | {68: Level.P68, 95: Level.P95}
)


class Batch:
    """Answers rows.

    Parameters
    ----------
    locator : Locator
        What all rows are asked of.
    reader, writer : Reader, Writer
        The forms rows and answers have.
    crs : str, optional
        Coordinate system of points that state none; see `geo.crs.normalise`.
    line_bytes : int
        Longest row.
    most_rows : int, optional
        How many rows are answered, how many empty lines are read, and for how many rows there may be bytes in
        all; any number without it.

    Attributes
    ----------
    counts : Counter
        Rows answered, by status; `INVALID` counts those that could not be asked.
    fault : InputError or None
        Why nothing more is answered.

    Raises
    ------
    CoordinateError
        If the coordinate system is unknown.
    """

    def __init__(
        self,
        locator: Locator,
        reader: Reader,
        writer: Writer,
        *,
        crs: str | None,
        line_bytes: int,
        most_rows: int | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.fault: InputError | None = None
        self._locator = locator
        self._reader = reader
        self._text = reader.table
        self._writer = writer
        self._crs = None if crs is None else normalise(crs)
        self._lines = Lines(line_bytes)
        self._most_rows = most_rows
        self._most_bytes = None if most_rows is None else (most_rows + 1) * (line_bytes + 1)
        self._blank = self._bytes = 0

    def turns(self, data: bytes) -> Iterator[list[bytes]]:
        """Cut what comes into turns for `answer`."""
        lines = self._lines.cut(data)
        for begin in range(0, len(lines), TURN_ROWS):
            yield lines[begin : begin + TURN_ROWS]
        self.fault = self.fault or self._beyond(data, lines) or self._lines.broken

    def _beyond(self, data: bytes, lines: Sequence[bytes]) -> InputError | None:
        """Count what comes, rows or not, and tell if it is more than rows can be."""
        self._blank += sum(not line or line.isspace() for line in lines)
        self._bytes += len(data)
        if self._most_rows is not None and self._blank > self._most_rows:
            return TooMuchError(
                f"More than {self._most_rows:,} lines are empty.", "Send lines that ask something."
            )
        if self._most_bytes is not None and self._bytes > self._most_bytes:
            return TooMuchError(
                f"There are more than {self._most_bytes:,} bytes.", "Send the others in another batch."
            )
        return None

    def answer(self, lines: Sequence[bytes]) -> bytes:
        """Answer a turn; `fault` then tells why no more may follow.

        Raises
        ------
        InputError
            If the rows do not begin as rows do: with titles that say what is asked, in a system that is stated.
        """
        return self._answer(self._reader.rows(lines))

    def end(self) -> bytes:
        """Answer what is left when nothing more comes.

        Raises
        ------
        InputError
            As for `answer`, or if there was nothing at all.
        """
        rows = self._reader.rows(self._lines.end(), last=True)
        if not (rows.count or self.counts or self._reader.headers):
            raise InputError("There is no row.", "Send one row a line.")
        return self._answer(rows, titled=True)

    def _answer(self, rows: Rows, *, titled: bool = False) -> bytes:
        self.fault = rows.broken
        if self._most_rows is not None and self.counts.total() + rows.count > self._most_rows:
            rows.count = self._most_rows - self.counts.total()
            self.fault = TooMuchError(
                f"There are more than {self._most_rows:,} rows.", "Send the others in another batch."
            )
        if not self.counts and self._reader.table:
            self._check_stated(rows)
        told = self._told(rows)
        self.counts.update([INVALID if isinstance(each, InputError) else each.status for each in told])
        return self._writer.lines(rows, told) if told or titled else b""

    def broken(self, error: GridgovError) -> bytes:
        """Return the last line where the rows could not be answered to their end."""
        return self._writer.broken(error)

    def _check_stated(self, rows: Rows) -> None:
        """See that the points of a table have a coordinate system, if points are all it has."""
        columns = rows.columns
        if self._crs is not None or "crs" in columns or "address" in columns or not rows.count:
            return
        x, y = (numbers(columns[role][:1], role, True)[0][0] for role in ("x", "y"))
        raise unstated(float(x), float(y), [self._locator])

    def _told(self, rows: Rows) -> list[Told]:
        columns = rows.columns
        if not rows.faults and _is_plain(columns):
            return self._exact(None, columns)[: rows.count]
        told: list[Any] = [None] * rows.count
        together: dict[tuple[Any, bool], list[int]] = {}
        asked = zip(range(rows.count), *(columns.get(role) or repeat(None) for role in _ASKED), strict=False)
        for place, x, y, accuracy, level, source, crs, address in asked:
            if place in rows.faults:
                told[place] = rows.faults[place]
            elif x is None and y is None:
                told[place] = self._address(address)
            elif source is not None and not (type(source) is str and source in _SOURCES):
                told[place] = _no_member(Source, source, "source")
            elif _level(level) is None:
                told[place] = _no_member(Level, level, "level")
            elif accuracy is None and source == Source.DEVICE:
                told[place] = self._device(x, y, crs)
            elif crs is None or type(crs) is str:
                together.setdefault((crs, accuracy is not None), []).append(place)
            else:
                told[place] = CoordinateError("crs is no text.", f"Use one of {KNOWN}.")
        for (crs, unsure), places in together.items():
            chosen = {role: _chosen(columns.get(role), places) for role in ("x", "y", "accuracy", "level")}
            ask = self._uncertain if unsure else self._exact
            for place, each in zip(places, ask(crs, chosen), strict=True):
                told[place] = each
        return told

    def _exact(self, stated: str | None, columns: Columns) -> list[Told]:
        (x, faults), (y, others) = (numbers(columns[role], role, self._text) for role in ("x", "y"))
        return self._answered(stated, others | faults, lambda crs: exact(self._locator, x, y, crs), len(x))

    def _uncertain(self, stated: str | None, columns: Columns) -> list[Told]:
        (x, faults), (y, others), (accuracy, unclear) = (
            numbers(columns[role], role, self._text) for role in ("x", "y", "accuracy")
        )
        levels = [_LEVELS[each] for each in columns["level"]]
        return self._answered(
            stated,
            unclear | others | faults,
            lambda crs: uncertain(self._locator, x, y, crs, accuracy, levels),
            len(x),
        )

    def _answered(
        self,
        stated: str | None,
        faults: Mapping[int, InputError],
        ask: Callable[[str], list[Told]],
        count: int,
    ) -> list[Told]:
        """Ask in the system that is stated, and tell faults instead of answers where there are some."""
        try:
            told = ask(self._system(stated))
        except InputError as error:
            return [error] * count
        for place, fault in faults.items():
            told[place] = fault
        return told

    def _device(self, x: Any, y: Any, crs: Any) -> Told:
        """Answer a point of a device that does not say how accurate it is: never a grid."""
        try:
            read = _number(x, "x", self._text), _number(y, "y", self._text)
            return one(self._locator, *read, self._system(crs), source=Source.DEVICE)
        except InputError as error:
            return error

    def _address(self, address: Any) -> Told:
        try:
            return Verdict.of(self._locator.resolve(_text(address)))
        except InputError as error:
            return error

    def _system(self, stated: Any) -> str:
        """Return the coordinate system of a row."""
        if stated is None:
            if self._crs is None:
                raise CoordinateError(
                    "The coordinate system is not stated.", f"State crs, for all rows or in each: {KNOWN}."
                )
            return self._crs
        return normalise(stated)


def _chosen(column: list[Any] | None, places: list[int]) -> list[Any]:
    return [None] * len(places) if column is None else [column[n] for n in places]


def _is_plain(columns: Mapping[str, list[Any]]) -> bool:
    """Tell whether all rows are exact points that state no system."""
    return (
        columns.keys() <= _PLAIN
        and {"x", "y"} <= columns.keys()
        and None not in columns["x"]
        and None not in columns["y"]
    )


def numbers(values: Sequence[Any], role: str, text: bool) -> tuple[Floats, dict[int, InputError]]:
    """Return a column as numbers, NaN where one is none, and why it is none, by place.

    Parameters
    ----------
    role : str
        What the numbers are.
    text : bool
        Whether text may stand for a number, as it must in a table; JSON has numbers of its own.
    """
    kinds = set(map(type, values))
    try:
        if kinds <= {float, int}:
            return np.array(values, dtype=np.float64), {}
        if text and kinds == {str} and "_" not in "".join(values):
            return np.array(list(map(float, values)), dtype=np.float64), {}
    except (ValueError, OverflowError):
        pass
    found = np.full(len(values), math.nan)
    faults: dict[int, InputError] = {}
    for place, value in enumerate(values):
        try:
            found[place] = _number(value, role, text)
        except InputError as error:
            faults[place] = error
    return found, faults


def _number(value: Any, role: str, text: bool) -> float:
    name = ROLES[role][0]
    if value is None:
        raise CoordinateError(f"There is no {name}.", "A point needs both of its numbers.")
    try:
        if type(value) in (float, int) or (text and type(value) is str and "_" not in value):
            number = float(value)
            if math.isfinite(number):
                return number
    except (ValueError, OverflowError):
        pass
    raise CoordinateError(f"{name} is no number: {str(value)[:40]!r}.", "Give plain decimal numbers.")


def _level(value: Any) -> Level | None:
    """Return the level that is meant, None if there is no such."""
    return None if isinstance(value, dict | list) else _LEVELS.get(value)


def _no_member(kind: type[StrEnum], value: Any, role: str) -> InputError:
    return InputError(f"{str(value)[:40]!r} is no {ROLES[role][0]}.", f"Use one of {', '.join(kind)}.")


def _text(value: Any) -> str:
    if value is None:
        raise InputError("The row asks nothing.", "Give lon and lat, or address.")
    if type(value) is not str or not value.strip():
        raise InputError("address is no text.", "Give the address as it was told.")
    if len(value) > LONGEST_ADDRESS:
        raise InputError(
            f"The address is longer than {LONGEST_ADDRESS} characters.", "Give the address alone."
        )
    try:
        return prose(value.strip())
    except ValueError as error:
        raise InputError(f"In the address {error}.", "Give the address alone.") from None
