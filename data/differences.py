"""What an import changed, as lists a person can check: read from the images `data.changes` keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

KEPT = 5_000
"""Items of a list that are kept with an import; the count is always that of all."""


@dataclass(frozen=True)
class Standing:
    """A building that came, went or came back."""

    code: str
    address: str | None
    households: int


@dataclass(frozen=True)
class Moved:
    """A building or other thing whose point is elsewhere now; longitude and latitude, EPSG:4326."""

    noun: str
    code: str
    metres: float
    lon_before: float | None
    lat_before: float | None
    lon: float
    lat: float


@dataclass(frozen=True)
class Recounted:
    """A building that has another number of households."""

    code: str
    before: int
    after: int
    households_on: date | None


@dataclass(frozen=True)
class Renamed:
    """A thing known by another name, or code, than before."""

    before: str
    after: str
    code: str


@dataclass(frozen=True)
class Split:
    """A compound whose buildings lie in several now: into which, and how many in each."""

    code: str
    name: str
    into: dict[str, int]


@dataclass(frozen=True)
class Bounded:
    """A community whose boundary changed; areas in m²."""

    code: str
    name: str
    area_before_m2: float | None
    area_m2: float | None


@dataclass(frozen=True)
class Rehomed:
    """A building in another community than before; ledger's codes."""

    code: str
    before: str
    after: str


@dataclass(frozen=True)
class Differences:
    """Every list; ``households`` is the change of the district's total."""

    new: list[Standing] = field(default_factory=list)
    gone: list[Standing] = field(default_factory=list)
    back: list[Standing] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    recounted: list[Recounted] = field(default_factory=list)
    recoded: list[Renamed] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    split: list[Split] = field(default_factory=list)
    bounded: list[Bounded] = field(default_factory=list)
    rehomed: list[Rehomed] = field(default_factory=list)
    households: int = 0

    def summary(self) -> dict[str, Any]:
        """Return every list with its count, cut to `KEPT` items, ready for JSON."""
        lists = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "households"}
        return {
            "households": self.households,
            **{
                name: {"count": len(items), "items": [asdict(item) for item in items[:KEPT]]}
                for name, items in lists.items()
            },
        }


@dataclass(frozen=True)
class Counted:
    """How many households a building had by one import; ``on`` is the day the count holds for."""

    households: int
    on: date | None
    source: str
    import_id: int
    imported_at: datetime


_ROWS = "FROM import_changes c WHERE c.district = :district AND c.import_id = :import"
_BUILDINGS = f"{_ROWS} AND c.noun = 'buildings'"
_LIVE_BEFORE = "c.before IS NOT NULL AND c.before->'retired_at' IS NULL"
_LIVE_AFTER = "c.after IS NOT NULL AND c.after->'retired_at' IS NULL"
_STANDING = "c.after->>'external_code', c.after->>'address', CAST(c.after->>'households' AS integer)"
_BEFORE, _AFTER = "CAST(c.before->>'point' AS geometry)", "CAST(c.after->>'point' AS geometry)"
_LEAST_MOVE_M = 1.0

