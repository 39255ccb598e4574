"""The map layers there are: one row a view of schema ``layers``, from which all that is served of it follows.

Pages of features, queryables, sort keys, tiles, exports and styles are made from these rows alone. What is not
named here is shown to nobody: a column added to a view stays hidden until it is listed, and a layer is added by a
view with the columns ``district``, its key and ``shape``, and a row.
"""

from __future__ import annotations

from collections.abc import Collection

from data.layer import PUBLIC, Field, Layer, Style
from geo.errors import NotFoundError

_CODE = Field("code", "编码", "Code")
_EXTERNAL = Field("external_code", "台账编码", "Ledger's code")
_PROVISIONAL = Field("provisional", "临时编码", "Code is provisional", "flag")
_NAME = Field("name", "名称", "Name")
_KIND = Field("kind", "类型", "Kind")
_STATE = Field("state", "状态", "State")
_HOURS = Field("hours", "开放时间", "Hours")
_ADDRESS = Field("address", "地址", "Address")
_PHONE = Field("phone", "电话", "Phone")
_ROAD = Field("road", "道路", "Street")
_ROAD_NUMBER = Field("road_number", "门牌号", "Number on the street")
_HOUSEHOLDS = Field("households", "户数", "Households; below 10 withheld", "integer")
_BUILDINGS = Field("buildings", "楼栋数", "Buildings", "integer")
_VEHICLES = Field("vehicles", "准入车辆", "Vehicles")

