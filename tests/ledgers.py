"""A small made-up ledger, and the same rows written in every format a ledger may come in."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import geopandas as gpd
import openpyxl
import shapely
from sqlalchemy import text

from data.session import Store
from data.tables import Base

CODE, NAME = "990001", "示例区"
WEST, SOUTH = 118.40, 31.60
"""Corner of the made-up ledger; a community is 0.01 degrees wide."""

COMMUNITIES = [
    {"code": "C1", "name": "东苑社区", "town": "示例街道"},
    {"code": "C2", "name": "西苑社区", "town": "示例街道"},
]
COMPOUNDS = [
    {
        "code": "X1",
        "name": "梧桐里",
        "community": "C1",
        "aliases": "梧桐大院；老梧桐",
        "road": "东路",
        "road_number": "8",
    }
]


def square(index: int) -> shapely.Polygon:
    """Return the land of a community: squares side by side."""
    west = WEST + index * 0.01
    return shapely.box(west, SOUTH, west + 0.01, SOUTH + 0.01)


def buildings(count: int = 6) -> list[dict[str, object]]:
    """Return buildings in a row through the communities, half of them in each."""
    rows = []
    for number in range(count):
        first = number < count // 2
        rows.append(
            {
                "code": f"B{number + 1}",
                "community": "C1" if first else "C2",
                "compound": "X1" if first else "",
                "label": str(number + 1),
                "word": "幢",
                "households": 10 + number,
                "grid": "G1" if first else "G2",
                "lon": round(WEST + 0.02 * (number + 0.5) / count, 6),
                "lat": SOUTH + 0.005,
            }
        )
    return rows


def write_csv(path: Path, rows: list[dict[str, object]], *, encoding: str = "utf-8") -> Path:
    """Write rows as a CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path: Path, sheets: dict[str, list[dict[str, object]]]) -> Path:
    """Write tables as the sheets of a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([row.get(name) for name in rows[0]])
    book.save(path)
    return path


def frame(
    rows: list[dict[str, object]], shapes: list[shapely.Geometry] | None = None, crs: int = 4326
) -> gpd.GeoDataFrame:
    """Return rows as a layer: of the geometries given, or of their lon and lat."""
    plain = [{key: value for key, value in row.items() if key not in ("lon", "lat")} for row in rows]
    points = shapes or [shapely.Point(row["lon"], row["lat"]) for row in rows]
    return gpd.GeoDataFrame(plain, geometry=points, crs=4326).to_crs(crs)


def write_ledger(folder: Path, *, boundaries: bool = False) -> Path:
    """Write the small ledger as CSV files, with boundaries as GeoJSON where wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    if boundaries:
        frame(COMMUNITIES, [square(0), square(1)]).to_file(folder / "communities.geojson")
    else:
        write_csv(folder / "communities.csv", COMMUNITIES)
    write_csv(folder / "compounds.csv", COMPOUNDS)
    write_csv(folder / "buildings.csv", buildings())
    return folder


_LEFT_OUT = {"imports": "WHERE state <> 'refused'", "audit": "WHERE action <> 'import.refuse'"}


def digest(store: Store, district: str = CODE) -> str:
    """Return a digest of everything stored of a district but the record of what was refused."""
    found = hashlib.sha256()
    with store.begin(district) as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(
                text(f"SELECT t::text FROM {table.name} t {_LEFT_OUT.get(table.name, '')} ORDER BY 1")
            ).scalars()
            found.update(f"{table.name}: {list(rows)}".encode())
    return found.hexdigest()
