"""Files that are sent to be imported: their names and sizes checked, kept for the job that reads them."""

from __future__ import annotations

import bz2
import gzip
import re
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.kinds import kinds
from api.state import State
from data import uploads
from data.jobs import Job
from etl.actor import Actor
from etl.jobs import submit
from etl.ledger.files import decode
from geo.crs import normalise
from geo.errors import InputError, SetupError

MAX_FILES = 200
"""Files of one upload, those in archives counted; a Shapefile is five."""
MAX_FIELDS = 20
ROUTES = ("POST /api/v1/imports", "POST /imports")
"""Where files are sent to."""
UNPACKED = 5
"""How many times ``GRIDGOV_MAX_UPLOAD_BYTES`` archives and compressed files may come to."""

_CHUNK = 1 << 20
_MAX_NAME_BYTES = 200
_KINDS = {"ledger": "import_ledger", "osm": "import_osm"}
_ENDINGS = {
    "import_ledger": (
        *(".csv", ".xlsx", ".geojson", ".json", ".gpkg", ".toml"),
        *(".shp", ".shx", ".dbf", ".prj", ".cpg"),
    ),
    "import_osm": (".osm", ".osm.bz2", ".osm.gz"),
}
_ARCHIVE = ".zip"
_COMPRESSED: dict[str, Callable[[Path], IO[bytes]]] = {".bz2": bz2.open, ".gz": gzip.open}  # type: ignore[dict-item]


@dataclass(frozen=True)
class Taken:
    """What was sent: the job that imports it, and the names of the files it will read."""

    job: Job
    files: list[str]


async def take(request: Request, state: State, actor: Actor, district: str) -> Taken:
    """Keep the files of a multipart request and ask for the job that imports them.

    The body is read here, not by FastAPI, which would read all of it before it looks who asks.

    Raises
    ------
    InputError
        If no file came, or one that cannot be imported, or too much; nothing is kept then.
    CoordinateError
        If the coordinate system stated is unknown.
    SetupError
        If there is no room for the files.
    """
    try:
        async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as form:
            return await run_in_threadpool(_take, form, state, actor, district)
    except OSError as error:
        raise SetupError(
            f"The files cannot be kept: {error.strerror}.", "See to the server's disk."
        ) from error


def _take(form: FormData, state: State, actor: Actor, district: str) -> Taken:
    asked: dict[str, Any] = {
        name: value for name, value in form.multi_items() if isinstance(value, str) and value.strip()
    }
    sent = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
    called = asked.pop("kind", "ledger")
    if called not in _KINDS:
        raise InputError(f"There is no kind of import '{called[:64]}'.", f"Kinds: {', '.join(_KINDS)}.")
    kind = kinds(state.settings)[_KINDS[called]]
    params = {**asked, "upload": secrets.token_hex(16)}
    kind.checked(params)
    if "crs" in asked:
        normalise(asked["crs"])
    upload = uploads.place(state.settings.files, district, params["upload"])
    try:
        names = _keep(sent, upload, kind.name, state.settings.max_upload_bytes * UNPACKED)
        return Taken(submit(state.store, actor, district, kind, params), names)
    except BaseException:
        uploads.remove(upload)
        raise


def _keep(sent: list[UploadFile], upload: Path, kind: str, room: int) -> list[str]:
    """Write what was sent into a new folder, archives unpacked; return the names of the files in it."""
    names = [_checked(file.filename or "") for file in sent]
    if not names:
        raise InputError("No file was sent.", f"Send files that end in {', '.join(_ENDINGS[kind])}.")
    if kind == "import_osm" and len(names) > 1:
        raise InputError("An extract is one file.", "Send one at a time.")
    folder = upload / _title(names)
    folder.mkdir(parents=True, mode=0o700)
    for name, file in zip(names, sent, strict=True):
        if name.lower().endswith(_ARCHIVE) and kind == "import_ledger":
            room -= _unpack(file.file, name, folder, room)
        elif name.lower().endswith(_ENDINGS[kind]):
            room -= _write(file.file, folder / name, room)
        else:
            raise InputError(
                f"{name} is no file that can be imported.",
                f"Send files that end in {', '.join(_ENDINGS[kind])}.",
            )
    kept = sorted(folder.iterdir())
    for path in kept:
        _check_unpacked(path, room)
    return [path.name for path in kept]


