"""Which files of a folder are read, and what each of their tables holds, cell by cell."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import shapely
from numpy.typing import NDArray
from openpyxl.utils.exceptions import InvalidFileException
from pyogrio.errors import DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from etl.ledger.spec import LEDGER
from geo.errors import InputError

TEXT_ENCODINGS = ("utf-8", "gb18030")
"""Tried in this order; GBK is a part of GB 18030."""
_BYTES = "iso-8859-1"  # each byte is one of its characters
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NOUNS = {title.lower(): noun.name for noun in LEDGER.values() for title in (noun.name, noun.zh)}


@dataclass
class Table:
    """One table of a file.

    Attributes
    ----------
    file : str
        Name of the file; with ``#`` and the sheet or layer where that names the noun.
    noun : str
        What it lists.
    headers : list of str
        Titles of its columns.
    records : list of (int, list)
        Line and cells of each row; a row may have more or fewer cells than there are headers.
    shapes : ndarray of object, optional
        Geometries in the file's own coordinates, one a record; None where there is none.
    unreadable : set of int
        Lines whose geometry is there and cannot be read.
    crs : str
        Name of the declared coordinate system; empty where the file declares none.
    encoding : str
        What its text is in, where that had to be found out.
    cut : int, optional
        Titles were cut to this many bytes by the format.
    """

    file: str
    noun: str
    headers: list[str]
    records: list[tuple[int, list[Any]]]
    shapes: NDArray[np.object_] | None = None
    unreadable: set[int] = field(default_factory=set)
    crs: str = ""
    encoding: str = ""
    cut: int | None = None


def noun_named(title: str) -> str | None:
    """Return the noun a file, sheet or layer is named after, in English or Chinese."""
    return _NOUNS.get(title.strip().lower())


def sources(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold tables, by name.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Name the folder that holds the ledger's files.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _READERS and path.is_file())


def read(path: Path) -> Iterator[Table]:
    """Read every table of a file whose name, or whose sheet's or layer's name, is a noun's.

    Raises
    ------
    InputError
        If the file cannot be read; the message names it.
    """
    try:
        yield from _READERS[path.suffix.lower()](path)
    except OSError as error:
        raise _unreadable(path, error.strerror or "the file is damaged") from error


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} cannot be read: {why}.", "Export it again and try once more.")


def decode(content: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8, with or without mark, GBK, or marked UTF-16.

    Raises
    ------
    InputError
        If it is none of them.
    """
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    for encoding in (marked,) if marked else TEXT_ENCODINGS:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise InputError(f"{name} is neither UTF-8 nor GBK text.", "Save it as CSV UTF-8 and try again.")


def _read_csv(path: Path) -> Iterator[Table]:
    noun = noun_named(path.stem)
    if noun is None:
        return
    content, encoding = decode(path.read_bytes(), path.name)
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(path, f"line {line}: {error}") from error
    yield _from_grid(path.name, noun, records, encoding=encoding)


def _read_xlsx(path: Path) -> Iterator[Table]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise _unreadable(path, "it is no XLSX workbook, or one with a password") from error
    try:
        sheets = [(noun_named(sheet.title), f"{path.name}#{sheet.title}", sheet) for sheet in book.worksheets]
        if not any(noun for noun, _, _ in sheets) and sheets:
            sheets = [(noun_named(path.stem), path.name, sheets[0][2])]
        for noun, name, sheet in sheets:
            if noun:
                sheet.reset_dimensions()  # some programs state them wrongly
                grid = enumerate(sheet.iter_rows(values_only=True), start=1)
                yield _from_grid(name, noun, [(line, list(cells)) for line, cells in grid])
    finally:
        book.close()


def _from_grid(name: str, noun: str, grid: list[tuple[int, list[Any]]], *, encoding: str = "") -> Table:
    """Take the first row that is not blank as the header; leave out blank rows and cells after the last title."""
    filled = [(line, cells) for line, cells in grid if any(cell not in (None, "") for cell in cells)]
    if not filled:
        raise InputError(f"{name} is empty.", "Its first row must hold the titles of its columns.")
    titles = ["" if cell is None else str(cell) for cell in filled[0][1]]
    while titles and not titles[-1].strip():
        titles.pop()
    records = [(line, _fit(cells, len(titles))) for line, cells in filled[1:]]
    return Table(name, noun, titles, records, encoding=encoding)


def _fit(cells: list[Any], width: int) -> list[Any]:
    """Drop blank cells beyond the header."""
    while len(cells) > width and cells[-1] in (None, ""):
        cells = cells[:-1]
    return cells


def _read_geojson(path: Path) -> Iterator[Table]:
    noun = noun_named(path.stem)
    if noun is None:
        return
    content, encoding = decode(path.read_bytes(), path.name)
    try:
        document = json.loads(content)
        features = document["features"]
        properties = [dict(feature.get("properties") or {}) for feature in features]
        stated = [feature.get("geometry") for feature in features]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unreadable(path, "it is no GeoJSON FeatureCollection") from error
    headers = list(dict.fromkeys(name for row in properties for name in row))
    shapes = np.array(
        [shapely.from_geojson(json.dumps(one), on_invalid="ignore") if one else None for one in stated],
        object,
    )
    lines = range(1, len(features) + 1)
    broken = {line for line, one, shape in zip(lines, stated, shapes, strict=True) if one and shape is None}
    records = [
        (line, [row.get(name) for name in headers]) for line, row in zip(lines, properties, strict=True)
    ]
    crs = _geojson_crs(document.get("crs"))
    yield Table(path.name, noun, headers, records, shapes, broken, crs, encoding)


