"""Jobs: asked for, watched, ended, done again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.auth import Acting, Tenant
from api.kinds import kinds, named
from api.params import API, Plain, Serving
from data import jobs as stored
from data.session import Store
from data.settings import Settings
from etl import jobs as acts
from geo.errors import NotFoundError

router = APIRouter(prefix=API, tags=["jobs"])

LOOK_S = 0.5
"""How often a job that is watched is looked at; its worker writes up to four times a second."""

State = Literal["todo", "doing", "succeeded", "failed", "cancelled"]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the job (任务).")]


class Asked(BaseModel):
    """What is asked for."""

    kind: str = Field(max_length=64, examples=["rebalance"])
    params: dict[str, Any] = Field(default={}, examples=[{"seed": 3}])


class Fault(BaseModel):
    """Why a job failed."""

    fault: str
    remedy: str


class Job(BaseModel):
    """A job as it stands (任务)."""

    id: int = Field(examples=[12])
    kind: str = Field(examples=["rebalance"])
    title: str = Field(examples=["均衡网格 · Balancing the grids"])
    params: dict[str, Any]
    actor: str = Field(description="Who asked for it.", examples=["planner"])
    state: State
    percent: int = Field(ge=0, le=100, description="Share that is done; it never goes back in one attempt.")
    stage: str | None = Field(examples=["improve"])
    message: str | None = Field(description="What befell it, for people.")
    result: dict[str, Any] | None
    error: Fault | None
    attempts: int
    cancel_requested: bool
    retryable: bool = Field(description="Whether it can be retried now.")
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None


class Jobs(BaseModel):
    """Jobs, the newest first."""

    jobs: list[Job]


@router.post("/jobs", summary="Ask for a job (发起任务)", status_code=HTTPStatus.ACCEPTED)
def submit(state: Serving, actor: Acting, place: Tenant, asked: Asked, response: Response) -> Job:
    """Have a worker do something; the same asked for again while it waits is one job."""
    job = acts.submit(state.store, actor, place.code, named(state.settings, asked.kind), asked.params)
    response.headers["Location"] = f"{API}/jobs/{job.id}?district={place.code}"
    return _shown(state.settings, job)


@router.get("/jobs", summary="Jobs (任务列表)")
def jobs(
    state: Serving,
    place: Tenant,
    kind: Annotated[str | None, Query(max_length=64, description="Only of this kind."), Plain] = None,
    in_state: Annotated[State | None, Query(alias="state", description="Only in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="At most this many.")] = 50,
) -> Jobs:
    """List jobs, the newest first."""
    with state.store.read(place.code) as connection:
        found = stored.every(connection, place.code, kind=kind, state=in_state, limit=limit)
    return Jobs(jobs=[_shown(state.settings, job) for job in found])


@router.get("/jobs/{number}", summary="One job (任务)")
def job(state: Serving, place: Tenant, number: Number) -> Job:
    """Return how a job stands."""
    return _shown(state.settings, _read(state.store, place.code, number))


def _watched(state: Serving, place: Tenant, number: Number) -> stored.Job:
    """Find the job before its stream begins, so that one that is not there is answered 404."""
    return _read(state.store, place.code, number)


@router.get(
    "/jobs/{number}/events", summary="A job as it goes on (任务进度)", response_class=EventSourceResponse
)
async def events(
    state: Serving, place: Tenant, watched: Annotated[stored.Job, Depends(_watched)]
) -> AsyncIterator[ServerSentEvent]:
    """Tell how a job stands now and each time that changes, as server-sent events, until it is finished.

    Every event tells the whole, so whoever connects again (``Last-Event-ID``) misses nothing that still counts.
    """
    told: dict[str, Any] | None = None
    count = 0
    current = watched
    while True:
        event = {
            "state": current.state,
            "percent": current.percent,
            "stage": current.stage,
            "message": current.message,
            "error": current.error,
        }
        if event != told:
            count += 1
            yield ServerSentEvent(event="job", id=str(count), data=event)
            told = event
        if current.state not in stored.OPEN:
            return
        await asyncio.sleep(LOOK_S)
        current = await run_in_threadpool(_read, state.store, place.code, watched.id)


@router.post("/jobs/{number}/cancel", summary="End a job (取消任务)", status_code=HTTPStatus.ACCEPTED)
def cancel(state: Serving, actor: Acting, place: Tenant, number: Number) -> Job:
    """End a job: at once if it waits, as soon as it listens if it is being done."""
    return _shown(state.settings, acts.cancel(state.store, actor, place.code, number))


@router.post("/jobs/{number}/retry", summary="Do a job again (重试任务)", status_code=HTTPStatus.ACCEPTED)
def retry(state: Serving, actor: Acting, place: Tenant, number: Number) -> Job:
    """Do a job once more that failed or was cancelled."""
    kind = named(state.settings, _read(state.store, place.code, number).kind)
    return _shown(state.settings, acts.retry(state.store, actor, place.code, kind, number))


@router.get("/jobs/{number}/file", summary="The file a job made (下载结果)", response_class=FileResponse)
def file(state: Serving, place: Tenant, number: Number) -> FileResponse:
    """Return the file that is a job's result; it is kept for 30 days."""
    found = _read(state.store, place.code, number)
    name = (found.result or {}).get("file")
    if not name or not (state.settings.files / name).is_file():
        raise NotFoundError(f"Job {number} has no file.", "Exports have one, for 30 days; ask for it anew.")
    return FileResponse(
        state.settings.files / name, filename=f"{found.kind}-{name}", headers={"Cache-Control": "no-store"}
    )


def _read(store: Store, district: str, number: int) -> stored.Job:
    with store.read(district) as connection:
        return stored.get(connection, district, number)


def _shown(settings: Settings, job: stored.Job) -> Job:
    kind = kinds(settings).get(job.kind)
    ended = job.state in ("failed", "cancelled")
    return Job(
        **{name: getattr(job, name) for name in Job.model_fields if name not in _MADE},
        title=kind.title if kind else job.kind,
        actor=job.actor["id"],
        error=Fault(**job.error) if job.error else None,
        retryable=bool(kind and kind.retryable and ended and not job.foreground),
    )


_MADE = {"title", "actor", "error", "retryable"}
