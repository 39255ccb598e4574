"""Write a made-up district and questions: ``python -m tests.bench.books.make OUT --seed N [--scale small]``."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.books import queries
from tests.bench.books.ledger import SIZES, Ledger
from tests.bench.books.ledger import make as make_ledger


def make(out: Path, seed: int, scale: str = "full", number: int | None = None) -> None:
    """Write communities.csv, compounds.csv, buildings.csv and queries.jsonl into a folder."""
    size = SIZES[scale]
    ledger = make_ledger(seed, size)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "communities.csv", _communities(ledger))
    _write(out / "compounds.csv", _compounds(ledger))
    _write(out / "buildings.csv", _buildings(ledger))
    asked = queries.make(ledger, seed, number or size.queries)
    lines = (json.dumps(query, ensure_ascii=False) + "\n" for query in asked)
    (out / "queries.jsonl").write_text("".join(lines), "utf-8")


def _write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    made = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, made[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


def _communities(ledger: Ledger) -> Iterator[dict[str, object]]:
    for at in ledger.communities:
        yield {"community_id": at.code, "name": at.name, "town": at.town}


def _compounds(ledger: Ledger) -> Iterator[dict[str, object]]:
    for at in ledger.compounds:
        yield {
            "compound_id": at.code,
            "name": at.name,
            "aliases": ";".join(at.aliases),
            "community_id": at.community.code,
            "road": at.road,
            "road_no": at.road_no,
            "phase_of": at.phase_of,
        }


def _buildings(ledger: Ledger) -> Iterator[dict[str, object]]:
    for building in ledger.buildings:
        yield {
            "building_id": building.code,
            "kind": "compound" if building.compound else "street",
            "compound_id": building.compound.code if building.compound else "",
            "road": building.road,
            "road_no": building.label if building.road else "",
            "poi": building.poi,
            "label": building.label,
            "word": building.word,
            "units": building.units,
            "floors": building.floors,
            "rooms_per_floor": building.rooms,
            "households": building.units * building.floors * building.rooms,
            "community_id": building.community.code,
            "grid_id": building.grid,
            "lon": f"{building.lon:.7f}",
            "lat": f"{building.lat:.7f}",
            "standard_address": ledger.address(building),
        }


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", choices=sorted(SIZES), default="full")
    parser.add_argument("--queries", type=int)
    asked = parser.parse_args()
    make(asked.out, asked.seed, asked.scale, asked.queries)


if __name__ == "__main__":
    main()
