"""The district's register as ledger tables: communities, compounds, buildings, streets, barriers, ground."""

from __future__ import annotations

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.demo.buildings import OCCUPANCY, UNFINISHED
from etl.demo.district import District
from etl.demo.layout import BARRIERS, CORRIDOR_M, ROADS
from etl.demo.names import DISTRICT_CODE

COUNTED_ON = "2026-09-30"
FINISHED_ON = "2027-09-30"
"""When the preparatory community's buildings are expected to fill."""

BANK_M = 14.0
"""Width of the green on either bank of a river."""

POND_SHARE = 0.6
"""Of the widest circle of open land in a park, how far its pond reaches from the middle."""

POND_OFF_M = 12.0
"""A pond keeps so far from buildings, and there is none where that leaves less land."""


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


def ground(district: District) -> gpd.GeoDataFrame:
    """Return the river's surface between its banks, and parks with a pond each where there is room for one."""
    river = district.lines[district.lines["kind"] == "river"]
    land = shapely.union_all(district.communities.geometry.to_numpy())
    surface, corridor = (
        shapely.intersection(shapely.buffer(river.geometry.to_numpy(), reach, cap_style="flat"), land)
        for reach in (CORRIDOR_M["river"] - BANK_M, CORRIDOR_M["river"])
    )
    # Wherever both outlines almost meet, the sliver between them would cross itself once it is rounded.
    banks = shapely.get_parts(shapely.buffer(shapely.buffer(shapely.difference(corridor, surface), -1), 1))
    built_on = shapely.union_all(shapely.buffer(district.buildings.geometry.to_numpy(), POND_OFF_M))
    open_land = shapely.difference(district.parks.geometry.to_numpy(), built_on)
    widest = shapely.maximum_inscribed_circle(open_land)
    roomy = shapely.length(widest) > POND_OFF_M
    middle = shapely.get_point(widest[roomy], 0)
    ponds = shapely.buffer(middle, POND_SHARE * shapely.length(widest[roomy]))
    parks = district.parks
    rows = [
        *zip(["water"] * len(river), river["name"], surface, strict=True),
        *(("grass", None, bank) for bank in banks),
        *zip(["park"] * len(parks), parks["name"], parks.geometry, strict=True),
        *(("water", None, pond) for pond in ponds),
    ]
    kind, name, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"code": codes("D", len(rows), 3), "name": name, "kind": kind}, geometry=list(shapes)
    )


def _lines(district: District, letter: str, kinds: tuple[str, ...]) -> gpd.GeoDataFrame:
    chosen = district.lines[district.lines["kind"].isin(kinds)].reset_index(drop=True)
    return gpd.GeoDataFrame(
        {"code": codes(letter, len(chosen), 3), "name": chosen["name"], "kind": chosen["kind"]},
        geometry=chosen.geometry,
    )
