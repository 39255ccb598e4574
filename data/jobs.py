"""Jobs: rows that say what is to be done, by whom it was asked, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, text

from data.session import Store
from geo.errors import NotFoundError

CHANNEL = "gridgov_jobs"
"""NOTIFY channel: a district has something to do; the payload is its code."""

OPEN = ("todo", "doing")
"""States of a job that is not finished."""

_MAX_SHOWN = 500

_COLUMNS = (
    "id, kind, params, actor, state, percent, stage, message, result, error, attempts, foreground,"
    " cancel_requested, created_at, started_at, heartbeat_at, finished_at"
)


@dataclass(frozen=True)
class Job:
    """A job as it stands."""

    id: int
    kind: str
    params: dict[str, Any]
    actor: dict[str, Any]
    state: str
    percent: int
    stage: str | None
    message: str | None
    result: dict[str, Any] | None
    error: dict[str, str] | None
    attempts: int
    foreground: bool
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None


def add(
    connection: Connection,
    district: str,
    kind: str,
    params: Mapping[str, Any],
    actor: Mapping[str, Any],
    *,
    foreground: bool = False,
) -> Job:
    """Add a job that is to be done, and tell the workers."""
    job = connection.execute(
        text(
            "INSERT INTO jobs (district, kind, params, actor, foreground) VALUES (:district, :kind,"
            f" CAST(:params AS jsonb), CAST(:actor AS jsonb), :foreground) RETURNING {_COLUMNS}"
        ),
        {
            "district": district,
            "kind": kind,
            "params": _json(params),
            "actor": _json(actor),
            "foreground": foreground,
        },
    ).one()
    if not foreground:
        tell(connection, district)
    return Job(*job)


def tell(connection: Connection, district: str) -> None:
    """Tell the workers that a district has something to do, when the transaction is committed."""
    connection.execute(
        text("SELECT pg_notify(:channel, :district)"), {"channel": CHANNEL, "district": district}
    )


def queue(connection: Connection, district: str) -> None:
    """Wait until no other transaction adds jobs to the district; those that change the district do not count."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('gridgov jobs'), hashtext(:district))"),
        {"district": district},
    )


def get(connection: Connection, district: str, number: int) -> Job:
    """Return a job.

    Raises
    ------
    NotFoundError
        If the district has none of that number.
    """
    return _get(connection, district, number, "")


def hold(connection: Connection, district: str, number: int) -> Job:
    """Return a job that nobody else changes until this transaction ends; see `get`."""
    return _get(connection, district, number, " FOR UPDATE")


def _get(connection: Connection, district: str, number: int, how: str) -> Job:
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM jobs WHERE district = :district AND id = :id{how}"),
        {"district": district, "id": number},
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no job {number}.", "List the jobs there are.")
    return Job(*row)


def every(
    connection: Connection,
    district: str,
    *,
    kind: str | None = None,
    state: str | None = None,
    limit: int = 50,
) -> list[Job]:
    """Return jobs, the newest first; those of a kind or in a state where asked."""
    rows = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM jobs WHERE district = :district"
            " AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
            " AND (CAST(:state AS text) IS NULL OR state = :state) ORDER BY id DESC LIMIT :limit"
        ),
        {"district": district, "kind": kind, "state": state, "limit": min(limit, _MAX_SHOWN)},
    )
    return [Job(*row) for row in rows]


def unfinished(connection: Connection, district: str, kind: str | None = None) -> list[Job]:
    """Return the jobs that are to be done or being done, in the order they were asked for."""
    rows = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM jobs WHERE district = :district AND finished_at IS NULL"
            " AND (CAST(:kind AS text) IS NULL OR kind = :kind) ORDER BY id"
        ),
        {"district": district, "kind": kind},
    )
    return [Job(*row) for row in rows]


def is_due(connection: Connection, district: str, kind: str) -> bool:
    """Tell whether a kind of job was not asked for within a day."""
    return not connection.scalar(
        text(
            "SELECT EXISTS (SELECT FROM jobs WHERE district = :district AND kind = :kind"
            " AND created_at > now() - interval '1 day')"
        ),
        {"district": district, "kind": kind},
    )


