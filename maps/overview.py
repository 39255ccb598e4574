"""The overview of a district: one page that opens from disk and asks nothing of the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import shapely
from markupsafe import escape

from geo.errors import InputError
from geo.withheld import WITHHELD_BELOW
from maps import layers
from maps.layers import deviation_text
from maps.legend import Words, deviations, grade_of, words
from maps.page import add_layer_switch, new_map, render
from maps.shapes import light_areas, outlines

GRID_VERTICES = 8_000
_LINE_VERTICES = 1_000
_FARTHEST = 10

GRIDS = Words("网格", "Grids")
COMMUNITIES = Words("社区", "Communities")
SITES = Words("党群服务阵地", "Service sites")
_FACILITIES = Words("设施", "Facilities")
_RIDERS = Words("骑手友好", "Rider-friendly")
_STREETS = Words("道路", "Streets")
_BARRIERS = Words("屏障", "Barriers")


@dataclass(frozen=True)
class MapData:
    """A district at one moment, as a map shows it.

    Parameters
    ----------
    name : str
        The district's.
    plan : str
        What the plan is called.
    as_of : str
        Date or time the page speaks of.
    made_up : bool
        Whether the data are invented; the page then says so.
    attribution : tuple of str
        Whose data it is, such as ``© OpenStreetMap contributors``.
    target, tolerance_percent : int
        Households a grid should have, and half the width of the band.
    grids : GeoDataFrame
        ``code`` (or None), ``external_code``, ``community_code``, ``community``, ``households``,
        ``buildings``, and the shape.
    communities, sites, facilities, rider_communities, rider_points, streets, barriers, water, green : GeoDataFrame
        With the columns of the views in the schema ``layers``; may be empty. All frames are in EPSG:4326.
    """

    name: str
    plan: str
    as_of: str
    made_up: bool
    attribution: tuple[str, ...]
    target: int
    tolerance_percent: int
    grids: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    rider_communities: gpd.GeoDataFrame
    rider_points: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    green: gpd.GeoDataFrame

    @property
    def bounds(self) -> Sequence[float]:
        """West, south, east, north of grids and communities, in degrees.

        Raises
        ------
        InputError
            If neither has a shape.
        """
        boxes = [
            frame.total_bounds for frame in (self.grids, self.communities) if frame.geometry.notna().any()
        ]
        if not boxes:
            raise InputError(
                f"{self.name} has nothing to show on a map.", "Import its ledger and publish a plan."
            )
        box: Sequence[float] = shapely.total_bounds([shapely.box(*each) for each in boxes]).tolist()
        return box

    @property
    def credits(self) -> list[str]:
        """Attribution as HTML."""
        return [str(escape(credit)) for credit in self.attribution]


class _Key(NamedTuple):
    """A line of the legend: a line's class, or a mark's class and sign."""

    words: Words
    frame: gpd.GeoDataFrame
    line: str = ""
    mark: str = ""
    sign: str = ""


def overview_page(data: MapData) -> str:
    """Return the whole page as HTML.

    Grids are painted by their deviation from the target, under streets, barriers, communities, rider
    communities and sites. Geometry is simplified to keep a district of 452 grids at a few hundred kB.

    Raises
    ------
    InputError
        If there is nothing to show.
    """
    classes = deviations(data.target, data.tolerance_percent)
    shown = new_map(data.bounds)
    grids = light_areas(data.grids, GRID_VERTICES)
    layers.base(data.water, data.green).add_to(shown)
    layers.grids(GRIDS, grids, data.target, classes).add_to(shown)
    layers.streets(_STREETS, data.streets, _LINE_VERTICES).add_to(shown)
    layers.communities(COMMUNITIES, outlines(data.communities, grids, "community_code")).add_to(shown)
    layers.barriers(_BARRIERS, data.barriers, _LINE_VERTICES).add_to(shown)
    layers.riders(_RIDERS, data.rider_communities, data.rider_points).add_to(shown)
    layers.facilities(_FACILITIES, data.facilities).add_to(shown)
    layers.sites(SITES, data.sites).add_to(shown)
    add_layer_switch(shown)
    households = [layers.households_of(row) for row in data.grids.itertuples(index=False)]
    counts = Counter(grade_of(each, classes).name for each in households)
    return render(
        "overview.html",
        {"overview": shown},
        data=data,
        classes=classes,
        counts=counts,
        figures=_figures(data, households, counts),
        keys=[key for key in _keys(data) if len(key.frame)],
        farthest=_farthest(data),
        withheld=counts["withheld"] > 0,
        credits=data.credits,
    )


def _figures(
    data: MapData, households: Sequence[int | None], counts: Counter[str]
) -> list[tuple[Words, str]]:
    grids = len(data.grids)
    public = sum(each for each in households if each is not None)
    in_band = counts["in-band"]
    return [
        (GRIDS, f"{grids:,}"),
        (Words("户数", "Households"), f"{public:,}"),
        (Words("户数合适的网格", "Grids in band"), f"{in_band / grids:.0%}" if grids else "—"),
        (COMMUNITIES, f"{len(data.communities):,}"),
        (Words("楼栋", "Buildings"), f"{int(data.grids['buildings'].sum()):,}"),
        (SITES, f"{len(data.sites):,}"),
    ]


def _keys(data: MapData) -> list[_Key]:
    return [
        _Key(_STREETS, data.streets, line="street"),
        *(_Key(words("barrier", kind), data.barriers, line=kind) for kind in data.barriers["kind"].unique()),
        _Key(Words("骑手友好社区", "Rider-friendly community"), data.rider_communities, line="rider"),
        _Key(
            Words("骑手点位（大门、换乘单车等）", "Rider point (gate, bikes ...)"),
            data.rider_points,
            mark="rider",
            sign="门",
        ),
        _Key(SITES, data.sites, mark="site", sign="党"),
        _Key(
            Words("虚线框：规划、在建或故障", "Dashed: planned, being built or out of order"),
            data.sites,
            mark="site planned",
            sign="党",
        ),
        _Key(
            Words("设施（在图层里打开）", "Facility (switch on in layers)"),
            data.facilities,
            mark="facility",
            sign="充",
        ),
    ]


def _farthest(data: MapData) -> list[dict[str, Any]]:
    """Grids out of band, farthest from the target first; withheld counts are not ranked."""
    known = data.grids[data.grids["households"] >= WITHHELD_BELOW]
    off = (known["households"] - data.target).abs()
    out = off[off > data.target * data.tolerance_percent / 100].sort_values(ascending=False, kind="stable")
    return [
        {
            "code": layers.code_of(row),
            "community": row.community,
            "households": int(row.households),
            "deviation": deviation_text(int(row.households), data.target),
        }
        for row in known.loc[out.index[:_FARTHEST]].itertuples(index=False)
    ]
