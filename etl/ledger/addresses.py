"""Addresses of buildings whose ledger states none."""

from __future__ import annotations

from collections.abc import Callable

from etl.ledger.batch import Batch, Row
from etl.ledger.stored import Stored


def full_label(row: Row) -> str | None:
    """Return a building's label with its word: 3 and 幢 make 3幢."""
    label: str | None = row.values["label"]
    word: str | None = row.values["word"]
    if not label or not word or label.endswith(word):
        return label
    return f"{label}{word}"


def addresses(batch: Batch, stored: Stored, district: str) -> Callable[[Row], str | None]:
    """Return what composes a building's address: district, town, road and number, compound, label.

    It answers None where the ledger names neither a road nor a compound.
    """
    towns = {community.key: community.town for community in stored.communities}
    towns |= {row.values["code"]: row.values["town"] for row in batch.good("communities")}
    compounds = {
        row.values["code"]: (row.values["name"], _road(row.values["road"], row.values["road_number"]))
        for row in batch.good("compounds")
    }
    for key, one in stored.compounds.items():
        compounds.setdefault(key, (one.name, _road(one.road, one.road_number)))

    def compose(row: Row) -> str | None:
        name, road_of_compound = compounds.get(row.values["compound"], ("", ""))
        road = _road(row.values["road"], row.values["road_number"]) or road_of_compound
        if not (road or name):
            return None
        label = full_label(row) or ""
        town = towns.get(row.values["community"]) or ""
        return f"{district}{town}{road}{name}{'' if label and road.endswith(label) else label}"

    return compose


def _road(road: str | None, number: str | None) -> str:
    return f"{road}{number or ''}{'号' if number and number[-1].isdigit() else ''}" if road else ""
