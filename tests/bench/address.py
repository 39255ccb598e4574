"""Messy queries scored: of the made-up ledger over HTTP, and of other districts with other noise in process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.books.make import make
from tests.bench.books.score import BARS, Scored, asked, questions, score, scorer, together
from tests.bench.district import LEDGER
from tests.bench.measure import Row
from tests.bench.server import HOST, serving

NAMES = {
    "grid_id": "grid.external_code",
    "building_id": "building.external_code",
    "alt.grid_id": "grid.external_code",
    "alt.building_id": "building.external_code",
}
"""What the scorer's words are called in an answer."""
SEEDS = (101, 102)
"""Districts that nothing is tuned on."""


def bench(url: str) -> list[Row]:
    """Score the answers."""
    with serving(url) as (port, _):
        ask = scorer.Http(f"http://{HOST}:{port}", "/api/v1/resolve?q={q}", NAMES, {})
        over_http = asked(questions(LEDGER), ask)
    return [
        *_rows("the ledger over HTTP", over_http),
        *_rows("the ledger in process", score(LEDGER)),
        *_rows("other districts in process", _others()),
    ]


def _others() -> Scored:
    with tempfile.TemporaryDirectory() as folder:
        books = [Path(folder) / str(seed) for seed in SEEDS]
        for seed, book in zip(SEEDS, books, strict=True):
            make(book, seed)
        return together([score(book) for book in books])


def _rows(which: str, scored: Scored) -> list[Row]:
    figures = scored.figures()
    mean, p50, p99, build = (figures.pop(what) for what in ("mean ms", "p50 ms", "p99 ms", "build s"))
    rows = [
        Row("address", f"{which}: {what}", share, f"{100 * share:.2f}%, bar {BARS[what]}")
        for what, share in figures.items()
    ]
    times = f"p50 {p50:.3g} ms, mean {mean:.3g} ms, p99 {p99:.3g} ms" + (
        f", index built in {build:.3g} s" if build else ""
    )
    return [*rows, Row("address", f"{which}: p99 to p50", p99 / p50, times)]
