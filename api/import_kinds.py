"""Kinds of jobs that import what was uploaded, or take an import back; rows of the table in `api.kinds`.

They name no ``act``: an attempt that was cut off after the import was committed is not done again, but still has
to ask for the cells. Each looks itself for what an attempt before it put on record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from data import jobs, uploads
from data.settings import Settings
from etl.jobs import Kind, Work

if TYPE_CHECKING:
    from etl.ledger import ImportReport

MAPPINGS = ("mapping.toml", "mapping.json")
"""Of uploaded ledger files, the one that names the columns of other headers."""

_STAGES = {"read": 25, "check": 25, "load": 45, "boundaries": 5}


class OsmUpload(BaseModel):
    """An extract that was sent, and how it is to be taken; see `etl.osm.import_osm`."""

    model_config = ConfigDict(extra="forbid")

    upload: str = Field(pattern="^[0-9a-f]{32}$", description="Token of the upload.")
    partial: bool = False
    retire: bool = False
    dry_run: bool = False


class LedgerUpload(OsmUpload):
    """Ledger files that were sent, and how they are to be taken; see `etl.ledger.import_ledger`."""

    crs: str | None = Field(default=None, max_length=64)
    skip_refused: bool = False


class OfImport(BaseModel):
    """An import by its number."""

    model_config = ConfigDict(extra="forbid")

    import_id: int = Field(ge=1, le=2**31 - 1)


Uploaded = TypeVar("Uploaded", bound=OsmUpload)
AskForCells = Callable[[Work[Any]], int | None]
"""Asks for the job that makes touched cells anew where a plan is in force; returns its number."""


@dataclass(frozen=True)
class Imported:
    """What an upload changed, or would change.

    Attributes
    ----------
    source : str
        What was sent, by name.
    import_id : int, optional
        None where nothing was stored, or where the process that stored it ended before it could say so.
    counts : dict
        By table; see `etl.ledger.report.Count`.
    refused : int
        Faults of rows that were left out.
    differences, doubts
        What a dry run would change, as lists, and why it would be refused; those of an import are with the import.
    cells_job : int, optional
        Job that makes the touched cells anew.
    """

    source: str
    import_id: int | None
    dry_run: bool
    counts: dict[str, Any]
    refused: int = 0
    differences: dict[str, Any] | None = None
    doubts: list[str] | None = None
    cells_job: int | None = None


@dataclass(frozen=True)
class TakenBack:
    """An import that was undone, and the job that makes the touched cells anew."""

    import_id: int
    cells_job: int | None


def rows(settings: Settings, ask_for_cells: AskForCells) -> tuple[Kind[Any], ...]:
    """Return the kinds of jobs of imports."""

    def import_ledger(work: Work[LedgerUpload]) -> Imported:
        return _import(work, ask_for_cells, lambda folder: _load_ledger(work, folder, settings))

    def import_osm(work: Work[OsmUpload]) -> Imported:
        return _import(work, ask_for_cells, lambda folder: _load_osm(work, folder))

    def undo_import(work: Work[OfImport]) -> TakenBack:
        from etl import undo

        number = work.params.import_id
        if _done_before(work, "import.undo") is None:
            undo.undo_import(work.store, work.actor, work.district, number)
        return TakenBack(number, ask_for_cells(work))

    return (
        Kind(
            "import_ledger",
            "导入台账 · Importing a ledger",
            LedgerUpload,
            import_ledger,
            stages=_STAGES,
            retryable=False,
        ),
        Kind(
            "import_osm",
            "导入开放街图 · Importing OpenStreetMap",
            OsmUpload,
            import_osm,
            stages=_STAGES,
            retryable=False,
        ),
        Kind("undo_import", "撤销导入 · Undoing an import", OfImport, undo_import),
    )


def _load_ledger(work: Work[LedgerUpload], folder: Path, settings: Settings) -> ImportReport:
    from etl import ledger

    asked = work.params
    return ledger.import_ledger(
        work.store,
        work.actor,
        work.district,
        folder,
        crs=asked.crs,
        mapping=next((path for path in folder.iterdir() if path.name in MAPPINGS), None),
        skip_refused=asked.skip_refused,
        partial=asked.partial,
        retire=asked.retire,
        dry_run=asked.dry_run,
        derived_radius_m=settings.derived_radius_m,
        progress=work.progress,
    )


def _load_osm(work: Work[OsmUpload], folder: Path) -> ImportReport:
    from etl import osm

    (extract,) = folder.iterdir()
    return osm.import_osm(
        work.store,
        work.actor,
        work.district,
        extract,
        partial=work.params.partial,
        retire=work.params.retire,
        dry_run=work.params.dry_run,
        progress=work.progress,
    )


def _import(
    work: Work[Uploaded], ask_for_cells: AskForCells, load: Callable[[Path], ImportReport]
) -> Imported:
    """Import an upload, once, and ask for the cells if that changed anything."""
    upload = uploads.place(work.files, work.district, work.params.upload)
    with uploads.used_up(upload):
        known = _done_before(work, "import.load")
        if known is not None:
            done = Imported(known["source"], None, False, known["counts"])
            return replace(done, cells_job=ask_for_cells(work))
        done = _told(load(uploads.inside(upload)))
        return replace(done, cells_job=ask_for_cells(work)) if done.import_id else done


def _told(report: ImportReport) -> Imported:
    """Return what a job keeps of a report: the lists only where no import keeps them."""
    kept = report.summary()
    told = Imported(report.source, report.import_id, report.dry_run, kept["counts"], kept["refused"])
    if not report.dry_run:
        return told
    return replace(told, differences=kept["differences"], doubts=kept["doubts"])


def _done_before(work: Work[Any], action: str) -> dict[str, Any] | None:
    """Return what an earlier attempt of the job put on record before it was cut off."""
    with work.store.read(work.district) as connection:
        return jobs.carried_out(connection, work.district, work.job, action)
