"""The balance engine against other methods, on the same instances in one run: ``make bench-balance``.

Every method divides every instance in a process of its own, in turns, and is judged alike: labels are matched to
today's, `geo.balance.measure` gives the figures, and ``rebalance/metrics.py`` must give the same. Processor time
is the method's own (user and system, with children), after a small district that pays for imports and
compilation; memory is the most that its process held. ``at least`` is what any plan must move that has as many
grids, and no more of them out of band, in each container, as `geo.balance.bounds` proves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REBALANCE = Path(__file__).parents[1] / "rebalance"
OWN = ("gridgov stable", "gridgov even", "gridgov whole")
QUICK = ("METIS", "KaHIP", "k-means", *OWN)
NIGHTLY = ("METIS", "KaHIP", "k-means", "ReCom", *OWN)
FRESH = (1901, 1902, 1903)
"""Seeds of made-up districts that nothing was tuned on."""
HEADERS = {
    "grids": "grids",
    "in_band": "within 10%",
    "near": "within 5%",
    "broken": "not connected",
    "moved": "moved",
    "must_move": "at least",
    "small_split": "small compounds split",
    "excess": "excess pieces",
    "shape": "PP",
    "cpu_ratio": "CPU to METIS",
    "cpu_s": "CPU s",
    "peak_mb": "MB",
}
SHARES = {"in_band", "near", "moved", "must_move"}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("minute", "nightly"), default="minute")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each method; the least time counts")
    parser.add_argument(
        "--seeds", type=int, nargs="*", default=FRESH, help="fresh districts of the nightly size"
    )
    parser.add_argument("--methods", nargs="*", help="instead of those of the size")
    parser.add_argument("--child", nargs=2, metavar=("METHOD", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        from tests.bench.rivals.judging import judged

        print(json.dumps(judged(given.child[0], Path(given.child[1]))))  # noqa: T201
        return
    methods = given.methods or (QUICK if given.size == "minute" else NIGHTLY)
    with instances(given.size, given.seeds) as folders:
        fresh = []
        for folder in folders:
            turns = [
                {method: in_a_process(method, folder) for method in ("today", *methods)}
                for _ in range(given.rounds)
            ]
            rows = {method: least([turn[method] for turn in turns]) for method in turns[0]}
            print_table(folder.name, rows)
            if folder.name in {f"synth{seed}" for seed in given.seeds}:
                fresh.append(rows)
        if len(fresh) > 1:
            print_table(
                f"mean of {len(fresh)} fresh",
                {method: mean([rows[method] for rows in fresh]) for method in fresh[0]},
            )


@contextmanager
def instances(size: str, seeds: list[int]) -> Iterator[list[Path]]:
    """Give the folders: the district that is kept, and at night fresh ones and a real one where there is one."""
    folders = [REBALANCE / "synth1"]
    if size == "minute":
        yield folders
        return
    if named := os.environ.get("GRIDGOV_TEST_DATA"):
        folders.append(Path(named) / "rebalance" / "data" / "providence_blocks")
    with tempfile.TemporaryDirectory(prefix="gridgov-bench-") as made:
        for seed in seeds:
            folder = Path(made) / f"synth{seed}"
            command = [sys.executable, REBALANCE / "instance.py", "--seed", str(seed), "--out", folder]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            folders.append(folder)
        yield folders


def in_a_process(method: str, folder: Path) -> dict[str, Any]:
    """Have a method divide an instance in a process of its own."""
    print(f"{folder.name}: {method} ...", file=sys.stderr)  # noqa: T201
    command = [sys.executable, "-m", "tests.bench.rivals", "--child", method, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def least(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the least time and memory of the turns; the plan must have been the same in all."""
    plans = {turn["plan"] for turn in turns}
    if len(plans) > 1:
        raise SystemExit(f"{len(plans)} different plans in {len(turns)} turns")
    return turns[0] | {name: min(turn[name] for turn in turns) for name in ("cpu_s", "peak_mb")}


def mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the mean of each figure over districts; none where it is not proven of all."""
    columns = {name: [row[name] for row in rows] for name in HEADERS if name in rows[0]}
    return {name: None if None in column else sum(column) / len(rows) for name, column in columns.items()}


def print_table(name: str, rows: dict[str, dict[str, Any]]) -> None:
    """Print the figures of an instance as a table in Markdown."""
    base = rows.get("METIS", {}).get("cpu_s")
    print(f"\n| {name} | {' | '.join(HEADERS.values())} |\n|---|{'---:|' * len(HEADERS)}")  # noqa: T201
    for method, row in rows.items():
        row["cpu_ratio"] = row["cpu_s"] / base if base else None
        shown = [spelled(each, row[each]) for each in HEADERS]
        if method == "today":
            shown[-3:] = ["-"] * 3
        print(f"| {method} | {' | '.join(shown)} |", flush=True)  # noqa: T201


def spelled(name: str, value: Any) -> str:
    """Write a figure as the table shows it."""
    if value is None:
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f}%"
    if name == "shape":
        return f"{value:.2f}"
    return f"{value:.2g}" if isinstance(value, float) and value < 10 else f"{value:.0f}"


if __name__ == "__main__":
    main()
