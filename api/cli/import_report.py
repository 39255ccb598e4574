"""What ``gridgov import`` prints: a batch, what it changed, what was refused, what was taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.cli.console import SHOWN, out, print_json, print_pairs, print_rows
from data.imports import Import
from etl.establish import Established
from etl.ledger import ImportReport
from etl.undo import UndoReport

_COUNTS = {
    "read": "Read · 读取",
    "new": "New · 新增",
    "changed": "Changed · 变更",
    "back": "Back · 恢复",
    "gone": "Gone · 停用",
    "unchanged": "Same · 相同",
    "refused": "Refused · 拒绝",
    "waiting": "Waiting · 待发布",
    "missing": "Missing · 缺少",
}


@dataclass(frozen=True)
class _List:
    """How a list of what changed is printed: title, headers, and a row of an item."""

    title: str
    headers: tuple[str, ...]
    row: Callable[[Mapping[str, Any]], Sequence[Any]]


def _standing(item: Mapping[str, Any]) -> Sequence[Any]:
    return item["code"], item["households"], item["address"]


def _renamed(item: Mapping[str, Any]) -> Sequence[Any]:
    return item["code"], item["before"], item["after"]


_BUILDING = ("Code · 编码", "Households · 户数", "Address · 地址")
_CHANGE = ("Code · 编码", "Before · 之前", "After · 之后")
_LISTS = {
    "new": _List("New buildings · 新增楼栋", _BUILDING, _standing),
    "gone": _List("Buildings gone · 停用楼栋", _BUILDING, _standing),
    "back": _List("Buildings back · 恢复楼栋", _BUILDING, _standing),
    "moved": _List(
        "Moved · 位置变更",
        ("Code · 编码", "", "Metres · 米"),
        lambda item: (item["code"], item["noun"], item["metres"]),
    ),
    "recounted": _List("Recounted · 户数变更", _CHANGE, _renamed),
    "recoded": _List("New codes · 编码变更", _CHANGE, _renamed),
    "renamed": _List("Compounds renamed · 小区更名", _CHANGE, _renamed),
    "split": _List(
        "Compounds split · 小区拆分",
        ("Code · 编码", "Name · 名称", "Into · 拆为"),
        lambda item: (
            item["code"],
            item["name"],
            ", ".join(f"{code}: {count}" for code, count in item["into"].items()),
        ),
    ),
    "bounded": _List(
        "Boundaries changed · 社区边界变更",
        ("Code · 编码", "Name · 名称", "m² before · 之前", "m² after · 之后"),
        lambda item: (item["code"], item["name"], item["area_before_m2"], item["area_m2"]),
    ),
    "rehomed": _List("Buildings in another community · 社区变更", _CHANGE, _renamed),
}


def print_report(report: ImportReport) -> None:
    """Print what an import did, or would do."""
    done = "Would import · 试运行" if report.dry_run else "Imported · 导入"
    number = "" if report.import_id is None else f" (import {report.import_id})"
    _print_kept(f"{done}: {report.source}{number}", report.summary())
    if report.nothing_to_do and not report.refusals:
        out.print("Nothing to do: the store holds all of this already. 无需更改。")
    notes = {
        "Buildings without a position · 无坐标楼栋": len(report.unplaced),
        "Provisional codes · 临时编码": len(report.provisional),
        "Derived boundaries · 推定边界": len(report.derived),
        "Shapes mended · 已修复图形": len(report.repaired),
    }
    print_pairs("", {name: count for name, count in notes.items() if count})
    for doubt in report.doubts:
        out.print(f"Doubtful · 存疑: {doubt}", style="bold")


def _print_kept(title: str, kept: Mapping[str, Any]) -> None:
    """Print counts and lists of a report as it is kept with its import."""
    counts: dict[str, dict[str, int]] = kept.get("counts", {})
    shown = [name for name in _COUNTS if name in ("read", "new") or any(c.get(name) for c in counts.values())]
    rows = [(noun, *(count.get(name, 0) for name in shown)) for noun, count in counts.items()]
    print_rows(title, ("", *(_COUNTS[name] for name in shown)), rows)
    changed = kept.get("differences", {})
    if not any(count.get("changed") or count.get("gone") or count.get("back") for count in counts.values()):
        return  # all of it is new
    for name, wanted in _LISTS.items():
        found = changed.get(name, {"count": 0})
        if found["count"]:
            print_rows(
                f"{wanted.title}: {found['count']:,}",
                wanted.headers,
                [wanted.row(item) for item in found["items"][:SHOWN]],
            )
    if changed.get("households"):
        out.print(f"Households · 户数: {changed['households']:+,}")


def print_refused(report: ImportReport, path: Path, json: bool) -> None:
    """Print the first refused rows and write all of them to a file."""
    if json:
        print_json({"import": report})
    elif report.refusals:
        rows = [
            (f"{r.file}:{r.line}", r.field, r.value, f"{r.reason.en} {r.reason.zh} {r.hint}".strip())
            for r in report.refusals[:SHOWN]
        ]
        headers = ("Where · 位置", "Field · 字段", "Value · 值", "Reason · 原因")
        print_rows("Refused rows · 被拒绝的行", headers, rows)
    if report.refusals:
        report.write_csv(path)
    if report.refusals and not json:
        more = f"{len(report.refusals) - SHOWN} more; " if len(report.refusals) > SHOWN else ""
        out.print(f"{more}all {len(report.refusals)} are in {path}")


def print_list(code: str, found: Sequence[Import]) -> None:
    """Print imports, the newest first."""
    rows = [
        (
            one.id,
            one.at,
            one.state,
            one.kind,
            one.source,
            one.actor,
            *(sum(c.get(name, 0) for c in one.report.get("counts", {}).values()) for name in _TOTALS),
        )
        for one in found
    ]
    headers = (
        "No. · 号",
        "At · 时间",
        "State · 状态",
        "Kind · 类型",
        "Source · 来源",
        "By · 操作人",
        *(_COUNTS[name] for name in _TOTALS),
    )
    print_rows(f"Imports of {code} · 导入批次", headers, rows)


_TOTALS = ("new", "changed", "gone")


def print_one(found: Import) -> None:
    """Print one import as it is on record."""
    pairs = {
        "State · 状态": found.state,
        "At · 时间": found.at,
        "By · 操作人": found.actor,
        "Licence · 许可": found.licence,
        "Undone at · 撤销时间": found.undone_at,
        "Undone by · 撤销人": found.undone_by,
        "Refused because · 拒绝原因": found.report.get("fault"),
    }
    print_pairs(f"Import {found.id}: {found.source}", {name: value for name, value in pairs.items() if value})
    _print_kept("", found.report)


def print_undone(report: UndoReport) -> None:
    """Print what was taken back."""
    rows = [(noun, done.restored, done.removed, done.left) for noun, done in report.nouns.items()]
    headers = ("", "Restored · 恢复", "Removed · 移除", "Changed since, left · 保留")
    print_rows(f"Import {report.import_id} undone · 已撤销: {report.source}", headers, rows)


def print_established(done: Established) -> None:
    """Print what followed an import: cells and the plan."""
    pairs = {"Cells · 地块": done.cells.cells, "Cell set · 地块集": done.cells.number}
    if done.draft and done.published:
        after = done.draft.after
        pairs |= {
            "Plan in force · 生效方案": done.published.number,
            "Grids · 网格": after.grids,
            "Within the band · 达标": after.in_band,
            "Grids in pieces · 不连通网格": after.disconnected,
            "Problems on record · 在案问题": len(done.published.problems),
        }
    print_pairs("District · 辖区", pairs)
    if done.draft is None:
        out.print("A plan was in force already and stays. Propose a new one with gridgov plan rebalance.")
