"""Answer files of points and addresses, row by row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from etl.ledger.files import decode
from geo.accuracy import Level
from geo.answers import Answer
from geo.crs import normalise
from geo.errors import CoordinateError, InputError
from geo.locate import Locator
from geo.progress import Progress, silent

HEADERS = {
    "address": ("address", "地址", "标准地址"),
    "x": ("lon", "x", "经度"),
    "y": ("lat", "y", "纬度"),
    "accuracy": ("accuracy_m", "精度"),
    "level": ("accuracy_level", "精度置信度"),
}
ANSWER = (
    "status",
    "reasons",
    "grid",
    "grid_external_code",
    "community",
    "town",
    "building",
    "pending",
    "alternatives",
    "plan",
    "fault",
)

Row = dict[str, str]
Ask = Callable[[Row], Answer]


def locate_file(
    locator: Locator, source: Path, target: Path, *, crs: str | None = None, progress: Progress = silent
) -> Counter[str]:
    """Answer every row of a CSV file and write the rows with the answer's columns added.

    Rows are read and written one at a time. Nothing asked is kept anywhere but in ``target``, which is
    written beside its place first and is there whole or not at all.

    Parameters
    ----------
    source : Path
        CSV in UTF-8 or GB 18030 with a column address (地址), or lon and lat (经度, 纬度) and, where points are
        not exact, accuracy_m (精度) and accuracy_level (精度置信度).
    crs : str, optional
        Coordinate system of lon and lat; see `geo.crs.normalise`.

    Returns
    -------
    Counter
        Rows by status; ``invalid`` counts those whose coordinates or accuracy cannot be used, with the fault in
        their row.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the columns, or has coordinates and no ``crs`` was given.
    """
    text = _text(source)
    if target.is_dir():
        raise InputError(f"{target} is a folder.", "Name the file to write.")
    counts: Counter[str] = Counter()
    unfinished = target.with_name(f".{target.name}.unfinished")
    lines = text.count("\n") + 1
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    try:
        headers = list(reader.fieldnames or ())
        ask = _asker(locator, headers, crs)
        with unfinished.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, [*headers, *ANSWER], extrasaction="ignore")
            writer.writeheader()
            for row in reader:
                answer = _answer(ask, row)
                counts[answer["status"]] += 1
                writer.writerow(row | answer)
                if reader.line_num % 500 == 0:
                    progress("locate", min(1.0, reader.line_num / lines))
        unfinished.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", "Choose another file.") from error
    except csv.Error as error:
        raise InputError(
            f"{source.name}, line {reader.line_num}: {error}.", "Give a plain CSV file."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return counts


def _text(source: Path) -> str:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror}.", "Check the path.") from error
    return decode(content, source.name)[0]


def _asker(locator: Locator, headers: list[str], crs: str | None) -> Ask:
    """Return what answers a row, by the columns there are."""
    found = {
        name: next((header for header in headers if header.strip().lower() in known), None)
        for name, known in HEADERS.items()
    }
    x, y, address = found["x"], found["y"], found["address"]
    if x and y:
        if crs is None:
            raise InputError(
                f"The coordinate system of {x} and {y} is not stated.",
                "Add --crs wgs84, gcj02, bd09 or EPSG:n.",
            )
        system = normalise(crs)
        accuracy, level = found["accuracy"] or "", found["level"] or ""
        return lambda row: locator.at(
            _number(row[x]),
            _number(row[y]),
            system,
            accuracy_m=_number(row[accuracy]) if row.get(accuracy) else None,
            level=_level(row.get(level)),
        )
    if address:
        return lambda row: locator.resolve(row[address])
    raise InputError(
        "The file has neither a column address (地址) nor lon and lat (经度, 纬度).", "Name its columns so."
    )


def _answer(ask: Ask, row: Row) -> Row:
    try:
        answer = ask(row)
    except InputError as error:
        return dict.fromkeys(ANSWER, "") | {"status": "invalid", "fault": str(error)}
    grid = answer.grid
    return {
        "status": answer.status.value,
        "reasons": ";".join(answer.reasons),
        "grid": grid.code if grid else "",
        "grid_external_code": (grid and grid.external_code) or "",
        "community": grid.community.name if grid else "",
        "town": (grid and grid.community.town) or "",
        "building": (answer.building and answer.building.external_code) or "",
        "pending": "yes" if answer.pending else "",
        "alternatives": ";".join(other.grid.code for other in answer.alternatives),
        "plan": str(answer.plan.number),
        "fault": "",
    }


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise CoordinateError(f"'{value[:40]}' is not a number.", "Give plain decimal numbers.") from None


def _level(value: str | None) -> Level:
    try:
        return Level(value.strip()) if value else Level.UNKNOWN
    except ValueError:
        raise InputError(
            f"'{(value or '')[:40]}' is no level of accuracy.", f"Use one of {', '.join(Level)}."
        ) from None
