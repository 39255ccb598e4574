"""Jobs: what runs apart from the request that asked for it, and how it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, one_of


class Job(OfDistrict, Base):
    """One piece of work and its state. A row that is ``doing`` while nobody holds its lane was cut off.

    A lane is the advisory lock of a district and kind; see `data.lanes`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", "todo", "doing", "succeeded", "failed", "cancelled"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("(finished_at IS NULL) = (state IN ('todo', 'doing'))", name="finished"),
        Index("ix_jobs_open", "district", "kind", postgresql_where=text("finished_at IS NULL")),
    )

    kind: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="id, roles and scope of who asked")
    state: Mapped[str] = mapped_column(Text, server_default="todo")
    percent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    stage: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text, comment="what befell it, for people")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), comment="fault and remedy")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    foreground: Mapped[bool] = mapped_column(
        Boolean, server_default="false", comment="run by the command that asked for it, never by a worker"
    )
    cancel_requested: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    heartbeat_at: Mapped[datetime | None] = mapped_column(
        TIMESTAMP(timezone=True), comment="when it last told how far it is"
    )
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
