"""Empty ledger files to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def write_templates(
    folder: Path,
    *,
    language: Literal["en", "zh"] = "en",
    format: Literal["csv", "xlsx"] = "csv",  # noqa: A002 - the option is called so
) -> list[Path]:
    """Write one template a noun, with headers and an example row, and a README."""
    raise NotImplementedError
