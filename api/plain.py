"""What text of others may be, wherever it comes in."""

from __future__ import annotations

import unicodedata

LONGEST_ADDRESS = 500
"""Characters."""


def plain(value: str) -> str:
    """Refuse control characters (NUL cannot be stored) and half characters (surrogates)."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ValueError("control characters are not allowed")
    return value
