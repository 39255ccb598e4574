"""What a ledger may hold: one table from noun to its columns, in English and Chinese.

Readers, checks, templates and docs/ledger.md are all made from this table.
"""

from __future__ import annotations

from dataclasses import replace

from etl.ledger.columns import Column, Noun
from etl.ledger.words import (
    BARRIERS,
    CASE_STATES,
    COMMUNITY_STATES,
    FACILITY_STATES,
    GROUND,
    RIDER_POINTS,
    ROLES,
    STATES,
)

COMMUNITY = Column(
    "community",
    "所属社区",
    meaning="code of its community; without it, found by its compound or by its place",
    refers_to="communities",
    also=("community_id", "社区编码", "社区"),
    example="C01",
)
COMPOUND = Column(
    "compound",
    "所属小区",
    meaning="code of its compound",
    refers_to="compounds",
    also=("compound_id", "小区编码", "小区"),
    example="X001",
)
ALIASES = Column("aliases", "别名", "list", "other names people use", example="老康宁村；康宁大院")
ROAD = Column("road", "道路", meaning="name of the road it is numbered on", example="湖东路")
ROAD_NUMBER = Column("road_number", "门牌号", meaning="number on that road", also=("road_no",), example="166")
NAME = Column("name", "名称", meaning="what it is called")
KIND = Column("kind", "类型", meaning="what it is, in the ledger's own words")
HOURS = Column("hours", "开放时间", meaning="when it is open", example="周一至周五 8:30-17:30")
PHONE = Column("phone", "联系电话", also=("电话", "手机"), meaning="telephone", example="0555-0000000")
GRID = Column(
    "grid",
    "所属网格",
    meaning="the ledger's code of today's grid",
    also=("grid_id", "网格编码", "网格"),
    example="C01-G01",
)


def _code(example: str, *also: str) -> Column:
    return Column(
        "code",
        "编码",
        meaning="the ledger's own code, unique in the file",
        required=True,
        also=(*also, "id", "编号", "代码"),
        example=example,
    )


