"""Answers kept under idempotency keys, so that a request sent twice is carried out once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, text

from geo.errors import ConflictError


def answered(
    connection: Connection, district: str, actor: str, key: str, digest: str
) -> dict[str, Any] | None:
    """Return what was answered to an actor's request under a key, None if it was not carried out yet.

    Raises
    ------
    ConflictError
        If the key was used for another request.
    """
    row = connection.execute(
        text(
            "SELECT digest, answer FROM answered_requests"
            " WHERE district = :district AND actor = :actor AND key = :key"
        ),
        {"district": district, "actor": actor, "key": key},
    ).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise ConflictError(
            "This idempotency key was used for another request.", "Make a new key for each new request."
        )
    answer: dict[str, Any] = row.answer
    return answer


def keep(
    connection: Connection, district: str, actor: str, key: str, digest: str, answer: Mapping[str, Any]
) -> None:
    """Keep an answer, in the transaction that carried the request out."""
    connection.execute(
        text(
            "INSERT INTO answered_requests (district, actor, key, digest, answer)"
            " VALUES (:district, :actor, :key, :digest, CAST(:answer AS jsonb))"
        ),
        {
            "district": district,
            "actor": actor,
            "key": key,
            "digest": digest,
            "answer": orjson.dumps(answer).decode(),
        },
    )
