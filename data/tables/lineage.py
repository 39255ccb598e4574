"""What became of a grid's land and households when a plan took effect."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, within


class GridSuccession(Base):
    """The part of a grid that a plan gave to another one, or left to it, where the plan changed the grid."""

    __tablename__ = "grid_successions"
    __table_args__ = (within("plans", "plan_id"), within("grids", "from_grid"), within("grids", "to_grid"))

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    plan_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    from_grid: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    to_grid: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    cells: Mapped[int] = mapped_column(Integer)
    households: Mapped[int] = mapped_column(Integer, comment="on the day the plan took effect")
    area_m2: Mapped[float] = mapped_column(Double)
    share_of_from: Mapped[float] = mapped_column(Double, comment="by households, else by area")
    share_of_to: Mapped[float] = mapped_column(Double)
