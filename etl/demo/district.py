"""The made-up district as a whole, in metres: ground plan, buildings, communities, today's grids, addresses."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.demo import names
from etl.demo.buildings import HOUSE, PAVILION, UNFINISHED, Built, build
from etl.demo.communities import in_order, make_communities, make_ground, outlines, preparatory_blocks
from etl.demo.grids import draw_grids, dwellings, households_today, households_yesterday, settle_households
from etl.demo.layout import ROADS, Layout, make_layout
from etl.demo.partition import Ints
from etl.demo.size import Size
from geo.progress import Progress, silent

ROAD_WORDS = {"trunk_road": "大道", "road": "路", "street": "街", "lane": "巷"}
BARRIER_WORDS = {"river": "河", "railway": "铁路", "trunk_road": "大道"}
ESTATE_WORDS = ("花园", "苑", "新村", "雅居", "里", "府")
BLOCK_WORDS = ("幢", "栋", "号楼")


@dataclass(frozen=True)
class District:
    """Everything that stands in the district; one row a thing, numbered by a RangeIndex.

    Attributes
    ----------
    srid : int
        Metric coordinate system of every geometry.
    towns : list of str
        Names of the street offices.
    communities : GeoDataFrame
        ``name``, ``town`` (number), ``geometry``; the last is preparatory.
    compounds : GeoDataFrame
        ``name``, ``aliases``, ``community``, ``road``, ``road_number``, ``phase_of`` (number or missing),
        ``geometry``.
    buildings : GeoDataFrame
        ``community``, ``compound`` (number or -1), ``grid`` (code), ``label``, ``word``, ``road``,
        ``road_number``, ``poi``, ``kind``, ``dwellings``, ``households``, ``entrances``, ``floors``,
        ``address``, ``geometry``.
    grids : DataFrame
        ``code``, ``community``; in order of their codes.
    lines : GeoDataFrame
        ``name``, ``kind`` of barriers and streets, ``geometry``.
    parks : GeoDataFrame
        ``name``, ``geometry``: the grounds around a lone pavilion.
    """

    srid: int
    towns: list[str]
    communities: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    grids: pd.DataFrame
    lines: gpd.GeoDataFrame
    parks: gpd.GeoDataFrame


def make_district(size: Size, rng: np.random.Generator, progress: Progress = silent) -> District:
    """Make up a district; the same size and state of the generator give the same one.

    Parameters
    ----------
    size : Size
    rng : numpy.random.Generator
    progress : Progress, optional

    Returns
    -------
    District
    """
    stage = "demo district"
    progress(stage, 0.0)
    layout = make_layout(size, rng)
    ground = make_ground(layout)
    preparatory = preparatory_blocks(ground, size)
    built = build(layout, preparatory, size, rng)
    progress(stage, 0.3)
    today = households_today(built, rng)
    lived_in = np.bincount(built.buildings["block"], today, len(layout.blocks)).astype(np.float64)
    community = make_communities(ground, lived_in, preparatory, size, rng)
    community, town = in_order(community, ground, size, rng)
    yesterday = households_yesterday(built, rng)
    grid = draw_grids(layout, built, community, yesterday, size, rng)
    households = settle_households(built, grid, today, size, rng)
    progress(stage, 0.9)
    return _named(layout, built, community, town, grid, households, rng)


def _named(
    layout: Layout,
    built: Built,
    community: Ints,
    town: Ints,
    grid: Ints,
    households: Ints,
    rng: np.random.Generator,
) -> District:
    """Give names, numbers and addresses to what was drawn."""
    pool = names.invented(rng)
    towns = [f"{next(pool)}街道" for _ in range(int(town.max()) + 1)]
    communities = gpd.GeoDataFrame(
        {"name": [f"{next(pool)}社区" for _ in town], "town": town},
        geometry=outlines(layout.blocks, community),
    )
    lines = gpd.GeoDataFrame(
        {"name": [next(pool) for _ in layout.lines], "kind": [line.kind for line in layout.lines]},
        geometry=[line.shape for line in layout.lines],
    )
    lines["name"] += lines["kind"].map({**BARRIER_WORDS, **ROAD_WORDS})
    buildings = built.buildings.drop(columns="dwellings").assign(
        community=community[built.buildings["block"]],
        dwellings=dwellings(built, households),
        households=households,
    )
    buildings = buildings.join(_doors(buildings, built, lines))
    compounds = _compounds(buildings, built, pool, rng)
    grids, code = _grid_codes(buildings, grid)
    buildings["grid"] = code
    _label(buildings, compounds, pool, rng)
    buildings["address"] = _addresses(buildings, compounds, np.array(towns)[town])
    parks = _parks(buildings, built)
    return District(layout.srid, towns, communities, compounds, buildings, grids, lines, parks)


def _parks(buildings: gpd.GeoDataFrame, built: Built) -> gpd.GeoDataFrame:
    """Return the grounds of pavilions; they are called after what stands on them."""
    pavilions = buildings[buildings["kind"] == PAVILION.kind].drop_duplicates("block")
    names = pavilions["poi"].str.removesuffix("管理房").tolist()
    return gpd.GeoDataFrame({"name": names}, geometry=built.rooms[pavilions["block"]])


def _doors(buildings: gpd.GeoDataFrame, built: Built, lines: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give doors numbers along their streets, odd on the left and even on the right.

    A house has its own door; an estate and the grounds of a public building share one.
    """
    shared = buildings["kind"] != HOUSE
    at = shapely.centroid(buildings.geometry.to_numpy())
    at[shared] = shapely.centroid(built.rooms)[buildings.loc[shared, "block"]]
    roads = lines[lines["kind"].isin(ROADS)]
    nearest = shapely.STRtree(roads.geometry.to_numpy()).query_nearest(at, all_matches=False)[1]
    line = roads.geometry.to_numpy()[nearest]
    along = shapely.line_locate_point(line, at)
    behind, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, (along + step).clip(0)))
        for step in (-1, 1)
    )
    forward, aside = ahead - behind, shapely.get_coordinates(at) - behind
    right = forward[:, 0] * aside[:, 1] - forward[:, 1] * aside[:, 0] < 0
    door = pd.DataFrame({"road": roads["name"].to_numpy()[nearest], "right": right, "along": along})
    door["door"] = np.where(shared, -1 - buildings["block"], buildings.index)
    ordered = door.drop_duplicates("door").sort_values(["along", "door"])
    rank = ordered.groupby(["road", "right"]).cumcount()
    number = (2 * rank + 1 + ordered["right"]).set_axis(ordered["door"])
    return pd.DataFrame({"road": door["road"], "road_number": door["door"].map(number).astype(str)})


