"""The register: districts, towns, communities, compounds, buildings, streets, barriers, ground."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from data.tables.base import Base, OfDistrict, geometry, in_mercator, one_of, within


class District(Base):
    """A tenant (区)."""

    __tablename__ = "districts"
    __table_args__ = (CheckConstraint("code ~ '^[0-9]{6}$'", name="code"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True, comment="GB/T 2260, 6 digits")
    name: Mapped[str] = mapped_column(Text)
    srid: Mapped[int] = mapped_column(Integer, comment="EPSG code of the metric CRS lengths are measured in")
    made_up: Mapped[bool] = mapped_column(server_default="false", comment="demo data; pages say so")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())


class Import(OfDistrict, Base):
    """A batch that was loaded or refused: where it came from, what it did, under which licence."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("kind", "ledger", "osm"),
        one_of("state", "loaded", "refused", "undone"),
        CheckConstraint(
            "(state = 'undone') = (undone_at IS NOT NULL) AND (undone_at IS NULL) = (undone_by IS NULL)",
            name="undone",
        ),
    )

    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, comment="name of the folder or file, without its path")
    digest: Mapped[str] = mapped_column(Text, comment="SHA-256 of what was read")
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    attribution: Mapped[str | None] = mapped_column(Text, comment="shown on every map made from it")
    licence: Mapped[str | None] = mapped_column(Text)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="loaded")
    undone_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    undone_by: Mapped[str | None] = mapped_column(Text)


class ImportChange(Base):
    """A row as it was before an import touched it, and as the import left it; see `data.changes`."""

    __tablename__ = "import_changes"
    __table_args__ = (within("imports", "import_id"), Index(None, "district", "noun", "row_id"))

    district: Mapped[str] = mapped_column(Text, ForeignKey("districts.code"), primary_key=True)
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    noun: Mapped[str] = mapped_column(Text, primary_key=True, comment="the table of the row")
    row_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="null: the import added it"
    )
    after: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="null: the import took it away"
    )


class Listed(OfDistrict):
    """A thing of the register: known by the ledger's code, retired but never deleted."""

    external_code: Mapped[str | None] = mapped_column(Text, comment="the ledger's own code, or the OSM id")
    import_id: Mapped[int | None] = mapped_column(BigInteger, comment="the batch that last changed it")
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


def listed(*extra: Any) -> tuple[Any, ...]:
    """Return the constraints of a `Listed` table, and ``extra`` ones."""
    return (UniqueConstraint("district", "external_code"), within("imports", "import_id"), *extra)


class Town(Listed, Base):
    """A 街道 or 镇."""

    __tablename__ = "towns"
    __table_args__ = listed(
        UniqueConstraint("district", "code"), CheckConstraint("code ~ '^[0-9]{9}$'", name="code")
    )

    code: Mapped[str] = mapped_column(Text, comment="9 digits")
    provisional: Mapped[bool] = mapped_column(
        server_default="false", comment="the code is ours, not official"
    )
    name: Mapped[str] = mapped_column(Text)


class Community(Listed, Base):
    """A 社区."""

    __tablename__ = "communities"
    __table_args__ = listed(
        UniqueConstraint("district", "code"),
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code"),
        one_of("status", "active", "preparatory"),
        one_of("boundary_source", "stated", "derived"),
        within("towns", "town_id"),
    )

    code: Mapped[str] = mapped_column(Text, comment="12 digits")
    provisional: Mapped[bool] = mapped_column(
        server_default="false", comment="the code is ours, not official"
    )
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    town_id: Mapped[int | None] = mapped_column(BigInteger)
    phone: Mapped[str | None] = mapped_column(Text, comment="the channel the public is given")
    boundary: Mapped[Any | None] = mapped_column(geometry("MULTIPOLYGON"))
    boundary_source: Mapped[str] = mapped_column(Text, server_default="stated")


