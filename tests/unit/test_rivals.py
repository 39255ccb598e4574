"""The bench of rivals judges all alike: best tries are kept, labels matched, and two measures must agree."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from etl.instances import pose, read
from geo.balance import containers, measure
from tests.bench.rebalance import metrics
from tests.bench.rebalance.lattice import GRIDS, HOUSEHOLDS, made
from tests.bench.rivals.__main__ import HEADERS, least, mean
from tests.bench.rivals.judging import check, relabelled, small
from tests.bench.rivals.methods import RIVALS, divided, parts, worth

SYNTH1 = Path(__file__).parents[1] / "bench" / "rebalance" / "synth1"
ROW = np.arange(36) // 6


def test_of_several_tries_the_connected_then_the_even_then_the_stable_is_kept():
    problem = small()
    (part,) = parts(problem)
    column = np.arange(36) % 6
    in_pieces, uneven, across, along = column // 2, np.maximum(ROW - 3, 0), column // 2, ROW // 2
    in_pieces[[0, 5]] = 2, 0
    assert worth(part, in_pieces)[0] == 2
    assert worth(part, uneven)[:2] == (0, 3)
    assert worth(part, across)[:2] == worth(part, along)[:2] == (0, 0)
    assert worth(part, along)[2] < worth(part, across)[2]
    best = divided(problem, lambda _: [in_pieces, uneven, across, along])
    assert best.tolist() == along.tolist()


def test_parts_are_the_containers_with_their_own_borders():
    problem = dataclasses.replace(made(0), grids=np.ones(42, np.int64))
    home = containers(problem)
    cut = parts(problem)
    assert sum(len(part.cells) for part in cut) == problem.cells
    for part in cut:
        assert len(set(home[part.cells].tolist())) == 1
        pairs = {(int(part.cells[a]), int(part.cells[b])) for a, b in zip(part.u, part.v, strict=True)}
        assert pairs <= {tuple(pair) for pair in problem.edges.tolist()}
        assert len(part.other) == 2 * len(part.u) == part.start[-1]
        for cell in (0, len(part.cells) - 1):
            beside = part.other[part.start[cell] : part.start[cell + 1]]
            assert sorted(beside.tolist()) == sorted([*part.v[part.u == cell], *part.u[part.v == cell]])


def test_labels_are_matched_so_that_most_households_stay():
    problem = dataclasses.replace(small(), current=np.repeat([7, 3, 9], 12))
    grid = np.repeat([0, 1, 2, 5], [13, 11, 6, 6])
    label = relabelled(problem, grid)
    assert label[[0, 13]].tolist() == [7, 3]
    assert sorted(set(label.tolist())) == [3, 7, 9, label.max()]
    assert measure(problem, label).households_moved == 10 * (1 + 6)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # metrics.py leaves a file open
def test_the_two_measures_agree_and_a_difference_is_told():
    instance = metrics.Instance(str(SYNTH1))
    measures = measure(pose(read(SYNTH1)), instance.current)
    score = metrics.score(instance, instance.current)
    check(measures, score)
    for name in ("within10", "noncontiguous", "moved", "mean_pp", "excess_pieces"):
        with pytest.raises(SystemExit, match=name):
            check(measures, score | {name: score[name] + 1})


def test_turns_that_differ_are_told():
    turn = {"plan": "a", "cpu_s": 2.0, "peak_mb": 100}
    assert least([turn, turn | {"cpu_s": 1.0}])["cpu_s"] == 1.0
    with pytest.raises(SystemExit, match="2 different plans"):
        least([turn, turn | {"plan": "b"}])


def test_means_are_of_what_is_proven_everywhere():
    row = dict.fromkeys(HEADERS, 1.0)
    assert mean([row, row | {"moved": 2.0, "must_move": None}]) == row | {"moved": 1.5, "must_move": None}


@pytest.mark.parametrize(("method", "module"), [("METIS", "pymetis"), ("KaHIP", "kahip")])
def test_rivals_give_every_cell_a_grid(method, module):
    pytest.importorskip(module)
    assert set(divided(small(), RIVALS[method]).tolist()) == {0, 1, 2}


def test_made_up_districts_are_legal_and_the_same_each_time():
    for seed in range(3):
        problem = made(seed)
        today = measure(problem, problem.current)
        assert today.legal
        assert (today.grids, today.households) == (GRIDS, HOUSEHOLDS)
        assert 0.1 < today.share_in_band < 0.5
        assert problem.current.tobytes() == made(seed).current.tobytes()
    assert made(0).households.tobytes() != made(1).households.tobytes()
