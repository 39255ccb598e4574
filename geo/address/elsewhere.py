"""Provinces, cities and districts that an address may name though it should not: GB/T 2260, all revisions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from gb2260.data import data as revisions

_MUNICIPALITIES = (110_000, 120_000, 310_000, 500_000)
_KIND = re.compile("(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|[^区市]{1,6}族自治[州县]|地区|[省市盟])$")
_NO_NAMES = frozenset(
    ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "市", "城区", "郊区", "矿区", "新区")
)


@cache
def _known() -> dict[int, set[str]]:
    known: dict[int, set[str]] = {}
    for revision in revisions.values():
        for code, name in revision.items():
            if name not in _NO_NAMES:
                known.setdefault(int(code), set()).add(name)
    return known


class Elsewhere(NamedTuple):
    """Names of other places.

    Attributes
    ----------
    siblings : set of str
        The other districts of the district's city.
    others : set of str
        Provinces and cities with and without their kind (江苏, 江苏省), and counties in full (江宁区).
    """

    siblings: set[str]
    others: set[str]


def elsewhere(district: str, own: Iterable[str] = ()) -> Elsewhere:
    """Return the names of everywhere a district is not.

    Parameters
    ----------
    district : str
        GB/T 2260 code, 6 digits; it may be one that is not in the standard.
    own : iterable of str
        Names that are not elsewhere whatever the standard says; a city among them is the district's.
    """
    ours = set(own)
    codes = {int(district)} if re.fullmatch("[0-9]{6}", district) else set()
    codes |= {
        number for number, names in _known().items() if number % 10_000 and not number % 100 and names & ours
    }
    # The districts of a municipality are numbered under cities that have no name.
    codes |= {n + part for n in _MUNICIPALITIES for part in (100, 200) if _known()[n] & ours}
    home = {number for code in codes for number in (code // 10_000 * 10_000, code // 100 * 100)}
    siblings: set[str] = set()
    others: set[str] = set()
    for number, names in _known().items():
        if number in home:
            ours |= {form for name in names for form in _forms(name)}
        elif number // 100 * 100 in home:
            siblings |= names
        elif number % 100:
            others |= names
        else:
            others |= {form for name in names for form in _forms(name)}
    return Elsewhere(siblings - ours, {name for name in others - siblings - ours if len(name) > 1})


def _forms(name: str) -> set[str]:
    return {name, _KIND.sub("", name)}
