"""Imports: the record of what was loaded, from where, under which licence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text


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
) -> int:
    """Record an import and return its id; `tell` adds what it did."""
    row = connection.execute(
        text(
            "INSERT INTO imports (district, kind, source, digest, actor, attribution, licence, report)"
            " VALUES (:district, :kind, :source, :digest, :actor, :attribution, :licence, '{}') RETURNING id"
        ),
        {
            "district": district,
            "kind": kind,
            "source": source,
            "digest": digest,
            "actor": actor,
            "attribution": attribution,
            "licence": licence,
        },
    ).one()
    return int(row.id)


def tell(connection: Connection, district: str, import_id: int, report: Mapping[str, Any]) -> None:
    """Keep with an import what it did: counts, never values of rows."""
    connection.execute(
        text(
            "UPDATE imports SET report = CAST(:report AS jsonb) WHERE district = :district AND id = :import"
        ),
        {"district": district, "import": import_id, "report": json.dumps(report, ensure_ascii=False)},
    )


def attribution(connection: Connection, district: str) -> list[str]:
    """Return whom the district's data must be credited to, once each."""
    rows = connection.execute(
        text(
            "SELECT attribution FROM imports WHERE district = :district AND attribution IS NOT NULL"
            " GROUP BY attribution ORDER BY min(id)"
        ),
        {"district": district},
    )
    return [row.attribution for row in rows]
