"""Plans (方案), grids (网格) and the codes that name one grid for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, geometry, one_of, within

STATES = ("draft", "submitted", "approved", "published", "superseded", "withdrawn")


class Grid(OfDistrict, Base):
    """The lasting identity of a grid.

    ``code`` is issued when the grid is first published; from then on a trigger holds the row and
    its code for ever.
    """

    __tablename__ = "grids"
    __table_args__ = (
        within("communities", "community_id"),
        UniqueConstraint("district", "code"),
        CheckConstraint("code ~ '^[0-9]{15}$'", name="code"),
        CheckConstraint("(code IS NULL) = (issued_at IS NULL)", name="issued"),
        one_of("kind", "basic", "special"),
    )

    community_id: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(Text, server_default="basic")
    code: Mapped[str | None] = mapped_column(Text, comment="community's 12 digits and 3")
    provisional: Mapped[bool] = mapped_column(server_default="false", comment="its community's code is ours")
    external_code: Mapped[str | None] = mapped_column(Text, comment="the ledger's own code of it")
    issued_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class GridExternalCode(Base):
    """Which grids a ledger's code stands for: an imported grid that spanned communities became several."""

    __tablename__ = "grid_external_codes"
    __table_args__ = (within("grids", "grid_id"),)

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    external_code: Mapped[str] = mapped_column(Text, primary_key=True)
    grid_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    share: Mapped[float] = mapped_column(Double, comment="of its households, 0 to 1")


class Plan(OfDistrict, Base):
    """An assignment of every cell of one cell set to a grid."""

    __tablename__ = "plans"
    __table_args__ = (
        UniqueConstraint("district", "number"),
        within("plans", "based_on"),
        ForeignKeyConstraint(["district", "cell_set"], ["cell_sets.district", "cell_sets.number"]),
        one_of("state", *STATES),
        one_of("origin", "imported", "balanced", "edited", "rolled_back"),
        CheckConstraint("(valid IS NOT NULL) = (state IN ('published', 'superseded'))", name="valid"),
        CheckConstraint("NOT isempty(valid)", name="valid_not_empty"),
        CheckConstraint("state <> 'superseded' OR activated_at IS NOT NULL", name="activated"),
        ExcludeConstraint(("district", "="), ("valid", "&&"), name="ex_plans_one_in_force"),
    )

    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="draft")
    origin: Mapped[str] = mapped_column(Text)
    based_on: Mapped[int | None] = mapped_column(BigInteger)
    cell_set: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer, server_default="1")
    target: Mapped[int] = mapped_column(Integer, comment="households a grid")
    tolerance_percent: Mapped[int] = mapped_column(SmallInteger)
    author: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    approval: Mapped[str | None] = mapped_column(Text, comment="what the approver said")
    valid: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    activated_at: Mapped[datetime | None] = mapped_column(
        TIMESTAMP(timezone=True), comment="when what fell due was carried out"
    )
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class PlanGrid(Base):
    """A grid as one plan has it. Counts and polygon are written when the plan is published."""

    __tablename__ = "plan_grids"
    __table_args__ = (within("plans", "plan_id"), within("grids", "grid_id"))

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    plan_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    grid_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    households: Mapped[int | None] = mapped_column(Integer, comment="on the day of publication")
    buildings: Mapped[int | None] = mapped_column(Integer)
    area_m2: Mapped[float | None] = mapped_column(Double)
    perimeter_m: Mapped[float | None] = mapped_column(Double)
    shape: Mapped[Any | None] = mapped_column(geometry("MULTIPOLYGON"))
    withheld: Mapped[bool] = mapped_column(server_default="false", comment="from the public: its count")
    geojson: Mapped[str | None] = mapped_column(
        Text,
        Computed("st_asgeojson(st_forcepolygonccw(shape), 7, 0)", persisted=True),
        comment="its polygon, as map layers tell it",
    )


class PlanCell(Base):
    """The assignment: a cell is in exactly one grid of a plan."""

    __tablename__ = "plan_cells"
    __table_args__ = (
        within("cells", "cell_id"),
        ForeignKeyConstraint(
            ["district", "plan_id", "grid_id"],
            ["plan_grids.district", "plan_grids.plan_id", "plan_grids.grid_id"],
        ),
        Index(None, "district", "plan_id", "grid_id"),
    )

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    plan_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cell_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    grid_id: Mapped[int] = mapped_column(BigInteger)


class PlanMove(OfDistrict, Base):
    """划转: cells that went from one grid to another, and why."""

    __tablename__ = "plan_moves"
    __table_args__ = (within("plans", "plan_id"), within("grids", "from_grid"), within("grids", "to_grid"))

    plan_id: Mapped[int] = mapped_column(BigInteger, index=True)
    revision: Mapped[int] = mapped_column(Integer)
    from_grid: Mapped[int | None] = mapped_column(BigInteger)
    to_grid: Mapped[int] = mapped_column(BigInteger)
    cells: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    households: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    undoes: Mapped[int | None] = mapped_column(Integer, comment="the revision it takes back")


class PlanComment(OfDistrict, Base):
    """What somebody said about a plan."""

    __tablename__ = "plan_comments"
    __table_args__ = (within("plans", "plan_id"),)

    plan_id: Mapped[int] = mapped_column(BigInteger, index=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    actor: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class PlanLock(OfDistrict, Base):
    """What neither hand nor balancer may move in a draft: a grid as a whole, or a cell."""

    __tablename__ = "plan_locks"
    __table_args__ = (
        within("plans", "plan_id"),
        within("grids", "grid_id"),
        within("cells", "cell_id"),
        CheckConstraint("num_nonnulls(grid_id, cell_id) = 1", name="one"),
        UniqueConstraint("district", "plan_id", "grid_id"),
        UniqueConstraint("district", "plan_id", "cell_id"),
    )

    plan_id: Mapped[int] = mapped_column(BigInteger)
    grid_id: Mapped[int | None] = mapped_column(BigInteger, comment="its set of cells may not change")
    cell_id: Mapped[int | None] = mapped_column(BigInteger, comment="it stays in the grid it is in")
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())


class PlanProblem(OfDistrict, Base):
    """A rule a plan breaks, and who let it pass for which reason."""

    __tablename__ = "plan_problems"
    __table_args__ = (
        within("plans", "plan_id"),
        within("grids", "grid_id"),
        CheckConstraint("(waived_by IS NULL) = (waiver_reason IS NULL)", name="waiver"),
    )

    plan_id: Mapped[int] = mapped_column(BigInteger, index=True)
    grid_id: Mapped[int | None] = mapped_column(BigInteger)
    rule: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    waived_by: Mapped[str | None] = mapped_column(Text)
    waiver_reason: Mapped[str | None] = mapped_column(Text)
