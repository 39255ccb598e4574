"""How the benches measure: by turns, so that a busy machine slows everything alike and ratios hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A line of the table: a ratio, and the figure behind it on this machine."""

    bench: str
    what: str
    ratio: float
    here: str = ""


def by_turns(acts: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """Return the least that each act gave; the acts take turns, after a round that does not count."""
    for act in acts.values():
        act()
    turns = [{what: act() for what, act in acts.items()} for _ in range(rounds)]
    return {what: min(turn[what] for turn in turns) for what in acts}


def timed(act: Callable[[], object], *, times: int = 1) -> Callable[[], float]:
    """Make an act give the seconds it took, for one of the ``times`` things it does."""

    def take() -> float:
        begun = time.perf_counter()
        act()
        return (time.perf_counter() - begun) / times

    return take


def ratios(bench: str, seconds: Mapping[str, float]) -> list[Row]:
    """Set seconds beside the first of them."""
    base = next(iter(seconds.values()))
    return [Row(bench, what, taken / base, spell(taken)) for what, taken in seconds.items()]


def spell(seconds: float) -> str:
    """Write seconds in the unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def print_table(rows: Iterable[Row]) -> None:
    """Print rows as a table in Markdown."""
    print("| bench | what | ratio | here |\n|---|---|---:|---:|")  # noqa: T201
    for row in rows:
        print(f"| {row.bench} | {row.what} | {row.ratio:.3g} | {row.here} |")  # noqa: T201
