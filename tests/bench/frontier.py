"""What moving fewer households costs in compactness: ``python -m tests.bench.frontier [--seeds N]``.

The weights ``moved`` and ``shape`` of a profile are varied around its own on synth1, each pair of weights with the
same seeds; figures are means over these.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from typing import NamedTuple

from geo.balance import PROFILES, STABLE, Problem, Profile
from geo.balance.bounds import gap
from tests.bench.balance import SYNTH1, read, run

FACTORS = (0.5, 1.0, 2.0)
HEAD = "| moved | shape | within 10% | moved households | to the floor | small compounds split | PP |"


class Point(NamedTuple):
    """Means over seeds of what a pair of weights gives."""

    moved: float
    to_floor: float
    small_split: float
    in_band: float
    shape: float


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default=STABLE.name)
    parser.add_argument("--seeds", type=int, default=2, help="how many, from 0 up")
    given = parser.parse_args()
    problem, own = read(SYNTH1), PROFILES[given.profile]
    points = {}
    for moved, shape in itertools.product(FACTORS, FACTORS):
        profile = dataclasses.replace(own, moved=own.moved * moved, shape=own.shape * shape)
        print(f"moved {profile.moved:g}, shape {profile.shape:g} ...", file=sys.stderr)  # noqa: T201
        points[profile] = mean_of(problem, profile, given.seeds)
    print_table(points, own)


def mean_of(problem: Problem, profile: Profile, seeds: int) -> Point:
    """Balance with each seed, and take the means."""
    rows = []
    for seed in range(seeds):
        _, proposal = run(problem, profile=profile, seed=seed)
        after, proven = proposal.report.after, gap(problem, proposal.assignment)
        rows.append(
            Point(
                after.moved_share,
                proven.moved_ratio,
                after.split_compounds,
                after.share_in_band,
                after.mean_compactness,
            )
        )
    return Point(*(sum(column) / seeds for column in zip(*rows, strict=True)))


def print_table(points: dict[Profile, Point], own: Profile) -> None:
    """Print the points as a table in Markdown, the profile's own weights in bold."""
    print(f"{HEAD}\n|{'---:|' * HEAD.count('|', 1)}")  # noqa: T201
    for profile, point in points.items():
        row = [
            f"{profile.moved:g}",
            f"{profile.shape:g}",
            f"{point.in_band:.1%}",
            f"{point.moved:.1%}",
            f"{point.to_floor:.2f}",
            f"{point.small_split:g}",
            f"{point.shape:.3f}",
        ]
        shown = [f"**{each}**" if profile == own else each for each in row]
        print(f"| {' | '.join(shown)} |")  # noqa: T201


if __name__ == "__main__":
    main()
