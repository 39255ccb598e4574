"""The record of every act, and the answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base


class Audit(Base):
    """Who did what to what, when, and how it stood before and after; a trigger keeps rows for ever.

    ``district`` is empty for acts that belong to none, such as those on accounts.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_job", "district", "job", postgresql_where=text("job IS NOT NULL")),)

    district: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.clock_timestamp())
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text, comment="noun.verb: plan.publish")
    subject: Mapped[str] = mapped_column(Text, index=True, comment="noun and number: plan 3")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    job: Mapped[int | None] = mapped_column(
        BigInteger,
        server_default=text("nullif(current_setting('gridgov.job', true), '')::bigint"),
        comment="the job that carried it out",
    )


class AnsweredRequest(Base):
    """What was answered under an idempotency key, so that a request sent twice is carried out once."""

    __tablename__ = "answered_requests"

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text, comment="of what was asked under the key")
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
