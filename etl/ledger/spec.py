"""What a ledger may hold: one table from noun to its columns, in English and Chinese.

Readers, checks, templates and docs/ledger.md are all made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a ledger file.

    Attributes
    ----------
    name, zh : str
        English and Chinese header.
    kind : str
        ``text``, ``integer`` (not negative), ``number``, ``date``, ``list`` (parts by ``;`` or ``；`` or
        ``、``), ``flag``, or ``choice``.
    meaning : str
        One line for templates and documentation.
    required : bool
        A row without it is refused.
    also : tuple of str
        Other headers it is known by.
    choices : dict
        Accepted words (English and Chinese) and the word stored.
    refers_to : str
        Noun whose ``code`` the value names.
    """

    name: str
    zh: str
    kind: str = "text"
    meaning: str = ""
    required: bool = False
    also: tuple[str, ...] = ()
    choices: dict[str, str] | None = None
    refers_to: str = ""


@dataclass(frozen=True)
class Noun:
    """One kind of file: ``communities.csv``, ``社区.xlsx``, ...

    ``shape`` is the geometry it may carry: ``point``, ``polygon``, ``line``, ``any`` or empty; point
    geometry may also come as the columns lon/lat (经度/纬度) or x/y.
    """

    name: str
    zh: str
    columns: tuple[Column, ...]
    shape: str = ""
    shape_required: bool = False


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

CODE = Column(
    "code",
    "编码",
    meaning="the ledger's own code, unique in the file",
    required=True,
    also=("id", "编号", "代码"),
)


def _code(*also: str) -> Column:
    return Column(CODE.name, CODE.zh, CODE.kind, CODE.meaning, CODE.required, (*also, *CODE.also))


COMMUNITY = Column(
    "community",
    "所属社区",
    meaning="code of the community",
    refers_to="communities",
    also=("community_id", "社区编码", "社区"),
)

