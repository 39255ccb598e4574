"""What an import did, or would do: counts, and every refused row with its reason."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data.differences import KEPT, Differences
from etl.ledger.reasons import Reason
from geo.errors import RefusedError

SHOWN = 60
"""Characters of a refused value that are shown."""


@dataclass(frozen=True)
class Refusal:
    """One fault of one row.

    Attributes
    ----------
    file : str
        Name of the file, with ``#`` and the sheet or layer where it holds several.
    line : int
        Line of a CSV file, row of a sheet, number of a feature from 1.
    field : str
        Column of the ledger (see `etl.ledger.spec`), or ``geometry``.
    value : str
        What was found there, cut to `SHOWN` characters.
    reason : Reason
        The fault.
    hint : str
        What makes it concrete: the words that are accepted, the other line, a distance.
    """

    file: str
    line: int
    field: str
    value: str
    reason: Reason
    hint: str = ""


@dataclass(frozen=True)
class SourceFile:
    """A table that was read: its noun, how many rows, and what its text and coordinates are in."""

    file: str
    noun: str
    rows: int
    encoding: str = ""
    crs: str = ""
    ignored: tuple[str, ...] = ()


@dataclass
class Count:
    """Rows of one noun.

    ``gone`` are retired, ``back`` were retired and are named again; ``missing`` are stored, not named by the
    delivery, and stay: it is a part of the register, or others still name them.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    waiting: int = 0
    missing: int = 0
    back: int = 0
    gone: int = 0

    @property
    def touched(self) -> bool:
        """Tell whether anything of the noun changes."""
        return bool(self.new or self.changed or self.back or self.gone)


@dataclass
class ImportReport:
    """What an import did, or would do.

    Attributes
    ----------
    counts : dict of str to Count
        By noun.
    unplaced : list of str
        Codes of buildings without a position.
    provisional : list of str
        Codes given to towns and communities that came without an official one.
    derived : list of str
        Codes of the communities whose boundary was drawn from their buildings.
    repaired : list of str
        ``file:line`` of shapes whose rings were mended without changing their area.
    differences : Differences
        What changed, as lists.
    doubts : list of str
        Why the delivery can hardly be meant as it is; it is refused unless that was asked for.
    import_id : int or None
        Under which it is on record; None where nothing was stored.
    """

    district: str
    source: str
    digest: str
    dry_run: bool = False
    files: list[SourceFile] = field(default_factory=list)
    counts: dict[str, Count] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    provisional: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    differences: Differences = field(default_factory=Differences)
    doubts: list[str] = field(default_factory=list)
    import_id: int | None = None

    @property
    def nothing_to_do(self) -> bool:
        """Tell whether the store already holds all of this."""
        return not any(count.touched for count in self.counts.values()) and not self.derived

    def summary(self) -> dict[str, Any]:
        """Return what is kept with the import: refused rows by place and reason, never with their values."""
        return {
            "counts": {noun: asdict(count) for noun, count in self.counts.items()},
            "files": [asdict(file) for file in self.files],
            "refused": len(self.refusals),
            "refusals": [
                {"file": r.file, "line": r.line, "field": r.field, "reason": r.reason.name}
                for r in self.refusals[:KEPT]
            ],
            "unplaced": len(self.unplaced),
            "provisional": self.provisional,
            "derived": self.derived,
            "repaired": len(self.repaired),
            "differences": self.differences.summary(),
            "doubts": self.doubts,
        }

    def as_dict(self) -> Mapping[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)

    def write_csv(self, path: Path) -> None:
        """Write one line a refusal, in UTF-8 with a byte order mark, which Excel needs."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "line", "field", "value", "reason", "message", "说明", "hint"])
            for refusal in self.refusals:
                reason = refusal.reason
                row = [refusal.file, refusal.line, refusal.field, refusal.value]
                writer.writerow([*row, reason.name, reason.en, reason.zh, refusal.hint])


class RefusedImportError(RefusedError):
    """An import was refused as a whole; nothing was changed. Carries the report."""

    def __init__(self, fault: str, remedy: str, report: ImportReport) -> None:
        super().__init__(fault, remedy)
        self.report = report
