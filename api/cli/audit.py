"""``gridgov audit``: who did what, and when."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from api.cli.console import DistrictOption, JsonOption, chosen, opened, print_json, print_rows
from data import audit as stored
from data.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(epilog='Examples: gridgov audit --subject "plan 3"   ·   gridgov audit --accounts --json')
def audit(
    district: DistrictOption = None,
    of_accounts: Annotated[
        bool,
        typer.Option("--accounts", help="Show acts on accounts, which belong to no district (账号操作)."),
    ] = False,
    subject: Annotated[str | None, typer.Option(help='Only acts on one thing, such as "plan 3".')] = None,
    before: Annotated[int | None, typer.Option(help="Only acts older than this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 50,
    json: JsonOption = False,
) -> None:
    """Show who did what to a district, the newest first (审计)."""
    settings = Settings()
    with opened(settings) as store:
        code = "" if of_accounts else chosen(store, settings, district).code
        with store.read(code) as connection:
            found = stored.entries(connection, code, subject=subject, before_id=before, limit=limit)
    if json:
        print_json(found)
        return
    rows = [
        (entry.id, entry.at, entry.actor, entry.action, entry.subject, _short(entry.after)) for entry in found
    ]
    headers = ("No. · 号", "When · 时间", "Who · 谁", "Act · 操作", "On · 对象", "After · 之后")
    print_rows("Audit · 审计", headers, rows)


def _short(value: object) -> str:
    return "" if value is None else orjson.dumps(value).decode()
