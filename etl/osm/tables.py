"""OpenStreetMap features as ledger tables: buildings, streets, barriers, ground."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from etl.osm.reading import ENTRANCES, STREETS, Features
from geo import crs
from geo.coverage import Geometries, area_only
from geo.estimate import UNKNOWN_KIND, estimate_households

NOT_STANDING = ("no", "roof", "ruins", "construction", "proposed", "demolished", "collapsed", "entrance")
"""Values of ``building`` that are no building to count with."""

PURPOSES = ("amenity", "shop", "office", "tourism", "leisure", "healthcare", "industrial", "military")
"""A building of unknown kind with one of these tags is no housing."""

PART = 0.9
"""A building of which this share lies in a larger one is a part of it, or the same drawn twice."""

MOST_FLOORS = 200
ON_OUTLINE_M = 0.5
"""An entrance belongs to the outline it lies on within this distance, metres."""

AROUND_DEG = 0.005
"""Streets and barriers are taken from so far around the buildings: relations reach far beyond an extract."""

BARRIERS = {
    ("waterway", "river"): "river",
    ("waterway", "canal"): "river",
    ("railway", "rail"): "railway",
    ("railway", "light_rail"): "railway",
    ("highway", "motorway"): "trunk_road",
    ("highway", "trunk"): "trunk_road",
}
"""Tag and kind of barrier. Rivers are cut along their middle line, which every mapped river has."""

AREAS = {
    ("natural", "water"): "water",
    ("waterway", "riverbank"): "water",
    ("waterway", "dock"): "water",
    ("landuse", "reservoir"): "water",
    ("landuse", "basin"): "water",
    ("leisure", "park"): "park",
    ("leisure", "garden"): "park",
    ("landuse", "recreation_ground"): "grass",
    ("landuse", "grass"): "grass",
    ("landuse", "meadow"): "grass",
    ("natural", "wood"): "wood",
    ("landuse", "forest"): "wood",
}
"""Tag and kind of areas of the ground; of several tags the first counts."""

LINES = {
    ("waterway", "stream"): "stream",
    ("waterway", "ditch"): "stream",
    ("waterway", "drain"): "stream",
    ("railway", "rail"): "rail",
    ("railway", "light_rail"): "rail",
    ("railway", "subway"): "rail",
}
"""Tag and kind of lines of the ground, where they are no barriers."""

_NUMBER = r"(\d+(?:\.\d+)?)"
_HAN = r"[\u4e00-\u9fff]"


def select_buildings(features: Features) -> tuple[gpd.GeoDataFrame, int]:
    """Select the buildings that stand for themselves.

    Returns
    -------
    buildings : GeoDataFrame
        Rows of ``features.table``, in order of their ids.
    parts : int
        How many were left out as parts of others, or drawn twice.
    """
    kind = features.tag("building")
    standing = kind.notna() & ~kind.isin(NOT_STANDING)
    areal = features.table.geom_type.isin(["Polygon", "MultiPolygon"])
    found = features.table[standing & areal].sort_index()
    part = _parts(found.geometry.to_numpy())
    return found[~part], int(part.sum())


def _parts(shapes: Geometries) -> npt.NDArray[np.bool_]:
    """Tell which shapes lie in a larger one; of equal ones all but the first do."""
    size = shapely.area(shapes)
    inner, outer = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    larger = (size[outer] > size[inner]) | ((size[outer] == size[inner]) & (outer < inner))
    inner, outer = inner[larger], outer[larger]
    shared = shapely.area(shapely.intersection(shapes[inner], shapes[outer]))
    part = np.zeros(len(shapes), dtype=np.bool_)
    part[inner[shared >= PART * size[inner]]] = True
    return part


def building_table(
    features: Features, buildings: gpd.GeoDataFrame, community: pd.Series, m2_a_household: float
) -> gpd.GeoDataFrame:
    """Return buildings with the ledger's columns, and households estimated.

    Parameters
    ----------
    features : Features
    buildings : GeoDataFrame
        Rows of ``features.table``.
    community : Series of str
        Code of each building's community, indexed by OSM id.
    m2_a_household : float
        See `geo.estimate.estimate_households`.
    """
    rows = Features(buildings, features.source, features.digest)
    srid = crs.metric_srid(*buildings.total_bounds[:2])
    metric = crs.to_metric(buildings.geometry.to_numpy(), srid)
    kind, floors = rows.tag("building"), _numbers(rows, "building:levels", MOST_FLOORS)
    has_purpose = pd.concat([rows.tag(tag).notna() for tag in PURPOSES], axis=1).any(axis=1)
    lived = kind.mask((kind == UNKNOWN_KIND) & has_purpose, "public")
    dwellings = _numbers(rows, "building:flats", 10_000)
    households = estimate_households(
        lived.tolist(), shapely.area(metric), floors, dwellings, m2_a_household=m2_a_household
    )
    return gpd.GeoDataFrame(
        {
            "code": buildings.index,
            "community": community,
            "label": rows.tag("addr:housename"),
            "road": rows.tag("addr:street"),
            "road_number": rows.tag("addr:housenumber"),
            "poi": rows.tag("name"),
            "kind": kind,
            "dwellings": dwellings.astype("Int64"),
            "households": households,
            "entrances": _entrances(features, metric, srid),
            "floors": np.ceil(floors).astype("Int64"),
            "address": _addresses(rows),
            "aliases": _aliases(rows),
        },
        geometry=buildings.geometry,
        crs=buildings.crs,
    ).reset_index(drop=True)


def _numbers(rows: Features, tag: str, most: int) -> pd.Series:
    """Return the first number in each value of a tag, NaN where there is none or it is beyond belief."""
    values = rows.tag(tag).astype("str").str.extract(_NUMBER, expand=False).astype(float)
    return values.where(values.between(0, most))


def _entrances(features: Features, metric: Geometries, srid: int) -> npt.NDArray[np.int64]:
    """Count the entrances that lie on each outline; one where none is mapped."""
    doors = features.table[features.tag("entrance").isin(ENTRANCES) & (features.table.geom_type == "Point")]
    count = np.zeros(len(metric), dtype=np.int64)
    if len(doors):
        at = crs.to_metric(doors.geometry.to_numpy(), srid)
        outlines = shapely.boundary(metric)
        building = shapely.STRtree(outlines).query(at, predicate="dwithin", distance=ON_OUTLINE_M)[1]
        np.add.at(count, building, 1)
    return np.maximum(count, 1)


def _addresses(rows: Features) -> pd.Series:
    """Compose addresses of street and number, in the order of the street's script."""
    part = {
        key: rows.tag(f"addr:{key}").fillna("").astype(str)
        for key in ("full", "province", "city", "district", "street", "housenumber", "postcode")
    }
    number = part["housenumber"]
    eastern = (
        part["province"] + part["city"] + part["district"] + part["street"] + number.str.removesuffix("号")
    )
    place = (part["postcode"] + " " + part["city"]).str.strip()
    western = part["street"] + " " + number + (", " + place).where(place != "", "")
    composed = (eastern + "号").where(part["street"].str.contains(_HAN), western)
    complete = (part["street"] != "") & (number != "")
    return part["full"].where(part["full"] != "", composed.where(complete, None))


