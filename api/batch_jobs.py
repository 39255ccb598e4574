"""The kind of job that answers a file on the server's disk; a row of the table in `api.kinds`.

What is asked is neither stored nor sent: the file is its owner's, put into a folder that the operator names, and
the answers are written beside it. The job knows their names and how many rows had which status.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from data.settings import Settings
from etl.jobs import Kind, Work
from geo.errors import InputError

# A name alone, of a file that is not hidden, in a form that its ending tells.
_NAME = r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*\.(csv|ndjson|jsonl)$"


class File(BaseModel):
    """A file in the district's folder, and the one to write there."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(pattern=_NAME, max_length=200, description="CSV or NDJSON to answer.")
    target: str = Field(pattern=_NAME, max_length=200, description="CSV or NDJSON to write.")
    crs: str | None = Field(default=None, max_length=40, description="Of points that state none.")


def row(settings: Settings) -> Kind[File]:
    """Return the kind of job."""

    def locate(work: Work[File]) -> dict[str, int]:
        from api.batch_files import locate_file
        from api.located import locator_of

        folder = folder_of(settings, work.district)
        asked = work.params
        if asked.source == asked.target:
            raise InputError("The answers would replace what is asked.", "Name another file for them.")
        return locate_file(
            locator_of(work.store, settings, work.district),
            folder / asked.source,
            folder / asked.target,
            line_bytes=settings.batch_line_bytes,
            crs=asked.crs,
            listener=lambda rows, share: work.progress("locate", share or 0.0),
        )

    return Kind("locate", "批量定位 · Locating a file", File, locate, stages={"locate": 1})


def folder_of(settings: Settings, district: str) -> Path:
    """Return the folder whose files a district may ask; one of another district is out of its reach.

    Raises
    ------
    InputError
        If the operator named none, or the district has none in it.
    """
    if settings.batch_dir is None:
        raise InputError(
            "No folder is named for files to locate.",
            "Set GRIDGOV_BATCH_DIR, or send the rows to POST /api/v1/locate/batch.",
        )
    folder = settings.batch_dir / district
    if not folder.is_dir():
        raise InputError(f"GRIDGOV_BATCH_DIR has no folder {district}.", "Make it, and put the file there.")
    return folder
