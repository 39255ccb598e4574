"""How near to the target the grids of some cells can come at all, whatever their lines.

Every answer is proven: it holds for each way of dividing the cells into so many connected grids. A ground of few
cells is divided in every possible way. For others these conditions are used, all in whole numbers; a plan that
breaks one of them cannot exist:

- sums: so many grids in a band have a total within so many times the band, and each of them is a sum that some
  cells have (all sums of subsets as a bit set, after Bellman 1957), which leaves the others such a total too;
- stuck cells: a cell that no connected set in the band contains is in a grid out of it, and the other grids in the
  band lie in what is left without such cells (sets are listed up to a number of steps; a cell for which they do
  not suffice counts as not stuck);
- cut cells: where taking out one cell leaves several parts, every grid but that cell's lies in one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

import networkx as nx

from geo.balance.partitions import EXHAUST, Partitions
from geo.balance.problem import Ints

MOST_SUMS = 1 << 22
"""Weight up to which sums are listed; beyond it every sum counts as one that can be had."""
MOST_SETS = 20_000
"""Connected sets listed on one ground in search of stuck cells."""
MANY = 64
"""Cells of a set from which on its bits are spelt out once, which is linear in them."""

Band = tuple[int, int]


class Ground:
    """Cells that are to be divided into grids among themselves.

    Parameters
    ----------
    weight : ndarray of int, shape (n,)
    edges : ndarray of int, shape (m, 2)
        Pairs of cells that a grid may reach across.
    exhaust : int
        Most cells that are divided in every possible way.
    """

    def __init__(self, weight: Ints, edges: Ints, exhaust: int = EXHAUST) -> None:
        self.exhaust = exhaust
        self.weight: list[int] = weight.tolist()
        self.near = [0] * len(self.weight)
        for u, v in edges.tolist():
            self.near[u] |= 1 << v
            self.near[v] |= 1 << u
        self._stuck: dict[Band, int] = {}

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.weight)

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its connected pieces."""
        return list(self._pieces((1 << self.cells) - 1))

    def _pieces(self, among: int) -> Iterator[Piece]:
        while among:
            piece = flood(among & -among, among, self.near)
            among ^= piece
            yield Piece(self, piece)

    @cached_property
    def partitions(self) -> Partitions | None:
        """All its divisions, where the cells are few."""
        return Partitions(self.weight, self.near) if self.cells <= self.exhaust else None

    def in_band_at_most(self, band: Band, grids: int) -> int:
        """Bound how many of so many grids can be in a band."""
        if self.partitions:
            return self.partitions.most_in_band(band)[grids]
        stuck = self.stuck(band)
        left = self._pieces(((1 << self.cells) - 1) & ~stuck)
        at_most = min(grids - (stuck > 0), sum(piece.grids_at_most(band) for piece in left))
        return at_most - (at_most == grids > 0 and not self.could_all(band, grids))

    def nearest_worst(self, target: Fraction, band: Band, grids: int) -> list[int]:
        """Bound the worst deviation: some grid is at least as far off as the nearest of the weights given."""
        if grids == 0:
            return []
        if self.partitions:
            return self.partitions.least_worst(target)[grids]
        if self.could_all(band, grids) and not self.stuck(band):
            below, above = floor(target), ceil(target)

            def possible(window: Band) -> bool:
                return self.could_all(window, grids)
        else:
            below, above = band[0] - 1, band[1] + 1

            def possible(window: Band) -> bool:
                return self.could_all(window, grids) and not self.stuck(window)

        # The worst grid of the best plan lies at one end of a window around the target that has all its grids.
        under = first(range(below, -1, -1), lambda least: possible((least, floor(2 * target - least))))
        heaviest = sum(self.weight)
        over = first(
            range(above, heaviest + 1), lambda most: possible((max(0, ceil(2 * target - most)), most))
        )
        return [each for each in (under, over) if each is not None]

    def could_all(self, band: Band, grids: int) -> bool:
        """Whether sums and cut cells leave it open that all of so many grids are in a band."""
        counts = 1
        for piece in self.pieces:
            able = [m for m in range(1, min(grids, piece.cells) + 1) if piece.could_all(band, m)]
            counts = united(counts << m for m in able)
        return counts >> grids & 1 == 1

    def stuck(self, band: Band) -> int:
        """Find cells that no connected set in a band contains, as a set."""
        if band not in self._stuck:
            stuck, fine, steps = 0, 0, MOST_SETS
            for cell in range(self.cells):
                if not fine >> cell & 1:
                    found, steps = self._set_around(cell, band, steps)
                    fine |= found
                    stuck |= (found == 0) << cell
            self._stuck[band] = stuck
        return self._stuck[band]

    def _set_around(self, cell: int, band: Band, steps: int) -> tuple[int, int]:
        """List connected sets with a cell until one is in the band; 0 for none, and the steps that are left.

        Each set is come to once: of what borders on it, cells that were tried before are barred.
        """
        least, most = band
        own = 1 << cell
        if self.weight[cell] > most:
            return 0, steps
        open_sets = [(own, self.near[cell], own, self.weight[cell])]
        while open_sets:
            if steps == 0:
                return own, 0
            steps -= 1
            members, border, barred, total = open_sets.pop()
            if total >= least:
                return members, steps
            border &= ~barred
            while border:
                bit = border & -border
                border ^= bit
                barred |= bit
                other = bit.bit_length() - 1
                if (more := total + self.weight[other]) <= most:
                    open_sets.append((members | bit, border | self.near[other], barred, more))
        return 0, steps


