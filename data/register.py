"""The register's nouns, many rows at once: what is stored, and what a delivery changes in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from data import bulk, changes
from data.register_targets import TARGETS, Target
from geo.crs import WGS84


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
) -> None:
    """Add what is new, change what differs, bring back what had been retired; `data.changes` keeps what was done.

    One statement, whatever the number of rows.

    Parameters
    ----------
    columns : sequence of str
        Columns of ``target`` the delivery states; the others are left as they are.
    rows : iterable of sequence
        External code, then a value for each of ``columns``.
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
    for words, word in target.former.items():
        if word in columns:
            written[words] = _with_former(target.table, word, written.get(words, f"t.{words}"))
    listed = "".join(f", {c}" for c in columns)
    statement = (
        f"INSERT INTO {target.table} AS t (district, external_code, import_id{listed})"
        f" SELECT :district, s.external_code, :import{''.join(f', {c}' for c in chosen)}"
        f" FROM {staged} s{joins} ORDER BY s.external_code"
        " ON CONFLICT (district, external_code) DO UPDATE SET import_id = excluded.import_id,"
        f" retired_at = NULL{''.join(f', {c} = {value}' for c, value in written.items())}"
        " WHERE t.retired_at IS NOT NULL OR ROW("
        + ", ".join(f"t.{c}" for c in written)
        + ") IS DISTINCT FROM ROW("
        + ", ".join(written.values())
        + ")"
    )
    changes.record(connection, district, import_id, target.table, statement, {})


def _written(target: Target, column: str) -> str:
    if column not in target.kept:
        return f"excluded.{column}"
    return f"CASE WHEN excluded.{target.kept[column]} IS NULL THEN t.{column} ELSE excluded.{column} END"


def _with_former(table: str, word: str, words: str) -> str:
    """Return the SQL of a list with what a column held before added to it."""
    return (
        f"{words} || ARRAY(SELECT f.word FROM (SELECT t.{word} UNION SELECT c.before->>'{word}'"
        " FROM import_changes c JOIN imports i ON i.district = c.district AND i.id = c.import_id"
        f" WHERE c.district = t.district AND c.noun = '{table}' AND c.row_id = t.id AND i.state = 'loaded'"
        f") f (word) WHERE f.word <> excluded.{word} AND f.word <> ALL ({words}) ORDER BY f.word)"
    )


# NOT IN over a list is looked up in a hash table, however wrong the planner is about rows it has not counted yet.
_MISSING = (
    "i.district = {0}.district AND i.id = {0}.import_id AND {0}.district = :district AND {0}.retired_at IS NULL"
    " AND i.kind = :kind AND {0}.external_code NOT IN (SELECT unnest(CAST(:delivered AS text[])))"
)
"""A stored row that came by an import of a kind and that a delivery does not name."""

_SAME_BUILDING = {
    "ledger": "b.address = s.address",
    "osm": "ST_Covers(b.footprint, s.point) AND ST_Covers(s.footprint, b.point)",
}
"""By kind of import: when a building of an unknown code is one that is stored."""


def recode(
    connection: Connection,
    district: str,
    import_id: int,
    kind: str,
    unknown: Iterable[Sequence[Any]],
    delivered: Iterable[str],
) -> None:
    """Give a stored building the new code it is delivered under, where it can be no other.

    That is a building the delivery does not name by its code, with the standard address of one that is not
    stored and that no third building shares; from OpenStreetMap, one whose outline lies on the delivered one.

    Parameters
    ----------
    unknown : iterable of (str, str or None, str or None, str or None)
        Delivered external code, standard address, point and footprint as `wkb`.
    delivered : iterable of str
        Every external code the delivery names.
    """
    columns = {"code": "text", "address": "text", "point": "geometry", "footprint": "geometry"}
    bulk.stage(connection, "staged_unknown", columns, unknown)
    connection.execute(
        text("CREATE INDEX ON staged_unknown (address); CREATE INDEX ON staged_unknown USING gist (point)")
    )
    statement = (
        "UPDATE buildings t SET external_code = m.code, import_id = :import FROM (SELECT b.id, s.code,"
        " count(*) OVER (PARTITION BY b.id) AS codes, count(*) OVER (PARTITION BY s.code) AS buildings"
        f" FROM staged_unknown s JOIN buildings b ON {_SAME_BUILDING[kind]}"
        f" JOIN imports i ON {_MISSING.format('b')}"
        " WHERE NOT EXISTS (SELECT FROM buildings x WHERE x.district = :district AND x.external_code = s.code)) m"
        " WHERE t.district = :district AND t.id = m.id AND m.codes = 1 AND m.buildings = 1"
    )
    values = {"kind": kind, "delivered": list(delivered)}
    changes.record(connection, district, import_id, "buildings", statement, values)


