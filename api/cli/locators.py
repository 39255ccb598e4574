"""What the commands of ``gridgov locate`` ask: the locator of an instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from api.cli.console import chosen, opened
from data import locate as stored
from data.settings import Settings
from geo.errors import NotFoundError
from geo.locate import Locator
from geo.times import here

AsOfOption = Annotated[
    datetime | None,
    typer.Option(help="The instant asked about, now by default; buildings and sites are today's."),
]


@contextmanager
def located(named: str | None, as_of: datetime | None) -> Iterator[Locator]:
    """Read the plan of an instant; the one who runs the command line is staff and sees who is on duty."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, named).code
        with store.read(code) as connection:
            edition = stored.edition(connection, code, as_of and here(as_of))
            register = stored.register(connection, edition, code, staff=True)
        if register is None:
            raise NotFoundError(
                f"District {code} has no plan in force{' then' if as_of else ''}.",
                "gridgov plan list tells which was when." if as_of else "Publish one: gridgov plan publish.",
            )
        yield Locator(register, margin_m=settings.outside_margin_m, near_border_m=settings.near_border_m)