def _title(names: list[str]) -> str:
    """Return what the upload is called among the imports."""
    first = names[0][: -len(_ARCHIVE)] if names[0].lower().endswith(_ARCHIVE) else names[0]
    return first if len(names) == 1 else f"{first} +{len(names) - 1}"


def _checked(name: str) -> str:
    """Return a file's name if it can stand for a file of ours: no path, nothing hidden, nothing unprintable."""
    if (
        re.search(r'[/\\:*?"<>|]', name)
        or name.startswith(".")
        or not name.isprintable()
        or len(name.encode()) > _MAX_NAME_BYTES
    ):
        raise InputError(f"'{name[:64]}' cannot be the name of a file here.", "Send it under a plain name.")
    return name


def _unpack(source: IO[bytes], name: str, folder: Path, room: int) -> int:
    """Unpack the files of an archive that can be read into one folder; return how many bytes they are."""
    written = 0
    try:
        with zipfile.ZipFile(source) as archive:
            members = list(_members(archive.infolist(), name))
            if not members:
                raise InputError(
                    f"{name} holds no file that can be imported.",
                    f"Pack files that end in {', '.join(_ENDINGS['import_ledger'])}.",
                )
            for member, own in members:
                with archive.open(member) as content:
                    written += _write(content, folder / own, room - written)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{name} cannot be unpacked.", "Pack it again, as ZIP without a password."
        ) from error
    return written


def _members(infos: Iterable[zipfile.ZipInfo], archive: str) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Yield the members of an archive that can be read, with their names in our folder.

    Folders in it do not count, and files of other kinds, such as a Shapefile's index, are left out.
    """
    taken = 0
    for info in infos:
        path = PurePosixPath(_member_name(info, archive).replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", str(path)):
            raise InputError(
                f"{archive} holds '{str(path)[:64]}', which would lie outside of it.", "Pack it again."
            )
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if info.is_dir() or hidden or not path.name.lower().endswith(_ENDINGS["import_ledger"]):
            continue
        taken += 1
        if taken > MAX_FILES:
            raise InputError(f"{archive} holds more than {MAX_FILES} files.", "Send fewer at a time.")
        yield info, _checked(path.name)


def _member_name(info: zipfile.ZipInfo, archive: str) -> str:
    """Return a member's name; many programs write it in GBK, or in UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    return decode(info.filename.encode("cp437"), archive)[0]


def _write(source: IO[bytes], path: Path, room: int) -> int:
    """Write a file, and no more than there is room for; return how many bytes it is."""
    written = 0
    try:
        with path.open("xb") as file:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > room:
                    raise _too_large(path.name)
                file.write(chunk)
    except FileExistsError as error:
        raise InputError(f"There are two files {path.name}.", "Send one of them.") from error
    return written


def _check_unpacked(path: Path, room: int) -> None:
    """See that a workbook, or a compressed extract, is not far larger than it looks."""
    if path.suffix.lower() == ".xlsx" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as book:
            size = sum(info.file_size for info in book.infolist())
    elif opener := _COMPRESSED.get(path.suffix.lower()):
        size = _unpacked_bytes(path, opener, room)
    else:
        return
    if size > room:
        raise _too_large(path.name)


def _unpacked_bytes(path: Path, opener: Callable[[Path], IO[bytes]], most: int) -> int:
    """Count what a compressed file comes to, until it is more than the most that is asked about."""
    size = 0
    try:
        with opener(path) as file:
            while size <= most and (chunk := file.read(_CHUNK)):
                size += len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} is damaged.", "Fetch it again.") from error
    return size


def _too_large(name: str) -> InputError:
    return InputError(
        f"{name} is too large when it is unpacked.",
        "Send less at a time, or raise GRIDGOV_MAX_UPLOAD_BYTES (docs/settings.md).",
    )
