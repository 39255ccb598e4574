"""Who and what serves people: workers and duties, sites, facilities, rider communities, cases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, TIMESTAMP, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, geometry, one_of, within
from data.tables.register import Listed, listed

SERVICE_STATES = ("planned", "building", "open")


class Worker(Listed, Base):
    """A grid worker (网格员), member of staff."""

    __tablename__ = "workers"
    __table_args__ = listed()

    name: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)


class Duty(OfDistrict, Base):
    """值守: a worker's duty for a grid and a period.

    ``stated_grid`` is the ledger's code of the grid; ``grid_id`` follows when that grid is published. When a
    plan retires the grid the duty ends, and rows that continue it have the grids that took its place.
    """

    __tablename__ = "duties"
    __table_args__ = (
        within("workers", "worker_id"),
        within("grids", "grid_id"),
        within("imports", "import_id"),
        ForeignKeyConstraint(["district", "continues"], ["duties.district", "duties.id"], ondelete="CASCADE"),
        one_of("role", "primary", "deputy"),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        CheckConstraint("num_nonnulls(grid_id, stated_grid) >= 1", name="grid"),
        ExcludeConstraint(
            ("district", "="),
            ("grid_id", "="),
            ("valid", "&&"),
            where="role = 'primary'",
            name="ex_duties_one_primary",
        ),
    )

    worker_id: Mapped[int] = mapped_column(BigInteger, index=True)
    grid_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    stated_grid: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="primary")
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    import_id: Mapped[int | None] = mapped_column(BigInteger)
    continues: Mapped[int | None] = mapped_column(
        BigInteger, comment="the duty that ended with its grid and goes on here"
    )


class Site(Listed, Base):
    """党群服务阵地: a party-service site."""

    __tablename__ = "sites"
    __table_args__ = listed(within("communities", "community_id"), one_of("state", *SERVICE_STATES))

    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    services: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    hours: Mapped[str | None] = mapped_column(Text)
    accessibility: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    address: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    community_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    point: Mapped[Any] = mapped_column(geometry("POINT"))


class Facility(Listed, Base):
    """设施: a charger, battery swap, micro fire station, AED, meal or health point, camera position."""

    __tablename__ = "facilities"
    __table_args__ = listed(one_of("state", *SERVICE_STATES, "out_of_order"))

    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    keeper: Mapped[str | None] = mapped_column(Text, comment="the unit that keeps it")
    checked_on: Mapped[date | None] = mapped_column(Date)
    restricted: Mapped[bool] = mapped_column(server_default="false", comment="never on a public layer")
    point: Mapped[Any] = mapped_column(geometry("POINT"))


class RiderCommunity(Listed, Base):
    """骑手友好社区: a compound's policy for riders."""

    __tablename__ = "rider_communities"
    __table_args__ = listed(within("compounds", "compound_id"), UniqueConstraint("district", "compound_id"))

    compound_id: Mapped[int] = mapped_column(BigInteger)
    vehicles: Mapped[str | None] = mapped_column(Text, comment="what may ride in")
    parking: Mapped[str | None] = mapped_column(Text)
    charging: Mapped[str | None] = mapped_column(Text)
    pledge: Mapped[str | None] = mapped_column(Text)


class RiderPoint(Listed, Base):
    """A gate, transfer-bike dock, rest point of a rider community."""

    __tablename__ = "rider_points"
    __table_args__ = listed(
        within("rider_communities", "rider_community_id"),
        one_of("kind", "gate", "bike_dock", "parking", "charging", "rest"),
        CheckConstraint("bikes >= 0", name="bikes"),
    )

    rider_community_id: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    hours: Mapped[str | None] = mapped_column(Text)
    vehicles: Mapped[str | None] = mapped_column(Text, comment="what may pass a gate")
    bikes: Mapped[int | None] = mapped_column(Integer, comment="transfer bikes at a dock")
    point: Mapped[Any] = mapped_column(geometry("POINT"))


class Department(OfDistrict, Base):
    """A department a case can be whistled up to (吹哨)."""

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("district", "name"),)

    name: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)


class Case(OfDistrict, Base):
    """工单: something to be done at a place, with one handler.

    ``stated_grid`` is the ledger's code of the grid it was given to; ``grid_id`` has it now.
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("district", "number"),
        within("grids", "grid_id"),
        within("departments", "department_id"),
        CheckConstraint("num_nonnulls(grid_id, department_id) = 1", name="one_handler"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        one_of("state", "open", "closed"),
    )

    number: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    grid_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="自办")
    stated_grid: Mapped[str | None] = mapped_column(Text)
    department_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="吹哨")
    opened_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    closed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    point: Mapped[Any] = mapped_column(geometry("POINT"))


class CaseEvent(OfDistrict, Base):
    """A line of a case's history."""

    __tablename__ = "case_events"
    __table_args__ = (within("cases", "case_id"),)

    case_id: Mapped[int] = mapped_column(BigInteger, index=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    actor: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class CaseContact(Base):
    """A reporter's contact, kept apart with a retention of its own."""

    __tablename__ = "case_contacts"
    __table_args__ = (within("cases", "case_id"),)

    district: Mapped[str] = mapped_column(Text, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact: Mapped[str] = mapped_column(Text)
    delete_on: Mapped[date] = mapped_column(Date)
