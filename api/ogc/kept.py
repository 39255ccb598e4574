"""Answers kept in memory, by all they were made from: nothing kept ever grows stale, it is only no longer asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from api.direct import Answer


class Answers:
    """The answers asked for last, as many as fit.

    For one event loop: it takes no lock.

    Parameters
    ----------
    most_bytes : int
        How much they may take together; an answer of more than an eighth of it is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[Hashable, tuple[Answer, int]] = OrderedDict()
        self.bytes = 0

    def find(self, key: Hashable) -> Answer | None:
        """Return the answer kept under a key."""
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer, dropping those not asked for longest."""
        size = answer.size
        if size > self._most // 8:
            return
        _, before = self._held.pop(key, (None, 0))
        self._held[key] = (answer, size)
        self.bytes += size - before
        while self.bytes > self._most:
            _, (_, dropped) = self._held.popitem(last=False)
            self.bytes -= dropped


class Counts:
    """How many features match, by edition and filter: the last few thousand.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int = 5_000) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, int] = OrderedDict()

    def find(self, key: Hashable) -> int | None:
        """Return a count that is known."""
        return self._held.get(key)

    def keep(self, key: Hashable, count: int) -> None:
        """Keep a count."""
        self._held[key] = count
        if len(self._held) > self._most:
            self._held.popitem(last=False)