LEDGER: dict[str, Noun] = {
    noun.name: noun
    for noun in (
        Noun(
            "communities",
            "社区",
            (
                _code("community_id", "社区编码"),
                Column("name", "名称", required=True, also=("社区名称",)),
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
                ),
                Column("town_code", "街道代码", meaning="9 digits"),
                Column(
                    "status",
                    "状态",
                    "choice",
                    "active or preparatory",
                    choices={
                        "active": "active",
                        "正式": "active",
                        "preparatory": "preparatory",
                        "筹备": "preparatory",
                    },
                ),
                Column("phone", "联系电话", meaning="the channel the public is given", also=("电话",)),
            ),
            shape="polygon",
        ),
        Noun(
            "compounds",
            "小区",
            (
                _code("compound_id", "小区编码"),
                Column("name", "名称", required=True, also=("小区名称",)),
                Column("aliases", "别名", "list"),
                Column("community", "所属社区", required=True, refers_to="communities", also=COMMUNITY.also),
                Column("road", "道路"),
                Column("road_number", "门牌号", also=("road_no",)),
                Column(
                    "phase_of",
                    "所属期",
                    meaning="code of the compound this is a phase of",
                    refers_to="compounds",
                ),
                Column("committee_since", "业委会成立日期", "date"),
            ),
            shape="polygon",
        ),
        Noun(
            "buildings",
            "楼栋",
            (
                _code("building_id", "楼栋编码"),
                Column("community", "所属社区", required=True, refers_to="communities", also=COMMUNITY.also),
                Column(
                    "compound", "所属小区", refers_to="compounds", also=("compound_id", "小区编码", "小区")
                ),
                Column("label", "楼号", meaning="number or name within its compound or road"),
                Column("word", "楼号后缀", meaning="幢, 栋, 号 ... appended to the number"),
                Column("road", "道路"),
                Column("road_number", "门牌号", also=("road_no",)),
                Column("poi", "场所名称", meaning="name of the place in it"),
                Column("kind", "类型"),
                Column("dwellings", "套数", "integer"),
                Column("households", "户数", "integer", "occupied households", required=True),
                Column("households_on", "户数日期", "date", "the day the count holds for"),
                Column("expected_households", "预计户数", "integer"),
                Column("expected_on", "预计日期", "date"),
                Column("entrances", "单元数", "integer", also=("units",)),
                Column("floors", "层数", "integer"),
                Column("address", "标准地址", also=("standard_address", "地址")),
                Column("aliases", "别名", "list"),
                Column(
                    "grid",
                    "所属网格",
                    meaning="the ledger's code of today's grid",
                    also=("grid_id", "网格编码", "网格"),
                ),
            ),
            shape="any",
        ),
        Noun(
            "workers",
            "网格员",
            (
                _code("worker_id", "工号"),
                Column("name", "姓名", required=True),
                Column("phone", "联系电话", also=("电话", "手机")),
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
                ),
                Column(
                    "grid",
                    "网格",
                    meaning="the ledger's code of the grid",
                    required=True,
                    also=("grid_id", "网格编码", "所属网格"),
                ),
                Column(
                    "role",
                    "职责",
                    "choice",
                    "primary or deputy",
                    choices={"primary": "primary", "主责": "primary", "deputy": "deputy", "协助": "deputy"},
                ),
                Column("from", "开始日期", "date", required=True),
                Column("until", "结束日期", "date", "the first day it no longer holds; open when empty"),
            ),
        ),
        Noun(
            "sites",
            "党群服务阵地",
            (
                _code("site_id"),
                Column("name", "名称", required=True),
                Column("kind", "类型"),
                Column("state", "状态", "choice", choices=STATES),
                Column("services", "服务事项", "list"),
                Column("hours", "开放时间"),
                Column("accessibility", "无障碍设施", "list"),
                Column("address", "地址"),
                Column("phone", "联系电话", also=("电话",)),
                COMMUNITY,
            ),
            shape="point",
            shape_required=True,
        ),
        Noun(
            "facilities",
            "设施",
            (
                _code("facility_id"),
                Column("kind", "类型", required=True),
                Column("name", "名称"),
                Column("state", "状态", "choice", choices=FACILITY_STATES),
                Column("keeper", "管理单位"),
                Column("checked_on", "检查日期", "date"),
                Column("restricted", "限制公开", "flag"),
            ),
            shape="point",
            shape_required=True,
        ),
        Noun(
            "rider_communities",
            "骑手友好社区",
            (
                _code("rider_community_id"),
                Column(
                    "compound",
                    "所属小区",
                    required=True,
                    refers_to="compounds",
                    also=("compound_id", "小区编码", "小区"),
                ),
                Column("vehicles", "准入车辆"),
                Column("parking", "停放"),
                Column("charging", "充电"),
                Column("pledge", "承诺"),
            ),
        ),
        Noun(
            "rider_points",
            "骑手点位",
            (
                _code("rider_point_id"),
                Column(
                    "rider_community",
                    "所属骑手友好社区",
                    required=True,
                    refers_to="rider_communities",
                    also=("rider_community_id",),
                ),
                Column(
                    "kind",
                    "类型",
                    "choice",
                    required=True,
                    choices={
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
                    },
                ),
                Column("name", "名称"),
                Column("hours", "开放时间"),
                Column("vehicles", "准入车辆"),
                Column("bikes", "单车数", "integer"),
            ),
            shape="point",
            shape_required=True,
        ),
        Noun(
            "streets",
            "道路",
            (_code("street_id"), Column("name", "名称"), Column("kind", "类型")),
            shape="line",
            shape_required=True,
        ),
        Noun(
            "barriers",
            "屏障",
            (
                _code("barrier_id"),
                Column("name", "名称"),
                Column(
                    "kind",
                    "类型",
                    "choice",
                    required=True,
                    choices={
                        "river": "river",
                        "河流": "river",
                        "railway": "railway",
                        "铁路": "railway",
                        "trunk_road": "trunk_road",
                        "主干道": "trunk_road",
                        "wall": "wall",
                        "围墙": "wall",
                    },
                ),
            ),
            shape="any",
            shape_required=True,
        ),
        Noun(
            "cases",
            "工单",
            (
                _code("number", "工单号"),
                Column("category", "类别", required=True),
                Column(
                    "state",
                    "状态",
                    "choice",
                    choices={"open": "open", "待办": "open", "closed": "closed", "办结": "closed"},
                ),
                Column(
                    "grid",
                    "网格",
                    meaning="the ledger's code of the grid that handles it",
                    also=("grid_id", "所属网格"),
                ),
                Column("department", "部门", meaning="name of the department it was whistled up to"),
                Column("opened_on", "受理日期", "date", required=True),
                Column("closed_on", "办结日期", "date"),
            ),
            shape="point",
            shape_required=True,
        ),
    )
}
"""Every noun a ledger folder may hold, in the order in which it is loaded."""
