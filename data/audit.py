"""The audit: who did what to what, when, and how it stood before and after. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

_MAX_SHOWN = 1000


@dataclass(frozen=True)
class Entry:
    """One act. ``before`` and ``after`` hold counts, states and codes, never anything of a person."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record(
    connection: Connection,
    district: str,
    *,
    actor: str,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Put an act on record, in the transaction that carries it out.

    Parameters
    ----------
    district : str
        Code of the district; empty for an act that belongs to none.
    action : str
        Noun and verb: ``plan.publish``.
    subject : str
        Noun and number or name: ``plan 3``.
    """
    connection.execute(
        text(
            "INSERT INTO audit (district, actor, action, subject, before, after)"
            " VALUES (:district, :actor, :action, :subject, CAST(:before AS jsonb), CAST(:after AS jsonb))"
        ),
        {
            "district": district,
            "actor": actor,
            "action": action,
            "subject": subject,
            "before": _json(before),
            "after": _json(after),
        },
    )


def entries(
    connection: Connection,
    district: str,
    *,
    subject: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """Return acts, the newest first; those on one subject, or older than an entry, where asked."""
    rows = connection.execute(
        text(
            "SELECT id, at, actor, action, subject, before, after FROM audit WHERE district = :district"
            " AND (CAST(:subject AS text) IS NULL OR subject = :subject)"
            " AND (CAST(:before AS bigint) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
        ),
        {"district": district, "subject": subject, "before": before_id, "limit": min(limit, _MAX_SHOWN)},
    )
    return [Entry(*row) for row in rows]


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