_ON_DUTY = (
    "SELECT FROM duties u WHERE u.district = t.district AND u.worker_id = t.id"
    " AND coalesce(upper(u.valid) > CURRENT_DATE, true)"
)


def retire(
    connection: Connection,
    district: str,
    target: Target,
    import_id: int,
    kind: str,
    delivered: Iterable[str],
) -> None:
    """Retire what came by imports of a kind, is not in a delivery, and is named by nothing that stays.

    Parameters
    ----------
    delivered : iterable of str
        External codes the delivery names, in refused rows too.

    Notes
    -----
    What is retired keeps its id, and comes back when it is named again.
    """
    users = [
        f"SELECT FROM {user.table} u WHERE u.district = t.district AND u.{column} = t.id"
        " AND u.retired_at IS NULL"
        for user in TARGETS.values()
        for column, table in user.references.items()
        if table == target.table
    ] + ([_ON_DUTY] if target.table == "workers" else [])
    statement = (
        f"UPDATE {target.table} t SET retired_at = now(), import_id = :import FROM imports i"
        f" WHERE {_MISSING.format('t')}" + "".join(f" AND NOT EXISTS ({user})" for user in users)
    )
    values = {"kind": kind, "delivered": list(delivered)}
    changes.record(connection, district, import_id, target.table, statement, values)


def count_missing(
    connection: Connection, district: str, table: str, kind: str, delivered: Iterable[str]
) -> int:
    """Count the stored rows that came by imports of a kind and that a delivery does not name."""
    found = connection.execute(
        text(f"SELECT count(*) FROM {table} t, imports i WHERE {_MISSING.format('t')}"),
        {"district": district, "kind": kind, "delivered": list(delivered)},
    )
    return int(found.scalar_one())


def count_live(connection: Connection, district: str, table: str, kind: str) -> int:
    """Count the rows that came by imports of a kind and are not retired."""
    return count_missing(connection, district, table, kind, [])


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


def community_ids(connection: Connection, district: str) -> dict[str, int]:
    """Return the ids of the communities of a district by code, without retired ones."""
    rows = connection.execute(
        text(
            "SELECT code, id FROM communities WHERE district = :district AND retired_at IS NULL ORDER BY code"
        ),
        {"district": district},
    )
    return {row.code: row.id for row in rows}


def communities_by_code(connection: Connection, district: str) -> dict[str, str]:
    """Return the names of the communities of a district by code, without retired ones."""
    rows = connection.execute(
        text(
            "SELECT code, name FROM communities WHERE district = :district AND retired_at IS NULL ORDER BY code"
        ),
        {"district": district},
    )
    return {row.code: row.name for row in rows}


def community_names(connection: Connection, district: str) -> dict[int, str]:
    """Return the names of the communities of a district by id in the order of their codes, retired ones too."""
    rows = connection.execute(
        text("SELECT id, name FROM communities WHERE district = :district ORDER BY code"),
        {"district": district},
    )
    return {row.id: row.name for row in rows}


def compound_names(connection: Connection, district: str) -> dict[int, str]:
    """Return the names of the compounds of a district by id, retired ones too."""
    rows = connection.execute(
        text("SELECT id, name FROM compounds WHERE district = :district"), {"district": district}
    )
    return {row.id: row.name for row in rows}


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


def extent(connection: Connection, district: str) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of what is placed, degrees; None where nothing is."""
    row = connection.execute(
        text(
            "SELECT ST_XMin(e.box), ST_YMin(e.box), ST_XMax(e.box), ST_YMax(e.box)"
            " FROM (SELECT ST_Extent(s.shape) AS box FROM (SELECT point AS shape FROM buildings"
            " WHERE district = :district AND retired_at IS NULL UNION ALL SELECT boundary FROM communities"
            " WHERE district = :district AND retired_at IS NULL) s) e"
        ),
        {"district": district},
    ).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


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
    # The community stays of the import that stated it: drawing land around buildings states nothing.
    statement = (
        "UPDATE communities t SET boundary = s.boundary, boundary_source = 'derived' FROM staged_boundaries s"
        " WHERE t.district = :district AND t.external_code = s.external_code"
        " AND t.boundary IS DISTINCT FROM s.boundary"
    )
    codes = connection.execute(
        text(
            "SELECT t.code FROM communities t JOIN staged_boundaries s ON s.external_code = t.external_code"
            " WHERE t.district = :district AND t.boundary IS DISTINCT FROM s.boundary ORDER BY t.code"
        ),
        {"district": district},
    )
    changed = list(codes.scalars())
    changes.record(connection, district, import_id, "communities", statement, {})
    return changed