def begin(connection: Connection, district: str, number: int) -> Job:
    """Say that a job is being done from now on."""
    row = connection.execute(
        text(
            "UPDATE jobs SET state = 'doing', attempts = attempts + 1, percent = 0, stage = NULL,"
            " started_at = clock_timestamp(), heartbeat_at = clock_timestamp()"
            f" WHERE district = :district AND id = :id AND state = 'todo' RETURNING {_COLUMNS}"
        ),
        {"district": district, "id": number},
    ).one()
    return Job(*row)


def advance(connection: Connection, district: str, number: int, percent: int, stage: str) -> bool:
    """Say how far a job is; return whether somebody asked for its end."""
    return bool(
        connection.scalar(
            text(
                "UPDATE jobs SET percent = greatest(percent, :percent), stage = :stage,"
                " heartbeat_at = clock_timestamp() WHERE district = :district AND id = :id"
                " RETURNING cancel_requested"
            ),
            {"district": district, "id": number, "percent": percent, "stage": stage},
        )
    )


def finish(
    connection: Connection,
    district: str,
    number: int,
    state: str,
    *,
    result: Any = None,
    error: Mapping[str, str] | None = None,
    message: str | None = None,
) -> None:
    """Say how a job ended; ``result`` is anything that is plain JSON, dataclasses and dates included."""
    connection.execute(
        text(
            "UPDATE jobs SET state = :state, result = CAST(:result AS jsonb), error = CAST(:error AS jsonb),"
            " message = coalesce(:message, message), finished_at = clock_timestamp(),"
            " percent = CASE WHEN :state = 'succeeded' THEN 100 ELSE percent END"
            " WHERE district = :district AND id = :id"
        ),
        {
            "district": district,
            "id": number,
            "state": state,
            "result": _json(result),
            "error": _json(error),
            "message": message,
        },
    )


def put_back(
    connection: Connection, district: str, number: int, message: str, *, afresh: bool = False
) -> None:
    """Have a job done again by whoever is next, and tell the workers.

    Parameters
    ----------
    afresh : bool
        Forget the attempts made: a person asked for it again.
    """
    connection.execute(
        text(
            "UPDATE jobs SET state = 'todo', message = :message, percent = 0, stage = NULL, error = NULL,"
            " result = NULL, cancel_requested = false, started_at = NULL, heartbeat_at = NULL,"
            " finished_at = NULL, attempts = CASE WHEN :afresh THEN 0 ELSE attempts END"
            " WHERE district = :district AND id = :id"
        ),
        {"district": district, "id": number, "message": message, "afresh": afresh},
    )
    tell(connection, district)


def ask_to_end(connection: Connection, district: str, number: int) -> None:
    """Ask whoever does a job to end it."""
    connection.execute(
        text("UPDATE jobs SET cancel_requested = true WHERE district = :district AND id = :id"),
        {"district": district, "id": number},
    )


def mark(connection: Connection, number: int) -> None:
    """Have every act on record of this transaction name the job that carries it out."""
    connection.execute(text("SELECT set_config('gridgov.job', :id, true)"), {"id": str(number)})


def carried_out(connection: Connection, district: str, number: int, action: str) -> dict[str, Any] | None:
    """Return what a job put on record for an action, None if it never was committed."""
    row = connection.execute(
        text(
            "SELECT coalesce(after, '{}') FROM audit WHERE district = :district AND job = :id"
            " AND action = :action ORDER BY id LIMIT 1"
        ),
        {"district": district, "id": number, "action": action},
    ).one_or_none()
    return None if row is None else dict(row[0])


@contextmanager
def listening(store: Store) -> Iterator[psycopg.Connection[Any]]:
    """Hear the notices of `CHANNEL` on a connection of its own."""
    pooled = store.engine.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    if connection is None:  # pragma: no cover - a checked-out connection always has one
        raise RuntimeError("the connection was given back")
    with connection:
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
