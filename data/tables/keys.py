"""Keys of the server; they belong to no district, and data/keys.py alone reads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base


class SigningKey(Base):
    """What answers are signed with; made by the migration, never changed."""

    __tablename__ = "signing_keys"

    purpose: Mapped[str] = mapped_column(Text, primary_key=True, comment="what is signed with it")
    key: Mapped[str] = mapped_column(Text, comment="244 random bits")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
