"""What maps draw of coverages at each zoom."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base
from geo.crs import WEB_MERCATOR


def _drawn(kind: str) -> Any:
    return Geometry(kind, srid=WEB_MERCATOR, spatial_index=False)


class CoverageLevel(Base):
    """A grid or community as it is drawn at a zoom; see `geo.simplify` and `data.levels`."""

    __tablename__ = "coverage_levels"

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    layer: Mapped[str] = mapped_column(Text, primary_key=True)
    edition: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="which coverage of the layer")
    zoom: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    feature_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    first_column: Mapped[int] = mapped_column(Integer, comment="of the zoom's tiles it is drawn in")
    first_row: Mapped[int] = mapped_column(Integer)
    last_column: Mapped[int] = mapped_column(Integer)
    last_row: Mapped[int] = mapped_column(Integer)
    shape: Mapped[Any] = mapped_column(_drawn("MULTIPOLYGON"))
    label: Mapped[Any] = mapped_column(_drawn("POINT"), comment="where it is written on")
