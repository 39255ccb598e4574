"""The register's nouns, many rows at once: what is stored, and what a delivery changes in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from data import bulk
from geo.crs import WGS84


@dataclass(frozen=True)
class Target:
    """A table of things known by their ``external_code``, as deliveries write it.

    Attributes
    ----------
    types : mapping of str to str
        Columns a delivery may state, and their PostgreSQL types.
    references : mapping of str to str
        Columns staged as an external code of another table, whose id is stored.
    kept : mapping of str to str
        Columns left as they are where another, or they themselves, come as null: a delivery without a
        position does not unplace what has one.
    """

    table: str
    types: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)


_WORDS = "text"
_POINT = {"point": "geometry"}
TARGETS: dict[str, Target] = {
    target.table: target
    for target in (
        Target("towns", {"code": _WORDS, "provisional": "boolean", "name": _WORDS}),
        Target(
            "communities",
            {
                "code": _WORDS,
                "provisional": "boolean",
                "name": _WORDS,
                "status": _WORDS,
                "town_id": _WORDS,
                "phone": _WORDS,
                "boundary": "geometry",
                "boundary_source": _WORDS,
            },
            {"town_id": "towns"},
            {"boundary": "boundary", "boundary_source": "boundary"},
        ),
        Target(
            "compounds",
            {
                "name": _WORDS,
                "aliases": "text[]",
                "community_id": _WORDS,
                "road": _WORDS,
                "road_number": _WORDS,
                "phase_of": _WORDS,
                "committee_since": "date",
                "boundary": "geometry",
            },
            {"community_id": "communities"},
            {"boundary": "boundary"},
        ),
        Target(
            "buildings",
            {
                "community_id": _WORDS,
                "compound_id": _WORDS,
                "label": _WORDS,
                "road": _WORDS,
                "road_number": _WORDS,
                "poi": _WORDS,
                "kind": _WORDS,
                "dwellings": "integer",
                "households": "integer",
                "households_on": "date",
                "households_source": _WORDS,
                "expected_households": "integer",
                "expected_on": "date",
                "entrances": "smallint",
                "floors": "smallint",
                "address": _WORDS,
                "aliases": "text[]",
                "stated_grid": _WORDS,
                "point": "geometry",
                "footprint": "geometry",
            },
            {"community_id": "communities", "compound_id": "compounds"},
            {"address": "address", "point": "point", "footprint": "point"},
        ),
        Target("workers", {"name": _WORDS, "phone": _WORDS}),
        Target(
            "sites",
            {
                "name": _WORDS,
                "kind": _WORDS,
                "state": _WORDS,
                "services": "text[]",
                "hours": _WORDS,
                "accessibility": "text[]",
                "address": _WORDS,
                "phone": _WORDS,
                "community_id": _WORDS,
                **_POINT,
            },
            {"community_id": "communities"},
        ),
        Target(
            "facilities",
            {
                "kind": _WORDS,
                "name": _WORDS,
                "state": _WORDS,
                "keeper": _WORDS,
                "checked_on": "date",
                "restricted": "boolean",
                **_POINT,
            },
        ),
        Target(
            "rider_communities",
            {
                "compound_id": _WORDS,
                "vehicles": _WORDS,
                "parking": _WORDS,
                "charging": _WORDS,
                "pledge": _WORDS,
            },
            {"compound_id": "compounds"},
        ),
        Target(
            "rider_points",
            {
                "rider_community_id": _WORDS,
                "kind": _WORDS,
                "name": _WORDS,
                "hours": _WORDS,
                "vehicles": _WORDS,
                "bikes": "integer",
                **_POINT,
            },
            {"rider_community_id": "rider_communities"},
        ),
        Target("streets", {"name": _WORDS, "kind": _WORDS, "line": "geometry"}),
        Target("barriers", {"name": _WORDS, "kind": _WORDS, "shape": "geometry"}),
    )
}
"""By table, in the order in which they can be loaded."""


def wkb(shape: BaseGeometry | None) -> str | None:
    """Return a geometry in EPSG:4326 as the text `stage` takes."""
    return (
        None
        if shape is None
        else str(shapely.to_wkb(shapely.set_srid(shape, WGS84), hex=True, include_srid=True))
    )


def upsert(
    connection: Connection,
    district: str,
    target: Target,
    import_id: int,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> tuple[int, int]:
    """Add what is new, change what differs, bring back what had been retired.

    Parameters
    ----------
    columns : sequence of str
        Columns of ``target`` the delivery states; the others are left as they are.
    rows : iterable of sequence
        External code, then a value for each of ``columns``.

    Returns
    -------
    (int, int)
        Rows added and rows changed. One statement, whatever the number of rows.
    """
    staged = f"staged_{target.table}"
    bulk.stage(connection, staged, {"external_code": "text", **{c: target.types[c] for c in columns}}, rows)
    chosen = [f"r_{c}.id" if c in target.references else f"s.{c}" for c in columns]
    joins = "".join(
        f" LEFT JOIN {other} r_{c} ON r_{c}.district = :district AND r_{c}.external_code = s.{c}"
        for c, other in target.references.items()
        if c in columns
    )
    written = {c: _written(target, c) for c in columns}
    listed = "".join(f", {c}" for c in columns)
    done = connection.execute(
        text(
            f"INSERT INTO {target.table} AS t (district, external_code, import_id{listed})"
            f" SELECT :district, s.external_code, :import{''.join(f', {c}' for c in chosen)}"
            f" FROM {staged} s{joins} ORDER BY s.external_code"
            " ON CONFLICT (district, external_code) DO UPDATE SET import_id = excluded.import_id,"
            f" retired_at = NULL{''.join(f', {c} = {value}' for c, value in written.items())}"
            " WHERE t.retired_at IS NOT NULL OR ROW("
            + ", ".join(f"t.{c}" for c in columns)
            + ") IS DISTINCT FROM ROW("
            + ", ".join(written.values())
            + ") RETURNING (xmax = 0) AS added"
        ),
        {"district": district, "import": import_id},
    )
    added = [row.added for row in done]
    return sum(added), len(added) - sum(added)


def _written(target: Target, column: str) -> str:
    if column not in target.kept:
        return f"excluded.{column}"
    return f"CASE WHEN excluded.{target.kept[column]} IS NULL THEN t.{column} ELSE excluded.{column} END"


def codes(connection: Connection, district: str, table: str) -> set[str]:
    """Return the external codes a table holds, without retired ones."""
    rows = connection.execute(
        text(
            f"SELECT external_code FROM {table} WHERE district = :district"
            " AND retired_at IS NULL AND external_code IS NOT NULL"
        ),
        {"district": district},
    )
    return set(rows.scalars())


def count_missing(
    connection: Connection, district: str, table: str, kind: str, delivered: Iterable[str]
) -> int:
    """Count the stored rows that came by imports of a kind and that a delivery does not name."""
    found = connection.execute(
        text(
            f"SELECT count(*) FROM {table} t JOIN imports i ON i.district = t.district AND i.id = t.import_id"
            " WHERE t.district = :district AND t.retired_at IS NULL AND i.kind = :kind"
            " AND NOT EXISTS (SELECT FROM unnest(CAST(:delivered AS text[])) AS d (code)"
            " WHERE d.code = t.external_code)"
        ),
        {"district": district, "kind": kind, "delivered": list(delivered)},
    )
    return int(found.scalar_one())


@dataclass(frozen=True)
class StoredTown:
    """A town as it is stored, retired ones too: their codes stay taken."""

    key: str
    code: str
    provisional: bool


@dataclass(frozen=True)
class StoredCommunity:
    """A community as it is stored, retired ones too: their codes stay taken."""

    key: str
    code: str
    provisional: bool
    name: str
    town: str | None
    boundary: BaseGeometry | None
    boundary_source: str
    retired: bool


@dataclass(frozen=True)
class StoredCompound:
    """What the addresses in a compound are made of, and its community's external code."""

    community: str
    name: str
    road: str | None
    road_number: str | None


