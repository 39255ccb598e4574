"""What is slow to make and asked for again: kept by what it was made from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The last few things made, by a key that names all they were made from.

    They are made one after the other, so that many who ask leave a processor to everybody else.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._making = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, made now where there is nothing."""
        with self._making:
            if key not in self._held:
                self._held[key] = make()
                if len(self._held) > self._size:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]
