"""Which names of the register an address has in it: as they are written, or as somebody would misspell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import ahocorasick
import numpy as np
from rapidfuzz.fuzz import partial_ratio

from geo.address.faults import SPELLING_SLOPE, Fault, Kind, fault
from geo.address.gazetteer import PRIMARY, Meaning, Meanings
from geo.address.sound import align, heard, insertions, sounds

_MOST = {2: 0.15, 3: 0.46, 4: 0.51}
_MOST_LONG = 0.56
"""What a misspelling may cost, by the length of the name."""
_SIMILAR = (0.0, 0.0, 99.0, 65.0, 74.0, 74.0)
"""How similar the sounds of a name are at least to some stretch of the text, by its length: all but one."""
CANDIDATES = 40
"""How many names are compared in full at most; fewer with a text of more than `_LONG` characters."""
_LONG = 100
_BY_END = itemgetter(1, 0)


class Hit(NamedTuple):
    """A name found in a text.

    Attributes
    ----------
    start, end : int
        Where, in the spelled text.
    name : str
        The name of the register.
    meanings : Meanings
        What it may mean.
    fault : Fault, optional
        That it is not written as it is spelled.
    """

    start: int
    end: int
    name: str
    meanings: Meanings
    fault: Fault | None = None

    @property
    def primary(self) -> bool:
        """Whether it may be the place itself, not only an area around it."""
        return self.meanings.primary


class Exact:
    """Finds names as they are written: Aho-Corasick, then the best choice of those that do not overlap.

    Parameters
    ----------
    names : mapping of str to sequence of Meaning
        Names in the spelling texts are in.

    Notes
    -----
    O(length of the text + matches). Of overlapping names those are chosen whose squared lengths add up to most, so
    that one long name beats the short ones in it (Aho and Corasick 1975; weighted interval scheduling).
    """

    def __init__(self, names: Mapping[str, Sequence[Meaning]]) -> None:
        self._automaton = ahocorasick.Automaton()
        for name, meanings in names.items():
            self._automaton.add_word(name, (name, Meanings(meanings)))
        self._any = len(names) > 0
        self._automaton.make_automaton()

    def find(self, text: str) -> list[Hit]:
        """Return the names in a text, from left to right."""
        if not self._any:
            return []
        matches = [
            Hit(end + 1 - len(name), end + 1, name, meanings)
            for end, (name, meanings) in self._automaton.iter(text)
        ]
        return chosen(matches)


def chosen(hits: list[Hit]) -> list[Hit]:
    """Return the hits that do not overlap and whose squared lengths add up to most."""
    if len(hits) < 2:
        return hits
    hits = sorted(hits, key=_BY_END)
    best: list[tuple[float, int]] = [(0.0, -1)]  # gain up to each hit, and the hit it ends with
    ends = [0]
    kept: list[int] = []
    for position, hit in enumerate(hits):
        before = position
        while before and hits[before - 1].end > hit.start:
            before -= 1
        gain = (hit.end - hit.start) ** 2 + best[before][0]
        best.append((gain, position) if gain > best[-1][0] else best[-1])
        ends.append(before)
    position = len(hits)
    while position:
        taken = best[position][1]
        if taken < 0:
            break
        kept.append(taken)
        position = ends[taken + 1]
    return [hits[n] for n in reversed(kept)]


class Fuzzy:
    """Finds names as they would be misspelled.

    Parameters
    ----------
    names : mapping of str to sequence of Meaning
        Spelled names; areas are left out.

    Notes
    -----
    Names that share all but one of their sounds with a text are found by an inverted index over blurred syllables, at
    most `CANDIDATES` of them aligned with it (`geo.address.sound.align`). O(postings + candidates · length).
    """

    def __init__(self, names: Mapping[str, Sequence[Meaning]]) -> None:
        self._names = [
            (name, Meanings(m for m in meanings if m.sort in PRIMARY))
            for name, meanings in names.items()
            if any(m.sort in PRIMARY and not m.partial for m in meanings)
        ]
        postings: dict[str, set[int]] = {}
        needed = np.zeros(len(self._names), dtype=np.int64)
        for position, (name, _) in enumerate(self._names):
            readings = [sounds(character) for character in dict.fromkeys(name)]
            needed[position] = len(readings) - (len(readings) > 2)
            for each in readings:
                for sound in each:
                    postings.setdefault(sound, set()).add(position)
        self._needed = needed
        self._heard = [heard(name) for name, _ in self._names]
        self._postings = {sound: np.array(sorted(found)) for sound, found in postings.items()}

    def find(self, text: str) -> list[Hit]:
        """Return the names a text may have in it, also those that overlap."""
        lists = [self._postings[s] for s in _sounds_of(text) if s in self._postings]
        if not lists:
            return []
        shared = np.bincount(np.concatenate(lists), minlength=len(self._names))
        likely = np.flatnonzero(shared >= self._needed)
        most = CANDIDATES * _LONG // max(_LONG, len(text))
        if len(likely) > most:
            lack = self._needed[likely] - shared[likely]
            likely = likely[np.argsort(lack, kind="stable")[:most]]
        said, extra = heard(text), insertions(text)
        return [
            hit
            for position in likely.tolist()
            if partial_ratio(self._heard[position], said) >= _SIMILAR[min(len(self._heard[position]), 5)]
            and (hit := self._aligned(position, text, extra))
        ]

    def _aligned(self, position: int, text: str, extra: Sequence[float]) -> Hit | None:
        name, meanings = self._names[position]
        found = align(name, text, _MOST.get(len(name), _MOST_LONG), extra)
        if found is None:
            return None
        wrong = None
        if found.cost:
            written = text[found.start : found.end]
            wrong = fault(Kind.SPELLING, f"{written} → {name}", SPELLING_SLOPE * found.cost)
        return Hit(found.start, found.end, name, meanings, wrong)


def _sounds_of(text: str) -> Iterable[str]:
    return {sound for character in set(text) if not character.isascii() for sound in sounds(character)}
