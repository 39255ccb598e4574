"""Coverage of sites (阵地覆盖): who lives farther than 500 or 1000 m from an open one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geo.crs import from_metric, metric_points, metric_srid
from geo.errors import InputError
from geo.withheld import WITHHELD_BELOW
from maps import layers
from maps.legend import Words, distances, grade_of
from maps.overview import COMMUNITIES, GRID_VERTICES, GRIDS, SITES, MapData
from maps.page import add_layer_switch, new_map, render
from maps.shapes import light_areas, outlines

RADII_M = (500, 1000)
"""What is near, and what is not too far."""

_DISCS = Words("距阵地 500、1000 米的范围", "Within 500 and 1000 m of a site")
_BANDS = (
    Words("500 米以内", "within 500 m"),
    Words("500 至 1000 米", "500 to 1000 m"),
    Words("超过 1000 米", "beyond 1000 m"),
)
_FEW = Words("不公开", "withheld")
_FARTHEST = 15
_DISC_TOLERANCE_M = 8.0


def coverage_page(data: MapData, dwellings: pd.DataFrame) -> str:
    """Return the whole page as HTML.

    Distances are straight lines from buildings to the nearest open site. Households are told in sums of the
    district alone, and none below 10, nor by subtraction.

    Parameters
    ----------
    data : MapData
        The district; its grids have a column ``id``.
    dwellings : DataFrame
        grid_id, households, lon, lat: one row a building and grid, EPSG:4326.

    Raises
    ------
    InputError
        If there is nothing to show, or no site is open.
    """
    bounds = data.bounds
    served = data.sites[data.sites["state"] == "open"]
    if served.empty:
        raise InputError("No site is open, so nobody can be near one.", "Import sites whose state is open.")
    srid = metric_srid((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    sites = metric_points(shapely.get_coordinates(served.geometry.to_numpy()), srid)
    away = distances_m(metric_points(dwellings[["lon", "lat"]].to_numpy(np.float64), srid), sites)
    classes = distances()
    grids = data.grids.merge(reach_of(dwellings["grid_id"], away), left_on="id", right_index=True, how="left")
    shown = new_map(bounds)
    light = light_areas(grids, GRID_VERTICES)
    layers.base(data.water, data.green).add_to(shown)
    layers.reach(GRIDS, light, classes).add_to(shown)
    layers.communities(COMMUNITIES, outlines(data.communities, light, "community_code")).add_to(shown)
    layers.discs(_DISCS, _discs(sites, srid)).add_to(shown)
    layers.sites(SITES, data.sites).add_to(shown)
    add_layer_switch(shown)
    return render(
        "coverage.html",
        {"coverage": shown},
        data=data,
        classes=classes,
        counts=Counter(grade_of(layers.count(mean), classes).name for mean in grids["mean_m"]),
        bands=_bands(dwellings["households"].to_numpy(np.int64), away),
        sites=len(served),
        farthest=_farthest(grids),
        credits=data.credits,
    )


def distances_m(spots: npt.NDArray[np.float64], sites: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far each spot is from the nearest site, both in metres; O((n + m) log m)."""
    away: npt.NDArray[np.float64] = KDTree(sites).query(spots)[0]
    return away


def reach_of(grid_id: pd.Series, away: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return of each grid, by id, how many buildings are ``placed``, ``mean_m`` and ``farthest_m`` from a site.

    ``beyond`` counts the buildings farther than 500 m.
    """
    told = pd.DataFrame({"away": away, "beyond": away > RADII_M[0]}).groupby(grid_id.to_numpy())
    return told.agg(
        placed=("away", "size"), mean_m=("away", "mean"), farthest_m=("away", "max"), beyond=("beyond", "sum")
    ).round()


def public_parts(households: Sequence[int], buildings: Sequence[int]) -> list[int | None]:
    """Return the households of parts of a district that anybody may see.

    Withheld is what is below 10, and what would tell of fewer than 10 buildings. Where that is one part alone,
    the smallest of the others is withheld too: the whole would give it away.
    """
    few = [
        0 < each < WITHHELD_BELOW or 0 < there < WITHHELD_BELOW
        for each, there in zip(households, buildings, strict=True)
    ]
    told = [None if hidden else each for each, hidden in zip(households, few, strict=True)]
    rest = [number for number, each in enumerate(told) if each]
    if told.count(None) == 1 and rest:
        told[min(rest, key=lambda number: households[number])] = None
    return told


def _bands(households: npt.NDArray[np.int64], away: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    band = np.digitize(away, RADII_M, right=True)
    buildings = [int((band == number).sum()) for number in range(len(_BANDS))]
    parts = [int(households[band == number].sum()) for number in range(len(_BANDS))]
    whole = max(sum(parts), 1)
    return [
        {
            "words": words,
            "buildings": f"{there:,}",
            "households": _FEW.html if told is None else f"{told:,}",
            "share": "" if told is None else f"{told / whole:.1%}",
        }
        for words, there, told in zip(_BANDS, buildings, public_parts(parts, buildings), strict=True)
    ]


def _discs(sites: npt.NDArray[np.float64], srid: int) -> gpd.GeoDataFrame:
    points = shapely.points(sites)
    shapes = [
        shapely.simplify(shapely.union_all(shapely.buffer(points, radius)), _DISC_TOLERANCE_M)
        for radius in RADII_M
    ]
    return gpd.GeoDataFrame({"metres": RADII_M}, geometry=from_metric(shapes, srid), crs=4326)


def _farthest(grids: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Grids whose buildings are on average farther than 500 m, the farthest first."""
    far = grids[grids["mean_m"] > RADII_M[0]].sort_values("mean_m", ascending=False, kind="stable")
    return [
        {
            "code": layers.code_of(row),
            "community": row.community,
            "mean": layers.metres(row.mean_m),
            "beyond": f"{row.beyond:,.0f} / {row.placed:,.0f}",
        }
        for row in far.head(_FARTHEST).itertuples(index=False)
    ]
