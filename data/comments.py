"""Comments: what people said about a plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Comment:
    """What somebody said, and when."""

    at: datetime
    actor: str
    text: str


def add(connection: Connection, district: str, plan_id: int, actor: str, said: str) -> None:
    """Keep a comment on a plan."""
    connection.execute(
        text(
            "INSERT INTO plan_comments (district, plan_id, actor, text) VALUES (:district, :plan, :actor, :text)"
        ),
        {"district": district, "plan": plan_id, "actor": actor, "text": said},
    )


def of_plan(connection: Connection, district: str, plan_id: int) -> list[Comment]:
    """Return the comments on a plan, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT at, actor, text FROM plan_comments WHERE district = :district AND plan_id = :plan ORDER BY id"
        ),
        {"district": district, "plan": plan_id},
    )
    return [Comment(*row) for row in rows]