class Compound(Listed, Base):
    """A 小区: a walled estate."""

    __tablename__ = "compounds"
    __table_args__ = listed(within("communities", "community_id"))

    name: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    community_id: Mapped[int] = mapped_column(BigInteger, index=True)
    road: Mapped[str | None] = mapped_column(Text)
    road_number: Mapped[str | None] = mapped_column(Text)
    phase_of: Mapped[str | None] = mapped_column(
        Text, comment="external code of the compound this is a phase of"
    )
    committee_since: Mapped[date | None] = mapped_column(Date, comment="owners' committee (业委会)")
    boundary: Mapped[Any | None] = mapped_column(geometry("MULTIPOLYGON"))
    mercator: Mapped[Any | None] = in_mercator("boundary")


class Building(Listed, Base):
    """A 楼栋, with a count of households and never their members."""

    __tablename__ = "buildings"
    __table_args__ = listed(
        within("communities", "community_id"),
        within("compounds", "compound_id"),
        CheckConstraint("households >= 0", name="households"),
        CheckConstraint("dwellings >= 0", name="dwellings"),
        CheckConstraint("entrances >= 1", name="entrances"),
        CheckConstraint("footprint IS NULL OR point IS NOT NULL", name="placed"),
        one_of("households_source", "ledger", "estimated", "made_up"),
    )

    community_id: Mapped[int] = mapped_column(BigInteger, index=True)
    compound_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    label: Mapped[str | None] = mapped_column(Text, comment="number or name within its compound or road: 3幢")
    road: Mapped[str | None] = mapped_column(Text)
    road_number: Mapped[str | None] = mapped_column(Text)
    poi: Mapped[str | None] = mapped_column(Text, comment="name of the place in it")
    kind: Mapped[str | None] = mapped_column(Text)
    dwellings: Mapped[int | None] = mapped_column(Integer, comment="套")
    households: Mapped[int] = mapped_column(Integer, comment="occupied households")
    households_on: Mapped[date | None] = mapped_column(Date, comment="the day the count holds for")
    households_source: Mapped[str] = mapped_column(Text, server_default="ledger")
    expected_households: Mapped[int | None] = mapped_column(Integer)
    expected_on: Mapped[date | None] = mapped_column(Date)
    entrances: Mapped[int] = mapped_column(SmallInteger, server_default="1", comment="单元")
    floors: Mapped[int | None] = mapped_column(SmallInteger)
    address: Mapped[str | None] = mapped_column(Text, comment="standard address")
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    stated_grid: Mapped[str | None] = mapped_column(Text, comment="the ledger's code of today's grid")
    point: Mapped[Any | None] = mapped_column(geometry("POINT"), comment="null: unplaced, never drawn")
    footprint: Mapped[Any | None] = mapped_column(geometry("MULTIPOLYGON"))
    mercator: Mapped[Any | None] = in_mercator("COALESCE(footprint, point)")


class Street(Listed, Base):
    """A street's centre line, preferred as the edge of a cell."""

    __tablename__ = "streets"
    __table_args__ = listed()

    name: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    line: Mapped[Any] = mapped_column(geometry("MULTILINESTRING"))
    mercator: Mapped[Any | None] = in_mercator("line")


class Barrier(Listed, Base):
    """What no grid may cross: a river, a railway, a trunk road."""

    __tablename__ = "barriers"
    __table_args__ = listed(one_of("kind", "river", "railway", "trunk_road", "wall"))

    name: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    shape: Mapped[Any] = mapped_column(geometry("GEOMETRY"))
    mercator: Mapped[Any | None] = in_mercator("shape")


class Ground(Listed, Base):
    """What a base map shows of the land and no grid is held by: waters, tracks, green."""

    __tablename__ = "ground"
    __table_args__ = listed(one_of("kind", "water", "stream", "rail", "park", "grass", "wood"))

    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    shape: Mapped[Any] = mapped_column(geometry("GEOMETRY"))
    mercator: Mapped[Any | None] = in_mercator("shape")
