"""Options of the commands that balance; the engine is imported with them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from geo.balance import PROFILES

ProfileName = StrEnum("ProfileName", [(name, name) for name in PROFILES])  # type: ignore[misc]
ProfileOption = Annotated[
    ProfileName,
    # In English only: rich cuts the ends of lines with Chinese among them.
    typer.Option(help="; ".join(f"{each.name}: {each.english}" for each in PROFILES.values()) + "."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers do the work, such as tcp://10.0.0.5:8786, one that you trust; the plan "
        "is the same. Needs the extra scale here and the same gridgov on every worker.",
    ),
]
