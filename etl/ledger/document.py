"""The ledger's columns as tables to read: for docs/ledger.md and the README of templates.

``python -c "from etl.ledger import document; document.update('docs/ledger.md')"`` writes them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from etl.ledger.columns import Column, Noun
from etl.ledger.spec import LEDGER

BEGIN, END = "<!-- columns: made from etl/ledger/spec.py -->", "<!-- end of columns -->"

_KINDS = {
    "text": ("text", "文字"),
    "integer": ("whole number", "整数"),
    "number": ("number", "数字"),
    "date": ("date", "日期"),
    "list": ("list, by ; or 、", "列表，用；或、分隔"),
    "flag": ("yes or no", "是或否"),
    "choice": ("one of", "可选"),
}
_SHAPES = {"point": "点", "line": "线", "polygon": "面"}


def kind_of(column: Column, language: Literal["en", "zh"]) -> str:
    """Say what a cell of a column may hold."""
    kind = _KINDS[column.kind][language == "zh"]
    return f"{kind}: {', '.join(column.choices)}" if column.choices else kind


def column_table(noun: Noun, language: Literal["en", "zh"]) -> str:
    """Return a noun's columns as a Markdown section."""
    zh = language == "zh"
    titles = (
        ("列", "也可写作", "内容", "必填", "示例", "meaning")
        if zh
        else ("column", "also", "holds", "required", "example", "meaning")
    )
    rows = [titles, ("---",) * len(titles)]
    for column in noun.all_columns:
        names = [column.zh, column.name] if zh else [column.name, column.zh]
        also = ", ".join(f"`{name}`" for name in (names[1], *column.also))
        required = ("是" if zh else "yes") if column.required else ""
        rows.append(
            (f"`{names[0]}`", also, kind_of(column, language), required, column.example, column.meaning)
        )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    heading = f"### {noun.zh} `{noun.name}`" if zh else f"### `{noun.name}` {noun.zh}"
    return f"{heading}\n\n{_shape(noun, zh=zh)}{table}\n"


def _shape(noun: Noun, *, zh: bool) -> str:
    if not noun.shape:
        return ""
    if zh:
        return f"几何：{'或'.join(_SHAPES[s] for s in noun.shape)}{'，必填' if noun.shape_required else ''}。\n\n"
    required = "; required" if noun.shape_required else ""
    return f"Geometry: {' or '.join(noun.shape)}{required}.\n\n"


def insert_tables(page: str) -> str:
    """Return a page with the tables between its marks made anew."""
    before, rest = page.split(BEGIN)
    tables = "\n".join(column_table(noun, "en") for noun in LEDGER.values())
    return f"{before}{BEGIN}\n\n{tables}\n{END}{rest.split(END)[1]}"


def update(path: str) -> None:
    """Make the tables of a page anew."""
    page = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(insert_tables(page), encoding="utf-8")
