"""Cells: what they are made from, how a set of them is stored, how they are read for balancing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read, read_geo

STAGED = {
    "row": "integer",
    "community_id": "bigint",
    "building_id": "bigint",
    "entrance": "smallint",
    "entrances": "smallint",
    "area_m2": "double precision",
    "perimeter_m": "double precision",
    "shape": "geometry",
}


@dataclass(frozen=True)
class Ground:
    """What cells are made from, EPSG:4326, retired things left out."""

    communities: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame

    def same(self, other: Ground) -> bool:
        """Tell whether cells made from the other would be the same."""
        return all(
            one.equals(its) for one, its in zip(vars(self).values(), vars(other).values(), strict=True)
        )


@dataclass(frozen=True)
class SetChange:
    """A cell set that was written: how many cells it has, and how many of them came, went or stayed."""

    number: int
    cells: int
    added: int
    retired: int
    kept: int


def ground(connection: Connection, district: str) -> Ground:
    """Read a district's communities, placed buildings, streets and barriers.

    ``communities`` has id, name; ``buildings`` id, community_id, households, entrances.
    """
    return Ground(
        communities=read_geo(
            connection,
            "SELECT id, name, ST_AsBinary(boundary) AS wkb FROM communities"
            " WHERE district = :district AND retired_at IS NULL ORDER BY code",
            district=district,
        ),
        buildings=read_geo(
            connection,
            "SELECT id, community_id, households, entrances, ST_AsBinary(COALESCE(footprint, point)) AS wkb"
            " FROM buildings WHERE district = :district AND retired_at IS NULL AND point IS NOT NULL ORDER BY id",
            district=district,
        ),
        streets=read_geo(
            connection,
            "SELECT id, ST_AsBinary(line) AS wkb FROM streets"
            " WHERE district = :district AND retired_at IS NULL ORDER BY id",
            district=district,
        ),
        barriers=read_geo(
            connection,
            "SELECT id, ST_AsBinary(shape) AS wkb FROM barriers"
            " WHERE district = :district AND retired_at IS NULL ORDER BY id",
            district=district,
        ),
    )


def enclosures(connection: Connection, district: str) -> dict[bytes, bytes]:
    """Return the tessellations that are remembered, by digest; see `geo.enclosures.Memo`."""
    rows = connection.execute(
        text("SELECT digest, land FROM enclosures WHERE district = :district"), {"district": district}
    )
    return {bytes(row.digest): bytes(row.land) for row in rows}


def remember(connection: Connection, district: str, used: Mapping[bytes, bytes]) -> None:
    """Store the tessellations a cell set was made with, and forget all others."""
    stage(connection, "new_enclosures", {"digest": "bytea", "land": "bytea"}, used.items())
    for statement in (
        "DELETE FROM enclosures e WHERE district = :district"
        " AND NOT EXISTS (SELECT FROM new_enclosures n WHERE n.digest = e.digest)",
        "INSERT INTO enclosures (district, digest, land) SELECT :district, digest, land FROM new_enclosures"
        " ON CONFLICT DO NOTHING",
    ):
        connection.execute(text(statement), {"district": district})


def latest_set(connection: Connection, district: str) -> int:
    """Return the number of the newest cell set, 0 before there is one."""
    found = connection.execute(
        text("SELECT max(number) FROM cell_sets WHERE district = :district"), {"district": district}
    ).scalar()
    return int(found or 0)


def write_set(
    connection: Connection, district: str, actor: str, cells: gpd.GeoDataFrame, borders: pd.DataFrame
) -> SetChange:
    """Store a district's cells as its next set; cells that did not change keep their ids.

    Where no cell changed no set is made, and the newest one is returned; barriers between its cells are
    brought up to date.

    Parameters
    ----------
    cells : GeoDataFrame
        EPSG:4326, RangeIndex; columns of ``STAGED`` but row and shape.
    borders : DataFrame
        ``a``, ``b`` (row numbers of ``cells``), ``shared_m``, ``barrier``.
    """
    latest = latest_set(connection, district)
    _stage_cells(connection, cells)
    kept = _match_standing(connection, district)
    standing = _standing(connection, district)
    if latest and kept == len(cells) == standing:
        _write_borders(connection, district, borders)
        return SetChange(latest, standing, added=0, retired=0, kept=kept)
    values = {"district": district, "number": latest + 1, "before": latest, "actor": actor}
    connection.execute(
        text("INSERT INTO cell_sets (district, number, actor) VALUES (:district, :number, :actor)"), values
    )
    connection.execute(
        text(
            "UPDATE cells SET last_set = :before WHERE district = :district AND last_set IS NULL"
            " AND NOT EXISTS (SELECT FROM new_cells n WHERE n.id = cells.id)"
        ),
        values,
    )
    connection.execute(
        text(
            "INSERT INTO cells (district, id, community_id, building_id, entrance, entrances, first_set,"
            " area_m2, perimeter_m, shape)"
            " SELECT :district, id, community_id, building_id, entrance, entrances, :number,"
            " area_m2, perimeter_m, shape FROM new_cells WHERE NOT stands ORDER BY row"
        ),
        values,
    )
    _write_borders(connection, district, borders)
    added = len(cells) - kept
    return SetChange(latest + 1, len(cells), added=added, retired=standing - kept, kept=kept)


def _stage_cells(connection: Connection, cells: gpd.GeoDataFrame) -> None:
    shapes = shapely.to_wkb(cells.geometry.to_numpy(), hex=True, include_srid=True)
    columns = [cells[name].astype(object).where(cells[name].notna(), None) for name in list(STAGED)[1:-1]]
    stage(connection, "new_cells", STAGED, zip(range(len(cells)), *columns, shapes, strict=True))
    connection.execute(
        text(
            "ALTER TABLE new_cells ADD id bigint, ADD stands boolean NOT NULL DEFAULT false;"
            "UPDATE new_cells SET shape = ST_Multi(ST_SetSRID(shape, 4326))"
        )
    )


def _match_standing(connection: Connection, district: str) -> int:
    """Give staged cells the id of the standing cell they equal, the others a new one."""
    matched = connection.execute(
        text(
            "UPDATE new_cells n SET id = c.id, stands = true FROM cells c"
            " WHERE c.district = :district AND c.last_set IS NULL AND c.community_id = n.community_id"
            " AND c.building_id IS NOT DISTINCT FROM n.building_id"
            " AND c.entrance IS NOT DISTINCT FROM n.entrance"
            " AND c.entrances IS NOT DISTINCT FROM n.entrances"
            " AND ST_AsBinary(c.shape) = ST_AsBinary(n.shape)"
        ),
        {"district": district},
    ).rowcount
    connection.execute(
        text("UPDATE new_cells SET id = nextval(pg_get_serial_sequence('cells', 'id')) WHERE NOT stands")
    )
    return int(matched)


def _standing(connection: Connection, district: str) -> int:
    counted = connection.execute(
        text("SELECT count(*) FROM cells WHERE district = :district AND last_set IS NULL"),
        {"district": district},
    ).scalar_one()
    return int(counted)


def _write_borders(connection: Connection, district: str, borders: pd.DataFrame) -> None:
    stage(
        connection,
        "new_borders",
        {"a": "integer", "b": "integer", "shared_m": "double precision", "barrier": "boolean"},
        borders[["a", "b", "shared_m", "barrier"]].itertuples(index=False),
    )
    # Two cells that both stood already have their border stored; a barrier beside them may be new.
    connection.execute(
        text(
            "INSERT INTO cell_borders (district, a, b, shared_m, barrier)"
            " SELECT :district, least(u.id, v.id), greatest(u.id, v.id), e.shared_m, e.barrier"
            " FROM new_borders e JOIN new_cells u ON u.row = e.a JOIN new_cells v ON v.row = e.b"
            " ON CONFLICT (district, a, b) DO UPDATE SET barrier = excluded.barrier"
            " WHERE cell_borders.barrier <> excluded.barrier"
        ),
        {"district": district},
    )


_MEMBERS = """
SELECT c.id, c.community_id, c.building_id, c.compound_id, b.stated_grid, c.households,
       CASE WHEN b.id IS NULL OR b.retired_at IS NOT NULL THEN 0
            WHEN b.expected_households IS NULL OR b.expected_on > CAST(:on AS date) THEN c.households
            WHEN c.entrances IS NULL THEN b.expected_households
            ELSE b.expected_households / c.entrances
                 + (c.entrance <= b.expected_households % c.entrances)::integer
       END AS expected,
       c.area_m2, c.perimeter_m, ST_AsBinary(c.shape) AS wkb