_ROWS = (
    Layer(
        "grids",
        "网格",
        "Grids",
        "一个方案的网格，默认为现行方案；户数不足 10 的，以及由此可推算出的，不公开。",
        "Grids of a plan, of the one in force by default; counts of households below 10, and what would tell them,"
        " are withheld.",
        "Polygon",
        (
            _CODE,
            _EXTERNAL,
            _PROVISIONAL,
            _KIND,
            Field("community_code", "社区编码", "Community's code"),
            Field("community", "社区", "Community"),
            Field("plan", "方案", "Plan", "integer"),
            Field("valid_from", "生效时间", "In force from", "instant"),
            Field("valid_to", "失效时间", "In force until", "instant"),
            Field("target", "目标户数", "Households aimed at", "integer"),
            _HOUSEHOLDS,
            _BUILDINGS,
            Field("area_m2", "面积（平方米）", "Area, square metres", "number"),
            Field("perimeter_m", "周长（米）", "Perimeter, metres", "number"),
        ),
        Style("#70767c", 0.9, "#77AADD", 0.45),
        frozenset({"grids", "plans", "communities"}),
        zooms=(8, 16),
        key="code",
        key_kind="text",
        dated=True,
        present=True,
        drawn=True,
        label="code",
    ),
    Layer(
        "communities",
        "社区",
        "Communities",
        "社区及其界线；户数不足 10 的不公开。",
        "Communities and their boundaries; counts of households below 10 are withheld.",
        "Polygon",
        (
            _CODE,
            _EXTERNAL,
            _PROVISIONAL,
            _NAME,
            Field("status", "状态", "Status"),
            Field("boundary_source", "界线来源", "Source of the boundary"),
            Field("town", "街道/镇", "Town"),
            _PHONE,
            _BUILDINGS,
            _HOUSEHOLDS,
        ),
        Style("#2b2f33", 2.2),
        frozenset({"communities", "grids", "buildings"}),
        zooms=(8, 16),
        key="code",
        key_kind="text",
    ),
    Layer(
        "compounds",
        "小区",
        "Compounds",
        "小区及其别名；没有界线的不在图上。",
        "Walled estates and what else they are called; those without a boundary are not drawn.",
        "Polygon",
        (
            _EXTERNAL,
            _NAME,
            Field("aliases", "别名", "Aliases", "texts"),
            _ROAD,
            _ROAD_NUMBER,
            Field("committee_since", "业委会成立日期", "Owners' committee since", "date"),
        ),
        Style("#8d7b5a", 1.2, dashes=(4, 3)),
        frozenset({"compounds"}),
        zooms=(12, 16),
        stored=True,
    ),
    Layer(
        "buildings",
        "楼栋",
        "Buildings",
        "楼栋轮廓或位置；户数只给有权查看方案的人员。",
        "Footprints of buildings, or where they stand; their households are for those who may read plans.",
        "Geometry",
        (
            _EXTERNAL,
            Field("label", "楼号", "Label"),
            _ADDRESS,
            _ROAD,
            _ROAD_NUMBER,
            Field("poi", "地点名", "Known as"),
            _KIND,
            Field("floors", "层数", "Floors", "integer"),
            Field("entrances", "单元数", "Entrances", "integer"),
            Field("households_source", "户数来源", "Source of its households"),
            Field("households_on", "户数日期", "Date of its households", "date"),
            Field("households", "户数", "Households", "integer", action="plan.read"),
        ),
        Style("#8a8f94", 0.6, "#c9c4b8"),
        frozenset({"buildings"}),
        zooms=(14, 17),
        label="label",
        stored=True,
    ),
    Layer(
        "sites",
        "党群服务阵地",
        "Party-service sites",
        "党群服务阵地及其服务、开放时间。",
        "Party-service sites, what they offer and when.",
        "Point",
        (
            _EXTERNAL,
            _NAME,
            _KIND,
            _STATE,
            Field("services", "服务项目", "Services", "texts"),
            _HOURS,
            Field("accessibility", "无障碍设施", "Accessibility", "texts"),
            _ADDRESS,
            _PHONE,
        ),
        Style("#ffffff", 1.0, "#b3261e", radius=6.0),
        frozenset({"sites"}),
        zooms=(10, 16),
    ),
    Layer(
        "facilities",
        "设施",
        "Facilities",
        "充电桩、换电柜、微型消防站等公开设施。",
        "Chargers, battery swaps, micro fire stations and their like; none that is restricted.",
        "Point",
        (
            _EXTERNAL,
            _KIND,
            _NAME,
            _STATE,
            Field("keeper", "管理单位", "Keeper"),
            Field("checked_on", "检查日期", "Checked on", "date"),
        ),
        Style("#ffffff", 1.0, "#3b6ea5"),
        frozenset({"facilities"}),
        zooms=(12, 16),
    ),
    Layer(
        "rider_communities",
        "骑手友好社区",
        "Rider-friendly communities",
        "小区对骑手的准入、停放、充电等约定。",
        "What compounds agree with riders: vehicles, parking, charging.",
        "Geometry",
        (
            _EXTERNAL,
            _NAME,
            _VEHICLES,
            Field("parking", "停放", "Parking"),
            Field("charging", "充电", "Charging"),
            Field("pledge", "承诺", "Pledge"),
        ),
        Style("#0b6e6e", 2.5, "#0b6e6e", 0.12, dashes=(1, 5)),
        frozenset({"rider_communities", "compounds", "buildings"}),
        zooms=(11, 16),
    ),
    Layer(
        "rider_points",
        "骑手点位",
        "Gates, docks and rest points for riders",
        "小区大门、换乘单车、停车、充电与休息点。",
        "Gates of compounds, docks of transfer bikes, places to park, charge and rest.",
        "Point",
        (
            _EXTERNAL,
            Field("rider_community_id", "骑手友好社区", "Rider community", "integer"),
            _KIND,
            _NAME,
            _HOURS,
            _VEHICLES,
            Field("bikes", "换乘单车数", "Transfer bikes", "integer"),
        ),
        Style("#ffffff", 1.0, "#0b6e6e"),
        frozenset({"rider_points"}),
        zooms=(13, 17),
    ),
    Layer(
        "streets",
        "道路",
        "Streets",
        "道路及其名称。",
        "Streets and their names.",
        "LineString",
        (_EXTERNAL, _NAME, _KIND),
        Style("#6f757b", 1.6, opacity=0.6),
        frozenset({"streets"}),
        zooms=(10, 16),
        stored=True,
    ),
    Layer(
        "barriers",
        "屏障",
        "Barriers no grid crosses",
        "网格不得跨越的河流、铁路、快速路与围墙。",
        "Rivers, railways, trunk roads and walls that no grid crosses.",
        "Geometry",
        (_EXTERNAL, _NAME, _KIND),
        Style(
            "#6b6f74",
            3.0,
            by="kind",
            colours={"river": "#4b86b4", "railway": "#6b4fa0", "trunk_road": "#8a6d3b", "wall": "#6b6f74"},
        ),
        frozenset({"barriers"}),
        zooms=(8, 16),
        stored=True,
    ),
    Layer(
        "water",
        "水系",
        "Water",
        "江河、湖塘与沟渠。",
        "Rivers, lakes and ponds, streams and ditches.",
        "Geometry",
        (_EXTERNAL, _NAME, _KIND),
        Style("#a9c6dc", 1.5, "#c3d9e8"),
        frozenset({"ground", "barriers"}),
        zooms=(8, 16),
        key_kind="text",
        stored=True,
    ),
    Layer(
        "rail",
        "轨道",
        "Rail",
        "铁路与地面上的其他轨道。",
        "Railways and other tracks above ground.",
        "Geometry",
        (_EXTERNAL, _NAME, _KIND),
        Style("#8f959b", 1.6, dashes=(8, 6)),
        frozenset({"ground", "barriers"}),
        zooms=(8, 16),
        key_kind="text",
        stored=True,
    ),
    Layer(
        "green",
        "绿地",
        "Green land",
        "公园、草地与林地。",
        "Parks, grass and woods.",
        "Polygon",
        (_EXTERNAL, _NAME, _KIND),
        Style("#c2d8b4", 0.5, "#dbe8d2"),
        frozenset({"ground"}),
        zooms=(10, 16),
        key_kind="text",
        stored=True,
    ),
    Layer(
        "labels",
        "地名",
        "Names of places",
        "小区名称，以及大门等骑手点位的名称，供底图标注。",
        "Names of compounds, of gates and other points for riders, as a base map writes them.",
        "Point",
        (_NAME, _KIND),
        Style("#3c4247", radius=2.0),
        frozenset({"compounds", "buildings", "rider_points"}),
        zooms=(13, 17),
        key_kind="text",
    ),
    Layer(
        "cases",
        "工单",
        "Cases",
        "工单的位置、类别与承办方，不含来访人信息。",
        "Cases: where, of what kind, and who has them in hand; never who reported them.",
        "Point",
        (
            Field("number", "编号", "Number"),
            Field("category", "类别", "Category"),
            _STATE,
            Field("grid", "承办网格", "Grid that has it"),
            Field("department", "承办部门", "Department that has it"),
            Field("opened_at", "受理时间", "Opened", "instant"),
            Field("closed_at", "办结时间", "Closed", "instant"),
        ),
        Style("#ffffff", 1.0, "#5b4b8a", radius=6.0),
        frozenset({"cases", "grids"}),
        zooms=(10, 17),
        action="case.read",
        dated=True,
        label="number",
    ),
)

LAYERS: dict[str, Layer] = {layer.name: layer for layer in _ROWS}
"""The layers by name, in the order they are listed."""


def get(name: str, actions: Collection[str] = (PUBLIC,)) -> Layer:
    """Return a layer by name, as whoever may do these actions knows it; by default as everybody does.

    Raises
    ------
    NotFoundError
        If there is no such layer, or none for whoever asks.
    """
    found = LAYERS.get(name)
    if found is None or found.action not in actions:
        raise NotFoundError("There is no such layer.", f"Layers: {', '.join(known(actions))}.")
    return found


def known(actions: Collection[str] = (PUBLIC,)) -> dict[str, Layer]:
    """Return the layers whoever may do these actions knows, by name."""
    return {name: layer for name, layer in LAYERS.items() if layer.action in actions}
