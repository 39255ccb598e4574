"""``gridgov alias``: names people use that the register lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from api.cli.console import (
    DistrictOption,
    JsonOption,
    chosen,
    hint,
    opened,
    out,
    print_json,
    print_rows,
)
from api.located import locator_of
from api.permissions import may
from data import aliases as stored
from data.aliases import STATES, Alias
from data.session import Store
from data.settings import Settings
from etl import aliases
from etl.actor import Actor, operator
from geo.address.corrections import unexplained
from geo.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)

NumberArgument = Annotated[int, typer.Argument(help="Number of the alias (别名号).", min=1)]

_STATES = {"proposed": "proposed · 待确认", "in_force": "in force · 生效", "withdrawn": "withdrawn · 已撤销"}


@app.command("list", epilog="Examples: gridgov alias list --state proposed   ·   gridgov alias list --json")
def list_(
    state: Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 100,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """List aliases, the newest first (别名列表)."""
    if state is not None and state not in STATES:
        raise InputError(f"No alias is ever {state}.", f"States: {', '.join(STATES)}.")
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            found = stored.every(connection, code, state=state, limit=limit)
    if json:
        print_json(found)
        return
    headers = (
        "No. · 号",
        "Name · 名称",
        "State · 状态",
        "Code · 编码",
        "Of · 对象",
        "Proposed · 提议",
        "Confirmed · 确认",
    )
    rows = [
        (
            each.number,
            each.words,
            _state(each),
            each.code,
            each.name,
            each.proposed_by,
            each.confirmed_by,
        )
        for each in found
    ]
    print_rows(f"Aliases of {code} · 别名", headers, rows)


@app.command(
    epilog="Examples: gridgov alias propose 老纺织厂宿舍 --compound X017   ·   "
    "gridgov alias propose --in 湖东路老邮局旁边 --building B00042"
)
def propose(
    words: Annotated[
        str | None, typer.Argument(help="The name; numbers and persons in it are left out.")
    ] = None,
    asked: Annotated[
        str | None,
        typer.Option("--in", help="Instead, an address with it; known names are left out too (按地址提取)."),
    ] = None,
    compound: Annotated[str | None, typer.Option(help="Compound, by the ledger's code.")] = None,
    building: Annotated[str | None, typer.Option(help="Building, by the ledger's code.")] = None,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Give a compound or building a name people use (提议别名)."""

    def name(store: Store, code: str) -> str:
        if words is not None and asked is None:
            return words
        if asked is not None and words is None:
            return unexplained(asked, locator_of(store, Settings(), code).book)
        raise InputError("A name is given alone or in an address.", "Give it, or --in ADDRESS.")

    _done(
        district,
        json,
        lambda store, actor, code: aliases.propose(
            store,
            actor,
            code,
            name(store, code),
            compound=compound,
            building=building,
            alone=may(actor, "alias.agree"),
        ),
    )


@app.command(epilog="Example: gridgov alias confirm 3")
def confirm(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Put a proposed name in force (确认别名)."""
    _done(
        district,
        json,
        lambda store, actor, code: aliases.confirm(
            store, actor, code, number, alone=may(actor, "alias.agree")
        ),
    )


@app.command(epilog="Example: gridgov alias withdraw 3")
def withdraw(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Take a name back (撤销别名)."""
    _done(district, json, lambda store, actor, code: aliases.withdraw(store, actor, code, number))


def _done(district: str | None, json: bool, act: Callable[[Store, Actor, str], Alias]) -> None:
    settings = Settings()
    with opened(settings) as store:
        done = act(store, operator(), chosen(store, settings, district).code)
    if json:
        print_json(done)
        return
    out.print(
        f"Alias {done.number}: {done.words} → {done.name} ({done.code}), {_state(done)}",
        style="bold",
        soft_wrap=True,
    )
    if done.state == "in_force":
        hint(f"gridgov alias withdraw {done.number} takes it back")


def _state(alias: Alias) -> str:
    return _STATES[alias.state] + (" (retired · 对象已注销)" if alias.quiet else "")
