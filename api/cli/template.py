"""``gridgov template``: empty files of a ledger."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import out
from etl.ledger import write_templates


class Language(StrEnum):
    """Language of the headers."""

    en = "en"
    zh = "zh"


class Format(StrEnum):
    """Kind of file."""

    csv = "csv"
    xlsx = "xlsx"


app = typer.Typer(add_completion=False)


@app.command(epilog="Example: gridgov template ./ledger --language zh --format xlsx")
def template(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made when missing.")],
    language: Annotated[Language, typer.Option(help="Language of the headers.")] = Language.zh,
    format: Annotated[Format, typer.Option(help="Kind of file.")] = Format.csv,  # noqa: A002 - the option's name
) -> None:
    """Write the templates of a ledger, one file a kind of thing (生成台账模板)."""
    for path in write_templates(folder, language=language.value, format=format.value):
        out.print(str(path))
