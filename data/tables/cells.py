"""Cells (地块): the atoms of every grid, numbered sets of them, and who borders whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, geometry, within


class CellSet(Base):
    """A numbered state of the district's cells; a later set keeps the ids of untouched cells."""

    __tablename__ = "cell_sets"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    made_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    actor: Mapped[str] = mapped_column(Text)


class Cell(OfDistrict, Base):
    """One building or one entrance of it with its share of land; its id and shape never change.

    It belongs to the sets from ``first_set`` to ``last_set`` (null: still). Its households are
    those of its building, divided among the entrances; see ``layers.cells``.
    """

    __tablename__ = "cells"
    __table_args__ = (
        within("communities", "community_id"),
        within("buildings", "building_id"),
        ForeignKeyConstraint(["district", "first_set"], ["cell_sets.district", "cell_sets.number"]),
        CheckConstraint("last_set >= first_set", name="sets"),
        CheckConstraint("entrance BETWEEN 1 AND entrances", name="entrance"),
        CheckConstraint("(entrance IS NULL) = (entrances IS NULL)", name="entrances"),
    )

    community_id: Mapped[int] = mapped_column(BigInteger, index=True)
    building_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    entrance: Mapped[int | None] = mapped_column(SmallInteger, comment="单元, where the building is split")
    entrances: Mapped[int | None] = mapped_column(SmallInteger, comment="into how many it is split")
    first_set: Mapped[int] = mapped_column(Integer)
    last_set: Mapped[int | None] = mapped_column(Integer)
    area_m2: Mapped[float] = mapped_column(Double)
    perimeter_m: Mapped[float] = mapped_column(Double)
    shape: Mapped[Any] = mapped_column(geometry("MULTIPOLYGON"))


class CellBorder(Base):
    """Two cells of one community that share a border; ``barrier`` where no grid may cross it."""

    __tablename__ = "cell_borders"
    __table_args__ = (within("cells", "a"), within("cells", "b"), CheckConstraint("a < b", name="order"))

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    a: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    b: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    shared_m: Mapped[float] = mapped_column(Double)
    barrier: Mapped[bool]


class Enclosure(Base):
    """A tessellation worth remembering; see `geo.enclosures`. It may be forgotten at any time."""

    __tablename__ = "enclosures"

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, comment="of its outline and plots")
    land: Mapped[bytes] = mapped_column(LargeBinary, comment="of each plot, WKB in metres")
