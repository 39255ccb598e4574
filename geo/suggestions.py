"""What somebody who types may mean, with the grid where that is one building."""

from __future__ import annotations

from dataclasses import dataclass

from geo.address.suggest import LIMIT, Suggestion
from geo.answers import Building, Grid
from geo.locate import Locator


@dataclass(frozen=True)
class Suggested:
    """A suggestion; ``building`` is known where it is one, ``grid`` where all of that is in one."""

    suggestion: Suggestion
    building: Building | None
    grid: Grid | None


def suggested(locator: Locator, text: str, limit: int = LIMIT) -> list[Suggested]:
    """Return what may be meant, the likeliest first; see `Suggester.suggest`.

    Parameters
    ----------
    text : str
        What was typed so far.
    limit : int
        At most so many.
    """
    return [_told(locator, suggestion) for suggestion in locator.book.suggester.suggest(text, limit)]


def _told(locator: Locator, suggestion: Suggestion) -> Suggested:
    if len(suggestion.entries) > 1:
        return Suggested(suggestion, None, None)
    place = locator.register.places[suggestion.entries[0]]
    grids = locator.grids_of(place).grids
    return Suggested(suggestion, place.building, grids[0] if len(grids) == 1 else None)
