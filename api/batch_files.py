"""Batches of files: CSV or lines of JSON in, the same or the other out, read and written as a stream."""

from __future__ import annotations

import codecs
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from api.batch import Batch
from api.batch_lines import ObjectWriter, TableWriter, Writer
from api.batch_rows import Decoder, ObjectReader, Reader, TableReader
from geo.errors import InputError
from geo.locate import Locator

STREAM = Path("-")
"""Stands for what comes in, or goes out, by a pipe."""

Listener = Callable[[int, float | None], None]
"""Told how many rows are answered, and which share of all that is where it is known."""

_CHUNK = 1 << 18
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Form(StrEnum):
    """What rows are written in."""

    CSV = "csv"
    NDJSON = "ndjson"


_FORMS = {".csv": Form.CSV, ".ndjson": Form.NDJSON, ".jsonl": Form.NDJSON}


def form_of(path: Path, otherwise: Form) -> Form:
    """Return the form of a file by its name.

    Raises
    ------
    InputError
        If its name does not tell.
    """
    if path == STREAM:
        return otherwise
    if path.suffix.lower() not in _FORMS:
        raise InputError(f"{path.name} does not tell what it holds.", f"Name it {', '.join(_FORMS)}.")
    return _FORMS[path.suffix.lower()]


def reader_of(form: Form, line_bytes: int) -> Reader:
    """Return what reads a form."""
    return TableReader(line_bytes) if form is Form.CSV else ObjectReader()


def locate_file(
    locator: Locator,
    source: Path,
    target: Path,
    *,
    line_bytes: int,
    crs: str | None = None,
    otherwise: Form = Form.CSV,
    listener: Listener = lambda rows, share: None,
) -> Counter[str]:
    """Answer every row of a file and write the answers, from CSV to CSV with the rows themselves before.

    Nothing asked is kept anywhere but in ``target``, which is written beside its place first and is there whole or
    not at all.

    Parameters
    ----------
    source, target : Path
        Files by whose names their forms are told, or `STREAM`. What is read may be in UTF-8, GB 18030 or
        marked UTF-16.
    line_bytes : int
        Longest row.
    crs : str, optional
        Coordinate system of points that state none; see `geo.crs.normalise`.
    otherwise : Form
        Form of a stream.

    Returns
    -------
    Counter
        Rows by status; ``invalid`` counts those that cannot be asked, with the fault in their row.

    Raises
    ------
    InputError
        If the file cannot be read to its end, or the answers cannot be written.
    """
    form = form_of(target, otherwise)
    reader = reader_of(form_of(source, otherwise), line_bytes)
    batch = Batch(locator, reader, _writer(locator, reader, form), crs=crs, line_bytes=line_bytes)
    with _written(target, mark=form is Form.CSV) as out:
        for data, share in _read(source):
            for turn in batch.turns(data):
                out.write(batch.answer(turn))
                _check(batch)
            _check(batch)
            listener(batch.counts.total(), share)
        out.write(batch.end())
        _check(batch)
    return batch.counts


def _writer(locator: Locator, reader: Reader, form: Form) -> Writer:
    if form is Form.NDJSON:
        return ObjectWriter()
    return TableWriter(locator.register.plan.number, reader.headers if reader.table else None)


def _check(batch: Batch) -> None:
    if batch.fault:
        raise batch.fault


def _read(source: Path) -> Iterator[tuple[bytes, float | None]]:
    """Yield what comes, in UTF-8, with the share of it that was read."""
    if source == STREAM:
        for chunk in sniffed(_piped()):
            yield chunk, None
        return
    try:
        size = max(1, source.stat().st_size)
        with source.open("rb") as file:
            encoding = encoding_of(file, source.name)
            file.seek(0)
            for chunk in in_utf8(_chunks(file), encoding):
                yield chunk, file.tell() / size
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror}.", "Check the path.") from error


def encoding_of(file: BinaryIO, name: str) -> str:
    """Return the encoding of a file, which is read to its end: marked UTF-16, UTF-8 or GB 18030.

    Raises
    ------
    InputError
        If it is none of them.
    """
    if file.read(2) in _MARKS:
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            for chunk in _chunks(file):
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise InputError(f"{name} is neither UTF-8 nor GBK text.", "Save it as CSV UTF-8 and try again.")


def in_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Bring what comes in an encoding to UTF-8; see `Decoder`."""
    decoder = Decoder(encoding)
    for chunk in chunks:
        yield decoder.take(chunk)
    yield decoder.take(b"", last=True)


def sniffed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Bring what comes by a pipe to UTF-8: the first chunk beyond ASCII tells whether it is in GB 18030."""
    for chunk in chunks:
        if chunk.isascii():
            yield chunk
            continue
        rest = chain([chunk], chunks)
        yield from in_utf8(rest, "utf-16" if chunk[:2] in _MARKS else _guessed(chunk))


def _guessed(chunk: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(chunk)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _piped() -> Iterator[bytes]:
    """Yield what is piped in as it comes, not only once a chunk is full."""
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        yield chunk


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")


@contextmanager
def _written(target: Path, *, mark: bool) -> Iterator[BinaryIO]:
    """Write a file beside its place and put it there when it is whole; Excel needs ``mark`` to read UTF-8."""
    if target == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if target.is_dir():
        raise InputError(f"{target.name} is a folder.", "Name the file to write.")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(codecs.BOM_UTF8 if mark else b"")
            yield file
        unfinished.replace(target)
    except OSError as error:
        raise InputError(
            f"{target.name} cannot be written: {error.strerror}.", "Choose another file."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
