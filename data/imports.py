"""Imports: the record of what was loaded or refused, from where, under which licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from geo.errors import NotFoundError

_COLUMNS = "id, kind, state, source, digest, actor, at, attribution, licence, undone_at, undone_by"


@dataclass(frozen=True)
class Import:
    """A batch: ``state`` is loaded, refused or undone; ``report`` what it did, as `tell` kept it."""

    id: int
    kind: str
    state: str
    source: str
    digest: str
    actor: str
    at: datetime
    attribution: str | None
    licence: str | None
    undone_at: datetime | None
    undone_by: str | None
    report: dict[str, Any]


def add(
    connection: Connection,
    district: str,
    *,
    kind: str,
    source: str,
    digest: str,
    actor: str,
    attribution: str | None,
    licence: str | None,
    state: str = "loaded",
) -> int:
    """Record an import and return its id; `tell` adds what it did."""
    row = connection.execute(
        text(
            "INSERT INTO imports (district, kind, source, digest, actor, attribution, licence, state, report)"
            " VALUES (:district, :kind, :source, :digest, :actor, :attribution, :licence, :state, '{}') RETURNING id"
        ),
        {
            "district": district,
            "kind": kind,
            "source": source,
            "digest": digest,
            "actor": actor,
            "attribution": attribution,
            "licence": licence,
            "state": state,
        },
    ).one()
    return int(row.id)


def tell(connection: Connection, district: str, import_id: int, report: Mapping[str, Any]) -> None:
    """Keep with an import what it did: counts and lists of what changed, never values of refused rows."""
    connection.execute(
        text(
            "UPDATE imports SET report = CAST(:report AS jsonb) WHERE district = :district AND id = :import"
        ),
        {"district": district, "import": import_id, "report": orjson.dumps(report).decode()},
    )


def every(connection: Connection, district: str, *, limit: int = 100) -> list[Import]:
    """Return the imports of a district, the newest first; at most ``limit``, their long lists left out."""
    rows = connection.execute(
        text(
            f"SELECT {_COLUMNS}, report - 'differences' - 'refusals' FROM imports"
            " WHERE district = :district ORDER BY id DESC LIMIT :limit"
        ),
        {"district": district, "limit": limit},
    )
    return [Import(*row) for row in rows]


def get(connection: Connection, district: str, import_id: int) -> Import:
    """Return one import.

    Raises
    ------
    NotFoundError
        If there is none of that id in the district.
    """
    row = connection.execute(
        text(f"SELECT {_COLUMNS}, report FROM imports WHERE district = :district AND id = :import"),
        {"district": district, "import": import_id},
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no import {import_id} in district {district}.", "See gridgov import list."
        )
    return Import(*row)


def mark_undone(connection: Connection, district: str, import_id: int, actor: str) -> None:
    """Record that an import was taken back."""
    connection.execute(
        text(
            "UPDATE imports SET state = 'undone', undone_at = now(), undone_by = :actor"
            " WHERE district = :district AND id = :import"
        ),
        {"district": district, "import": import_id, "actor": actor},
    )


def attribution(connection: Connection, district: str) -> list[str]:
    """Return whom the district's data must be credited to, once each."""
    rows = connection.execute(
        text(
            "SELECT attribution FROM imports WHERE district = :district AND attribution IS NOT NULL"
            " AND state = 'loaded' GROUP BY attribution ORDER BY min(id)"
        ),
        {"district": district},
    )
    return [row.attribution for row in rows]
