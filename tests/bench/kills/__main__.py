"""Kill acts and print what became of them: ``python -m tests.bench.kills [ROUNDS [SEED]]``.

About half of the rounds end in a kill; in the others the act answers first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from data import cluster, migrate
from tests.bench.kills.harness import run
from tests.conftest import FAST

HEAD = ("act", "rounds", "killed before it answered", "found old", "found new", "new, not answered", "torn")


def main(rounds: int = 600, seed: int = 0) -> None:
    """Run on a cluster of its own that is thrown away; leave with 1 if any district was found torn."""
    with tempfile.TemporaryDirectory(prefix="gridgov-kills-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with cluster.running(Path(folder), settings=FAST) as url:
            migrate.upgrade(url)
            tallies = run(url, rounds, seed=seed, progress=lambda said: sys.stderr.write(f"\r{said} "))
    lines = [HEAD, ("---",) + ("---:",) * (len(HEAD) - 1)]
    lines += [
        (name, each.rounds, each.unanswered, each.old, each.new, each.late, len(each.torn))
        for name, each in tallies.items()
    ]
    for line in lines:
        print("|", " | ".join(map(str, line)), "|")  # noqa: T201
    faults = [fault for tally in tallies.values() for fault in tally.torn]
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
