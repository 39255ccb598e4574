"""The layers of a folium page, each a group that its reader can switch on and off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import folium
import geopandas as gpd
import pandas as pd
from markupsafe import Markup, escape

from maps.legend import Grade, Words, grade_of, public_count, sign, words
from maps.page import BASE_PANE
from maps.shapes import label_points, light_ground, light_lines, light_points

Row = Any
"""A row of `DataFrame.itertuples`."""
Style = Callable[[Row], Mapping[str, Any]]
Fields = Sequence[tuple[Words, Callable[[Row], object]]]
"""What a tooltip says: a label and the value it takes from a row (text, or `Markup` as it is)."""

_BASE_VERTICES = 1_500

_NONE = "—"
_NAME = Words("名称", "Name")
_KIND = Words("类型", "Kind")
_STATE = Words("状态", "State")
_HOURS = Words("开放时间", "Hours")

_GRID: Fields = (
    (Words("网格编码", "Grid code"), lambda row: row.code),
    (Words("台账编码", "Ledger's code"), lambda row: row.external_code),
    (Words("社区", "Community"), lambda row: row.community),
)


def grids(
    name: Words, frame: gpd.GeoDataFrame, target: int, classes: tuple[Grade, ...]
) -> folium.FeatureGroup:
    """Grids painted by their deviation; columns as `MapData.grids`, shapes light already."""

    def from_target(row: Row) -> str | Markup:
        households = households_of(row)
        return classes[-1].words.html if households is None else deviation_text(households, target)

    fields: Fields = (
        *_GRID,
        (Words("户数", "Households"), households_of),
        (Words("与目标相差", "From the target"), from_target),
        (Words("楼栋", "Buildings"), lambda row: count(row.buildings)),
    )
    return _painted(name, frame, lambda row: grade_of(households_of(row), classes), fields)


def reach(name: Words, frame: gpd.GeoDataFrame, classes: tuple[Grade, ...]) -> folium.FeatureGroup:
    """Grids painted by their distance to sites; columns as `maps.coverage.reach_of` gives, shapes light already."""
    fields: Fields = (
        *_GRID,
        (Words("楼栋", "Buildings"), lambda row: count(row.placed)),
        (Words("到阵地平均距离", "Mean distance to a site"), lambda row: metres(row.mean_m)),
        (Words("最远楼栋", "Farthest building"), lambda row: metres(row.farthest_m)),
        (Words("超过 500 米的楼栋", "Buildings beyond 500 m"), lambda row: count(row.beyond)),
    )
    return _painted(name, frame, lambda row: grade_of(count(row.mean_m), classes), fields)


def base(water: gpd.GeoDataFrame, green: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Waters and green land, in the pane below the grids; the same colours as on the landing page."""

    def flat(fill: str) -> Style:
        return lambda row: {"stroke": False, "fillColor": fill, "fillOpacity": 1}

    parts = [
        _features(light_ground(frame, _BASE_VERTICES), flat(fill), pane=BASE_PANE)
        for frame, fill in ((green, "#d9e8cf"), (water, "#c6dcea"))
    ]
    return _group(Words("底图", "Base map"), *parts)


