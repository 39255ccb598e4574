"""What the commands of ``gridgov locate`` ask: the locator of an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from api.cli.console import chosen, opened
from api.evidence import Slips
from api.located import locator_of
from data import keys
from data.settings import Settings
from geo.locate import Locator
from geo.times import here

AsOfOption = Annotated[
    datetime | None,
    typer.Option(help="The instant asked about, now by default; buildings and sites are today's."),
]


PlanOption = Annotated[
    int | None,
    typer.Option(
        min=1, help="Number of the plan asked, in place of the one in force; a draft answers as if it were."
    ),
]


@contextmanager
def located(named: str | None, as_of: datetime | None) -> Iterator[Locator]:
    """Read the plan of an instant; the one who runs the command line is staff and sees who is on duty."""
    with asked(named, as_of, None) as (locator, _):
        yield locator


@contextmanager
def asked(
    named: str | None, as_of: datetime | None, plan: int | None
) -> Iterator[tuple[Locator, Callable[[], Slips]]]:
    """As `located`, also by the plan's number; the function given with it reads what signs evidence slips."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, named).code

        def slips() -> Slips:
            with store.read() as connection:
                return Slips(keys.of_evidence(connection, settings))

        yield locator_of(store, settings, code, at=as_of and here(as_of), plan=plan, staff=True), slips
