"""Where uploaded files lie until the job that reads them is over: a folder each, of one district."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from geo.errors import InputError, SetupError

KEPT_S = 86_400.0
"""How long files are kept that no job wants any more: those of one that was cancelled, or never asked for."""


def place(files: Path, district: str, token: str) -> Path:
    """Return where an upload lies; it need not be there.

    Parameters
    ----------
    files : Path
        Folder of the files that jobs make and read.
    token : str
        What the job knows the upload by; see `api.uploads`.
    """
    return files / "uploads" / district / token


def inside(upload: Path) -> Path:
    """Return the one folder in an upload's place, named after what was sent.

    Raises
    ------
    InputError
        If the upload is not there any more.
    """
    found = next(upload.iterdir(), None) if upload.is_dir() else None
    if found is None:
        raise InputError("The uploaded files are not kept any more.", "Send them again.")
    return found


@contextmanager
def used_up(upload: Path) -> Iterator[None]:
    """Delete an upload when the block is over, unless it ended in a way after which the job is done again."""
    try:
        yield
    except (DBAPIError, SetupError):  # the database may have been lost
        raise
    except Exception:
        remove(upload)
        raise
    remove(upload)


def remove(upload: Path) -> None:
    """Delete an upload, if it is there."""
    if upload.exists():
        shutil.rmtree(upload)


def left_over(files: Path, district: str, wanted: Set[str]) -> list[Path]:
    """Return the uploads of a district that are older than a day, but for those wanted, by token."""
    folder = files / "uploads" / district
    if not folder.is_dir():
        return []
    oldest = time.time() - KEPT_S
    return [path for path in folder.iterdir() if path.name not in wanted and path.stat().st_mtime < oldest]
