"""The words a ledger may choose from, in English and Chinese, and the word each is stored as."""

from __future__ import annotations

STATES = {
    "planned": "planned",
    "规划": "planned",
    "building": "building",
    "在建": "building",
    "open": "open",
    "开放": "open",
    "运行": "open",
}
FACILITY_STATES = {**STATES, "out_of_order": "out_of_order", "故障": "out_of_order", "停用": "out_of_order"}
COMMUNITY_STATES = {
    "active": "active",
    "正式": "active",
    "preparatory": "preparatory",
    "筹备": "preparatory",
}
ROLES = {"primary": "primary", "主责": "primary", "deputy": "deputy", "协助": "deputy"}
CASE_STATES = {"open": "open", "待办": "open", "closed": "closed", "办结": "closed"}
RIDER_POINTS = {
    "gate": "gate",
    "门": "gate",
    "大门": "gate",
    "bike_dock": "bike_dock",
    "换乘单车": "bike_dock",
    "parking": "parking",
    "停车点": "parking",
    "charging": "charging",
    "充电点": "charging",
    "rest": "rest",
    "休息点": "rest",
}
BARRIERS = {
    "river": "river",
    "河流": "river",
    "railway": "railway",
    "铁路": "railway",
    "trunk_road": "trunk_road",
    "主干道": "trunk_road",
    "wall": "wall",
    "围墙": "wall",
}
GROUND = {
    "water": "water",
    "水面": "water",
    "stream": "stream",
    "沟渠": "stream",
    "rail": "rail",
    "轨道": "rail",
    "park": "park",
    "公园": "park",
    "grass": "grass",
    "草地": "grass",
    "wood": "wood",
    "林地": "wood",
}
