"""Pages of imports: the batches, what each changed, and its undoing by a click; and the jobs that run."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import import_views, pages, uploads, words
from api.auth import Acting, Tenant
from api.kinds import ask_for_cells, kinds
from api.page_routes import PageRoute, done, link_in
from api.params import LARGEST_NUMBER, Serving
from api.permissions import may
from data import changes, imports, jobs
from data.imports import Import
from etl.actor import Actor
from etl.undo import undo_import
from maps.legend import Words

router = APIRouter(include_in_schema=False, route_class=PageRoute)

FINISHED = 10
"""Jobs shown that are finished."""

Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]
Done = Annotated[str | None, Query(max_length=20)]


@router.get("/imports")
def import_list(request: Request, state: Serving, place: Tenant, done: Done = None) -> Response:
    """List what was imported, the newest first, and the jobs of now."""
    with state.store.read(place.code) as connection:
        batches = imports.every(connection, place.code)
        at_work = jobs.unfinished(connection, place.code)
        recent = jobs.every(connection, place.code, limit=FINISHED + len(at_work))
    titles = {name: Words(*kind.title.split(" · ")) for name, kind in kinds(state.settings).items()}
    return pages.render(
        request,
        "imports.html",
        district=place,
        rows=[(batch, import_views.totals(batch)) for batch in batches],
        at_work=at_work,
        finished=[job for job in recent if job.state not in jobs.OPEN],
        titles=titles,
        **_common(request, done),
    )


@router.post("/imports")
async def send(request: Request, state: Serving, place: Tenant, actor: Acting) -> Response:
    """Have files imported by a worker."""
    await uploads.take(request, state, actor, place.code)
    return await run_in_threadpool(done, request, state, place, "/imports", "send")


@router.get("/imports/{number}")
def import_page(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: Number, done: Done = None
) -> Response:
    """Show one import: how many rows of what, what changed, which rows were refused."""
    with state.store.read(place.code) as connection:
        batch = imports.get(connection, place.code, number)
        later = changes.later(connection, place.code, number) if _can_undo(actor, batch) else []
    return pages.render(
        request,
        "import.html",
        district=place,
        batch=batch,
        lists=import_views.lists(batch),
        can_undo=_can_undo(actor, batch),
        later=later,
        **_common(request, done),
    )


@router.post("/imports/{number}/undo")
def undo(request: Request, state: Serving, place: Tenant, actor: Acting, number: Number) -> Response:
    """Take a whole import back."""
    undo_import(state.store, actor, place.code, number)
    ask_for_cells(state.store, state.settings, actor, place.code)
    return done(request, state, place, f"/imports/{number}", "undo")


def _can_undo(actor: Actor, batch: Import) -> bool:
    return batch.state == "loaded" and may(actor, "import.undo")


def _common(request: Request, done: str | None) -> dict[str, Any]:
    return {
        "link": link_in(request),
        "words": words,
        "views": import_views,
        "done": words.DONE.get(done or ""),
    }
