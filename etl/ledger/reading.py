"""From tables of files, or data frames, to the rows of a batch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from etl.ledger import files, positions, reasons
from etl.ledger.batch import Batch, Row
from etl.ledger.columns import POSITION, Noun
from etl.ledger.files import Table
from etl.ledger.report import SourceFile
from etl.ledger.spec import LEDGER
from etl.ledger.statement import Statement
from geo.errors import InputError

_POSITION = frozenset(column.name for column in POSITION)


def read_folder(folder: Path, statement: Statement) -> tuple[Batch, list[Path]]:
    """Read every ledger file of a folder; return the rows and the files they came from.

    Raises
    ------
    InputError
        If a file cannot be read, lacks a required column or a coordinate system, or there is none.
    """
    tables: list[Table] = []
    used = []
    for path in files.sources(folder):
        found = list(files.read(path))
        tables += found
        used += [path] if found else []
    if not tables:
        raise InputError(
            f"{folder.name} holds no file named after a noun of the ledger.",
            f"Name files {', '.join(f'{n.name} or {n.zh}' for n in list(LEDGER.values())[:3])} ...; "
            "gridgov template writes empty ones.",
        )
    batch, faults = Batch(), []
    for table in sorted(tables, key=lambda table: list(LEDGER).index(table.noun)):
        faults += add_table(batch, table, statement)
    if faults:
        raise InputError(" ".join(faults), "Rename the columns, or name them in a mapping file.")
    return batch, used


def add_table(batch: Batch, table: Table, statement: Statement) -> list[str]:
    """Add a table's rows to a batch; return which required columns it lacks, as sentences."""
    noun = LEDGER[table.noun]
    columns = match_headers(noun, table, statement.headers.get(noun.name, {}))
    lacking = [column for column in noun.columns if column.required and column.name not in columns]
    if lacking:
        wanted = ", ".join(f"{column.name} ({column.zh})" for column in lacking)
        return [f"{table.file} has no column {wanted}; it has: {', '.join(table.headers)}."]
    rows = [_row(batch, table, line, cells, columns) for line, cells in table.records]
    crs = _locate(batch, table, rows, noun, columns, statement)
    ignored = tuple(
        title for place, title in enumerate(table.headers) if title and place not in columns.values()
    )
    batch.rows.setdefault(noun.name, []).extend(rows)
    batch.columns.setdefault(noun.name, set()).update(set(columns) - _POSITION)
    batch.files.append(SourceFile(table.file, noun.name, len(rows), table.encoding, crs, ignored))
    return []


def match_headers(noun: Noun, table: Table, mapped: Mapping[str, str]) -> dict[str, int]:
    """Return where each column of a noun stands in a table.

    A mapped header goes first, then the English name, the Chinese one, and the others it is known by.

    Raises
    ------
    InputError
        If a mapped header is not in the table.
    """
    titles = [_plain(title) for title in table.headers]
    places: dict[str, int] = {}
    for column in noun.all_columns:
        names = (mapped[column.name],) if column.name in mapped else column.headers
        wanted = [_plain(name) for name in names]
        if table.cut and column.name not in mapped:
            wanted += [_plain(_cut(name, table.cut, table.encoding)) for name in names]
        place = next((titles.index(name) for name in wanted if name in titles), None)
        if place is not None and place not in places.values():
            places[column.name] = place
        elif column.name in mapped:
            raise InputError(
                f"{table.file} has no column '{mapped[column.name]}', which the mapping names.",
                f"It has: {', '.join(table.headers)}.",
            )
    return places


def _plain(title: str) -> str:
    return re.sub(r"[\s\-]+", "_", unicodedata.normalize("NFKC", title).strip(" *\ufeff").casefold())


def _cut(name: str, length: int, encoding: str) -> str:
    """Cut a title to so many bytes; a character that is torn apart is lost."""
    return name.encode(encoding, errors="ignore")[:length].decode(encoding, errors="ignore")


def _row(batch: Batch, table: Table, line: int, cells: list[Any], columns: Mapping[str, int]) -> Row:
    if len(cells) != len(table.headers):
        row = Row(table.file, line, {})
        hint = f"{len(cells)} / {len(table.headers)}"
        batch.refuse(row, "", reasons.CELL_COUNT, hint, value=cells[0] if cells else "")
        return row
    return Row(table.file, line, {name: cells[place] for name, place in columns.items()})


def _locate(
    batch: Batch, table: Table, rows: list[Row], noun: Noun, columns: Mapping[str, int], statement: Statement
) -> str:
    """Give rows their shapes; return the coordinate system they were in, if any had a position."""
    if not noun.shape:
        return ""
    shapes = table.shapes
    for row in rows:
        if row.line in table.unreadable:
            batch.refuse(row, "geometry", reasons.UNREADABLE_SHAPE)
    if shapes is None and _POSITION & set(columns):
        shapes = np.array([positions.stated_shape(batch, row) for row in rows] + [None], object)[:-1]
    if shapes is None or all(shape is None for shape in shapes):
        return ""
    crs = statement.crs_for(table.file, table.crs)
    placed = [index for index, row in enumerate(rows) if not row.refused]
    positions.locate(batch, [rows[index] for index in placed], shapes[placed], crs)
    return crs


def from_frames(tables: Mapping[str, pd.DataFrame], source: str) -> Batch:
    """Return the rows of data frames whose columns have the names of the ledger's.

    A column ``geometry``, in EPSG:4326, states the positions. Lines count from 1.

    Raises
    ------
    InputError
        If a frame is of no noun or lacks a required column.
    """
    unknown = set(tables) - set(LEDGER)
    if unknown:
        raise InputError(f"{', '.join(sorted(unknown))}: no such noun.", f"Nouns: {', '.join(LEDGER)}.")
    batch, faults = Batch(), []
    statement = Statement(crs="EPSG:4326")
    for noun in LEDGER:
        if noun not in tables:
            continue
        frame = tables[noun]
        shapes = np.asarray(frame["geometry"], dtype=object) if "geometry" in frame else None
        plain = frame.drop(columns="geometry", errors="ignore").astype(object)
        records = plain.where(plain.notna(), None).to_numpy().tolist()
        headers = [str(name) for name in plain.columns]
        table = Table(f"{source}#{noun}", noun, headers, list(enumerate(records, start=1)), shapes)
        faults += add_table(batch, table, statement)
    if faults:
        raise InputError(" ".join(faults), "Add the columns.")
    return batch
