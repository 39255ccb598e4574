"""What is slow to make and asked for again: kept by what it was made from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The last few things made, by a key that names all they were made from.

    They are made one after the other, so that many who ask leave a processor to everybody else; whoever asks for
    what is there does not wait for them.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._making = threading.Lock()
        self._touching = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, made now where there is nothing."""
        found = self._find(key)
        if found is not None:
            return found
        with self._making:
            found = self._find(key)  # somebody may have made it meanwhile
            if found is None:
                found = make()
                with self._touching:
                    self._held[key] = found
                    if len(self._held) > self._size:
                        self._held.popitem(last=False)
            return found

    def _find(self, key: Hashable) -> T | None:
        with self._touching:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)
