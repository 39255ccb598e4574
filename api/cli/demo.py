"""``gridgov demo``: a made-up district, governed and served."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from api.cli.accounts import print_passwords
from api.cli.console import JsonOption, opened, out, print_json, print_pairs, progress
from api.cli.serve import check_port, run
from data import districts, plans
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from etl.demo import AFTER, DISTRICT_CODE, DISTRICT_NAME, write_demo
from etl.establish import establish
from etl.ledger import import_ledger
from etl.plans import Figures, rebalance
from etl.proposing import Wish
from geo.progress import Progress

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples: gridgov demo   ·   GRIDGOV_PORT=8080 gridgov demo")
def demo(
    load_only: Annotated[
        bool, typer.Option("--load-only", help="Load the district and leave, without serving.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Load the demo district if it is not there yet, and serve it until Ctrl-C (演示区)."""
    settings = Settings(district=DISTRICT_CODE)
    if not load_only:
        check_port(settings)
    with opened(settings) as store:
        with progress() as listener:
            figures = load(store, settings, listener)
        passwords = staff(store)
        if json:
            print_json(figures | {"passwords": passwords})
        else:
            _print(figures, passwords)
        if not load_only:
            run(store, settings)


def load(store: Store, settings: Settings, listener: Progress) -> dict[str, Figures | None]:
    """Import the demo ledger, publish its grids as found, and let the balancer draft plan 2.

    Each step that a former run finished is left as it is, so that a run that was cut off is gone on with.

    Returns
    -------
    dict
        Figures of the plans made in this run: ``stated`` and ``proposed``.
    """
    with store.read(DISTRICT_CODE) as connection:
        known = districts.find(connection, DISTRICT_CODE)
        made = plans.every(connection, DISTRICT_CODE) if known else []
    if len(made) > 1:
        return {}
    with tempfile.TemporaryDirectory(prefix="gridgov-demo-") as folder:
        ledger = Path(folder) / "ledger"
        write_demo(ledger, progress=listener)
        import_ledger(store, SYSTEM, DISTRICT_CODE, ledger, name=DISTRICT_NAME, progress=listener)
        wish = Wish(target=settings.target, tolerance_percent=settings.tolerance_percent)
        done = establish(
            store,
            SYSTEM,
            DISTRICT_CODE,
            target=wish.target,
            tolerance_percent=wish.tolerance_percent,
            entrance_band=settings.entrance_band,
            progress=listener,
        )
        import_ledger(store, SYSTEM, DISTRICT_CODE, ledger / AFTER, progress=listener)
    proposed = rebalance(store, SYSTEM, DISTRICT_CODE, wish, progress=listener)
    return {"stated": done.draft.after if done.draft else proposed.before, "proposed": proposed.after}


def staff(store: Store) -> dict[str, str]:
    """Give every role an account of the demo district, named like the role, with a password of this start.

    Returns
    -------
    dict
        Password by name.

    Raises
    ------
    ForbiddenError
        If such a name belongs to an account of another district: that one is left alone.
    """
    keeper = replace(SYSTEM, scope=frozenset({DISTRICT_CODE}))
    passwords = {role: accounts.random_password() for role in accounts.ROLES}
    for role, password in passwords.items():
        accounts.put(store, keeper, role, password, roles=[role], scope=[DISTRICT_CODE])
    return passwords


def _print(figures: dict[str, Figures | None], passwords: dict[str, str]) -> None:
    if figures:
        print_pairs(f"{DISTRICT_NAME} ({DISTRICT_CODE}), made up · 纯属虚构", _told(figures))
        out.print("Plan 1, today's grids, is in force; plan 2 is the balancer's draft: gridgov plan show 2")
    out.print(
        "\nOne account a role; every start of the demo sets new passwords · 每个角色一个账号，每次启动更换密码"
    )
    print_passwords(passwords)


def _told(figures: dict[str, Figures | None]) -> dict[str, str]:
    names = {"stated": "Today · 现状", "proposed": "Proposed · 均衡后"}
    return {
        names[name]: f"{f.grids} grids · {f.in_band} within the band ({100 * f.share_in_band:.1f}%)"
        for name, f in figures.items()
        if f
    }
