"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with a stage's name and the share of it that is done, from 0 to 1."""


def silent(stage: str, share: float) -> None:
    """Listen to nothing: the default for a caller that shows no progress."""
