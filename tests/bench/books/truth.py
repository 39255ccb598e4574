"""What a name and a number mean in a district, and which other name may be meant by what was written."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from tests.bench.books import alike
from tests.bench.books.ledger import Building, Compound, Ledger

NEARER = 0.25
"""By how much a name must be nearer than any other for a misspelling to mean it."""
_ONE_SLIP = 1.05
_ONE_ALIKE = 0.55


def canonical(label: str) -> str:
    """Bring a number to one spelling: 12号附1, 12之1 and 12-1 are the same."""
    return re.sub(r"号附|附|之", "-", label.upper())


class Truth:
    """Every name of a district and what it has numbers for."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.of_compound: dict[str, dict[str, Building]] = defaultdict(dict)
        self.of_road: dict[str, dict[str, Building]] = defaultdict(dict)
        self.poi: dict[str, Building] = {}
        for building in ledger.buildings:
            if building.compound:
                self.of_compound[building.compound.code][canonical(building.label)] = building
            else:
                self.of_road[building.road][canonical(building.label)] = building
                if building.poi:
                    self.poi[building.poi] = building
        self.compounds: dict[str, list[Compound]] = defaultdict(list)
        for at in ledger.compounds:
            for name in {at.name: 0, **dict.fromkeys(at.aliases), at.family: 0, at.phase_of: 0}:
                if name:
                    self.compounds[name].append(at)
        self._areas = {at.town for at in ledger.communities} | {at.name for at in ledger.communities}
        self.names = list(dict.fromkeys((*self.compounds, *ledger.roads, *self.poi)))

    def buildings(self, name: str, label: str) -> list[Building]:
        """Return the buildings of a number in everything of a name."""
        number = canonical(label)
        holders = [self.of_compound[at.code] for at in self.compounds.get(name, ())]
        if name in self.of_road:
            holders.append(self.of_road[name])
        return [holder[number] for holder in holders if number in holder]

    def sound_alike(self, name: str, label: str) -> list[Building]:
        """Return the buildings of a number in everything that sounds like a name, itself included."""
        wanted = "".join(alike.sounds(name))
        found = {
            building.code: building
            for other in self.names
            if _joined(other) == wanted
            for building in self.buildings(other, label)
        }
        return list(found.values())

    def means(self, written: str, name: str) -> bool:
        """Tell whether a misspelling can only mean a name: it is no name, holds none, and others are farther."""
        if written in self.names or written in self._areas:
            return False
        mine = {at.code for at in self.compounds.get(name, ())}
        limit = alike.cost(written, name) + NEARER
        for other in self._near(written, 2):
            if other == name or (mine and {at.code for at in self.compounds.get(other, ())} == mine):
                continue
            if (other in written and other not in name) or alike.cost(written, other) < limit:
                return False
        return not any(self._inside(written, other) for other in self.names if other not in name)

    def _inside(self, written: str, other: str) -> bool:
        """Tell whether a part of what was written sounds or looks like a name in one character."""
        width = len(other)
        parts = (written[at : at + width] for at in range(len(written) - width + 1))
        return any(
            sum(a != b for a, b in zip(part, other, strict=True)) == 1
            and alike.cost(part, other) < _ONE_ALIKE
            for part in parts
            if len(part) < len(written)
        )

    def slips(self, written: str, *, but: str) -> bool:
        """Tell whether another name is but one slip away."""
        near = (other for other in self._near(written, 1) if other != but)
        return any(alike.cost(written, other) <= _ONE_SLIP for other in near)

    def mistaken(self, written: str, labels: Iterable[str]) -> bool:
        """Tell whether what was written may be a slip for a real name that has such a number."""
        wanted = tuple(labels)
        return any(
            (other in written or written in other or alike.cost(written, other) <= _ONE_SLIP)
            and (other in self.poi or any(self.buildings(other, label) for label in wanted))
            and not self._unlike(written, other)
            for other in self._near(written, 2)
        )

    def _unlike(self, written: str, other: str) -> bool:
        """Tell whether one character stands in the place of a quite different one: no slip of the pen or ear."""
        if len(written) != len(other):
            return False
        differing = [(a, b) for a, b in zip(written, other, strict=True) if a != b]
        return len(differing) == 1 and alike.apart(*differing[0]) == 1.0

    def _near(self, written: str, slack: int) -> Iterator[str]:
        """Yield the names that share enough sounds to be worth measuring."""
        here = _sounds(written)
        for other in self.names:
            if abs(len(other) - len(written)) > slack and other not in written:
                continue
            if sum((here & _sounds(other)).values()) >= max(1, len(other) - slack) or other in written:
                yield other


@cache
def _joined(name: str) -> str:
    return "".join(alike.sounds(name))


@cache
def _sounds(name: str) -> Counter[str]:
    """Count what a name is made of, coarsely: alike in shape is seen as sharing nothing."""
    return Counter(alike.folded(sound) for sound in alike.sounds(name))
