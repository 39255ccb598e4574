"""Balance an instance folder and print the figures: ``python -m tests.bench.balance DIR [--json]``.

docs/balance.md tells what a folder holds. Processor seconds leave compilation out: a first, tiny run pays it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import time
from pathlib import Path

import numpy as np

from etl import instances
from etl.instances import pose
from geo.balance import Measures, Problem, Proposal, balance, measure
from tests.bench.measure import Row, spell

SYNTH1 = Path(__file__).parent / "rebalance" / "synth1"
SYNTH1_FLOOR = 13_160
"""Households that any plan of synth1 within the band must move, proven by ``rebalance/bounds.py``."""
FIGURES = (
    "grids",
    "in_band",
    "in_band_at_most",
    "share_in_band",
    "moved_share",
    "worst_deviation_percent",
    "mean_deviation_percent",
    "mean_compactness",
    "split_compounds",
)


def read(folder: Path, *, scratch: bool = False, free: bool = False) -> Problem:
    """Read an instance as a problem."""
    return pose(instances.read(folder, counted=not free), scratch=scratch, grids="free" if free else None)


def figures(measures: Measures) -> dict[str, float]:
    """Give the figures that the table shows, and the faults as counts."""
    faults = {"disconnected": len(measures.disconnected), "crossing": len(measures.crossing_communities)}
    return {name: round(getattr(measures, name), 4) for name in FIGURES} | faults


def bench() -> list[Row]:
    """Rebalance synth1, and say how near the proven floor the moves come."""
    problem = read(SYNTH1)
    seconds, proposal = run(problem)
    before, after = proposal.report.before, proposal.report.after
    moved = after.households_moved
    return [
        Row("balance", "synth1: grids within 10%, before", before.share_in_band),
        Row(
            "balance",
            "synth1: grids within 10%, after",
            after.share_in_band,
            f"{spell(seconds)} of processor",
        ),
        Row("balance", "synth1: households moved, to the proven floor", moved / SYNTH1_FLOOR, f"{moved:,}"),
    ]


def run(problem: Problem, *, seed: int = 0, effort: int = 1) -> tuple[float, Proposal]:
    """Balance, and give the processor seconds it took without compilation."""
    balance(dataclasses.replace(problem, grids=None), should_stop=lambda: True)
    began = time.process_time()
    proposal = balance(problem, seed=seed, effort=effort)
    return time.process_time() - began, proposal


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=int, default=1)
    parser.add_argument("--scratch", action="store_true", help="forget today's grids")
    parser.add_argument("--free", action="store_true", help="choose the number of grids")
    parser.add_argument("--out", type=Path, help="write the assignment as .npy")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    problem = read(given.instance, scratch=given.scratch, free=given.free)
    seconds, proposal = run(problem, seed=given.seed, effort=given.effort)
    if given.out:
        np.save(given.out, proposal.assignment)
    result = {
        "seconds": round(seconds, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "before": figures(proposal.report.before),
        "after": figures(measure(problem, proposal.assignment)),
    }
    if given.json:
        print(json.dumps(result))  # noqa: T201
        return
    print(f"{seconds:.1f} s of processor, {result['peak_mb']} MB at most")  # noqa: T201
    for name in figures(proposal.report.after):
        print(f"{name:26}{result['before'][name]:>10}{result['after'][name]:>10}")  # noqa: T201


if __name__ == "__main__":
    main()
