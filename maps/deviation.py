"""Household deviation: how far each grid and each community is from the target, on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from maps import layers
from maps.layers import deviation_text
from maps.legend import Grade, deviations, grade_of
from maps.overview import COMMUNITIES, GRID_VERTICES, GRIDS, MapData
from maps.page import add_layer_switch, new_map, render
from maps.shapes import light_areas, outlines

_BIN = 10


class Bar(NamedTuple):
    """Grids whose deviation from the target is from ``low`` to ``low + 10`` percent."""

    low: int
    grids: int
    grade: Grade


def deviation_page(data: MapData) -> str:
    """Return the whole page as HTML: the map, how many grids deviate how far, and each community's figures.

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
    layers.communities(COMMUNITIES, outlines(data.communities, grids, "community_code")).add_to(shown)
    add_layer_switch(shown)
    households = [layers.households_of(row) for row in data.grids.itertuples(index=False)]
    known = [each for each in households if each is not None]
    bars = histogram(known, data.target, classes)
    return render(
        "deviation.html",
        {"deviation": shown},
        data=data,
        classes=classes,
        counts=Counter(grade_of(each, classes).name for each in households),
        bars=bars,
        tallest=max((bar.grids for bar in bars), default=1),
        rows=_communities(data, classes),
        withheld=len(known) < len(households),
        credits=data.credits,
    )


def histogram(households: Sequence[int], target: int, classes: tuple[Grade, ...]) -> list[Bar]:
    """Count grids by their deviation from the target, in steps of ten percent without gaps."""
    steps = Counter(100 * (each - target) // target // _BIN * _BIN for each in households)
    if not steps:
        return []
    return [
        Bar(low, steps[low], grade_of(round(target * (1 + (low + _BIN / 2) / 100)), classes))
        for low in range(min(steps), max(steps) + _BIN, _BIN)
    ]


def _communities(data: MapData, classes: tuple[Grade, ...]) -> list[dict[str, Any]]:
    """Figures of each community's grids whose count is told, the farthest from the target first."""
    rows = []
    for name, grids in data.grids.groupby("community"):
        households = [layers.households_of(row) for row in grids.itertuples(index=False)]
        known = [each for each in households if each is not None]
        if known:
            farthest = max(known, key=lambda each: abs(each - data.target))
            rows.append(
                {
                    "name": name,
                    "grids": len(known),
                    "in_band": sum(grade_of(each, classes).name == "in-band" for each in known),
                    "fewest": min(known),
                    "most": max(known),
                    "farthest": deviation_text(farthest, data.target),
                    "off": abs(farthest - data.target),
                }
            )
    return sorted(rows, key=lambda row: (-row["off"], row["name"]))
