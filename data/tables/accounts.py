"""Accounts of staff. They belong to no district and stand behind no wall of one; data/accounts.py alone reads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base


class Account(Base):
    """Somebody who can sign in: a login name, and nothing else of a person."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("cardinality(roles) > 0", name="roles"),
        CheckConstraint("cardinality(scope) > 0 OR 'admin' = ANY (roles)", name="scope"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, comment="what its owner signs in with")
    password_hash: Mapped[str] = mapped_column(Text, comment="argon2id")
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scope: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="codes of districts; none means all")
    active: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())


class SignIn(Base):
    """A token that was given out, by cookie or for a program; only its hash is kept."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, comment="SHA-256 of the token")
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
