"""Counts that are withheld cannot be had by subtraction either."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo.withheld import public_counts

counted = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3)), min_size=1, max_size=12)


@given(counted)
def test_no_small_count_is_told_or_left_by_a_total(rows):
    households, groups = (pd.Series(each) for each in zip(*rows, strict=True))
    told = public_counts(households, groups)
    for group in groups.unique():
        own, shown = households[groups == group], told[groups == group]
        assert (shown.dropna() >= 10).all()
        assert (shown.dropna() == own[shown.notna()]).all()
        assert (own < 10).sum() == 0 or shown.isna().sum() > 1 or len(own) == 1
        if (own < 10).sum() != 1:
            assert shown.isna().sum() == (own < 10).sum()


def test_the_next_smallest_goes_with_a_lone_one_and_missing_counts_stay_missing():
    told = public_counts(pd.Series([300, 5, 20, 20, None, 400]), pd.Series([1, 1, 1, 1, 1, 2]))
    assert told.fillna(-1).tolist() == [300, -1, -1, 20, -1, 400]
