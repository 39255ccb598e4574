"""Imports: what came in, what it changed, what was refused; taken back as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, fields
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api import uploads
from api.auth import Acting, Tenant
from api.fresh import written
from api.kinds import ask_for_cells
from api.params import API, LARGEST_NUMBER, Serving
from api.plain import EXCEL, harmless, table
from api.state import State
from data import differences, imports
from etl.ledger.reasons import BY_NAME
from etl.undo import undo_import

router = APIRouter(prefix=API, tags=["imports"])

Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Number of the import (导入批次).")]


class Batch(BaseModel):
    """An import (导入批次)."""

    id: int = Field(examples=[3])
    kind: Literal["ledger", "osm"]
    state: Literal["loaded", "refused", "undone"]
    source: str = Field(description="Name of the folder or file, without its path.")
    digest: str = Field(description="SHA-256 of what was read.")
    actor: str
    at: datetime
    attribution: str | None
    licence: str | None
    undone_at: datetime | None
    undone_by: str | None
    counts: dict[str, dict[str, int]] = Field(description="By table: read, new, changed, back, gone ...")
    fault: str | None = Field(description="Why it was refused.")


class Batches(BaseModel):
    """Imports, the newest first."""

    imports: list[Batch]


class Whole(Batch):
    """An import with all that is kept of it."""

    report: dict[str, Any] = Field(description="Files, refused rows, and lists of what changed.")


class Undone(BaseModel):
    """What was taken back, by table."""

    import_id: int
    source: str
    nouns: dict[str, dict[str, int]]
    cells_job: int | None = Field(description="Job that makes the touched cells anew.")
    data_version: int


class Sent(BaseModel):
    """Files that were sent (上传)."""

    job: int = Field(description="Job that imports them; Location is its address.", examples=[12])
    files: list[str] = Field(
        description="What it will read, archives unpacked.", examples=[["buildings.csv"]]
    )


_FLAG = {"type": "boolean", "default": False}
_FORM = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "Ledger files named after nouns (docs/ledger.md), or a ZIP of them; mapping.toml or"
            " mapping.json names the columns of other headers. Of OpenStreetMap, one .osm, .osm.bz2 or .osm.gz.",
        },
        "kind": {"type": "string", "enum": ["ledger", "osm"], "default": "ledger"},
        "crs": {
            "type": "string",
            "description": "Of ledger files that state none: wgs84, gcj02, EPSG:4549 ...",
        },
        "partial": {**_FLAG, "description": "The files are a part of the register: what they lack stays."},
        "retire": {**_FLAG, "description": "Believe files that would retire or move a large part."},
        "skip_refused": {**_FLAG, "description": "Of a ledger, load the good rows."},
        "dry_run": {**_FLAG, "description": "Say what would happen and change nothing."},
    },
}


@router.post(
    "/imports",
    summary="Send files to import (上传导入)",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def send(request: Request, response: Response, state: Serving, actor: Acting, place: Tenant) -> Sent:
    """Have files imported by a worker, whole or not at all, and then the touched cells made anew.

    A new district's first import is a matter of the command line: `gridgov import`.
    """
    taken = await uploads.take(request, state, actor, place.code)
    response.headers["Location"] = f"{API}/jobs/{taken.job.id}?district={place.code}"
    return Sent(job=taken.job.id, files=taken.files)


@router.get("/imports", summary="Imports (导入批次)")
def list_imports(
    response: Response, state: Serving, place: Tenant, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Batches:
    """List imports, the newest first; refused and undone ones too."""
    response.headers["Cache-Control"] = "no-store"
    with state.store.read(place.code) as connection:
        found = imports.every(connection, place.code, limit=limit)
    return Batches(imports=[Batch(**_shown(one)) for one in found])


@router.get("/imports/{number}", summary="One import (导入批次)")
def show_import(response: Response, state: Serving, place: Tenant, number: Number) -> Whole:
    """Return an import: counts, and lists of what it changed."""
    response.headers["Cache-Control"] = "no-store"
    found = _get(state, place.code, number)
    return Whole(**_shown(found), report=found.report)


@router.get("/imports/{number}/refused.csv", summary="Refused rows (被拒绝的行)", response_class=Response)
def refused_rows(state: Serving, place: Tenant, number: Number) -> Response:
    """Return where each refused row stands and why, as CSV; what stood there is not kept."""
    found = _get(state, place.code, number).report.get("refusals", [])
    titles = ("file", "line", "field", "reason", "message", "说明")
    rows = (
        (r["file"], r["line"], r["field"], r["reason"], BY_NAME[r["reason"]].en, BY_NAME[r["reason"]].zh)
        for r in found
    )
    return _csv(titles, rows, f"import-{number}-refused.csv")


@router.get("/imports/{number}/changes.csv", summary="Every change (变更明细)", response_class=Response)
def changed_rows(state: Serving, place: Tenant, number: Number) -> Response:
    """Return a line for every row that came or went and every column that changed, as CSV."""
    _get(state, place.code, number)

    def rows() -> Iterator[Sequence[Any]]:
        with state.store.read(place.code) as connection:
            for line in differences.lines(connection, place.code, number):
                yield astuple(line)

    titles = [f.name for f in fields(differences.Line)]
    return _csv(titles, rows(), f"import-{number}-changes.csv")


@router.post("/imports/{number}/undo", summary="Undo an import (撤销导入)", response_model=Undone)
def undo(state: Serving, actor: Acting, place: Tenant, number: Number) -> Response:
    """Bring every row an import touched back to what it was; 409 if later imports touched the same rows."""
    report = undo_import(state.store, actor, place.code, number)
    cells = ask_for_cells(state.store, state.settings, actor, place.code)
    return written(state, place.code, {**asdict(report), "cells_job": cells})


def _get(state: State, district: str, number: int) -> imports.Import:
    with state.store.read(district) as connection:
        return imports.get(connection, district, number)


def _shown(found: imports.Import) -> dict[str, Any]:
    kept = asdict(found)
    report = kept.pop("report")
    return {**kept, "counts": report.get("counts", {}), "fault": report.get("fault")}


def _csv(titles: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    def lines() -> Iterator[str]:
        yield EXCEL + table([titles])
        for row in rows:
            yield table([map(harmless, row)])

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)
