"""Answers of a batch as they are written: lines of JSON, or CSV, both short."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from api.batch_rows import Rows
from api.plain import table
from geo.bulk import Told, Verdict
from geo.errors import GridgovError, InputError

INVALID, BROKEN = "invalid", "broken"
"""Status of a row that cannot be asked, and of the last line where the rows could not be read to their end."""

ANSWER = (
    *("status", "reasons", "grid", "grid_external_code", "community", "town"),
    *("building", "precision", "confidence", "faults", "alternatives", "plan", "fault"),
)
"""Columns of an answer in CSV."""


class Writer(Protocol):
    """Makes lines of answers."""

    media_type: str

    def lines(self, rows: Rows, told: Sequence[Told]) -> bytes:
        """Write the answers to the first rows, one a row."""

    def broken(self, error: GridgovError) -> bytes:
        """Write the last line, that says why no more follow."""


class ObjectWriter:
    """Writes an object a line."""

    media_type = "application/x-ndjson"

    def lines(self, rows: Rows, told: Sequence[Told]) -> bytes:
        """Write answers; see `Writer`."""
        if not told:
            return b""
        ends = _encoded(told, "json", _object)
        ids = rows.columns.get("id")
        if ids is None:
            return b"{" + b"{".join(ends)
        return b"".join([_begun(key) + end for key, end in zip(ids, ends, strict=False)])

    def broken(self, error: GridgovError) -> bytes:
        """Write the last line; see `Writer`."""
        return _dumped({"status": BROKEN, "fault": error.fault, "remedy": error.remedy})


class TableWriter:
    """Writes CSV: the row's id, or the whole row, then the columns `ANSWER`.

    Parameters
    ----------
    plan : int
        Number of the plan all answers are of.
    headers : list of str, optional
        Titles of the rows, where the rows are written too; they may be filled in until the first rows come.
    """

    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, plan: int, headers: list[str] | None = None) -> None:
        self._plan = str(plan)
        self._headers = headers
        self._titled = False

    def lines(self, rows: Rows, told: Sequence[Told]) -> bytes:
        """Write answers, the first time with the titles; see `Writer`."""
        titles = (
            b""
            if self._titled
            else table([[*(["id"] if self._headers is None else self._headers), *ANSWER]]).encode()
        )
        self._titled = True
        if self._headers is not None:
            cells = map(self._cells, told)
            return titles + table(row + end for row, end in zip(rows.cells, cells, strict=False)).encode()
        ends = _encoded(told, "csv", lambda each: table([self._cells(each)]).encode())
        ids = rows.columns.get("id")
        if ids is None:
            return titles + b"".join([b"," + end for end in ends])
        return titles + b"".join([b"%b,%b" % (_cell(key), end) for key, end in zip(ids, ends, strict=False)])

    def broken(self, error: GridgovError) -> bytes:
        """Write the last line; see `Writer`."""
        before = [""] * (1 if self._headers is None else len(self._headers))
        return table([[*before, BROKEN, *[""] * (len(ANSWER) - 2), str(error)]]).encode()

    def _cells(self, told: Told) -> list[str]:
        if isinstance(told, InputError):
            return [INVALID, *[""] * (len(ANSWER) - 2), str(told)]
        fields = _fields(told)
        return [*(_text(fields[name]) for name in ANSWER[:-2]), self._plan, ""]


def _encoded(told: Sequence[Told], form: str, encode: Callable[[Told], bytes]) -> list[bytes]:
    """Return answers encoded, each from what was kept of it where there is that."""
    try:
        return [each.encoded[form] for each in told]  # type: ignore[union-attr]
    except (KeyError, AttributeError):  # new, or a refusal
        pass
    ends = []
    for each in told:
        kept = each.encoded if isinstance(each, Verdict) else {}
        if form not in kept:
            kept[form] = encode(each)
        ends.append(kept[form])
    return ends


def _object(told: Told) -> bytes:
    """Encode all of a line but its first brace."""
    if isinstance(told, InputError):
        return _dumped({"status": INVALID, "fault": told.fault, "remedy": told.remedy})[1:]
    return _dumped(_fields(told))[1:]


def _fields(told: Verdict) -> dict[str, Any]:
    grid = told.grid
    return {
        "status": told.status,
        "reasons": told.reasons,
        "grid": grid and grid.code,
        "grid_external_code": grid and grid.external_code,
        "community": grid and grid.community.name,
        "town": grid and grid.community.town,
        "building": told.building and told.building.external_code,
        "precision": told.precision,
        "confidence": told.confidence if told.confidence is None else round(told.confidence, 4),
        "faults": told.faults,
        "alternatives": [other.code for other in told.alternatives],
    }


def _dumped(line: Mapping[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _begun(key: Any) -> bytes:
    return b"{" if key is None else b'{"id":%b,' % orjson.dumps(key)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ";".join(value)
    return "" if value is None else str(value)


def _cell(key: Any) -> bytes:
    text = _text(key)
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        text = '"' + text.replace('"', '""') + '"'
    return text.encode()
