"""Run the quick benches and print their table: ``python -m tests.bench [NAME ...]``."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import cache

from tests.bench import address, balance, batch, cells, http, layers, plans, points, suggest
from tests.bench.district import published
from tests.bench.measure import print_table

ASKING = {
    "cells": cells.bench,
    "points": points.bench,
    "http": http.bench,
    "batch": batch.bench,
    "address": address.bench,
    "suggest": suggest.bench,
    "plans": plans.bench,
}
"""Benches that ask the published district."""
APART = {"balance": balance.bench, "layers": layers.bench}
"""Benches with data of their own."""
NAMES = (*APART, *ASKING)


def main(*wanted: str) -> None:
    """Run the benches named, or all."""
    if unknown := set(wanted) - set(NAMES):
        sys.exit(f"There is no bench {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}.")
    chosen = wanted or NAMES
    with ExitStack() as stack:
        rows = [row for name, bench in APART.items() if name in chosen for row in bench()]
        district = cache(lambda: stack.enter_context(published()))
        for name in ASKING:
            if name in chosen:
                rows += ASKING[name](district())
    print_table(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