def towns(connection: Connection, district: str) -> list[StoredTown]:
    """Return the towns of a district by code."""
    rows = connection.execute(
        text("SELECT external_code, code, provisional FROM towns WHERE district = :district ORDER BY code"),
        {"district": district},
    )
    return [StoredTown(*row) for row in rows]


def communities(connection: Connection, district: str) -> list[StoredCommunity]:
    """Return the communities of a district by code; boundaries in EPSG:4326."""
    rows = connection.execute(
        text(
            "SELECT c.external_code, c.code, c.provisional, c.name, t.name, ST_AsBinary(c.boundary),"
            " c.boundary_source, c.retired_at IS NOT NULL AS retired FROM communities c"
            " LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id"
            " WHERE c.district = :district ORDER BY c.code"
        ),
        {"district": district},
    ).all()
    return [
        StoredCommunity(row[0], row[1], row[2], row[3], row[4], _shape(row[5]), row[6], row[7])
        for row in rows
    ]


def _shape(wkb: bytes | None) -> BaseGeometry | None:
    return None if wkb is None else shapely.from_wkb(bytes(wkb))


def compounds(connection: Connection, district: str) -> dict[str, StoredCompound]:
    """Return the compounds of a district by external code, without retired ones."""
    rows = connection.execute(
        text(
            "SELECT x.external_code, c.external_code, x.name, x.road, x.road_number FROM compounds x"
            " JOIN communities c ON c.district = x.district AND c.id = x.community_id"
            " WHERE x.district = :district AND x.retired_at IS NULL"
        ),
        {"district": district},
    )
    return {row[0]: StoredCompound(*row[1:]) for row in rows}


