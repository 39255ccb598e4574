"""Why a plan moves what it moves, breaks what it breaks, and leaves out of band what stays so.

Everything told here follows from today's grids, the assignment and the problem alone: what the search weighed
on its way is not asked, so that any plan can be explained, a proposal or one drawn by hand. What is not proven
is said not to be. `geo.balance.sentences` puts it into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from geo.balance.breaks import Break, find_breaks
from geo.balance.problem import Ints, Problem
from geo.balance.rules import CHAIN, PLACED, Between, Both, Key, joins, keys

HEAVY, FROZEN, COUNT, UNPROVEN = "heavy", "frozen", "count", "unproven"
"""Why a grid stays out of band: a cell above the band by itself, a lock, a bound of its container; or not known."""


@dataclass(frozen=True)
class Move:
    """Cells that go from one grid to another for one reason, a rule of `geo.balance.rules`.

    ``source`` is -1 for cells that are in no grid today. ``buildings`` is None where the caller did not tell
    which cells are of one building. Sizes are of what is balanced, today and in the plan; 0 where a grid is not
    there. ``grids_before`` and ``grids_after`` count grids of the container that the first of the cells lies in.
    ``origin`` and ``end`` are the ends of a chain, None where it has none; ``joined`` are compounds that come
    into fewer grids.
    """

    source: int
    destination: int
    rule: str
    cells: int
    households: int
    buildings: int | None
    source_before: int
    source_after: int
    destination_before: int
    destination_after: int
    grids_before: int
    grids_after: int
    origin: int | None = None
    end: int | None = None
    joined: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stay:
    """A grid that is out of band in the plan, and why.

    ``before`` is its size today, None where it is new. ``heaviest`` is its heaviest cell; ``grids`` counts those
    of its container, and ``at_most`` how many of them any plan with as many can have in band.
    """

    grid: int
    weight: int
    before: int | None
    reason: str
    heaviest: int
    grids: int
    at_most: int

    @property
    def proven(self) -> bool:
        """Whether no plan with as many grids could do better."""
        return self.reason != UNPROVEN


FORMAT = 1
"""Of a stored explanation; another version of this package reads only its own."""


@dataclass(frozen=True)
class Explanation:
    """Reasons of a plan.

    Parameters
    ----------
    target, least, most : int
        Households a grid should have, rounded, and the band.
    expected_percent : int
        What is balanced; see `geo.balance.Problem`.
    moves : tuple of Move
        Every cell that `geo.balance.measure` counts as moved, in exactly one of them; the largest first.
    placed : tuple of Move
        Cells that are in no grid today, where others are in one.
    breaks : tuple of Break
        Every compound that lies in more grids than it must.
    stays : tuple of Stay
        Every grid out of band, the farthest first.
    """

    target: int
    least: int
    most: int
    expected_percent: int
    moves: tuple[Move, ...]
    placed: tuple[Move, ...]
    breaks: tuple[Break, ...]
    stays: tuple[Stay, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON; `read` takes it back."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Explanation:
        """Take back what `plain` returned."""

        def moves(name: str) -> tuple[Move, ...]:
            return tuple(Move(**{**row, "joined": tuple(row["joined"])}) for row in plain[name])

        return cls(
            **{name: plain[name] for name in ("target", "least", "most", "expected_percent")},
            moves=moves("moves"),
            placed=moves("placed"),
            breaks=tuple(Break(**{**row, "grids": tuple(row["grids"])}) for row in plain["breaks"]),
            stays=tuple(Stay(**row) for row in plain["stays"]),
        )


def explain(
    problem: Problem,
    assignment: Ints,
    *,
    building: Ints | None = None,
    at_most: Mapping[int, int] | None = None,
) -> Explanation:
    """Give the reason of every move, broken compound and grid out of band; about O(n + m) a broken compound.

    Parameters
    ----------
    problem : Problem
    assignment : ndarray of int, shape (n,)
        Label of each cell's grid, or -1 for a cell in none.
    building : ndarray of int, shape (n,), optional
        Building of each cell, -1 for land: to count buildings.
    at_most : mapping of int to int, optional
        Grids that can be in band in a container, where a tighter bound is proven than that of `measure`.

    Returns
    -------
    Explanation
        Of the same plan the same, whatever its labels are, but for the labels themselves.

    Raises
    ------
    BalanceError
        When there is not one label a cell.
    """
    both = Both(problem, assignment)
    least, most = problem.band()
    joined = joins(both)
    found = keys(both, joined)
    fresh = (both.today < 0) & (both.after >= 0) & both.there.any()
    for cell in np.flatnonzero(fresh).tolist():
        found[cell] = Key(-1, int(both.after[cell]), PLACED)
    rows = _rows(both, found, joined, building)
    return Explanation(
        target=round(problem.target),
        least=least,
        most=most,
        expected_percent=0 if problem.expected is None else problem.expected_percent,
        moves=tuple(row for row in rows if row.rule != PLACED),
        placed=tuple(row for row in rows if row.rule == PLACED),
        breaks=find_breaks(problem, assignment),
        stays=_stays(both, assignment, at_most or {}),
    )


def _rows(both: Both, found: dict[int, Key], joined: dict[int, int], building: Ints | None) -> list[Move]:
    groups: dict[Key, list[int]] = {}
    for cell in sorted(found):
        groups.setdefault(found[cell], []).append(cell)
    pairs = [(key.source, key.destination) for key in groups if key.rule != PLACED]
    fixing = np.zeros(both.problem.cells, np.bool_)
    fixing[[cell for cell, key in found.items() if key.rule.startswith("repair")]] = True
    between = Between(both, pairs, fixing)
    rows = [_row(both, between, key, cells, joined, building) for key, cells in groups.items()]
    return sorted(rows, key=lambda row: (-row.households, -row.cells))


def _row(
    both: Both, between: Between, key: Key, cells: list[int], joined: dict[int, int], building: Ints | None
) -> Move:
    s, d = key.source, key.destination
    label, container = both.label, int(both.container[cells[0]])
    ends = between.ends(s, d) if key.rule == CHAIN else (None, None)
    origin, end = (None if grid is None else label[grid] for grid in ends)
    known = None if building is None else len(set(building[cells].tolist()) - {-1})
    return Move(
        source=-1 if s < 0 else label[s],
        destination=label[d],
        rule=key.rule,
        cells=len(cells),
        households=int(both.problem.households[cells].sum()),
        buildings=known,
        source_before=0 if s < 0 else int(both.weight_before[s]),
        source_after=0 if s < 0 else int(both.weight_after[s]),
        destination_before=int(both.weight_before[d]),
        destination_after=int(both.weight_after[d]),
        grids_before=int(both.grids_before[container]),
        grids_after=int(both.grids_after[container]),
        origin=origin,
        end=end,
        joined=tuple(dict.fromkeys(joined[cell] for cell in cells if cell in joined)),
    )


def _stays(both: Both, assignment: Ints, at_most: Mapping[int, int]) -> tuple[Stay, ...]:
    problem, (_, after) = both.problem, both.measured
    _, most = problem.band()
    frozen = frozenset() if problem.locks is None else problem.locks.frozen
    bound = {
        row.container: min(row.in_band_at_most, at_most.get(row.container, row.grids))
        for row in after.container_rows
    }
    reached = {row.container: row for row in after.container_rows}
    at = {label: grid for grid, label in enumerate(both.label)}
    stays = []
    for row in sorted(after.grid_rows, key=lambda row: at[row.label]):
        if row.in_band:
            continue
        heaviest = int(problem.weight[assignment == row.label].max())
        here = reached[row.container]
        proven = {
            HEAVY: heaviest > most,
            FROZEN: row.label in frozen,
            COUNT: here.in_band >= bound[row.container],
        }
        stays.append(
            Stay(
                grid=row.label,
                weight=row.weight,
                before=int(both.weight_before[at[row.label]]) if both.there[at[row.label]] else None,
                reason=next((reason for reason, held in proven.items() if held), UNPROVEN),
                heaviest=heaviest,
                grids=here.grids,
                at_most=bound[row.container],
            )
        )
    return tuple(sorted(stays, key=lambda stay: -abs(stay.weight - problem.target)))
