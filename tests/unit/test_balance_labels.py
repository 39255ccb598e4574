"""Labels that grids carry, held against one matching of all grids with all labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from geo.balance.labels import Labels


@settings(max_examples=40, deadline=None)
@given(st.integers(70, 120), st.integers(70, 120), st.sampled_from([0, 2, 40]), st.integers(0, 2**32 - 1))
def test_of_many_grids_as_many_households_keep_their_label_as_can(
    grids: int, labels: int, heaviest: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(200, 1500))
    label = np.where(rng.random(n) < 0.1, -1, np.arange(n) * labels // n)
    drift = rng.integers(-3, 4, n) * (rng.random(n) < rng.random())
    assigned = np.clip(np.arange(n) * grids // n + drift, 0, grids - 1)
    households = rng.integers(0, heaviest + 1, n)

    found = Labels(label, np.full(n, -1), households).carried(assigned, grids)

    named = found[found >= 0]
    assert len(set(named.tolist())) == len(named)
    worth = np.zeros((grids, labels), np.int64)
    np.add.at(worth, (assigned[label >= 0], label[label >= 0]), households[label >= 0] * (n + 1) + 1)
    best = worth[linear_sum_assignment(worth, maximize=True)].sum()
    assert worth[np.flatnonzero(found >= 0), named].sum() == best


def test_a_grid_with_pinned_cells_carries_their_label_among_many() -> None:
    label = np.repeat(np.arange(80), 3)
    pinned = np.full(240, -1)
    pinned[0] = 7  # against all that grid 0 keeps

    found = Labels(label, pinned, np.full(240, 10)).carried(label, 80)

    assert found[0] == 7
    assert found[8:].tolist() == list(range(8, 80))
