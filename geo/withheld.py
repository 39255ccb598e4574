"""Counts that are told to nobody outside, and what must be withheld with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

WITHHELD_BELOW = 10
"""Counts of households below this are shown to nobody outside."""


def public_counts(counts: pd.Series, groups: pd.Series) -> pd.Series:
    """Replace counts by NaN where they are withheld.

    That is those below 10, and where one of a group alone is, the next smallest of the group with it: the group's
    total would give it away.

    Parameters
    ----------
    counts : Series of numbers
        Households of grids, in the order of their ids; missing ones stay so.
    groups : Series
        Which total each is a part of: its community.

    Returns
    -------
    Series of float
        With the index of ``counts``. The rule is that of the column ``withheld`` of ``plan_grids``. O(n log n).
    """
    told = counts.astype(float)
    small = told < WITHHELD_BELOW
    lone = small.groupby(groups).transform("sum") == 1
    rank = told.groupby([groups, small]).rank(method="first")
    hidden: npt.NDArray[np.bool_] = (small | (lone & ~small & (rank == 1))).to_numpy()
    return told.mask(hidden)
