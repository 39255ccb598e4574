"""What the commands of ``gridgov locate`` ask: the locator of an instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from api.cli.console import chosen, opened
from api.located import locator_of
from data.settings import Settings
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
        yield locator_of(store, settings, code, at=as_of and here(as_of), staff=True)