def stated_grids(connection: Connection, district: str) -> set[str]:
    """Return the ledger's codes of grids that buildings state or published grids are known by."""
    rows = connection.execute(
        text(
            "SELECT stated_grid FROM buildings WHERE district = :district AND stated_grid IS NOT NULL"
            " AND retired_at IS NULL UNION SELECT external_code FROM grid_external_codes WHERE district = :district"
        ),
        {"district": district},
    )
    return set(rows.scalars())


def placed_points(connection: Connection, district: str) -> list[tuple[str, float, float]]:
    """Return community (external code), longitude and latitude of every placed building, in one order."""
    rows = connection.execute(
        text(
            "SELECT c.external_code, ST_X(b.point), ST_Y(b.point) FROM buildings b"
            " JOIN communities c ON c.district = b.district AND c.id = b.community_id"
            " WHERE b.district = :district AND b.retired_at IS NULL AND b.point IS NOT NULL"
            " ORDER BY c.external_code, b.external_code"
        ),
        {"district": district},
    )
    return [(row[0], row[1], row[2]) for row in rows]


def set_boundaries(
    connection: Connection, district: str, import_id: int, boundaries: Mapping[str, BaseGeometry]
) -> list[str]:
    """Store boundaries drawn from buildings; return the codes of the communities whose boundary changed.

    Parameters
    ----------
    boundaries : mapping of str to geometry
        MultiPolygon in EPSG:4326 by the community's external code.
    """
    rows = [(key, wkb(shape)) for key, shape in boundaries.items()]
    bulk.stage(connection, "staged_boundaries", {"external_code": "text", "boundary": "geometry"}, rows)
    changed = connection.execute(
        text(
            "UPDATE communities c SET boundary = s.boundary, boundary_source = 'derived', import_id = :import"
            " FROM staged_boundaries s WHERE c.district = :district AND c.external_code = s.external_code"
            " AND c.boundary IS DISTINCT FROM s.boundary RETURNING c.code"
        ),
        {"district": district, "import": import_id},
    )
    return sorted(changed.scalars())
