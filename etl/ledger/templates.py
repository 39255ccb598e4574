"""Empty ledger files to fill in, each with an example row."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import openpyxl
from openpyxl.comments import Comment

from etl.ledger.columns import Column, Noun
from etl.ledger.document import column_table, kind_of
from etl.ledger.spec import LEDGER
from etl.ledger.statement import FILE

Language = Literal["en", "zh"]

_LINE = "LINESTRING (118.4570 31.6510, 118.4600 31.6510)"
_BOOK = {"en": "ledger.xlsx", "zh": "台账.xlsx"}
_README = {
    "en": (
        "# Ledger templates\n\n"
        "One table a noun; its second row is an example: write over it. Delete the tables you do not have, and\n"
        f"the columns you do not need. State the coordinate system of the positions in `{FILE}` or with `--crs`.\n"
        "Then: `gridgov import ledger FOLDER --district CODE:NAME --dry-run`.\n\n"
    ),
    "zh": (
        "# 台账模板\n\n"
        "每类对象一张表，第二行为示例，请覆盖填写。没有的表和用不到的列可以删除。\n"
        f"坐标系必须写明：写在 `{FILE}` 里，或用 `--crs` 指定。\n"
        "然后运行：`gridgov import ledger 文件夹 --district 代码:名称 --dry-run`。\n\n"
    ),
}
_STATEMENT = (
    "# What is said about this ledger beside its files. 台账说明。\n"
    '# crs = "wgs84"          # wgs84, cgcs2000, gcj02, bd09, EPSG:4548 ... 坐标系\n'
    '# source = "..."         # where it comes from 来源\n'
    '# licence = "..."        # 许可\n'
    '# attribution = "..."    # shown on every map made from it 署名\n'
    "# made_up = true         # the whole ledger is made up; pages say so 虚构数据\n"
    "# [mapping.buildings]    # column = header in your files 列名对照\n"
    '# households = "实有户数"\n'
)


def write_templates(
    folder: Path,
    *,
    language: Language = "en",
    format: Literal["csv", "xlsx"] = "csv",  # noqa: A002 - the option is called so
) -> list[Path]:
    """Write a table a noun with titles and an example row, a README and a ``ledger.toml`` to fill in.

    As CSV they are a file each, in UTF-8 with the byte order mark that Excel needs; as XLSX they are
    sheets of one workbook, whose titles carry comments. The examples refer to each other: the folder can
    be imported as it is, once a coordinate system is stated. What is there already is left alone.

    Returns
    -------
    list of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {_title(noun, language): _rows(noun, language) for noun in LEDGER.values()}
    texts = {
        "README.md": _README[language] + "\n".join(column_table(noun, language) for noun in LEDGER.values()),
        FILE: _STATEMENT,
    }
    written = []
    for name, content in texts.items():
        path = folder / name
        if not path.exists():
            path.write_text(content, encoding="utf-8")
            written.append(path)
    if format == "xlsx":
        return written + _write_book(folder / _BOOK[language], language)
    for title, rows in tables.items():
        path = folder / f"{title}.csv"
        if not path.exists():
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows(rows)
            written.append(path)
    return written


def _write_book(path: Path, language: Language) -> list[Path]:
    if path.exists():
        return []
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for noun in LEDGER.values():
        sheet = book.create_sheet(_title(noun, language))
        for row in _rows(noun, language):
            sheet.append(row)
        for place, column in enumerate(noun.all_columns, start=1):
            sheet.cell(1, place).comment = Comment(_comment(column, language), "gridgov")
        sheet.freeze_panes = "A2"
    book.save(path)
    return [path]


def _title(noun: Noun | Column, language: Language) -> str:
    return noun.zh if language == "zh" else noun.name


def _comment(column: Column, language: Language) -> str:
    return f"{column.meaning}\n{kind_of(column, language)}".strip()


def _rows(noun: Noun, language: Language) -> list[list[str]]:
    titles = [_title(column, language) for column in noun.all_columns]
    return [titles, [_example(noun, column) for column in noun.all_columns]]


def _example(noun: Noun, column: Column) -> str:
    if column.name == "wkt" and noun.shape_required and "line" in noun.shape:
        return _LINE
    return column.example