def _compounds(
    buildings: gpd.GeoDataFrame, built: Built, pool: names.Pool, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Name the estates; now and then one is the second phase of its neighbour."""
    first = (
        buildings[buildings["compound"] >= 0].drop_duplicates("compound").set_index("compound").sort_index()
    )
    stems = [next(pool) for _ in built.estates]
    words = rng.choice(ESTATE_WORDS, len(stems))
    compounds = gpd.GeoDataFrame(
        {
            "name": [stem + word for stem, word in zip(stems, words, strict=True)],
            "aliases": [f"{stem}小区" for stem in stems],
            "community": first["community"],
            "road": first["road"],
            "road_number": first["road_number"],
            "phase_of": pd.array([pd.NA] * len(stems), dtype="Int64"),
            "unfinished": first["kind"] == UNFINISHED,
        },
        geometry=built.rooms[built.estates],
    )
    for i in range(9, len(compounds), 20):
        near = compounds[(compounds["community"] == compounds.at[i, "community"]) & (compounds.index != i)]
        near = near[near["phase_of"].isna() & ~near["unfinished"]]
        if len(near) and i != built.landmark and not compounds.at[i, "unfinished"]:
            elder = int(near.distance(compounds.geometry[i]).idxmin())
            compounds.loc[i, ["name", "phase_of"]] = [f"{compounds.at[elder, 'name']}二期", elder]
            compounds.loc[i, "aliases"] = ""
    return compounds


def _grid_codes(buildings: gpd.GeoDataFrame, grid: Ints) -> tuple[pd.DataFrame, pd.Series]:
    """Give codes to the grids of each community from north to south."""
    at = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy()))
    table = pd.DataFrame({"grid": grid, "community": buildings["community"], "north": at[:, 1]})
    table = table.groupby("grid").agg(community=("community", "first"), north=("north", "mean"))
    table = table.sort_values(["community", "north"], ascending=[True, False])
    nth = table.groupby("community").cumcount() + 1
    table["code"] = [f"C{c + 1:02d}-G{n:02d}" for c, n in zip(table["community"], nth, strict=True)]
    code = table["code"].reindex(grid).set_axis(buildings.index)
    return table[["code", "community"]].reset_index(drop=True), code


def _label(
    buildings: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame, pool: names.Pool, rng: np.random.Generator
) -> None:
    """Give numbers to the buildings of estates and of public grounds, and names to the latter."""
    grouped = buildings["kind"] != HOUSE
    nth = buildings[grouped].groupby("block").cumcount() + 1
    several = buildings.groupby("block")["block"].transform("size") > 1
    labelled = grouped & (several | (buildings["compound"] >= 0))
    buildings["label"] = nth.astype(str).where(labelled)
    words = rng.choice(BLOCK_WORDS, len(compounds))
    in_estate = buildings["compound"] >= 0
    buildings["word"] = pd.Series("号楼", buildings.index, dtype=object).where(labelled)
    buildings.loc[in_estate, "word"] = words[buildings.loc[in_estate, "compound"]]
    public = buildings[grouped & ~in_estate]
    stems = {block: next(pool) for block in public["block"].unique()}
    buildings["poi"] = public["block"].map(stems) + public["kind"]


def _addresses(buildings: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame, town: np.ndarray) -> pd.Series:
    """Write standard addresses: 演示省演示市演示区 X街道 Y路 N号 Z小区 3幢."""
    estate = buildings["compound"].map(compounds["name"]).fillna("")
    place = (
        estate + buildings["poi"].fillna("") + buildings["label"].fillna("") + buildings["word"].fillna("")
    )
    door = buildings["road"] + buildings["road_number"] + "号"
    return names.CITY + pd.Series(town[buildings["community"]], buildings.index) + door + place
