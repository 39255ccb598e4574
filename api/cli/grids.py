"""``gridgov grid``: what a code names, and what a grid was through time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from rich.tree import Tree
from sqlalchemy import Connection

from api.cli.console import (
    DistrictOption,
    JsonOption,
    chosen,
    hint,
    opened,
    out,
    print_json,
    print_pairs,
    print_rows,
)
from data import codes, history
from data.history import History, Lineage
from data.settings import Settings
from geo.times import here

app = typer.Typer(no_args_is_help=True, add_completion=False)

STATUS = {
    "in_force": "in force · 生效",
    "retired": "retired · 已停用",
    "scheduled": "not in force yet · 待生效",
    "never_in_force": "never in force · 从未生效",
}
CodeArgument = Annotated[str, typer.Argument(help="A grid's code, ours (15 digits) or the ledger's.")]


@app.command(epilog="Examples: gridgov grid show 340504001007003   ·   gridgov grid show C07-G03 --json")
def show(code: CodeArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Tell what a code, in force or not, is now (网格编码现况)."""
    with _reading(district) as (connection, tenant):
        found = codes.resolve(connection, tenant, code)
    if json:
        print_json(found)
        return
    print_pairs(
        f"Grid {code} · 网格",
        {"Status · 状态": STATUS[found.status], "From · 自": found.since, "Until · 至": found.until},
    )
    if len(found.parts) > 1:
        print_rows(
            "Parts of the ledger's grid · 台账网格的组成",
            ("Code · 编码", "Share then · 当时占比", "Status · 状态", "Until · 至"),
            [(part.code, _percent(part.share or 0), STATUS[part.status], part.until) for part in found.parts],
        )
    print_rows(
        "Now · 现为",
        ("Code · 编码", "Share · 占比", "Community · 社区", "Households · 户数"),
        [(heir.code, _percent(heir.share), heir.community, heir.households) for heir in found.grids],
    )
    hint(f"gridgov grid history {code}")


@app.command(
    "history", epilog="Examples: gridgov grid history C07-G03   ·   gridgov grid history C07-G03 --mermaid"
)
def history_(
    code: CodeArgument,
    district: DistrictOption = None,
    depth: Annotated[
        int, typer.Option(min=1, max=history.MAX_DEPTH, help="Through how many changes, either way.")
    ] = 3,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print the graph for Mermaid.")] = False,
    json: JsonOption = False,
) -> None:
    """Tell when a grid held, what it came from and what became of it (网格沿革)."""
    with _reading(district) as (connection, tenant):
        told = history.histories(connection, tenant, code)
        graph = history.lineage(connection, tenant, code, depth)
    if json:
        print_json({"code": code, "grids": told, "lineage": graph})
    elif mermaid:
        out.print("\n".join(_mermaid(graph)), soft_wrap=True)
    else:
        for grid in told:
            _print_history(grid)
            _print_tree("Came from · 来自", graph, grid.code, onward=False)
            _print_tree("Became · 去向", graph, grid.code, onward=True)


@contextmanager
def _reading(named: str | None) -> Iterator[tuple[Connection, str]]:
    settings = Settings()
    with opened(settings) as store:
        district = chosen(store, settings, named).code
        with store.read(district) as connection:
            yield connection, district


def _print_history(grid: History) -> None:
    named = f"{grid.code} ({grid.external_code})" if grid.external_code else grid.code
    headers = ("From · 自", "Until · 至", "Began with · 始于方案", "Origin · 来源")
    rows = [(period.since, period.until, str(period.plan), period.origin) for period in grid.periods]
    print_rows(f"Grid {named}: {STATUS[grid.status]}", headers, rows)
    counts = [(str(count.plan), count.since, count.households) for count in grid.counts]
    print_rows("Households · 户数", ("Plan · 方案", "From · 自", "Households · 户数"), counts)


def _print_tree(title: str, graph: Lineage, code: str, *, onward: bool) -> None:
    tree = Tree(f"{title} {code}")
    _grow(tree, graph, code, None, onward=onward)
    if tree.children:
        out.print(tree)


def _grow(tree: Tree, graph: Lineage, code: str, reached: datetime | None, *, onward: bool) -> None:
    """Add what passed on from a grid after it was reached, or what came to it before."""
    for edge in graph.edges:
        near, far, share = (
            (edge.source, edge.target, edge.share_of_source)
            if onward
            else (edge.target, edge.source, edge.share_of_target)
        )
        if near == code and (reached is None or (edge.at > reached if onward else edge.at < reached)):
            told = f"{far}  {_percent(share)}  plan {edge.plan}, {here(edge.at):%Y-%m-%d %H:%M}"
            _grow(tree.add(told), graph, far, edge.at, onward=onward)


def _mermaid(graph: Lineage) -> Iterator[str]:
    """Write a lineage as a Mermaid flowchart; the grids in force have round corners."""
    yield "flowchart LR"
    for node in graph.nodes:
        yield f"    {node.code}([{node.code}])" if node.in_force else f"    {node.code}[{node.code}]"
    for edge in graph.edges:
        yield f'    {edge.source} -- "plan {edge.plan}, {_percent(edge.share_of_source)}" --> {edge.target}'


def _percent(share: float) -> str:
    return f"{share:.0%}"
