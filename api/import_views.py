"""What the pages of imports show: the lists of what an import changed, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data.changes import NOUNS as TABLES
from data.imports import Import
from data.jobs import Job
from etl.ledger.reasons import BY_NAME
from etl.ledger.spec import LEDGER
from maps.legend import Words

STATES = {
    "loaded": Words("已导入", "Loaded"),
    "refused": Words("被拒绝", "Refused"),
    "undone": Words("已撤销", "Undone"),
}
KINDS = {"ledger": Words("台账", "Ledger"), "osm": Words("开放街图", "OpenStreetMap")}

COUNTS = {
    "read": Words("读入", "Read"),
    "new": Words("新增", "New"),
    "changed": Words("变更", "Changed"),
    "back": Words("恢复", "Back"),
    "gone": Words("注销", "Gone"),
    "unchanged": Words("未变", "Unchanged"),
    "missing": Words("未提及", "Not named"),
    "refused": Words("拒绝", "Refused"),
}
"""Columns of the table of counts; see `etl.ledger.report.Count`."""

SYSTEMS = {
    "wgs84": "WGS 84",
    "cgcs2000": "CGCS2000",
    "gcj02": "GCJ-02（高德、腾讯 · Amap, Tencent）",
    "bd09": "BD-09（百度 · Baidu）",
    "EPSG:4548": "CGCS2000 / 3°, 117°E（EPSG:4548）",
    "EPSG:4549": "CGCS2000 / 3°, 120°E（EPSG:4549）",
}
"""Coordinate systems that the page offers; others are stated in ``ledger.toml``, or over HTTP."""

CHANGES = ("new", "changed", "back", "gone")
"""Of `COUNTS`, what makes a difference to what is stored."""

_CODE = ("code", Words("编码", "Code"))
_BEFORE, _AFTER = ("before", Words("原", "Before")), ("after", Words("现", "After"))
_STANDING = (_CODE, ("address", Words("地址", "Address")), ("households", Words("户数", "Households")))
_NAME = ("name", Words("名称", "Name"))

LISTS: dict[str, tuple[Words, tuple[tuple[str, Words], ...]]] = {
    "new": (Words("新增楼栋", "New buildings"), _STANDING),
    "gone": (Words("注销楼栋", "Buildings gone"), _STANDING),
    "back": (Words("恢复楼栋", "Buildings back"), _STANDING),
    "moved": (
        Words("移位", "Moved"),
        (("noun", Words("类别", "What")), _CODE, ("metres", Words("距离（米）", "Metres"))),
    ),
    "recounted": (
        Words("户数变化", "Recounted"),
        (_CODE, _BEFORE, _AFTER, ("households_on", Words("统计日期", "Counted on"))),
    ),
    "recoded": (Words("换了编码的楼栋", "Buildings recoded"), (_BEFORE, _AFTER)),
    "renamed": (Words("更名的小区", "Compounds renamed"), (_CODE, _BEFORE, _AFTER)),
    "split": (Words("拆分的小区", "Compounds split"), (_CODE, _NAME, ("into", Words("分入", "Into")))),
    "bounded": (
        Words("边界变化的社区", "Communities with another boundary"),
        (
            _CODE,
            _NAME,
            ("area_before_m2", Words("原面积（m²）", "Area before (m²)")),
            ("area_m2", Words("现面积（m²）", "Area (m²)")),
        ),
    ),
    "rehomed": (Words("换了社区的楼栋", "Buildings in another community"), (_CODE, _BEFORE, _AFTER)),
}
"""Lists of `data.differences.Differences`: what each is called, and its columns."""

_NOUNS = {noun.name: Words(noun.zh, noun.name.replace("_", " ").capitalize()) for noun in LEDGER.values()} | {
    "towns": Words("街道", "Towns")
}


@dataclass(frozen=True)
class Listed:
    """One list of an import; ``rows`` are cut, ``count`` is that of all."""

    words: Words
    columns: tuple[tuple[str, Words], ...]
    count: int
    rows: list[dict[str, Any]]


SHOWN = 100
"""Rows of a list that a page shows; the file to download has all."""


def noun(name: str) -> Words:
    """Return what a table is called."""
    return _NOUNS.get(name, Words(name, name))


def reason(name: str) -> Words:
    """Return why a row was refused."""
    found = BY_NAME[name]
    return Words(found.zh, found.en)


def totals(batch: Import) -> dict[str, int]:
    """Return what an import changed, over all tables."""
    counts = batch.report.get("counts", {}).values()
    return {kind: sum(of_noun.get(kind, 0) for of_noun in counts) for kind in (*CHANGES, "refused")}


def outcome(job: Job) -> Words | None:
    """Say what a job that imported files changed, or would change; None of other jobs."""
    result = job.result or {}
    if "counts" not in result:
        return None
    sums = {kind: sum(of_noun[kind] for of_noun in result["counts"].values()) for kind in CHANGES}
    zh, en = ("试运行：", "Dry run: ") if result["dry_run"] else ("", "")
    return Words(
        f"{result['source']} · {zh}"
        + "、".join(f"{COUNTS[kind].zh} {count}" for kind, count in sums.items()),
        f"{result['source']} · {en}"
        + ", ".join(f"{COUNTS[kind].en} {count}" for kind, count in sums.items()),
    )


def counts(batch: Import) -> list[tuple[str, dict[str, int]]]:
    """Return the counts of an import by table, those that others refer to first."""
    kept = batch.report.get("counts", {})
    return [(noun, kept[noun]) for noun in TABLES if noun in kept]


def lists(batch: Import) -> list[Listed]:
    """Return the lists of an import that are not empty."""
    kept = batch.report.get("differences", {})
    return [
        Listed(words, columns, kept[name]["count"], kept[name]["items"][:SHOWN])
        for name, (words, columns) in LISTS.items()
        if kept.get(name, {}).get("count")
    ]
