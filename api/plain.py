"""What text of others may be, wherever it comes in, and tables of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

LONGEST_ADDRESS = 500
"""Characters."""
EXCEL = "\ufeff"
"""Before a CSV file: without it Excel takes UTF-8 for the system's own encoding."""
_LAYOUT = str.maketrans("", "", "\n\r\t")
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # categories Cc and Cs


def plain(value: str) -> str:
    """Refuse control characters (NUL cannot be stored) and half characters (surrogates)."""
    if _NOT_PLAIN.search(value):
        raise ValueError("control characters are not allowed")
    return value


def prose(value: str) -> str:
    """Refuse what `plain` does, but for the ends of lines and tabs, which text from a sheet may hold."""
    plain(value.translate(_LAYOUT))
    return value


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def table(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV (RFC 4180)."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
