"""``gridgov suggest``: what may be meant by the beginning of a name."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import DistrictOption, JsonOption, hint, print_json, print_rows
from api.cli.locators import located
from geo.address.directory import Kind
from geo.address.suggest import LIMIT
from geo.suggestions import suggested

app = typer.Typer(add_completion=False)

KINDS = {
    Kind.COMPOUND: "compound · 小区",
    Kind.ESTATE: "estate · 小区各期",
    Kind.BUILDING: "building · 楼栋",
    Kind.ROAD: "road · 道路",
    Kind.HOUSE: "house · 门牌",
    Kind.POI: "place · 地点",
    Kind.TOWN: "town · 街道/镇",
    Kind.COMMUNITY: "community · 社区",
}


@app.command(
    epilog="Examples: gridgov suggest 康宁三村1   ·   gridgov suggest hqdl   ·   gridgov suggest 'kangning 3'"
)
def suggest(
    text: Annotated[str, typer.Argument(help="What is typed so far: hanzi, pinyin or its initials.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = LIMIT,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Say what may be meant by the beginning of a name or address (输入提示)."""
    with located(district, None) as locator:
        found = suggested(locator, text, limit)
    if json:
        print_json(found)
    else:
        rows = [
            (
                each.suggestion.text,
                KINDS[each.suggestion.kind],
                " ".join(filter(None, (each.suggestion.town, each.suggestion.community))),
                each.grid and (each.grid.external_code or each.grid.code),
            )
            for each in found
        ]
        print_rows("", ("Text · 文本", "Kind · 类别", "In · 所在", "Grid · 网格"), rows)
    if not found:
        hint("Nothing in the register is like it. 登记中没有类似名称。")
        raise typer.Exit(1)