def _aliases(rows: Features) -> pd.Series:
    """Join other names, parts by semicolons."""
    names = pd.concat([rows.tag(tag).rename(tag) for tag in ("alt_name", "old_name", "short_name")], axis=1)
    return names.apply(lambda row: ";".join(row.dropna()), axis=1)


def street_table(features: Features, around: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return the middle lines of streets on the ground near an area; paths, tracks and driveways are none."""
    chosen = _lines(features, around)
    chosen = chosen[features.tag("highway")[chosen.index].isin(STREETS)]
    return _table(chosen, features.tag("name"), features.tag("highway"))


def barrier_table(features: Features, around: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return rivers, railways and trunk roads on the ground near an area; sidings are none."""
    chosen = _lines(features, around)
    kind = _kind(features, chosen, BARRIERS)
    chosen = chosen[kind.notna() & features.tag("service")[chosen.index].isna()]
    return _table(chosen, features.tag("name"), kind)


def ground_table(features: Features, around: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return waters and green as far as they lie near an area, and streams and tracks that are no barriers.

    Parameters
    ----------
    features : Features
    around : Polygon
        Areas are cut off at it, EPSG:4326: lakes reach far beyond an extract.
    """
    lines = _lines(features, around)
    lines = lines[~lines.index.isin(barrier_table(features, around)["code"])]
    areas = _on_ground(features, around, "Polygon", "MultiPolygon")
    areas = areas[features.tag("building")[areas.index].isna()]
    kind = pd.concat([_kind(features, lines, LINES), _kind(features, areas, AREAS)])
    cut = area_only(shapely.intersection(areas.geometry.to_numpy(), around))
    found = pd.concat([lines[["geometry"]], areas[["geometry"]].set_geometry(cut, crs=areas.crs)])
    return _table(found[kind.notna() & ~found.is_empty].sort_index(), features.tag("name"), kind)


def _kind(features: Features, chosen: gpd.GeoDataFrame, words: Mapping[tuple[str, str], str]) -> pd.Series:
    """Return the word of the first tag that each of some features has, missing where it has none."""
    kind = pd.Series(None, chosen.index, dtype=object)
    for (tag, value), word in words.items():
        kind = kind.mask(kind.isna() & (features.tag(tag)[chosen.index] == value), word)
    return kind


def _lines(features: Features, around: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return lines near an area that do not run in tunnels."""
    return _on_ground(features, around, "LineString")


def _on_ground(features: Features, around: shapely.Geometry, *types: str) -> gpd.GeoDataFrame:
    """Return features of some types of geometry near an area that are in no tunnel, in order of their ids."""
    tunnel = features.tag("tunnel")
    on_ground = tunnel.isna() | tunnel.isin(["no", "building_passage"])
    near = shapely.intersects(features.table.geometry.to_numpy(), around)
    return features.table[on_ground & near & features.table.geom_type.isin(types)].sort_index()


def _table(chosen: gpd.GeoDataFrame, name: pd.Series, kind: pd.Series) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": chosen.index, "name": name[chosen.index], "kind": kind[chosen.index]},
        geometry=chosen.geometry,
        crs=chosen.crs,
    ).reset_index(drop=True)
