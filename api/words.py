"""What server-rendered pages say for stored values, in Chinese and English."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from data.audit import Entry
from data.plans import Plan
from geo import errors
from geo.balance import profiles
from geo.times import here
from maps.legend import Words

STATES = {
    "draft": Words("草案", "Draft"),
    "submitted": Words("待批准", "Submitted"),
    "approved": Words("已批准", "Approved"),
    "scheduled": Words("待生效", "Scheduled"),
    "published": Words("生效中", "In force"),
    "superseded": Words("已被取代", "Superseded"),
    "withdrawn": Words("已撤回", "Withdrawn"),
}
"""How a plan stands; ``scheduled`` is one that is published and has not taken effect."""

ORIGINS = {
    "imported": Words("台账现状", "As found"),
    "balanced": Words("均衡", "Balanced"),
    "edited": Words("手工调整", "Edited"),
    "rolled_back": Words("恢复", "Rolled back"),
}

JOB_STATES = {
    "todo": Words("排队中", "Waiting"),
    "doing": Words("进行中", "Running"),
    "succeeded": Words("已完成", "Done"),
    "failed": Words("失败", "Failed"),
    "cancelled": Words("已取消", "Cancelled"),
}

ALIAS_STATES = {
    "proposed": Words("待确认", "Proposed"),
    "in_force": Words("生效中", "In force"),
    "withdrawn": Words("已撤销", "Withdrawn"),
}
ALIAS_CHIPS = {"proposed": "submitted", "in_force": "published", "withdrawn": "withdrawn"}
"""The state of a plan that an alias in a state is coloured as."""
WITHDRAW_ALIAS = Words(
    "撤销这个别名？按它将不再找到地址。", "Withdraw this name? Nothing is found by it then."
)

FIGURES = {
    "grids": Words("网格", "Grids"),
    "in_band": Words("户数合适的网格", "Grids in band"),
    "near_target": Words("接近目标的网格（半容差内）", "Grids near the target (half the band)"),
    "in_band_expected": Words("按预计户数合适的网格", "Grids in band by households expected"),
    "households": Words("户数", "Households"),
    "worst_deviation_percent": Words("最大偏离（%）", "Farthest from the target (%)"),
    "disconnected": Words("不连通的网格", "Grids in pieces"),
    "split_compounds": Words("被拆分的小区", "Compounds split"),
    "broken_compounds": Words("拆分过多的小区", "Compounds in more grids than they need"),
    "mean_compactness": Words("紧凑度（圆为 1）", "Compactness (circle: 1)"),
}
"""Of `etl.plans.Figures`, those a page compares plans by."""

PROFILES = {
    name: Words(profile.chinese, profile.english[:1].upper() + profile.english[1:])
    for name, profile in profiles.PROFILES.items()
}
"""What is wanted most of a rebalance."""

PROFILE_NAMES = {
    name: Words(said.zh.partition("：")[0], said.en.partition(":")[0]) for name, said in PROFILES.items()
}
"""The same in a word or two, for lists to choose from."""

BALANCED = {
    0: Words("现有户数", "Households of today"),
    50: Words("现有与预计各半", "Half today's, half those expected"),
    100: Words("预计户数", "Households expected"),
}
"""What is balanced, by the percentage of households expected."""

DONE = {
    "open": Words("新方案已开好。", "The draft is open."),
    "rebalance": Words(
        "均衡任务已提交，完成后方案会出现在下面。", "The balancer is at work; its draft will appear below."
    ),
    "cancel": Words("已要求取消均衡任务。", "The balancer is asked to end."),
    "submit": Words("已提交审批，方案不再变动。", "Submitted; the plan is frozen."),
    "send_back": Words("已退回作者。", "Sent back to its author."),
    "approve": Words("已批准。", "Approved."),
    "publish": Words("已发布。", "Published."),
    "withdraw": Words("已撤回。", "Withdrawn."),
    "comment": Words("意见已记下。", "The comment is kept."),
    "rebase": Words("已更新到最新地块。", "Brought onto the newest cells."),
    "roll_back": Words(
        "恢复草案已开好，请检查后提交。", "A draft of the return is open; check and submit it."
    ),
    "send": Words("文件已收到，导入任务见下。", "The files are here; the job that imports them is below."),
    "propose": Words("别名已记下。", "The name is kept."),
    "confirm": Words("别名已生效。", "The name is in force."),
    "undo": Words("这批导入已撤销。", "The import is undone."),
}
"""What a page says after an act, by its verb."""

SHAPES = {
    "Point": Words("点", "points"),
    "LineString": Words("线", "lines"),
    "Polygon": Words("面", "areas"),
    "Geometry": Words("点、线或面", "points, lines or areas"),
}
CHOOSE = Words("请选择一个区", "Choose a district")

FAULTS: dict[type[Exception], Words] = {
    errors.StaleError: Words("数据已有变化，请重新打开后再试", "It was changed meanwhile"),
    errors.CheckError: Words("方案违反规则", "The plan breaks rules"),
    errors.ConflictError: Words("现在不能这样做", "This cannot be done now"),
    errors.ForbiddenError: Words("没有权限", "This is not allowed"),
    errors.NotFoundError: Words("没有找到", "Not found"),
    errors.InputError: Words("填写有误", "Something given is wrong"),
    errors.SetupError: Words("暂时无法服务，请稍后再试", "Not available now"),
    errors.GridgovError: Words("没有完成", "It was not done"),
}
"""What an error is headed by; the nearest class it descends from decides."""

_ACTS = {
    "plan.propose": Words(
        "均衡生成：{grids} 个网格，{in_band} 个达标，划转 {households_moved} 户",
        "balanced: {grids} grids, {in_band} in band, {households_moved} households moved",
    ),
    "plan.state": Words("按台账现状生成：{grids} 个网格", "drafted as the ledger states: {grids} grids"),
    "plan.open": Words("由方案 {from} 开出", "opened from plan {from}"),
    "plan.roll_back": Words("为恢复方案 {from} 开出", "opened to return to plan {from}"),
    "plan.move": Words(
        "划转 {cells} 个地块、{households} 户（第 {revision} 版）",
        "moved {cells} cells, {households} households (revision {revision})",
    ),
    "plan.undo": Words(
        "退回一步：{cells} 个地块、{households} 户（第 {revision} 版）",
        "took moves back: {cells} cells, {households} households (revision {revision})",
    ),
    "plan.lock": Words("锁定", "locked"),
    "plan.unlock": Words("解除锁定", "unlocked"),
    "plan.merge": Words(
        "并入方案 {onto}（第 {revision} 版）", "merged onto plan {onto} (revision {revision})"
    ),
    "plan.rebase": Words(
        "更新到地块集 {cell_set}（第 {revision} 版）",
        "brought onto cell set {cell_set} (revision {revision})",
    ),
    "plan.submit": Words("提交审批（第 {revision} 版）", "submitted (revision {revision})"),
    "plan.send_back": Words("退回", "sent back"),
    "plan.approve": Words("批准", "approved"),
    "plan.publish": Words(
        "发布，{effective} 起生效，新发编码 {codes_issued} 个",
        "published, effective {effective}; {codes_issued} codes issued",
    ),
    "plan.withdraw": Words("撤回", "withdrawn"),
    "plan.comment": Words("发表意见", "commented"),
    "plan.activate": Words(
        "生效：延续值守 {duties_carried} 人次，移交工单 {cases_moved} 件",
        "took effect: {duties_carried} duties carried over, {cases_moved} cases handed over",
    ),
}


_DETAILS = (
    (re.compile(r"(\d+) pieces"), "分成 {0} 片"),
    (re.compile(r"(\d+) households, ([+-]\d+%)"), "{0} 户，偏离 {1}"),
    (re.compile(r"(\d+) compounds that fit one grid lie in several"), "{0} 个小区本可归一个网格，被拆分"),
    (re.compile(r"nobody has primary duty"), "无人主责值守"),
)


class _Told(dict[str, Any]):
    """What an act put on record; what it did not is a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def state_of(plan: Plan) -> str:
    """Return the key of `STATES` for a plan."""
    return "scheduled" if plan.scheduled else plan.state


def act_of(entry: Entry) -> Words:
    """Say what an act on record did."""
    words = _ACTS.get(entry.action, Words(entry.action, entry.action))
    told = _Told(entry.after or {})
    if "effective" in told:
        told["effective"] = moment(told["effective"])
    return Words(words.zh.format_map(told), words.en.format_map(told))


def detail_of(detail: str) -> Words:
    """Say what `etl.checks` found wrong with a grid."""
    for pattern, zh in _DETAILS:
        if found := pattern.fullmatch(detail):
            return Words(zh.format(*found.groups()), detail)
    return Words(detail, detail)


def fault_of(error: Exception) -> Words:
    """Return what an error is headed by."""
    return next(FAULTS[ancestor] for ancestor in type(error).__mro__ if ancestor in FAULTS)


def moment(at: datetime | str) -> str:
    """Return an instant in the district's time, to the minute."""
    instant = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{here(instant):%Y-%m-%d %H:%M}"
