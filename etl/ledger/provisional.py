"""Codes for towns and communities that come without an official one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from geo.errors import InputError

NO_TOWN = "000"
"""Stands where a town's three digits do, in the code of a community that has no town."""


@dataclass(frozen=True)
class Code:
    """A code, and whether it is ours."""

    code: str
    provisional: bool


def assign(
    keys: Iterable[str], official: dict[str, str], stored: dict[str, Code], prefixes: dict[str, str]
) -> dict[str, Code]:
    """Give each key its code: the official one, else the one it has, else a provisional one.

    Parameters
    ----------
    keys : iterable of str
        Ledger's codes; provisional ones are given in their sorted order, whatever the order of the file.
    official : dict of str to str
        Official codes stated by the ledger.
    stored : dict of str to Code
        Codes given earlier, also to what was retired since: they are never given again.
    prefixes : dict of str to str
        What the code of each key begins with; three digits follow, from 900 up, then from 899 down.

    Raises
    ------
    InputError
        If a prefix has no number left.
    """
    taken = {code.code for code in stored.values()} | set(official.values())
    codes: dict[str, Code] = {}
    for key in sorted(keys):
        if key in official:
            codes[key] = Code(official[key], provisional=False)
        elif key in stored:
            codes[key] = stored[key]
        else:
            code = next((code for code in _numbers(prefixes[key]) if code not in taken), None)
            if code is None:
                raise InputError(
                    f"No provisional code is left after {prefixes[key]}.", "State official codes."
                )
            taken.add(code)
            codes[key] = Code(code, provisional=True)
    return codes


def _numbers(prefix: str) -> Iterator[str]:
    return (f"{prefix}{number:03d}" for number in chain(range(900, 1000), range(899, 0, -1)))
