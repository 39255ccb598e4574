"""Edits under load, and how many answers the rule of freshness forbids: ``python -m tests.bench.freshness [EDITS]``.

Three server processes on one database; each edit publishes another plan through one of them, in turns, while readers
ask all three for a page of grids and for a tile, and at last a plan is published for later; see `tests.api.processes`.
"""

from __future__ import annotations

import sys
import time

from tests.api.processes import Seen, judged, publish_and_read, serving_processes
from tests.api.test_layers_freshness import asking
from tests.bench.database import thrown_away


def main(edits: int = 1_000) -> None:
    """Edit, read, and print how many answers are how."""
    seen = Seen()
    with thrown_away() as url, serving_processes(url) as ports:
        began = time.monotonic()
        last = publish_and_read(seen, ports, asking(), edits, pause_s=0.0)
        taken_s = time.monotonic() - began
    print(f"{edits} edits in {taken_s:.0f} s")  # noqa: T201
    for what, count in judged(seen, last).items():
        print(f"{count:9,} {what}")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