FROM layers.cells c LEFT JOIN buildings b ON b.district = c.district AND b.id = c.building_id
WHERE c.district = :district AND c.first_set <= :number
AND (c.last_set IS NULL OR c.last_set >= :number) ORDER BY c.id
"""


def members(
    connection: Connection, district: str, number: int, *, on: date | None = None
) -> gpd.GeoDataFrame:
    """Read the cells of a set, by id.

    Parameters
    ----------
    on : date, optional
        What is expected later than that is left out of ``expected``; by default nothing is.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; id, community_id, building_id, compound_id, stated_grid, households, expected (households
        expected, today's where nothing is), area_m2, perimeter_m.
    """
    return read_geo(connection, _MEMBERS, district=district, number=number, on=on)


def borders(connection: Connection, district: str, number: int) -> pd.DataFrame:
    """Read the borders between cells of a set: a, b (cell ids, a < b), shared_m, barrier."""
    return read(
        connection,
        "SELECT e.a, e.b, e.shared_m, e.barrier FROM cell_borders e"
        " JOIN cells u ON u.district = e.district AND u.id = e.a"
        " JOIN cells v ON v.district = e.district AND v.id = e.b"
        " WHERE e.district = :district"
        " AND u.first_set <= :number AND (u.last_set IS NULL OR u.last_set >= :number)"
        " AND v.first_set <= :number AND (v.last_set IS NULL OR v.last_set >= :number) ORDER BY e.a, e.b",
        district=district,
        number=number,
    )


_PENDING = """
SELECT b.id AS building_id, b.external_code, b.address, c.name AS community, g.code AS grid
FROM buildings b
JOIN communities c ON c.district = b.district AND c.id = b.community_id
JOIN plans p ON p.district = b.district AND p.valid @> (SELECT district_now(:district))
LEFT JOIN LATERAL (
    SELECT i.code FROM plan_grids pg JOIN grids i ON i.district = pg.district AND i.id = pg.grid_id
    WHERE pg.district = b.district AND pg.plan_id = p.id AND ST_Covers(pg.shape, b.point) ORDER BY i.code LIMIT 1
) g ON true
WHERE b.district = :district AND b.retired_at IS NULL AND b.point IS NOT NULL AND NOT EXISTS (
    SELECT FROM cells k
    JOIN plan_cells pc ON pc.district = k.district AND pc.plan_id = p.id AND pc.cell_id = k.id
    WHERE k.district = b.district AND k.building_id = b.id AND (k.last_set IS NULL OR EXISTS (
        SELECT FROM cells n WHERE n.district = k.district AND n.building_id = k.building_id
        AND n.last_set IS NULL AND ST_Intersects(n.shape, k.shape))))
ORDER BY b.id
"""


def pending(connection: Connection, district: str) -> pd.DataFrame:
    """Return the buildings that came, or moved away from their cell, after the cells of the plan in force.

    Until the next plan they are answered by the published grid that covers them. Buildings without a position
    are not among them.

    Returns
    -------
    DataFrame
        building_id, external_code, address, community (its name), grid (the code; None where none covers it).
    """
    return read(connection, _PENDING, district=district)