_LISTS: dict[str, tuple[type, str]] = {
    "new": (Standing, f"SELECT {_STANDING} {_BUILDINGS} AND c.before IS NULL AND {_LIVE_AFTER} ORDER BY 1"),
    "gone": (
        Standing,
        f"SELECT {_STANDING} {_BUILDINGS} AND {_LIVE_BEFORE} AND NOT ({_LIVE_AFTER}) ORDER BY 1",
    ),
    "back": (
        Standing,
        f"SELECT {_STANDING} {_BUILDINGS} AND c.before->'retired_at' IS NOT NULL AND {_LIVE_AFTER} ORDER BY 1",
    ),
    "moved": (
        Moved,
        "SELECT m.noun, m.code, round(CAST(m.metres AS numeric), 1)::float, ST_X(m.a), ST_Y(m.a), ST_X(m.b), ST_Y(m.b)"
        f" FROM (SELECT c.noun, c.after->>'external_code' AS code, {_BEFORE} AS a, {_AFTER} AS b,"
        f" ST_DistanceSphere({_BEFORE}, {_AFTER}) AS metres {_ROWS} AND {_LIVE_AFTER} AND c.before IS NOT NULL"
        " AND c.before->>'point' <> c.after->>'point' AND c.noun <> 'cases') m"
        f" WHERE m.metres > {_LEAST_MOVE_M} ORDER BY m.noun, m.code",
    ),
    "recounted": (
        Recounted,
        "SELECT c.after->>'external_code', CAST(c.before->>'households' AS integer),"
        " CAST(c.after->>'households' AS integer), CAST(c.after->>'households_on' AS date)"
        f" {_BUILDINGS} AND {_LIVE_BEFORE} AND {_LIVE_AFTER}"
        " AND c.before->>'households' <> c.after->>'households' ORDER BY 1",
    ),
    "recoded": (
        Renamed,
        "SELECT c.before->>'external_code', c.after->>'external_code', c.after->>'external_code'"
        f" {_BUILDINGS} AND c.before->>'external_code' <> c.after->>'external_code' ORDER BY 1",
    ),
    "renamed": (
        Renamed,
        "SELECT c.before->>'name', c.after->>'name', c.after->>'external_code'"
        f" {_ROWS} AND c.noun = 'compounds' AND c.before->>'name' <> c.after->>'name' ORDER BY 3",
    ),
    "split": (
        Split,
        "WITH left_by AS (SELECT DISTINCT CAST(c.before->>'compound_id' AS bigint) AS id"
        f" {_BUILDINGS} AND {_LIVE_BEFORE} AND {_LIVE_AFTER}"
        " AND c.before->>'compound_id' IS DISTINCT FROM c.after->>'compound_id'),"
        " now_in AS (SELECT l.id, x.external_code AS code, count(*) AS buildings FROM left_by l JOIN buildings b"
        "  ON b.district = :district AND b.retired_at IS NULL"
        "  AND l.id = coalesce((SELECT CAST(c.before->>'compound_id' AS bigint)"
        f"   {_BUILDINGS} AND c.row_id = b.id AND c.before IS NOT NULL),"
        f"   CASE WHEN NOT EXISTS (SELECT {_BUILDINGS} AND c.row_id = b.id) THEN b.compound_id END)"
        "  JOIN compounds x ON x.district = :district AND x.id = b.compound_id GROUP BY l.id, x.external_code)"
        " SELECT o.external_code, o.name, jsonb_object_agg(n.code, n.buildings ORDER BY n.code) FROM now_in n"
        " JOIN compounds o ON o.district = :district AND o.id = n.id"
        " GROUP BY o.external_code, o.name HAVING count(*) > 1 ORDER BY 1",
    ),
    "bounded": (
        Bounded,
        "SELECT c.after->>'external_code', c.after->>'name',"
        " ST_Area(CAST(c.before->>'boundary' AS geometry)::geography),"
        " ST_Area(CAST(c.after->>'boundary' AS geometry)::geography)"
        f" {_ROWS} AND c.noun = 'communities' AND {_LIVE_BEFORE} AND {_LIVE_AFTER}"
        " AND c.before->>'boundary' IS DISTINCT FROM c.after->>'boundary' ORDER BY 1",
    ),
    "rehomed": (
        Rehomed,
        "SELECT c.after->>'external_code', o.external_code, n.external_code FROM import_changes c"
        " JOIN communities o ON o.district = c.district AND o.id = CAST(c.before->>'community_id' AS bigint)"
        " JOIN communities n ON n.district = c.district AND n.id = CAST(c.after->>'community_id' AS bigint)"
        " WHERE c.district = :district AND c.import_id = :import AND c.noun = 'buildings'"
        f" AND {_LIVE_BEFORE} AND {_LIVE_AFTER} AND o.id <> n.id ORDER BY 1",
    ),
}

