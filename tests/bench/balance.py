"""Balance an instance folder and print the figures: ``python -m tests.bench.balance DIR [--json]``.

docs/balance.md tells what a folder holds. Processor seconds leave compilation out: a first run, ended at once, pays it.
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
from etl.compiled import keep_kernels
from etl.instances import pose
from geo.balance import PROFILES, STABLE, Measures, Problem, Profile, Proposal, balance, measure
from geo.balance.bounds import gap
from tests.bench.measure import Row, spell

SYNTH1 = Path(__file__).parent / "rebalance" / "synth1"
FIGURES = (
    "grids",
    "in_band",
    "in_band_at_most",
    "share_in_band",
    "near_target",
    "households_moved",
    "moved_share",
    "worst_deviation_percent",
    "mean_deviation_percent",
    "mean_compactness",
    "split_compounds",
    "excess_pieces",
)


def read(folder: Path, *, scratch: bool = False, free: bool = False) -> Problem:
    """Read an instance as a problem."""
    return pose(instances.read(folder, counted=not free), scratch=scratch, grids="free" if free else None)


def figures(measures: Measures) -> dict[str, float]:
    """Give the figures that the table shows, and the faults as counts."""
    faults = {"disconnected": len(measures.disconnected), "crossing": len(measures.crossing_communities)}
    return {name: round(getattr(measures, name), 4) for name in FIGURES} | faults


def bench() -> list[Row]:
    """Rebalance synth1, and say how near the moves come to those that any plan as good in band must make."""
    problem = read(SYNTH1)
    seconds, proposal = run(problem)
    before, after, proven = proposal.report.before, proposal.report.after, gap(problem, proposal.assignment)
    return [
        Row("balance", "synth1: grids within 10%, before", before.share_in_band),
        Row(
            "balance",
            "synth1: grids within 10%, after",
            after.share_in_band,
            f"{spell(seconds)} of processor",
        ),
        Row("balance", "synth1: grids within 10%, at most", proven.floor.in_band_at_most / after.grids),
        Row(
            "balance",
            "synth1: households moved, to the proven floor",
            proven.moved_ratio,
            f"{proven.households_moved:,} to {proven.floor.moved_at_least:,}",
        ),
    ]


def run(
    problem: Problem, *, profile: Profile = STABLE, seed: int = 0, effort: int = 1
) -> tuple[float, Proposal]:
    """Balance, and give the processor seconds it took without compilation."""
    keep_kernels()
    balance(dataclasses.replace(problem, grids=None), should_stop=lambda: True)
    began = time.process_time()
    proposal = balance(problem, profile=profile, seed=seed, effort=effort)
    return time.process_time() - began, proposal


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", type=Path)
    parser.add_argument("--profile", choices=PROFILES, default=STABLE.name)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=int, default=1)
    parser.add_argument("--scratch", action="store_true", help="forget today's grids")
    parser.add_argument("--free", action="store_true", help="choose the number of grids")
    parser.add_argument("--out", type=Path, help="write the assignment as .npy")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    problem = read(given.instance, scratch=given.scratch, free=given.free)
    profile = PROFILES[given.profile]
    seconds, proposal = run(problem, profile=profile, seed=given.seed, effort=given.effort)
    if given.out:
        np.save(given.out, proposal.assignment)
    proven = gap(problem, proposal.assignment).floor
    result = {
        "seconds": round(seconds, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "before": figures(proposal.report.before),
        "after": figures(measure(problem, proposal.assignment)),
        "moved_at_least": proven.moved_at_least,
    }
    if given.json:
        print(json.dumps(result))  # noqa: T201
        return
    print(f"{seconds:.1f} s of processor, {result['peak_mb']} MB at most")  # noqa: T201
    print(f"households that any plan as good in band must move: {proven.moved_at_least:,}")  # noqa: T201
    print(f"\n{'':26}{'before':>10}{'after':>10}")  # noqa: T201
    for name in result["before"]:
        print(f"{name:26}{result['before'][name]:>10}{result['after'][name]:>10}")  # noqa: T201


if __name__ == "__main__":
    main()
