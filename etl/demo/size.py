"""How large the demo district is: the reference case, or a small one like it for tests."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from geo.errors import InputError

HOUSEHOLDS_A_GRID = 300
LEAST, MOST = 150, 600
"""Households of the smallest and the largest of today's grids."""

TOWER_HOUSEHOLDS = 600
TOWER_ENTRANCES = 3


@dataclass(frozen=True)
class Size:
    """What the district holds, in proportion to the reference case.

    Attributes
    ----------
    scale : float
        1 is the reference case, and the largest there is; lengths go by its square root.

    Raises
    ------
    InputError
        If the scale is out of range.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise InputError(
                f"A demo district cannot have scale {self.scale}.", "Give one above 0, at most 1."
            )

    @property
    def width_m(self) -> float:
        """Extent from west to east, metres."""
        return 5600.0 * sqrt(self.scale)

    @property
    def height_m(self) -> float:
        """Extent from south to north, metres."""
        return 5000.0 * sqrt(self.scale)

    @property
    def communities(self) -> int:
        """Communities, the preparatory one included."""
        return self._share_of(35, at_least=3)

    @property
    def towns(self) -> int:
        """Street offices."""
        return self._share_of(5, at_least=1)

    @property
    def compounds(self) -> int:
        """Walled estates, the unfinished one of the preparatory community included."""
        return self._share_of(147, at_least=4)

    @property
    def buildings(self) -> int:
        """Buildings of every kind."""
        return self._share_of(10_000, at_least=200)

    @property
    def grids(self) -> int:
        """Today's grids, that of the preparatory community included."""
        return self._share_of(452, at_least=6)

    @property
    def households(self) -> int:
        """Households of the whole district."""
        return self.grids * HOUSEHOLDS_A_GRID

    def _share_of(self, full: int, *, at_least: int) -> int:
        return max(at_least, round(full * self.scale))
