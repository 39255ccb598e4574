"""Households estimated from what a map shows of a building: its footprint, its floors and its kind.

An estimate of this sort is good for a district's total and its pattern, not for a single building. Whoever
stores it marks it as estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.errors import InputError

M2_A_HOUSEHOLD = 110.0
"""Gross floor area of a household, m². China's census of 2020 counted 111 m² of housing a family household."""

SHED_M2 = 35.0
"""Nobody lives in a smaller footprint."""

HALL_M2 = 1500.0
"""A larger footprint of unknown kind and floors is taken for a hall, not for dwellings."""


@dataclass(frozen=True)
class Dwelling:
    """How people live in a kind of building.

    Attributes
    ----------
    floors : int
        Floors of one whose number is not known.
    share : float
        Share of the gross floor area that belongs to dwellings.
    most : int or None
        Households it has at most, where it is a house for one family or two.
    """

    floors: int
    share: float
    most: int | None = None


_HOUSE = Dwelling(floors=2, share=0.8, most=1)
_BLOCK = Dwelling(floors=6, share=0.85)

UNKNOWN_KIND = "yes"
DWELLINGS: dict[str, Dwelling] = {
    "apartments": _BLOCK,
    "dormitory": _BLOCK,
    "residential": Dwelling(floors=3, share=0.85),
    "terrace": Dwelling(floors=2, share=0.85),
    "house": _HOUSE,
    "detached": _HOUSE,
    "semidetached_house": Dwelling(floors=2, share=0.8, most=2),
    "bungalow": Dwelling(floors=1, share=0.8, most=1),
    "cabin": Dwelling(floors=1, share=0.8, most=1),
    "farm": _HOUSE,
    "houseboat": Dwelling(floors=1, share=0.8, most=1),
    "static_caravan": Dwelling(floors=1, share=0.8, most=1),
    "mixed": Dwelling(floors=3, share=0.5),
    UNKNOWN_KIND: Dwelling(floors=2, share=0.6),
}
"""Kinds in which people live, by OpenStreetMap's words for ``building=*`` (wiki.openstreetmap.org/wiki/Key:building:
a house is for one household); in any other kind nobody does."""


def estimate_households(
    kind: Sequence[str],
    area_m2: npt.ArrayLike,
    floors: npt.ArrayLike,
    dwellings: npt.ArrayLike,
    *,
    m2_a_household: float = M2_A_HOUSEHOLD,
) -> npt.NDArray[np.int64]:
    """Estimate the households of buildings.

    Parameters
    ----------
    kind : sequence of str, length n
        See `DWELLINGS`.
    area_m2 : array_like, shape (n,)
        Footprints, square metres.
    floors : array_like, shape (n,)
        NaN where not known.
    dwellings : array_like, shape (n,)
        Dwellings as surveyed, which are taken as they are; NaN where not known.
    m2_a_household : float
        Gross floor area of a household, square metres.

    Returns
    -------
    ndarray of int, shape (n,)
        ``footprint * floors * share / m2_a_household``, rounded: at least 1 in a kind known as housing, 0
        where nobody lives, in sheds and in halls.

    Raises
    ------
    InputError
        If the area of a household is not positive.
    """
    if not m2_a_household > 0:
        raise InputError(
            f"{m2_a_household} m² are no home.", "Give the floor area of a household, about 110."
        )
    area, level = np.asarray(area_m2, np.float64), np.asarray(floors, np.float64)
    surveyed = np.asarray(dwellings, np.float64)
    found = [DWELLINGS.get(word) for word in kind]
    usual = np.array([one.floors if one else 0 for one in found], np.float64)
    share = np.array([one.share if one else 0.0 for one in found], np.float64)
    most = np.array([one.most if one and one.most else np.inf for one in found], np.float64)
    unknown = np.array([word == UNKNOWN_KIND for word in kind], np.bool_)
    lived_in = (share > 0) & (area >= SHED_M2) & ~(unknown & np.isnan(level) & (area > HALL_M2))
    estimate = np.round(area * np.where(np.isnan(level), usual, level) * share / m2_a_household)
    estimate = np.clip(estimate, np.where(unknown, 0, 1), most) * lived_in
    return np.where(np.isnan(surveyed), estimate, surveyed).astype(np.int64)