def _geojson_crs(member: Any) -> str:
    """Return the system of the old ``crs`` member; without it WGS 84, by RFC 7946."""
    if member is None:
        return "EPSG:4326"
    try:
        return _crs_name(member["properties"]["name"])
    except (KeyError, TypeError):
        return ""


def _crs_name(declared: str | None) -> str:
    """Return ``EPSG:n`` of a declared system, or its own name where it has no such number."""
    if not declared:
        return ""
    try:
        system = CRS.from_user_input(declared)
    except CRSError:
        return ""
    if system.to_authority() == ("OGC", "CRS84"):
        return "EPSG:4326"
    number = system.to_epsg()
    return f"EPSG:{number}" if number else str(system.name)


def _read_geopackage(path: Path) -> Iterator[Table]:
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    except DataSourceError as error:
        raise _unreadable(path, "it is no GeoPackage") from error
    named = [(noun_named(layer), f"{path.name}#{layer}", layer) for layer in layers]
    if not any(noun for noun, _, _ in named) and layers:
        named = [(noun_named(path.stem), path.name, layers[0])]
    for noun, name, layer in named:
        if noun:
            yield _read_layer(path, noun, name, layer)


def _read_shapefile(path: Path) -> Iterator[Table]:
    """Read a Shapefile; its text comes as bytes, since titles cut to 10 of them need not be whole."""
    noun = noun_named(path.stem)
    if noun is None:
        return
    table = _read_layer(path, noun, path.name, None, ENCODING=_BYTES)
    words = [cell for _, cells in table.records for cell in cells if isinstance(cell, str)]
    try:
        content = "\0".join(words).encode(_BYTES)
    except UnicodeEncodeError as error:
        raise _unreadable(path, "it is another kind of file") from error
    for encoding in _stated_encodings(path):
        try:
            content.decode(encoding)
            table.headers = [_recode(title, encoding, cut=True) for title in table.headers]
        except UnicodeDecodeError:
            continue
        for _, cells in table.records:
            cells[:] = [_recode(cell, encoding) if isinstance(cell, str) else cell for cell in cells]
        table.encoding, table.cut = encoding, 10
        yield table
        return
    raise InputError(
        f"{path.name} is neither UTF-8 nor GBK text.", "Name its encoding in a .cpg file beside it."
    )


def _stated_encodings(path: Path) -> tuple[str, ...]:
    """Return the encodings to try: first the one the ``.cpg`` beside a Shapefile names, which may be wrong."""
    stated = path.with_suffix(".cpg")
    name = stated.read_text(encoding="ascii", errors="replace").strip() if stated.exists() else ""
    number = re.fullmatch(r"(?:ansi|oem|cp|ms)?[ _-]?(\d{3,5})", name.lower())
    try:
        return (codecs.lookup(f"cp{number[1]}" if number else name).name, *TEXT_ENCODINGS)
    except LookupError:
        return TEXT_ENCODINGS


def _recode(text: str, encoding: str, *, cut: bool = False) -> str:
    """Decode bytes that were read as ISO 8859-1; where a title was cut inside a character, drop the rest of it."""
    content = text.encode(_BYTES)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if cut and error.end == len(content) and error.start >= len(content) - 3:
            return content[: error.start].decode(encoding)
        raise


def _read_layer(path: Path, noun: str, name: str, layer: str | None, **options: str) -> Table:
    """Read one layer with GDAL; the first feature is number 1."""
    try:
        about, _, wkb, columns = pyogrio.raw.read(path, layer=layer, **options)
    except DataSourceError as error:
        raise _unreadable(path, "a part of it is missing or damaged") from error
    count = len(wkb) if wkb is not None else len(columns[0]) if columns else 0
    cells = [_plain(column) for column in columns]
    records = [(row + 1, [column[row] for column in cells]) for row in range(count)]
    table = Table(name, noun, [str(title) for title in about["fields"]], records, crs=_crs_name(about["crs"]))
    if wkb is not None:
        table.shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
        read = zip(wkb, table.shapes, strict=True)
        table.unreadable = {row for row, (one, shape) in enumerate(read, start=1) if one and shape is None}
    return table


def _plain(column: NDArray[Any]) -> list[Any]:
    """Return a column's values as Python's own; missing ones are None."""
    if column.dtype.kind == "M":
        return [None if np.isnat(value) else str(value)[:10] for value in column]
    return [None if value is None or value != value else value for value in column.tolist()]


_READERS: dict[str, Callable[[Path], Iterator[Table]]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".geojson": _read_geojson,
    ".json": _read_geojson,
    ".gpkg": _read_geopackage,
    ".shp": _read_shapefile,
}
