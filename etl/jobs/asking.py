"""Ask for a job, for its end, or for it once more.

These acts do not wait for the district as `etl.acting` does: a job that is being done may hold it for a
minute, and has to be told to end meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from data import audit, districts, jobs
from data.jobs import Job
from data.session import Store
from etl.acting import check_scope
from etl.actor import Actor
from etl.jobs.kinds import Kind, Params
from geo.errors import ConflictError


def submit(
    store: Store, actor: Actor, district: str, kind: Kind[Params], params: Mapping[str, Any] | None = None
) -> Job:
    """Ask for a job; the same asked for again while it waits is one job.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    NotFoundError
        If there is no such district.
    InputError
        If the kind does not take these parameters.
    """
    check_scope(actor, district)
    asked = kind.checked(params or {}).model_dump(mode="json")
    with store.begin(district) as connection:
        districts.get(connection, district)
        jobs.queue(connection, district)
        for job in jobs.unfinished(connection, district, kind.name):
            if job.state == "todo" and job.params == asked and job.actor["id"] == actor.id:
                return job
        job = jobs.add(connection, district, kind.name, asked, plain(actor))
        record(connection, district, actor, "job.submit", job, after={"kind": kind.name})
    return job


def cancel(store: Store, actor: Actor, district: str, number: int) -> Job:
    """End a job: at once if it waits, as soon as it listens if it is being done.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    NotFoundError
        If there is no such job.
    ConflictError
        If it is finished.
    """
    check_scope(actor, district)
    with store.begin(district) as connection:
        job = jobs.hold(connection, district, number)
        if job.state not in jobs.OPEN:
            raise ConflictError(f"Job {number} is finished: {job.state}.", "There is nothing to end.")
        if job.state == "todo":
            jobs.finish(connection, district, number, "cancelled")
        else:
            jobs.ask_to_end(connection, district, number)
            jobs.tell(connection, district)  # where nobody does it any more, a worker ends it
        record(connection, district, actor, "job.cancel", job, before={"state": job.state})
        return jobs.get(connection, district, number)


def retry(store: Store, actor: Actor, district: str, kind: Kind[Params], number: int) -> Job:
    """Have a job that failed or was ended done again, as it was asked for.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    NotFoundError
        If there is no such job.
    ConflictError
        If it neither failed nor was ended, or cannot be repeated.
    """
    check_scope(actor, district)
    with store.begin(district) as connection:
        job = jobs.hold(connection, district, number)
        if job.state not in ("failed", "cancelled"):
            raise ConflictError(
                f"Job {number} is {job.state}.", "Only one that failed or was cancelled can be retried."
            )
        if job.foreground or not kind.retryable:
            raise ConflictError(
                f"Job {number} cannot be repeated from here.", "Give the command, or ask, again."
            )
        jobs.put_back(connection, district, number, f"retried by {actor.id}", afresh=True)
        record(connection, district, actor, "job.retry", job, before={"state": job.state})
        return jobs.get(connection, district, number)


def plain(actor: Actor) -> dict[str, Any]:
    """Return an actor as it is kept with a job."""
    return {"id": actor.id, "roles": sorted(actor.roles), "scope": sorted(actor.scope)}


def record(
    connection: Connection, district: str, actor: Actor, action: str, job: Job, **stood: Mapping[str, Any]
) -> None:
    """Put what was asked on record."""
    audit.record(connection, district, actor=actor.id, action=action, subject=f"job {job.id}", **stood)