LEDGER: dict[str, Noun] = {
    noun.name: noun
    for noun in (
        Noun(
            "communities",
            "社区",
            (
                _code("C01", "community_id", "社区编码"),
                replace(NAME, required=True, also=("社区名称",), example="康宁社区"),
                Column(
                    "official_code",
                    "区划代码",
                    meaning="12 digits; without it a provisional code is given",
                    also=("行政区划代码",),
                ),
                Column(
                    "town",
                    "所属街道",
                    meaning="name of the street office or town",
                    also=("街道", "镇", "town_name"),
                    example="望江街道",
                ),
                Column("town_code", "街道代码", meaning="9 digits; without it a provisional code is given"),
                Column(
                    "status",
                    "状态",
                    "choice",
                    "active or preparatory",
                    choices=COMMUNITY_STATES,
                    default="active",
                    example="正式",
                ),
                replace(PHONE, meaning="the channel the public is given"),
            ),
            shape=("polygon",),
        ),
        Noun(
            "compounds",
            "小区",
            (
                _code("X001", "compound_id", "小区编码"),
                replace(NAME, required=True, also=("小区名称",), example="康宁三村"),
                ALIASES,
                COMMUNITY,
                ROAD,
                ROAD_NUMBER,
                Column(
                    "phase_of",
                    "所属期",
                    meaning="the estate it is a phase of: the name all phases share, or a compound's code",
                    also=("所属楼盘",),
                ),
                Column(
                    "committee_since",
                    "业委会成立日期",
                    "date",
                    "since when it has an owners' committee",
                    example="2021-06-30",
                ),
            ),
            shape=("polygon",),
        ),
        Noun(
            "buildings",
            "楼栋",
            (
                _code("B00001", "building_id", "楼栋编码"),
                COMMUNITY,
                COMPOUND,
                Column("label", "楼号", meaning="number or name within its compound or road", example="3"),
                Column(
                    "word", "楼号后缀", meaning="幢, 栋, 号 ... appended to the label", example="幢", most=20
                ),
                ROAD,
                ROAD_NUMBER,
                Column("poi", "场所名称", meaning="name of the place in it"),
                replace(KIND, example="住宅"),
                Column("dwellings", "套数", "integer", "dwellings, occupied or not", example="52"),
                Column("households", "户数", "integer", "occupied households", required=True, example="49"),
                Column(
                    "households_on",
                    "户数日期",
                    "date",
                    "the day the count holds for",
                    example="2025-01-31",
                ),
                Column("expected_households", "预计户数", "integer", "households expected at a later date"),
                Column("expected_on", "预计日期", "date", "that date"),
                Column(
                    "entrances",
                    "单元数",
                    "integer",
                    "entrances (单元)",
                    also=("units",),
                    default=1,
                    least=1,
                    most=1000,
                    example="2",
                ),
                Column("floors", "层数", "integer", "floors above ground", most=1000, example="6"),
                Column(
                    "address",
                    "标准地址",
                    meaning="standard address; composed when missing",
                    also=("standard_address", "地址"),
                ),
                ALIASES,
                GRID,
            ),
            shape=("point", "polygon"),
        ),
        Noun(
            "workers",
            "网格员",
            (
                _code("W001", "worker_id", "工号"),
                Column(
                    "name", "姓名", required=True, meaning="name of the member of staff", example="张示例"
                ),
                replace(PHONE, meaning="telephone of the duty"),
            ),
        ),
        Noun(
            "duties",
            "值守",
            (
                Column(
                    "worker",
                    "网格员",
                    meaning="code of the worker",
                    required=True,
                    refers_to="workers",
                    also=("worker_id", "工号"),
                    example="W001",
                ),
                replace(GRID, zh="网格", also=("grid_id", "网格编码", "所属网格"), required=True),
                Column(
                    "role",
                    "职责",
                    "choice",
                    "primary or deputy",
                    choices=ROLES,
                    default="primary",
                    example="主责",
                ),
                Column(
                    "from", "开始日期", "date", "the first day it holds", required=True, example="2025-01-01"
                ),
                Column("until", "结束日期", "date", "the first day it no longer holds; open when empty"),
            ),
        ),
        Noun(
            "sites",
            "党群服务阵地",
            (
                _code("S01", "site_id"),
                replace(NAME, required=True, example="康宁社区党群服务中心"),
                replace(KIND, example="社区党群服务中心"),
                Column(
                    "state", "状态", "choice", "how far it is", choices=STATES, default="open", example="开放"
                ),
                Column("services", "服务事项", "list", "what it offers", example="政务代办；骑手驿站"),
                HOURS,
                Column("accessibility", "无障碍设施", "list", "ramps, lifts, ...", example="坡道"),
                Column("address", "地址", meaning="where it is"),
                PHONE,
                replace(COMMUNITY, meaning="code of its community"),
            ),
            shape=("point",),
            shape_required=True,
        ),
        Noun(
            "facilities",
            "设施",
            (
                _code("F001", "facility_id"),
                replace(KIND, required=True, example="充电桩"),
                NAME,
                Column(
                    "state",
                    "状态",
                    "choice",
                    "how far it is",
                    choices=FACILITY_STATES,
                    default="open",
                    example="运行",
                ),
                Column("keeper", "管理单位", meaning="the unit that keeps it", example="康宁物业"),
                Column(
                    "checked_on", "检查日期", "date", "when it was last seen to work", example="2025-01-31"
                ),
                Column(
                    "restricted", "限制公开", "flag", "never on a public layer", default=False, example="否"
                ),
            ),
            shape=("point",),
            shape_required=True,
        ),
        Noun(
            "rider_communities",
            "骑手友好社区",
            (
                _code("R01", "rider_community_id"),
                replace(COMPOUND, required=True),
                Column("vehicles", "准入车辆", meaning="what may ride in", example="电动自行车"),
                Column("parking", "停放", meaning="where riders park", example="东门外停车区"),
                Column("charging", "充电", meaning="where riders charge", example="北门换电柜"),
                Column("pledge", "承诺", meaning="what riders promise", most=2000, example="慢行礼让"),
            ),
        ),
        Noun(
            "rider_points",
            "骑手点位",
            (
                _code("R01-1", "rider_point_id"),
                Column(
                    "rider_community",
                    "所属骑手友好社区",
                    required=True,
                    meaning="code of the rider community",
                    refers_to="rider_communities",
                    also=("rider_community_id",),
                    example="R01",
                ),
                Column(
                    "kind",
                    "类型",
                    "choice",
                    "what is there",
                    required=True,
                    choices=RIDER_POINTS,
                    example="大门",
                ),
                NAME,
                HOURS,
                Column("vehicles", "准入车辆", meaning="what may pass a gate"),
                Column("bikes", "单车数", "integer", "transfer bikes at a dock"),
            ),
            shape=("point",),
            shape_required=True,
        ),
        Noun(
            "streets",
            "道路",
            (_code("L001", "street_id"), replace(NAME, example="湖东路"), KIND),
            shape=("line",),
            shape_required=True,
        ),
        Noun(
            "barriers",
            "屏障",
            (
                _code("Z001", "barrier_id"),
                NAME,
                Column(
                    "kind",
                    "类型",
                    "choice",
                    "what it is",
                    required=True,
                    choices=BARRIERS,
                    example="河流",
                ),
            ),
            shape=("line", "polygon"),
            shape_required=True,
        ),
        Noun(
            "ground",
            "底图地物",
            (
                _code("D001", "ground_id"),
                replace(NAME, example="湖东公园"),
                Column(
                    "kind",
                    "类型",
                    "choice",
                    "what it is; rivers and railways that no grid crosses are barriers",
                    required=True,
                    choices=GROUND,
                    example="公园",
                ),
            ),
            shape=("line", "polygon"),
            shape_required=True,
        ),
        Noun(
            "cases",
            "工单",
            (
                _code("20250131-001", "number", "工单号"),
                Column("category", "类别", meaning="what it is about", required=True, example="环境卫生"),
                Column(
                    "state",
                    "状态",
                    "choice",
                    "open or closed",
                    choices=CASE_STATES,
                    default="open",
                    example="待办",
                ),
                replace(
                    GRID,
                    zh="网格",
                    meaning="the ledger's code of the grid that handles it (自办)",
                    also=("grid_id", "网格编码", "所属网格"),
                ),
                Column(
                    "department",
                    "部门",
                    meaning="instead: name of the department it was whistled up to (吹哨)",
                ),
                Column(
                    "opened_on", "受理日期", "date", "when it came in", required=True, example="2025-01-31"
                ),
                Column("closed_on", "办结日期", "date", "when it was done"),
            ),
            shape=("point",),
            shape_required=True,
        ),
    )
}
"""Every noun a ledger folder may hold, in the order in which it is loaded."""
