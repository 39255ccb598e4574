"""Imports: what came in, what it changed, what was refused; taken back as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, fields
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.auth import Acting, Tenant
from api.fresh import written
from api.params import API, LARGEST_NUMBER, Serving
from api.state import State
from data import differences, imports
from etl.ledger.reasons import BY_NAME
from etl.undo import undo_import

router = APIRouter(prefix=API, tags=["imports"])

Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Number of the import (导入批次).")]
_MARK = "\ufeff"  # Excel takes a file for UTF-8 only with it


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
    data_version: int


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
    return written(state, place.code, undo_import(state.store, actor, place.code, number))


def _get(state: State, district: str, number: int) -> imports.Import:
    with state.store.read(district) as connection:
        return imports.get(connection, district, number)


def _shown(found: imports.Import) -> dict[str, Any]:
    kept = asdict(found)
    report = kept.pop("report")
    return {**kept, "counts": report.get("counts", {}), "fault": report.get("fault")}


def _csv(titles: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    def lines() -> Iterator[str]:
        page = io.StringIO()
        writer = csv.writer(page)
        yield _MARK
        writer.writerow(titles)
        for row in rows:
            writer.writerow([_harmless(value) for value in row])
            yield page.getvalue()
            page.seek(0)
            page.truncate()
        yield page.getvalue()

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
