"""The district's register as ledger tables: communities, compounds, buildings, streets, barriers."""

from __future__ import annotations

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd

from etl.demo.buildings import OCCUPANCY, UNFINISHED
from etl.demo.district import District
from etl.demo.layout import BARRIERS, ROADS
from etl.demo.names import DISTRICT_CODE

COUNTED_ON = "2026-09-30"
FINISHED_ON = "2027-09-30"
"""When the preparatory community's buildings are expected to fill."""


def codes(letter: str, count: int, digits: int) -> list[str]:
    """Return ledger codes: a letter and a running number."""
    return [f"{letter}{i + 1:0{digits}d}" for i in range(count)]


def community_code(number: pd.Series) -> pd.Series:
    """Return the ledger codes of communities given by number."""
    return "C" + (number + 1).astype(str).str.zfill(2)


def communities(district: District) -> gpd.GeoDataFrame:
    """Return the communities; the preparatory one has no official code yet."""
    table = district.communities
    count = len(table)
    nth = table.groupby("town").cumcount() + 1
    town_code = DISTRICT_CODE + (table["town"] + 1).astype(str).str.zfill(3)
    official = (town_code + nth.astype(str).str.zfill(3)).where(table.index < count - 1, "")
    return gpd.GeoDataFrame(
        {
            "code": community_code(table.index.to_series()),
            "name": table["name"],
            "official_code": official,
            "town": table["town"].map(dict(enumerate(district.towns))),
            "town_code": town_code,
            "status": np.where(table.index < count - 1, "active", "preparatory"),
            "phone": [f"555-1{i + 1:03d}" for i in range(count)],
        },
        geometry=table.geometry,
    )


def compounds(district: District, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return the estates with their walls; six in ten have an owners' committee."""
    table = district.compounds
    since = [date(2008, 3, 1) + timedelta(days=int(days)) for days in rng.integers(0, 6500, len(table))]
    none = table["unfinished"] | (rng.random(len(table)) > 0.6)
    code = pd.Series(codes("X", len(table), 3))
    return gpd.GeoDataFrame(
        {
            "code": code,
            "name": table["name"],
            "aliases": table["aliases"],
            "community": community_code(table["community"]),
            "road": table["road"],
            "road_number": table["road_number"],
            "phase_of": table["phase_of"].map(code),
            "committee_since": pd.Series(since).astype(str).mask(none, ""),
        },
        geometry=table.geometry,
    )


def buildings(district: District) -> gpd.GeoDataFrame:
    """Return the buildings with their counts and today's grids."""
    table = district.buildings
    unfinished = table["kind"] == UNFINISHED
    expected = (OCCUPANCY * table["dwellings"]).round().astype("Int64").where(unfinished)
    in_estate = table["compound"] >= 0
    return gpd.GeoDataFrame(
        {
            "code": codes("B", len(table), 5),
            "community": community_code(table["community"]),
            "compound": ("X" + (table["compound"] + 1).astype(str).str.zfill(3)).where(in_estate),
            **{name: table[name] for name in ("label", "word", "road", "road_number", "poi", "kind")},
            "dwellings": table["dwellings"],
            "households": table["households"],
            "households_on": COUNTED_ON,
            "expected_households": expected,
            "expected_on": pd.Series(FINISHED_ON, table.index).where(unfinished),
            **{name: table[name] for name in ("entrances", "floors", "address", "grid")},
        },
        geometry=table.geometry,
    )


def streets(district: District) -> gpd.GeoDataFrame:
    """Return the centre lines of all roads, trunk roads included."""
    return _lines(district, "S", ROADS)


def barriers(district: District) -> gpd.GeoDataFrame:
    """Return river, railway and trunk roads."""
    return _lines(district, "Z", BARRIERS)


def _lines(district: District, letter: str, kinds: tuple[str, ...]) -> gpd.GeoDataFrame:
    chosen = district.lines[district.lines["kind"].isin(kinds)].reset_index(drop=True)
    return gpd.GeoDataFrame(
        {"code": codes(letter, len(chosen), 3), "name": chosen["name"], "kind": chosen["kind"]},
        geometry=chosen.geometry,
    )
