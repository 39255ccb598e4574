"""What made-up cities of more and more districts cost: ``make bench-city``.

Each district is made, balanced and measured as `etl.scheduler.balance_many` takes it, and forgotten. Processor
time is that of all processes together, without imports and compilation; memory is what the largest of them held
at most, up to then.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from etl.scheduler import Load, balance_many
from geo.balance import PROFILES
from tests.bench.rebalance.lattice import made

MARKS = (1, 2, 5, 10, 20)
HEAD = "| districts | cells | grids | in band | CPU s | CPU a cell, to the first | MB | MB, to the first | elapsed s |"


class City(NamedTuple):
    """What a city cost."""

    districts: int
    cells: int
    grids: int
    in_band: int
    cpu_s: float
    most_mb: float
    elapsed_s: float


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--districts", type=int, default=MARKS[-1])
    parser.add_argument("--seed", type=int, default=0, help="of the first district; the others follow")
    parser.add_argument("--profile", choices=PROFILES, default="stable")
    parser.add_argument(
        "--workers", type=int, help="on a Dask scheduler of this machine with as many processes"
    )
    given = parser.parse_args()
    marks = [mark for mark in MARKS if mark < given.districts] + [given.districts]
    print(f"{HEAD}\n|{'---:|' * HEAD.count('|', 1)}")  # noqa: T201
    with scheduler(given.workers) as address:
        ways = {"profile": PROFILES[given.profile], "address": address}
        balanced([partial(made, given.seed)] * (given.workers or 1), ways)
        first = None
        for mark in marks:
            city = balanced((partial(made, given.seed + number) for number in range(mark)), ways)
            first = first or city
            print_row(city, first)


@contextlib.contextmanager
def scheduler(workers: int | None) -> Iterator[str | None]:
    """Run a scheduler with workers on this machine, if any are asked for."""
    if workers is None:
        yield None
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


def balanced(loaders: Iterable[Load], ways: dict[str, Any]) -> City:
    """Balance a city and tell what it cost."""
    began, cpu_before = time.perf_counter(), cpu_seconds()
    districts = cells = grids = in_band = 0
    for proposal in balance_many(loaders, **ways):
        after = proposal.report.after
        districts, cells = districts + 1, cells + len(proposal.assignment)
        grids, in_band = grids + after.grids, in_band + after.in_band
    cpu_s, elapsed_s = cpu_seconds() - cpu_before, time.perf_counter() - began
    return City(districts, cells, grids, in_band, cpu_s, most_memory(), elapsed_s)


def processes() -> list[psutil.Process]:
    """Return this process and those it started."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def cpu_seconds() -> float:
    """Processor time of all processes, user and system."""
    return sum(sum(each.cpu_times()[:2]) for each in processes())


def most_memory() -> float:
    """Megabytes that the largest process held at most."""
    held = [Path(f"/proc/{each.pid}/status").read_text("utf-8") for each in processes()]
    return max(int(found[1]) for text in held if (found := re.search(r"VmHWM:\s+(\d+) kB", text))) / 1024


def print_row(city: City, first: City) -> None:
    """Print a line of the table."""
    a_cell = (city.cpu_s / city.cells) / (first.cpu_s / first.cells)
    print(  # noqa: T201
        f"| {city.districts} | {city.cells:,} | {city.grids:,} | {city.in_band / city.grids:.1%} "
        f"| {city.cpu_s:.1f} | {a_cell:.2f} | {city.most_mb:.0f} | {city.most_mb / first.most_mb:.2f} "
        f"| {city.elapsed_s:.1f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
