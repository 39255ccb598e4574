"""998 messy queries of a made-up ledger: what the resolver is held to, and that nothing is answered silently wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.books.score import score

LEDGER = Path(__file__).parents[1] / "data" / "address" / "dev"


@pytest.fixture(scope="module")
def scored():
    return score(LEDGER)


@pytest.mark.parametrize(
    ("figure", "least"),
    [
        ("right behaviour", 0.99),
        ("first choice with one misspelling", 0.97),
        ("first choice with several", 0.97),
        ("precision where sure", 0.999),
        ("sure of", 0.6),
        ("match where one is expected", 0.97),
        ("building right", 0.99),
        ("none on what does not exist", 0.9),
    ],
)
def test_at_least(scored, figure, least):
    assert scored.figures()[figure] >= least


@pytest.mark.parametrize(
    ("figure", "most"), [("accepted though it does not exist", 0.01), ("silently wrong", 0.002)]
)
def test_at_most(scored, figure, most):
    assert scored.figures()[figure] <= most
