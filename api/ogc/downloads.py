"""Layers as files: CSV is sent while it is read; others are written to a temporary file, sent and removed."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import zipfile
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import asyncpg
import shapely
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.plain import EXCEL, harmless, table
from data.downloads import frame
from data.features import DEGREE_DIGITS, METRE_DIGITS, Question, columns_of, rows_query
from data.reading import Reader
from data.settings import Settings
from geo.errors import GridgovError, TooMuchError, UnavailableError
from geo.times import here
from maps.files import About, write_layer

log = logging.getLogger("gridgov.api")

_CHUNK = 1 << 18

Rows = AsyncGenerator[list[asyncpg.Record], None]
_LESS = "Ask for less: a box, a filter."
_SMALLEST = 8
"""Bytes a value takes in a file, about."""


@dataclass(frozen=True)
class Kind:
    """A format layers are downloaded in.

    Attributes
    ----------
    title : str
        What people call it.
    media_type : str
        Its type.
    ending : str
        Of the file's name.
    written : str or None
        Ending of the file GDAL writes; None for what is sent as it is read.
    """

    title: str
    media_type: str
    ending: str
    written: str | None = None


KINDS: Mapping[str, Kind] = {
    "csv": Kind("CSV", "text/csv", ".csv"),
    "gpkg": Kind("GeoPackage", "application/geopackage+sqlite3", ".gpkg", ".gpkg"),
    "shp": Kind("Shapefile", "application/zip", ".shp.zip", ".shp"),
}


class Downloads:
    """What layers are sent as files with.

    Parameters
    ----------
    reader : Reader
        Reads from the database.
    settings : Settings
        Limits.
    """

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self.reader = reader
        self.most_bytes = settings.download_bytes
        self.seconds = settings.download_seconds
        self.under_way = 0
        self._most = settings.downloads

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Count a download while it lasts.

        Raises
        ------
        UnavailableError
            If there are too many.
        """
        if self.under_way >= self._most:
            raise UnavailableError("Too many downloads at once.", "Try again in a moment.")
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


class Download(StreamingResponse):
    """A layer as a file.

    Whatever is wrong before the first part is told as of any other answer; what comes later cuts the connection, so
    that nobody takes a part for the whole. A client that goes away ends the reading, and the file is gone.

    Parameters
    ----------
    downloads : Downloads
        Where it is counted, and its limits.
    asked : Question
        Which features, without a limit.
    limit : int or None
        How many at most.
    kind : Kind
        The format.
    about : About
        What a file says of itself.
    headers : mapping of str to str
        Further headers.
    """

    def __init__(
        self,
        downloads: Downloads,
        asked: Question,
        limit: int | None,
        kind: Kind,
        about: About,
        headers: Mapping[str, str],
    ) -> None:
        name = f"{about.name}{kind.ending}"
        all_headers = {**headers, "Content-Disposition": f'attachment; filename="{name}"'}
        media_type = f"{kind.media_type}; charset=utf-8" if kind.written is None else kind.media_type
        super().__init__(_nothing(), headers=all_headers, media_type=media_type)
        self._downloads = downloads
        self._asked = asked
        self._limit = limit
        self._kind = kind
        self._about = about

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read and send it; of HEAD nothing is read."""
        if scope["method"] == "HEAD":
            await self.stream_response(send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            with self._downloads.taken():
                async with asyncio.timeout(self._downloads.seconds), aclosing(self._parts()) as parts:
                    first = await anext(parts)
                    self.body_iterator = _chained(first, parts)
                    await self._send_while_asked(receive, noted)
        except TimeoutError:
            if not started:
                raise UnavailableError("The download takes too long.", _LESS) from None
            log.warning("a download took too long and was cut off")
        except GridgovError as error:
            if not started:
                raise
            log.warning("a download broke off: %s", type(error).__name__)

    async def _send_while_asked(self, receive: Receive, send: Send) -> None:
        """Send the parts until the client is gone.

        Not Starlette's way, which cancels again and again: the database's connection could not be put in order.
        """
        sending = asyncio.create_task(self.stream_response(send))
        watching = asyncio.create_task(self.listen_for_disconnect(receive))
        watching.add_done_callback(lambda _: sending.cancel())
        try:
            await sending
        except asyncio.CancelledError:
            if not watching.done():
                raise
        finally:
            watching.cancel()

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        query = rows_query(self._asked, self._limit)
        async with aclosing(self._downloads.reader.batches(query, self._asked.values.all)) as rows:
            if self._kind.written is None:
                async for part in _lines(self._asked, rows):
                    yield part
                return
            file = await self._write(self._kind.written, rows)
        with file:
            self.headers["content-length"] = str(os.fstat(file.fileno()).st_size)
            while part := await run_in_threadpool(file.read, _CHUNK):
                yield part

    async def _write(self, ending: str, rows: Rows) -> IO[bytes]:
        found: list[asyncpg.Record] = []
        size = 0
        async for batch in rows:
            found += batch
            size += sum(len(row["wkb"] or b"") + _SMALLEST * len(row) for row in batch)
            self._check(size)
        return await run_in_threadpool(self._written, ending, found)

    def _written(self, ending: str, rows: list[asyncpg.Record]) -> IO[bytes]:
        """Return the file written, open; its name is gone already, so that nothing can leave it behind."""
        with tempfile.TemporaryDirectory(prefix="gridgov-download-") as folder:
            target = Path(folder) / f"{self._about.name}{ending}"
            files = write_layer(frame(self._asked, rows), self._about, target)
            self._check(sum(file.stat().st_size for file in files))
            if len(files) > 1:
                target = _packed(files, Path(folder) / "all.zip")
            return target.open("rb")

    def _check(self, size: int) -> None:
        if size > self._downloads.most_bytes:
            raise TooMuchError(f"The file would be larger than {self._downloads.most_bytes:,} bytes.", _LESS)


async def _lines(asked: Question, rows: Rows) -> AsyncGenerator[bytes, None]:
    """Give CSV: the fields, then longitude and latitude (or x and y) of a layer of points, else WKT."""
    digits = DEGREE_DIGITS if asked.system.stored else METRE_DIGITS
    points = asked.layer.geometry == "Point"
    shape = ("lon", "lat") if asked.system.stored else ("x", "y")
    titles = [*(one.name for one in columns_of(asked)), *(shape if points else ("wkt",))]
    yield (EXCEL + table([titles])).encode()
    async for batch in rows:
        shapes = shapely.from_wkb([row["wkb"] for row in batch])
        if points:
            told: list[tuple[Any, ...]] = [
                (None, None) if shape is None else (round(shape.x, digits), round(shape.y, digits))
                for shape in shapes
            ]
        else:
            told = [(text,) for text in shapely.to_wkt(shapes, rounding_precision=digits, trim=True)]
        cells = ((*row, *ends) for (*row, _), ends in zip(batch, told, strict=True))
        yield table(map(_cells, cells)).encode()


def _cells(row: Iterable[Any]) -> list[Any]:
    return [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return here(value).isoformat()
    return harmless(value)


def _packed(files: Iterable[Path], target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return target


async def _chained(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async for other in others:
        yield other


async def _nothing() -> AsyncGenerator[bytes, None]:
    parts: tuple[bytes, ...] = ()
    for part in parts:
        yield part
