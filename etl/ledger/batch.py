"""The rows of one import on their way from files to the store, and what was found wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shapely.geometry.base import BaseGeometry

from etl.ledger.reasons import Reason
from etl.ledger.report import SHOWN, Refusal, SourceFile


@dataclass(slots=True)
class Row:
    """One row: ``values`` as read, replaced by what they mean once `values.parse` has passed.

    ``shape`` is in EPSG:4326 and None where the row states no position.
    """

    file: str
    line: int
    values: dict[str, Any]
    shape: BaseGeometry | None = None
    refused: bool = False

    @property
    def place(self) -> str:
        """Where to look for it."""
        return f"{self.file}:{self.line}"


@dataclass
class Batch:
    """Everything one import reads.

    Attributes
    ----------
    rows : dict of str to list of Row
        By noun; nouns in the order of the ledger.
    columns : dict of str to set of str
        Columns the files of a noun have; the others leave stored values as they are.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)
    files: list[SourceFile] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    known_faults: set[tuple[str, int, str, str]] = field(default_factory=set, repr=False)

    def good(self, noun: str) -> list[Row]:
        """Return the rows not refused so far."""
        return [row for row in self.rows.get(noun, ()) if not row.refused]

    def refuse(self, row: Row, column: str, reason: Reason, hint: str = "", *, value: Any = None) -> None:
        """Record a fault, once; the row is not loaded."""
        row.refused = True
        fault = (row.file, row.line, column, reason.name)
        if fault in self.known_faults:
            return
        self.known_faults.add(fault)
        found = row.values.get(column) if value is None else value
        shown = "" if found is None else str(found)[:SHOWN]
        self.refusals.append(Refusal(row.file, row.line, column, printable(shown), reason, hint))


def printable(text: str) -> str:
    """Return text that a terminal and a file in UTF-8 can hold: control characters are escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
