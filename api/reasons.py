"""Why a proposal is as it is, as the command line, the API and the pages tell it: by community and grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from sqlalchemy import Connection

from data import grids, plans, register
from data.grids import Named
from geo.balance.advice import Advice, Effect, Kind
from geo.balance.bounds import ContainerBound, Floor
from geo.balance.reasons import FORMAT, Explanation, Move
from geo.balance.sentences import told_break, told_move, told_stay
from maps.legend import Words


@dataclass(frozen=True)
class OfGrid:
    """Why cells of one grid go elsewhere; ``before`` and ``after`` are its sizes, 0 where it is not there."""

    grid: str
    before: int
    after: int
    households: int
    said: list[Words]


@dataclass
class OfCommunity:
    """All that is told of one community."""

    name: str
    grids: list[OfGrid] = field(default_factory=list)
    breaks: list[Words] = field(default_factory=list)
    stays: list[Words] = field(default_factory=list)

    @property
    def households(self) -> int:
        """Households that go from one grid to another."""
        return sum(each.households for each in self.grids)


@dataclass(frozen=True)
class Limit:
    """A part of a community that cannot be all in band, whatever the lines, and what would help."""

    said: Words
    advice: list[Words]


@dataclass(frozen=True)
class Reasons:
    """What the balancer told of a plan when it made it.

    ``edited`` says that the plan was changed since; ``floor`` is None where nothing is proven.
    """

    communities: list[OfCommunity]
    limits: list[Limit]
    floor: Floor | None
    asked: dict[str, Any]
    edited: bool


def reasons_of(
    connection: Connection, district: str, plan: plans.Plan, *, withheld_below: int = 0
) -> Reasons | None:
    """Read the reasons of a plan; None where it has none, or an older version told them.

    Parameters
    ----------
    withheld_below : int
        Households fewer than that are not counted out.
    """
    stored = plans.reasons(connection, district, plan.id)
    if stored.get("reasons", {}).get("format") != FORMAT:
        return None
    whole, bounds = Explanation.read(stored["reasons"]), stored.get("bounds")
    names = _Names(
        grids.names(connection, district, sorted(_grids(whole))),
        register.community_names(connection, district),
        register.compound_names(connection, district),
    )
    return Reasons(
        communities=_communities(whole, names, withheld_below),
        limits=_limits(bounds, names) if bounds else [],
        floor=Floor(**bounds["floor"]) if bounds else None,
        asked=plan.report.get("asked", {}),
        edited=plan.revision > 1,
    )


def plain(told: Any) -> Any:
    """Return what is told as plain JSON, sayings by language."""
    if isinstance(told, Words):
        return {"zh": told.zh, "en": told.en}
    if is_dataclass(told):
        return {each.name: plain(getattr(told, each.name)) for each in fields(told)}
    return [plain(each) for each in told] if isinstance(told, list) else told


class _Names:
    """What grids, compounds and containers are called."""

    def __init__(
        self, known: dict[int, Named], communities: dict[int, str], compounds: dict[int, str]
    ) -> None:
        self._known = known
        self.communities = communities
        self._compounds = compounds

    def full(self, grid: int) -> str:
        """Name a grid by its whole code, the ledger's or, while it has none, its number."""
        known = self._known[grid]
        return known.code or known.external_code or f"#{grid}"

    def within(self, community: int) -> Callable[[int], str]:
        """Name grids as people of a community do: by the last three digits, others with their community."""

        def name(grid: int) -> str:
            known = self._known[grid]
            short = known.code[-3:] if known.code else self.full(grid)
            return short if known.community_id == community else f"{short}（{known.community}）"

        return name

    def community_of(self, grid: int) -> int:
        """Return the community a grid is of."""
        return self._known[grid].community_id

    def compound(self, number: int) -> str:
        """Name a compound."""
        return self._compounds.get(number, f"#{number}")

    def containers(self, rows: Iterable[ContainerBound]) -> dict[int, Words]:
        """Name containers by their community, numbered where it has several."""
        rows = list(rows)
        parts, seen = Counter(row.community for row in rows), Counter[int]()
        names = {}
        for row in rows:
            seen[row.community] += 1
            name, number = self.communities.get(row.community, f"#{row.community}"), seen[row.community]
            several = parts[row.community] > 1
            names[row.container] = Words(
                f"{name}第 {number} 片" if several else name, f"{name} (part {number})" if several else name
            )
        return names


def _grids(whole: Explanation) -> set[int]:
    """Every grid that an explanation names."""
    moves = (*whole.moves, *whole.placed)
    named: set[int | None] = {
        each for move in moves for each in (move.source, move.destination, move.origin, move.end)
    }
    named |= {each for broken in whole.breaks for each in (*broken.grids, broken.part, broken.into)}
    named |= {stay.grid for stay in whole.stays}
    return {each for each in named if each is not None and each >= 0}


def _communities(whole: Explanation, names: _Names, withheld_below: int) -> list[OfCommunity]:
    found: dict[int, OfCommunity] = {}

    def of(grid: int) -> tuple[int, OfCommunity]:
        community = names.community_of(grid)
        made = found.setdefault(community, OfCommunity(names.communities.get(community, f"#{community}")))
        return community, made

    by_grid: dict[int, list[Move]] = {}
    for move in (*whole.moves, *whole.placed):
        by_grid.setdefault(move.source if move.source >= 0 else move.destination, []).append(move)
    for grid, moves in by_grid.items():
        community, own = of(grid)
        name = names.within(community)
        leaving = moves[0].source >= 0
        own.grids.append(
            OfGrid(
                grid=names.full(grid),
                before=moves[0].source_before if leaving else moves[0].destination_before,
                after=moves[0].source_after if leaving else moves[0].destination_after,
                households=sum(move.households for move in moves if move.source >= 0),
                said=[Words(*told_move(move, whole, name, names.compound, withheld_below)) for move in moves],
            )
        )
    for broken in whole.breaks:
        community, own = of(broken.grids[0])
        own.breaks.append(Words(*told_break(broken, names.within(community), names.compound, withheld_below)))
    for stay in whole.stays:
        community, own = of(stay.grid)
        own.stays.append(Words(*told_stay(stay, whole, names.within(community), withheld_below)))
    for own in found.values():
        own.grids.sort(key=lambda each: each.grid)
    return [found[community] for community in names.communities if community in found]


def _limits(bounds: dict[str, Any], names: _Names) -> list[Limit]:
    rows = [ContainerBound(**row) for row in bounds["containers"]]
    advice = [
        Advice(**{**row, "kind": Kind(row["kind"]), "effect": Effect(row["effect"])})
        for row in bounds["advice"]
    ]
    called = names.containers(rows)

    def said(told: ContainerBound | Advice) -> Words:
        return Words(
            f"{told.chinese(lambda number: called[number].zh)}。",
            f"{told.english(lambda number: called[number].en)}.",
        )

    return [
        Limit(said(row), [said(each) for each in advice if each.container == row.container])
        for row in rows
        if not row.within_reach
    ]