def discs(name: Words, frame: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Land within some distance of a site, as outlines; ``metres`` tells which."""
    dashes = {500: None, 1000: "6 5"}

    def style(row: Row) -> Mapping[str, Any]:
        return {"fill": False, "color": "#0b6e6e", "weight": 1.8, "dashArray": dashes[row.metres]}

    return _group(name, _features(frame, style))


def communities(name: Words, frame: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Outlines and names of communities; shapes light already."""

    def style(row: Row) -> Mapping[str, Any]:
        dashes = {"preparatory": "8 5"}.get(row.status) or {"derived": "2 4"}.get(row.boundary_source)
        return {"fill": False, "color": "#2b2f33", "weight": 2.2, "dashArray": dashes}

    fields: Fields = (
        (Words("社区", "Community"), lambda row: row.name),
        (Words("社区编码", "Community code"), lambda row: row.code),
        (_STATE, lambda row: words("community_status", row.status).html),
        (Words("界线", "Boundary"), lambda row: words("boundary_source", row.boundary_source).html),
    )

    def label(row: Row) -> Mapping[str, Any]:
        preparing = row.status == "preparatory"
        note = Markup("<i>{}</i>").format(words("community_status", row.status).html) if preparing else ""
        return {"html": Markup("<b>{}{}</b>").format(row.name, note), "className": "map-label"}

    labels = _features(label_points(frame), label, marker=_div_marker(interactive=False))
    return _group(name, _features(frame, style, fields), labels)


def sites(name: Words, frame: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Party-service sites (党群服务阵地)."""
    fields: Fields = (
        (_NAME, lambda row: row.name),
        (_STATE, lambda row: words("state", row.state).html),
        (_HOURS, lambda row: row.hours),
        (Words("地址", "Address"), lambda row: row.address),
        (Words("电话", "Phone"), lambda row: row.phone),
    )
    return _points(name, frame, lambda row: ("党", f"site {row.state}"), fields)


def facilities(name: Words, frame: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Chargers, AEDs and their like; hidden until asked for."""
    fields: Fields = (
        (_KIND, lambda row: words("facility", row.kind).html),
        (_NAME, lambda row: row.name),
        (_STATE, lambda row: words("state", row.state).html),
    )

    def mark(row: Row) -> tuple[str, str]:
        return sign("facility", row.kind), f"facility {row.state}"

    return _points(name, frame, mark, fields, show=False)


def riders(name: Words, areas: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Rider-friendly communities and their gates, docks and rest points."""
    area_fields: Fields = (
        (_NAME, lambda row: row.name),
        (Words("准入车辆", "Vehicles"), lambda row: row.vehicles),
        (Words("停放", "Parking"), lambda row: row.parking),
        (Words("充电", "Charging"), lambda row: row.charging),
        (Words("承诺", "Pledge"), lambda row: row.pledge),
    )
    point_fields: Fields = (
        (_KIND, lambda row: words("rider_point", row.kind).html),
        (_NAME, lambda row: row.name),
        (_HOURS, lambda row: row.hours),
        (Words("换乘单车", "Transfer bikes"), lambda row: count(row.bikes)),
    )
    outline = {
        "color": "#0b6e6e",
        "weight": 2.5,
        "dashArray": "1 5",
        "fillColor": "#0b6e6e",
        "fillOpacity": 0.12,
    }
    group = _points(name, points, lambda row: (sign("rider_point", row.kind), "rider"), point_fields)
    _features(areas[areas.geometry.notna()], lambda row: outline, area_fields).add_to(group)
    return group


def streets(name: Words, frame: gpd.GeoDataFrame, budget: int) -> folium.FeatureGroup:
    """Streets, joined by name."""
    light = light_lines(frame, budget, ["name", "kind"])
    fields: Fields = ((Words("道路", "Street"), lambda row: row.name),)
    style = {"color": "#6f757b", "weight": 1.6, "opacity": 0.6}
    return _group(name, _features(light, lambda row: style, fields))


def barriers(name: Words, frame: gpd.GeoDataFrame, budget: int) -> folium.FeatureGroup:
    """Barriers, which no grid may cross."""
    styles = {
        "river": {"color": "#4b86b4", "weight": 4},
        "railway": {"color": "#6b4fa0", "weight": 3, "dashArray": "7 5"},
        "trunk_road": {"color": "#8a6d3b", "weight": 4},
        "wall": {"color": "#6b6f74", "weight": 2, "dashArray": "2 3"},
    }

    fields: Fields = (
        (Words("屏障", "Barrier"), lambda row: words("barrier", row.kind).html),
        (_NAME, lambda row: row.name),
    )
    light = light_lines(frame, budget, ["name", "kind"])
    return _group(name, _features(light, lambda row: {"fillOpacity": 0.35, **styles[row.kind]}, fields))


def moves(name: Words, frame: gpd.GeoDataFrame) -> folium.FeatureGroup:
    """Land that changes its grid; the grids below keep their tooltips and so tell from where and to where."""
    style = {"color": "#111111", "weight": 2, "fillColor": "url(#moved)", "fillOpacity": 1}
    return _group(name, _features(frame, lambda row: style))


def count(value: object) -> int | None:
    """Return a count as stored in a frame; a missing one is None."""
    return None if pd.isna(value) else int(value)  # type: ignore[call-overload]


def code_of(row: Row) -> str:
    """Return what a grid is called by: its code, else the ledger's; a dash for one that has neither yet."""
    return next((each for each in (row.code, row.external_code) if isinstance(each, str)), _NONE)


def households_of(row: Row) -> int | None:
    """Return the households of a grid; None where they are withheld."""
    return public_count(count(row.households))


def deviation_text(households: int, target: int) -> str:
    """Return the deviation from the target in signed whole percent."""
    return f"{round(100 * (households - target) / target):+d}%".replace("-", "−")


def metres(value: object) -> str | None:
    """Return a distance in whole metres; a missing one is None."""
    known = count(value)
    return None if known is None else f"{known:,} m"


def _painted(
    name: Words, frame: gpd.GeoDataFrame, grade: Callable[[Row], Grade], fields: Fields
) -> folium.FeatureGroup:
    def style(row: Row) -> Mapping[str, Any]:
        shown = grade(row)
        heavy = 1.4 if shown.pattern else 0.8
        return {"fillColor": shown.paint, "fillOpacity": 1, "color": shown.ink or "#8a8f94", "weight": heavy}

    return _group(name, _features(frame, style, fields, highlight={"weight": 3.5, "color": "#111"}))


def _points(
    name: Words,
    frame: gpd.GeoDataFrame,
    mark: Callable[[Row], tuple[str, str]],
    fields: Fields,
    *,
    show: bool = True,
) -> folium.FeatureGroup:
    def style(row: Row) -> Mapping[str, Any]:
        character, classes = mark(row)
        return {"html": escape(character), "className": f"map-mark {classes}"}

    return _group(name, _features(light_points(frame), style, fields, marker=_div_marker()), show=show)


def _div_marker(*, interactive: bool = True) -> folium.Marker:
    icon = folium.DivIcon(icon_size=(18, 18), icon_anchor=(9, 9))
    return folium.Marker(icon=icon, interactive=interactive, keyboard=interactive)


def _group(name: Words, *parts: folium.GeoJson, show: bool = True) -> folium.FeatureGroup:
    group = folium.FeatureGroup(name=str(name.html), show=show)
    for part in parts:
        part.add_to(group)
    return group


def _features(
    frame: gpd.GeoDataFrame,
    style: Style,
    fields: Fields = (),
    *,
    marker: folium.Marker | None = None,
    highlight: Mapping[str, Any] | None = None,
    **options: str,
) -> folium.GeoJson:
    """Draw rows with a geometry; fields that no row has a value for are left out of the tooltip."""
    rows = list(frame.itertuples(index=False))
    values = {str(label.html): [_shown(value(row)) for row in rows] for label, value in fields}
    labels = [label for label, column in values.items() if set(column) - {_NONE}]
    names = [f"v{number}" for number in range(len(labels))]
    shapes = json.loads(frame.geometry.to_json())["features"]
    features = [
        {
            "type": "Feature",
            "id": str(number),
            "properties": {name: values[label][number] for name, label in zip(names, labels, strict=True)},
            "geometry": shape["geometry"],
        }
        for number, shape in enumerate(shapes)
    ]
    styles = {str(number): dict(style(row)) for number, row in enumerate(rows)}
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda feature: styles[feature["id"]],
        highlight_function=(lambda feature: dict(highlight)) if highlight else None,
        tooltip=folium.GeoJsonTooltip(names, labels, sticky=True, class_name="map-tip") if labels else None,
        marker=marker,
        smooth_factor=0.5,
        interactive=bool(labels),
        **options,
    )


def _shown(value: object) -> str:
    """Return a value as HTML: text is escaped, markup is not."""
    if not isinstance(value, str):
        return _NONE if pd.isna(value) else str(value)
    return str(escape(value)) or _NONE
