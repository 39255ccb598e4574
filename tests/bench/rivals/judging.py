"""Run one method on one instance, and judge what comes of it twice."""

from __future__ import annotations

import hashlib
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from etl.compiled import keep_kernels
from etl.instances import pose, read
from geo.balance import Measures, Problem, measure
from geo.balance.bounds import gap
from geo.balance.problem import Ints
from tests.bench.rebalance import metrics
from tests.bench.rivals.methods import matching, solve


def judged(method: str, folder: Path) -> dict[str, Any]:
    """Divide an instance and give the figures, the processor seconds and the most memory."""
    problem = pose(read(folder))
    keep_kernels()
    cpu_s = 0.0
    if method == "today":
        assignment = problem.current
    else:
        solve(method, small())
        before = cpu_seconds()
        assignment = solve(method, problem)
        cpu_s = cpu_seconds() - before
    peak_mb = most_memory()
    assignment = relabelled(problem, assignment)
    measures = measure(problem, assignment)
    check(measures, metrics.score(metrics.Instance(str(folder)), assignment))
    return {
        "grids": measures.grids,
        "in_band": measures.share_in_band,
        "near": measures.near_target / measures.grids,
        "broken": len(measures.disconnected),
        "moved": measures.moved_share,
        "must_move": must_move(problem, measures, assignment),
        "small_split": measures.split_compounds,
        "excess": measures.excess_pieces,
        "shape": measures.mean_compactness,
        "cpu_s": cpu_s,
        "peak_mb": peak_mb,
        "plan": hashlib.sha256(assignment.tobytes()).hexdigest(),
    }


def small() -> Problem:
    """A board of 6 x 6 cells that is divided first, so that imports and compilation are paid for."""
    at = np.arange(36).reshape(6, 6)
    edges = np.r_[np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]]
    return Problem(
        households=np.full(36, 10),
        xy=np.c_[at.ravel() % 6, at.ravel() // 6] * 10.0,
        area=np.full(36, 100.0),
        perimeter=np.full(36, 40.0),
        community=np.zeros(36, np.int64),
        compound=np.full(36, -1),
        current=at.ravel() // 10,
        edges=edges,
        shared_m=np.full(len(edges), 10.0),
        open=np.ones(len(edges), np.bool_),
        target=120,
        grids=np.array([3]),
    )


def relabelled(problem: Problem, assignment: Ints) -> Ints:
    """Give grids today's labels so that most households stay, and new ones where there are none left."""
    _, grid = np.unique(assignment, return_inverse=True)
    label = problem.current.max() + 1 + np.arange(grid.max() + 1)
    own, today, _ = matching(grid, problem.current, problem.households)
    label[own] = np.unique(problem.current)[today]
    return np.asarray(label[grid], np.int64)


def must_move(problem: Problem, measures: Measures, assignment: Ints) -> float | None:
    """Share of households that any plan as good in band must move; nothing is proven of illegal ones."""
    if not measures.legal or np.array_equal(assignment, problem.current):
        return None
    return gap(problem, assignment).floor.moved_share_at_least


def check(measures: Measures, score: dict[str, Any]) -> None:
    """Hold the figures against those of ``rebalance/metrics.py``, which are rounded to four places."""
    ours = {
        "districts": measures.grids,
        "within10": measures.share_in_band,
        "within5": measures.near_target / measures.grids,
        "noncontiguous": len(measures.disconnected),
        "community_crossing": len(measures.crossing_communities),
        "container_crossing": sum(row.containers > 1 for row in measures.grid_rows),
        "mean_pp": measures.mean_compactness,
        "moved": measures.households_moved,
    }
    if "compounds" in score:
        ours["small_compounds_split"] = measures.split_compounds
        ours["excess_pieces"] = measures.excess_pieces
    differing = {
        name: (value, score[name])
        for name, value in ours.items()
        if not math.isclose(value, score[name], abs_tol=6e-5)
    }
    if differing:
        raise SystemExit(f"measure and metrics.py differ: {differing}")


def cpu_seconds() -> float:
    """Processor time of this process and its children, user and system."""
    return sum(os.times()[:4])


def most_memory() -> int:
    """Megabytes that this process held at most; what its parent held before it began is not counted."""
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    if held is None:
        raise SystemExit("Memory is read from /proc, which this system has not.")
    return int(held[1]) // 1024
