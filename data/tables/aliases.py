"""Aliases (别名): names people use that no ledger states."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, one_of, within

_LETTER = "a-z\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
WORDS = f"^[{_LETTER}]([{_LETTER}]| (?=[a-z])){{1,19}}$"
"""What may be stored: `geo.address.corrections.STORED`, hanzi and words of small letters."""


class Alias(OfDistrict, Base):
    """A name for a compound or building, proposed by one account and confirmed by another.

    It holds letters only: neither a number nor the address it was taken from is ever stored.
    """

    __tablename__ = "aliases"
    __table_args__ = (
        within("compounds", "compound_id"),
        within("buildings", "building_id"),
        one_of("state", "proposed", "in_force", "withdrawn"),
        CheckConstraint("num_nonnulls(compound_id, building_id) = 1", name="one_target"),
        CheckConstraint(f"words ~ '{WORDS}'", name="words"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)"
            " AND (state <> 'in_force' OR confirmed_at IS NOT NULL)"
            " AND (state <> 'proposed' OR confirmed_at IS NULL)",
            name="dated",
        ),
        Index(
            "uq_aliases_one_target",
            "district",
            "words",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
    )

    compound_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    building_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    words: Mapped[str] = mapped_column(Text, comment="the name: hanzi and letters, no digit")
    state: Mapped[str] = mapped_column(Text, server_default="proposed")
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
