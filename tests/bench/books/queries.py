"""Questions about a made-up district, as callers, forms and recognisers put them, with the right answers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.bench.books import misspelt, told, unclear, unknown
from tests.bench.books.ledger import Ledger
from tests.bench.books.maker import Maker, Query

_ATTEMPTS = 60


def make(ledger: Ledger, seed: int, number: int) -> list[Query]:
    """Make about so many queries."""
    maker = Maker(ledger, Random(f"queries {seed}"))  # noqa: S311
    share = number / sum(weight for _, weight in CLASSES)
    made: list[Query] = []
    seen: set[str] = set()
    for build, weight in CLASSES:
        wanted, attempts = max(1, round(weight * share)), 0
        while wanted and attempts < _ATTEMPTS * max(1, round(weight * share)):
            attempts += 1
            query = build(maker)
            if query and query["text"] not in seen and query["text"].strip():
                seen.add(query["text"])
                made.append(query)
                wanted -= 1
    return [{**query, "id": f"Q{n + 1:05}"} for n, query in enumerate(made)]


CLASSES: tuple[tuple[Callable[[Maker], Query | None], float], ...] = (
    (told.clean, 45),
    (told.prefix_missing, 50),
    (unclear.same_name, 22),
    (told.synonym, 55),
    (told.dash, 22),
    (told.real_shape, 70),
    (told.by_street, 10),
    (told.numeral, 55),
    (misspelt.typo, 95),
    (misspelt.heard, 12),
    (misspelt.alias_typo, 10),
    (misspelt.swapped, 12),
    (told.reordered, 30),
    (told.formatted, 55),
    (misspelt.multi, 60),
    (told.alias, 40),
    (told.extra_suffix, 8),
    (told.both_names, 5),
    (told.twice, 6),
    (told.story, 12),
    (told.recognised, 3),
    (told.poi, 14),
    (misspelt.pinyin, 34),
    (misspelt.half_pinyin, 6),
    (misspelt.letters, 8),
    (misspelt.in_english, 32),
    (told.embedded, 65),
    (told.vague, 45),
    (told.overflow, 16),
    (told.wrong_prefix, 40),
    (unclear.compound_only, 18),
    (unclear.loose, 10),
    (unclear.family, 12),
    (unclear.sound_alike, 4),
    (unclear.two_places, 4),
    (unclear.two_numbers, 3),
    (unknown.number, 32),
    (unknown.house_number, 22),
    (unknown.compound, 26),
    (unknown.other_suffix, 6),
    (unknown.near_name, 8),
    (unknown.slip, 5),
    (unknown.member, 14),
    (unknown.road, 8),
    (unknown.place, 4),
    (unknown.elsewhere, 14),
    (unknown.no_address, 10),
)
"""What is asked, and how often."""
