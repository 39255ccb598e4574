"""The version of each layer's data, raised in the transaction that changes it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base


class DataVersion(Base):
    """How often a layer of a district changed."""

    __tablename__ = "data_versions"

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    layer: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
