"""Before and after a rebalance: two maps that move together, and what it changes in figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

import folium
import geopandas as gpd
import pandas as pd

from geo.withheld import WITHHELD_BELOW
from maps import layers
from maps.legend import Grade, Words, deviations
from maps.overview import COMMUNITIES, GRIDS, MapData
from maps.page import add_layer_switch, new_map, render
from maps.shapes import light_areas, moved_land, outlines

_GRID_VERTICES = 5_000
_MOVED_VERTICES = 3_000
_MOVED = Words("划转的地块", "Land that changes its grid")


@dataclass(frozen=True)
class Told:
    """Why a plan changes a community: of its moves, and of what it breaks or leaves out of band."""

    community: str
    moves: Sequence[Words]
    rest: Sequence[Words]


class Figures(TypedDict):
    """What is told of a plan in numbers; `geo.balance.Measures` says what each means.

    An older plan's may lack those that stand last.
    """

    grids: int
    in_band: int
    share_in_band: float
    worst_deviation_percent: float
    disconnected: int
    split_compounds: int
    mean_compactness: float
    households_moved: int
    moved_share: float
    near_target: NotRequired[int]
    in_band_expected: NotRequired[int]
    broken_compounds: NotRequired[int]


def comparison_page(
    before: MapData, after: MapData, figures: Mapping[str, Figures], reasons: Sequence[Told] = ()
) -> str:
    """Return a page with the grids before and after a rebalance side by side; on a phone one above the other.

    Parameters
    ----------
    before, after : MapData
        The same district under two plans. Of their frames only grids and communities are drawn. A grid is the
        same in both when its ``code`` is, or the ``external_code`` where it has none.
    figures : mapping of str to Figures
        Of the plan ``before`` and of the one ``after``; households moved are told of the latter.
    reasons : sequence of Told
        Why it changes what it changes, as far as that is known.

    Raises
    ------
    InputError
        If there is nothing to show.
    """
    old, new = (replace(data, grids=_keyed(data.grids)) for data in (before, after))
    moved = moved_land(old.grids, new.grids)
    light = light_areas(moved.dissolve(), _MOVED_VERTICES)
    classes = deviations(after.target, after.tolerance_percent)
    maps = {
        name: _map(data, light, classes, before.bounds)
        for name, data in {"before": old, "after": new}.items()
    }
    return render(
        "comparison.html",
        maps,
        data=after,
        before=before,
        classes=classes,
        rows=_rows(figures["before"], figures["after"]),
        moved=_moved_households(figures["after"]),
        pieces=len(moved),
        reasons=reasons,
        credits=after.credits,
    )


def _keyed(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add the column ``key``: a name for each grid that the other plan knows it by, where it is there at all."""
    numbers = pd.Series([f"新 new {number}" for number in range(1, len(grids) + 1)], index=grids.index)
    return grids.assign(key=grids["code"].fillna(grids["external_code"]).fillna(numbers))


def _map(
    data: MapData, moved: gpd.GeoDataFrame, classes: tuple[Grade, ...], bounds: Sequence[float]
) -> folium.Map:
    shown = new_map(bounds)
    grids = light_areas(data.grids, _GRID_VERTICES)
    layers.base(data.water, data.green).add_to(shown)
    layers.grids(GRIDS, grids, data.target, classes).add_to(shown)
    layers.communities(COMMUNITIES, outlines(data.communities, grids, "community_code")).add_to(shown)
    layers.moves(_MOVED, moved).add_to(shown)
    add_layer_switch(shown)
    return shown


def _rows(before: Figures, after: Figures) -> list[tuple[Words, str, str]]:
    """Figures of both plans, a line each: what, before, after."""
    lines: list[tuple[Words, Callable[[Figures], str]]] = [
        (GRIDS, lambda of: f"{of['grids']:,}"),
        (
            Words("户数合适的网格", "Grids in band"),
            lambda of: f"{of['in_band']:,} ({of['share_in_band']:.0%})",
        ),
        (Words("最大偏离", "Farthest from the target"), lambda of: f"{of['worst_deviation_percent']:.0f}%"),
        (Words("不连通的网格", "Grids in pieces"), lambda of: f"{of['disconnected']:,}"),
        (Words("被拆分的小区", "Compounds split"), lambda of: f"{of['split_compounds']:,}"),
        (Words("紧凑度（圆为 1）", "Compactness (circle: 1)"), lambda of: f"{of['mean_compactness']:.2f}"),
    ]
    rows = [(label, value(before), value(after)) for label, value in lines]
    known: list[tuple[Words, int | None, int | None]] = [
        (
            Words("接近目标的网格", "Grids near the target"),
            before.get("near_target"),
            after.get("near_target"),
        ),
        (
            Words("按预计户数合适", "In band by households expected"),
            before.get("in_band_expected"),
            after.get("in_band_expected"),
        ),
        (
            Words("拆分过多的小区", "Compounds in more grids than needed"),
            before.get("broken_compounds"),
            after.get("broken_compounds"),
        ),
    ]
    return rows + [
        (label, f"{old:,}", f"{new:,}") for label, old, new in known if old is not None and new is not None
    ]


def _moved_households(figures: Figures) -> Words:
    moved = figures["households_moved"]
    if 0 < moved < WITHHELD_BELOW:
        return Words("不足 10 户", "fewer than 10 households")
    share = f"{figures['moved_share']:.1%}"
    return Words(f"{moved:,} 户（{share}）", f"{moved:,} households ({share})")
