"""What every table shares: naming, the tenant column, references that cannot leave the district."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from geo.crs import WEB_MERCATOR, WGS84

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of the declared tables."""

    metadata = MetaData(naming_convention=NAMES)


class OfDistrict:
    """A row of one district.

    The key is (district, id), so a reference names the district too and cannot reach into
    another one, and every table can be partitioned by district.
    """

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


def within(table: str, column: str) -> ForeignKeyConstraint:
    """Point at a row of the same district by ``column``."""
    return ForeignKeyConstraint(["district", column], [f"{table}.district", f"{table}.id"])


def one_of(column: str, *values: str) -> CheckConstraint:
    """Hold a text column to a few words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def geometry(kind: str) -> Any:
    """Return a stored geometry type: EPSG:4326, longitude first, GiST-indexed."""
    return Geometry(kind, srid=WGS84, spatial_index=True)


def in_mercator(shape: str) -> Any:
    """Return a column that holds the shape of a row in Web Mercator, for tiles; the database keeps it right."""
    kind = Geometry("GEOMETRY", srid=WEB_MERCATOR, spatial_index=True)
    return mapped_column(kind, Computed(f"ST_Transform({shape}, {WEB_MERCATOR})", persisted=True))
