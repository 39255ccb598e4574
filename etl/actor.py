"""Who acts: passed explicitly to every use case."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """Somebody, or something, that changes stored state.

    Attributes
    ----------
    id : str
        The name that is recorded with the act.
    roles : frozenset of str
        What it may do.
    scope : frozenset of str
        Codes of the districts it may act on; empty means all.
    """

    id: str
    roles: frozenset[str] = field(default_factory=frozenset)
    scope: frozenset[str] = field(default_factory=frozenset)

    def reaches(self, district: str) -> bool:
        """Tell whether its scope takes a district in."""
        return not self.scope or district in self.scope


PUBLIC = Actor("public", frozenset({"public"}))
"""Whoever asks without having signed in."""


def operator() -> Actor:
    """Return whoever runs the command line, by the name the machine knows, else by number."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        name = str(os.getuid())
    return Actor(f"operator:{name}", frozenset({"admin"}))


SYSTEM = Actor("system", frozenset({"system"}))
"""What acts when nobody is asked: the demo, ``--publish``."""
