"""Suggestions while somebody types, beside a sorted list of every end of every name in three spellings."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import numpy as np
from pypinyin import lazy_pinyin

from data import locate
from data.session import Store
from geo.address import Entry
from geo.address.directory import directory
from geo.address.suggest import Suggester
from tests.bench.district import CODE
from tests.bench.measure import Row, by_turns, ratios, spell, timed

NAMES = 200
"""Of so many names every beginning is typed, in each way."""


def bench(url: str) -> list[Row]:
    """Measure what is typed letter by letter, and making the index."""
    with closing(Store(url)) as store, store.read(CODE) as connection:
        register = locate.register(connection, locate.edition(connection, CODE), CODE)
    assert register is not None
    return measured([place.entry for place in register.places])


def measured(entries: list[Entry]) -> list[Row]:
    """Measure on the entries of a register."""
    suggester = Suggester(entries)
    names = [name.text for name in directory(entries)]
    ends = _Ends(names)
    some = random.Random(1).sample(names, NAMES)  # noqa: S311
    typed = {
        "in hanzi": [beginning for name in some for beginning in _beginnings(name)],
        "in pinyin": [beginning for name in some for beginning in _beginnings("".join(lazy_pinyin(name)))],
        "by initials": [beginning for name in some for beginning in _beginnings(_initials(name))],
        "mixed, and a number": [beginning for name in some for beginning in _beginnings(_mixed(name))],
        "behind a town": [
            f"{entries[0].town}{beginning}" for name in some for beginning in _beginnings(name)
        ],
    }
    in_hanzi = typed["in hanzi"]
    acts = {
        "10 names in a sorted list, unranked": timed(
            lambda: list(map(ends.find, in_hanzi)), times=len(in_hanzi)
        )
    }
    for how, asked in typed.items():
        acts[f"suggested {how}"] = timed(
            lambda asked=asked: list(map(suggester.suggest, asked)), times=len(asked)
        )
    rows = ratios("suggest", by_turns(acts, rounds=3))
    builds = {
        f"pinyin of {len(names):,} names": timed(lambda: list(map(lazy_pinyin, names))),
        f"index of {len(entries):,} buildings": timed(lambda: Suggester(entries)),
    }
    slow = _percentile(suggester, [each for asked in typed.values() for each in asked])
    return [*rows, slow, *ratios("suggest", by_turns(builds, rounds=3))]


def _percentile(suggester: Suggester, asked: list[str]) -> Row:
    """Return the 99th percentile to the median, each text at its best of three."""
    taken = []
    for text in asked:
        turns = []
        for _ in range(3):
            begun = time.perf_counter()
            suggester.suggest(text)
            turns.append(time.perf_counter() - begun)
        taken.append(min(turns))
    half, most = np.percentile(taken, (50, 99))
    return Row("suggest", "p99 to p50 of all", float(most / half), f"p50 {spell(half)}, p99 {spell(most)}")


class _Ends:
    """Every end of every name in hanzi, pinyin and initials: no mixtures, heteronyms, numbers or order of merit."""

    def __init__(self, names: list[str]) -> None:
        self._sorted = sorted(
            (spelled, name)
            for name in names
            for start in range(len(name))
            for spelled in (name[start:], "".join(lazy_pinyin(name[start:])), _initials(name[start:]))
        )

    def find(self, typed: str) -> list[str]:
        begin = bisect_left(self._sorted, (typed,))
        found = (name for spelled, name in self._sorted[begin : begin + 10] if spelled.startswith(typed))
        return list(islice(dict.fromkeys(found), 10))


def _beginnings(text: str) -> Iterator[str]:
    return (text[:length] for length in range(1, len(text) + 1))


def _initials(name: str) -> str:
    return "".join(syllable[0] for syllable in lazy_pinyin(name))


def _mixed(name: str) -> str:
    return f"{name[0]}{lazy_pinyin(name[1:2])[0] if name[1:] else ''}{_initials(name[2:])} 12"