class Piece:
    """A connected part of a ground; ``members`` is the set of its cells."""

    def __init__(self, ground: Ground, members: int) -> None:
        self.ground = ground
        self.members = members
        self.weight = [ground.weight[cell] for cell in bits(members)]
        self.total = sum(self.weight)
        self.cells = len(self.weight)

    @cached_property
    def sums(self) -> int | None:
        """Sums that its subsets have, as a set; None where they are too many."""
        if self.total > MOST_SUMS:
            return None
        return all_sums(self.weight)

    @cached_property
    def cuts(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """Weight of each cut cell, with the weight and number of cells of each part that is left without it."""
        ground, cells = self.ground, list(bits(self.members))
        graph = nx.Graph((cell, other) for cell in cells for other in bits(ground.near[cell] & self.members))
        made = []
        for cell in nx.articulation_points(graph):
            left, parts = self.members & ~(1 << cell), []
            while left:
                part = flood(left & -left, left, ground.near)
                left ^= part
                parts.append((sum(ground.weight[each] for each in bits(part)), part.bit_count()))
            made.append((ground.weight[cell], parts))
        return made

    def reaches(self, low: int, high: int) -> bool:
        """Whether a subset's sum lies between two bounds."""
        low = max(low, 0)
        if low > high:
            return False
        return self.sums is None or (self.sums >> low & span(0, high - low)) != 0

    def grids_at_most(self, band: Band) -> int:
        """Bound how many grids in a band it has room for."""
        least, most = band
        top = min(self.cells, self.total // least) if least > 0 else self.cells
        return next((m for m in range(top, 0, -1) if self.reaches(m * least, m * most)), 0)

    def could_all(self, band: Band, grids: int) -> bool:
        """Whether sums and cut cells leave it open that all of so many grids are in a band."""
        least, most = band
        if not grids * least <= self.total <= grids * most or max(self.weight) > most:
            return False
        others = grids - 1
        if not self.reaches(max(least, self.total - others * most), min(most, self.total - others * least)):
            return False
        return all(_could_cut(weight, parts, band, grids) for weight, parts in self.cuts)


def _could_cut(weight: int, parts: list[tuple[int, int]], band: Band, grids: int) -> bool:
    """Whether the parts beside a cut cell can hold all other grids, and leave its own what it needs."""
    least, most = band
    whole = span(0, most)
    own = {0: 1 << weight & whole}  # grids within the parts so far: weights the cut cell's grid can have
    for total, cells in parts:
        nearest = max(0, -(-(total - most) // most))
        furthest = min(cells, grids - 1, total // least if least > 0 else cells)
        options = {
            m: (max(0, total - m * most), total - m * least) if m else (total, total)
            for m in range(nearest, furthest + 1)
        }
        together: dict[int, int] = {}
        for before, weights in own.items():
            for m, (low, high) in options.items():
                if before + m >= grids:
                    continue
                spread = shifted(weights, low, min(high, most)) & whole
                together[before + m] = together.get(before + m, 0) | spread
        own = together
    return own.get(grids - 1, 0) >> max(0, least) != 0


def span(low: int, high: int) -> int:
    """Give the set of the whole numbers from ``low`` to ``high``."""
    return (1 << high + 1) - (1 << low)


def shifted(numbers: int, low: int, high: int) -> int:
    """Give the set of all numbers of a set, each with anything from ``low`` to ``high`` added."""
    if low > high:
        return 0
    width, covered = high - low, 0
    while covered < width:
        step = min(covered + 1, width - covered)
        numbers |= numbers << step
        covered += step
    return numbers << low


def bits(members: int) -> Iterator[int]:
    """Go through a set in ascending order."""
    if members.bit_count() > MANY:
        yield from (at for at, bit in enumerate(f"{members:b}"[::-1]) if bit == "1")
        return
    while members:
        bit = members & -members
        yield bit.bit_length() - 1
        members ^= bit


def flood(start: int, among: int, near: list[int]) -> int:
    """Find what is connected to a set within another."""
    reached = fresh = start
    while fresh:
        bit = fresh & -fresh
        grown = near[bit.bit_length() - 1] & among & ~reached
        reached |= grown
        fresh = fresh ^ bit | grown
    return reached


def all_sums(weights: Iterable[int]) -> int:
    """Give the sums that subsets of some weights have, as a set."""
    sums = 1
    for weight in weights:
        sums |= sums << weight
    return sums


def least_sum(weights: list[int], need: int) -> int:
    """Bound the least of these sums that is no less than ``need``; itself where none is."""
    if not need <= sum(weights) <= MOST_SUMS:
        return need
    left = all_sums(weights) >> need
    return need + (left & -left).bit_length() - 1


def united(sets: Iterable[int]) -> int:
    """Unite sets."""
    whole = 0
    for each in sets:
        whole |= each
    return whole


def first(among: range, holds: Callable[[int], bool]) -> int | None:
    """Find the first number of a range from which on something holds, by halving; None where it never does."""
    if len(among) == 0 or not holds(among[-1]):
        return None
    wrong, right = -1, len(among) - 1
    while right - wrong > 1:
        middle = (wrong + right) // 2
        wrong, right = (wrong, middle) if holds(among[middle]) else (middle, right)
    return among[right]