_HOUSEHOLDS = (
    "SELECT coalesce(sum(CASE WHEN "
    + _LIVE_AFTER
    + " THEN CAST(c.after->>'households' AS integer) ELSE 0 END"
    " - CASE WHEN " + _LIVE_BEFORE + " THEN CAST(c.before->>'households' AS integer) ELSE 0 END), 0)"
    f" {_BUILDINGS}"
)


def of_import(connection: Connection, district: str, import_id: int) -> Differences:
    """Return what an import changed, list by list; one query a list, linear in the rows it touched."""
    values = {"district": district, "import": import_id}
    lists = {
        name: [kind(*row) for row in connection.execute(text(query), values)]
        for name, (kind, query) in _LISTS.items()
    }
    households = connection.execute(text(_HOUSEHOLDS), values).scalar_one()
    return Differences(**lists, households=int(households))


def counts(connection: Connection, district: str, building: str) -> list[Counted]:
    """Return how many households a building (its ledger's code) had by each import, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT CAST(c.after->>'households' AS integer), CAST(c.after->>'households_on' AS date),"
            " c.after->>'households_source', i.id, i.at FROM import_changes c"
            " JOIN imports i ON i.district = c.district AND i.id = c.import_id AND i.state = 'loaded'"
            " JOIN buildings b ON b.district = c.district AND b.id = c.row_id AND b.external_code = :code"
            " WHERE c.district = :district AND c.noun = 'buildings' AND c.after IS NOT NULL"
            " AND (c.before->>'households', c.before->>'households_on')"
            " IS DISTINCT FROM (c.after->>'households', c.after->>'households_on') ORDER BY i.id"
        ),
        {"district": district, "code": building},
    )
    return [Counted(*row) for row in rows]


@dataclass(frozen=True)
class Line:
    """One change of one row: ``what`` is new, changed, back, gone or removed.

    A changed row has a line a column; shapes, and whatever is said of people, come without their values.
    """

    noun: str
    code: str
    what: str
    column: str = ""
    before: str = ""
    after: str = ""


_OF_PEOPLE = ("workers", "duties", "cases")
_OURS = ("id", "import_id", "retired_at")
_SHAPES = ("point", "footprint", "boundary", "line", "shape")
_NAMED = {"community_id": "communities", "compound_id": "compounds", "town_id": "towns"}


def lines(connection: Connection, district: str, import_id: int) -> Iterator[Line]:
    """Yield every change of an import, table by table in the order of their ids."""
    codes = {column: _codes(connection, district, table) for column, table in _NAMED.items()}
    rows = connection.execution_options(yield_per=1000).execute(
        text(
            "SELECT c.noun, c.before, c.after FROM import_changes c"
            " WHERE c.district = :district AND c.import_id = :import ORDER BY c.noun, c.row_id"
        ),
        {"district": district, "import": import_id},
    )
    for noun, before, after in rows:
        row = after or before
        code = row.get("external_code") or row.get("number") or row.get("stated_grid") or ""
        what = _what(before, after)
        if what != "changed":
            yield Line(noun, code, what)
            continue
        for column in sorted(before.keys() | after.keys()):
            old, new = (_plain(image.get(column), codes.get(column)) for image in (before, after))
            if column in _OURS or old == new:
                continue
            if column in _SHAPES or noun in _OF_PEOPLE:
                old = new = ""
            yield Line(noun, code, what, column, old, new)


def _what(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "removed"
    was, gone = "retired_at" not in before, "retired_at" in after
    return {(True, True): "gone", (False, False): "back"}.get((was, gone), "changed")


def _plain(value: Any, codes: Mapping[int, str] | None) -> str:
    if value is None:
        return ""
    if codes is not None:
        return codes.get(value, "")
    return ";".join(value) if isinstance(value, list) else str(value)


def _codes(connection: Connection, district: str, table: str) -> dict[int, str]:
    rows = connection.execute(
        text(f"SELECT id, external_code FROM {table} WHERE district = :district"), {"district": district}
    )
    return {row.id: row.external_code for row in rows}
