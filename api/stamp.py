"""What every answer about a district is stamped with: the plan and the version of the data it was made from."""

from __future__ import annotations

PLAN, VERSION = "Gridgov-Plan", "Gridgov-Version"
"""Headers of every answer about a district; a client passes the version on as ``min_version``."""


def stamp(plan: int | None, version: int) -> dict[str, str]:
    """Return the headers that say what an answer was made from."""
    return {**({PLAN: str(plan)} if plan is not None else {}), VERSION: str(version)}
