"""Score the address resolver on books, in this process: ``python -m tests.bench.books.score BOOK [BOOK …]``."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.address import AddressBook, Compound, Entry
from geo.answers import Answer, Building, Community, District, Grid, Plan, Status
from geo.locate import Locator, Place, Register

DISTRICT = "试验区"
"""What the district is called in the register: not what its addresses begin with."""
SURE = 0.95
BARS = {
    "right behaviour": ">= 99%",
    "accepted though it does not exist": "<= 1%",
    "silently wrong": "<= 0.2%",
    "first choice with one misspelling": ">= 97%",
    "first choice with several": ">= 97%",
    "precision where sure": ">= 99.9%",
    "sure of": ">= 60%",
    "match where one is expected": ">= 97%",
    "building right": ">= 99%",
    "none on what does not exist": ">= 90%",
    "p50 ms": "<= 0.1",
    "p99 ms": "<= 10",
    "build s": "<= 2",
}
"""What the resolver is held to on a quiet machine; times by one process that does nothing else."""
_HALF_A_HOUSE = 0.00004

_SPEC = importlib.util.spec_from_file_location(
    "address_eval", Path(__file__).parents[2] / "data" / "address" / "eval.py"
)
assert _SPEC
assert _SPEC.loader
scorer = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(scorer)

Row = dict[str, str]


def read(book: Path, name: str) -> list[Row]:
    """Read a table of a book."""
    with (book / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def questions(book: Path) -> list[dict[str, Any]]:
    """Read what is asked about a book."""
    lines = (book / "queries.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def register(book: Path) -> Register:
    """Read a book as a register with one plan, whose grids are small boxes around their buildings."""
    communities = {row["community_id"]: row for row in read(book, "communities.csv")}
    compounds = {row["compound_id"]: _compound(row) for row in read(book, "compounds.csv")}
    rows = read(book, "buildings.csv")
    boxes = defaultdict(list)
    for row in rows:
        lon, lat = float(row["lon"]), float(row["lat"])
        boxes[row["grid_id"]].append(
            shapely.box(lon - _HALF_A_HOUSE, lat - _HALF_A_HOUSE, lon + _HALF_A_HOUSE, lat + _HALF_A_HOUSE)
        )
    belongs = {row["grid_id"]: communities[row["community_id"]] for row in rows}
    codes = sorted(boxes)
    return Register(
        district=District("990301", DISTRICT),
        srid=32650,
        plan=Plan(1, "", datetime(2026, 1, 1, tzinfo=UTC), None),
        data_version=1,
        grids=[_grid(code, belongs[code]) for code in codes],
        shapes=np.array([shapely.union_all(boxes[code]) for code in codes], dtype=object),
        places=[_place(row, communities[row["community_id"]], compounds) for row in rows],
    )


def _compound(row: Row) -> Compound:
    return Compound(
        row["compound_id"],
        row["name"],
        tuple(filter(None, row["aliases"].split(";"))),
        row["phase_of"] or None,
        row["road"] or None,
        row["road_no"] or None,
    )


def _grid(code: str, community: Row) -> Grid:
    name, town = community["name"], community["town"]
    of = Community(community["community_id"], None, False, name, "active", town, None)
    return Grid(code, code, False, "basic", None, of)


def _place(row: Row, community: Row, compounds: dict[str, Compound]) -> Place:
    label, word = row["label"], row["word"]
    entry = Entry(
        address=row["standard_address"],
        compound=compounds.get(row["compound_id"]),
        label=label if not word or label.endswith(word) else label + word,
        road=row["road"] or None,
        road_number=row["road_no"] or None,
        poi=row["poi"] or None,
        town=community["town"],
        community=community["name"],
        district=DISTRICT,
    )
    building = Building(row["building_id"], row["standard_address"], float(row["lon"]), float(row["lat"]))
    return Place(building, entry, cells=((None, row["grid_id"]),))


def spoken(answer: Answer) -> dict[str, Any]:
    """Say an answer in the scorer's words."""
    sure = 1.0 if answer.status is Status.MATCH else 0.0
    return {
        "status": answer.status.value,
        "grid_id": answer.grid.external_code if answer.grid else None,
        "building_id": answer.building.external_code if answer.building else None,
        "confidence": getattr(answer, "confidence", None) or sure,
        "alternatives": [
            {
                "grid_id": other.grid.external_code if other.grid else None,
                "building_id": other.building.external_code if other.building else None,
            }
            for other in answer.alternatives
        ],
    }


@dataclass
class Scored:
    """Questions with their answers, how each was judged, and how long it took."""

    queries: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    build_s: float = 0.0

    def share(self, fact: str, which: Callable[[dict[str, Any]], bool] = lambda query: True) -> float:
        """Return the share of queries of a kind of which a fact holds, where it applies; NaN without any."""
        held = [
            bool(facts[fact])
            for query, facts in zip(self.queries, self.facts, strict=True)
            if which(query) and facts.get(fact) is not None
        ]
        return sum(held) / len(held) if held else float("nan")

    def matches(self) -> list[tuple[float, bool]]:
        """Return confidence of, and whether it is right, each answer that is a match."""
        return [
            (answer["confidence"] or 0.0, not facts["wrong"])
            for answer, facts in zip(self.answers, self.facts, strict=True)
            if answer["status"] == "match"
        ]

    def figures(self) -> dict[str, float]:
        """Return what the resolver is held to, as shares, and times."""
        sure = [right for confidence, right in self.matches() if confidence >= SURE]
        return {
            "right behaviour": self.share("ok"),
            "accepted though it does not exist": self.share("wrong", _unknown),
            "silently wrong": self.share("wrong"),
            "first choice with one misspelling": self.share("top1", lambda q: q["cls"] == "typo"),
            "first choice with several": self.share("top1", lambda q: q["cls"] == "multi"),
            "precision where sure": sum(sure) / len(sure) if sure else float("nan"),
            "sure of": len(sure) / max(1, len(self.queries)),
            "match where one is expected": self.share("sure"),
            "building right": self.share("bld"),
            "none on what does not exist": self.share("none", _unknown),
            "mean ms": 1e3 * sum(self.seconds) / max(1, len(self.seconds)),
            "p50 ms": 1e3 * scorer.pct(self.seconds, 0.5),
            "p99 ms": 1e3 * scorer.pct(self.seconds, 0.99),
            "build s": self.build_s,
        }


def _unknown(query: dict[str, Any]) -> bool:
    return bool(query["cls"] == "nonexistent")


def score(book: Path) -> Scored:
    """Ask a book's questions of a locator made from it."""
    known = register(book)
    begun = time.perf_counter()
    names = AddressBook([place.entry for place in known.places])
    build_s = time.perf_counter() - begun
    locator = Locator(known, margin_m=200.0, book=names)
    addresses = {place.building.external_code: _short(place.entry) for place in known.places}
    scored = asked(questions(book), lambda text: spoken(locator.resolve(text)))
    return replace(scored, addresses=addresses, build_s=build_s)


def _short(entry: Entry) -> str:
    """Say where a building is, from its town on."""
    return f"{entry.town}{(entry.address or '').partition(entry.town or '')[2]}"


def asked(queries: list[dict[str, Any]], ask: Callable[[str], dict[str, Any]]) -> Scored:
    """Ask questions and judge the answers."""
    scored = Scored(queries)
    for query in queries[:5]:  # what is made on first use is no answer's own time
        ask(query["text"])
    for query in queries:
        begun = time.perf_counter()
        said = ask(query["text"])
        scored.seconds.append(time.perf_counter() - begun)
        scored.answers.append(said)
        scored.facts.append(scorer.score(query, said))
    return scored


def together(all_scored: Sequence[Scored]) -> Scored:
    """Put several books' scores into one; the slowest book's build counts."""
    whole = Scored(build_s=max(scored.build_s for scored in all_scored))
    for scored in all_scored:
        whole.queries += scored.queries
        whole.answers += scored.answers
        whole.facts += scored.facts
        whole.seconds += scored.seconds
    return whole


def show(scored: Scored, *, sub: bool = False) -> None:
    """Print the scorer's table, the figures, and how far confidence can be believed."""
    kinds = defaultdict(list)
    for position, query in enumerate(scored.queries):
        name = f"{query['cls']}/{query['sub']}" if sub and query["sub"] else query["cls"]
        kinds[name].append(position)
    kinds["ALL"] = list(range(len(scored.queries)))
    columns = ("ok", "top1", "top5", "bld", "wrong", "none")
    _say(
        f"{'class':32}{'n':>6}" + "".join(f"{column:>7}" for column in columns) + f"{'p50ms':>8}{'p99ms':>8}"
    )
    for name in sorted(kinds, key=lambda kind: (kind == "ALL", kind)):
        held = [scored.facts[position] for position in kinds[name]]
        shares = (_percent(facts[column] for facts in held) for column in columns)
        times = [1e3 * scored.seconds[position] for position in kinds[name]]
        _say(
            f"{name:32}{len(held):6}"
            + "".join(f"{share:7.1f}" for share in shares)
            + f"{scorer.pct(times, 0.5):8.2f}{scorer.pct(times, 0.99):8.2f}"
        )
    for what, figure in scored.figures().items():
        times = what.endswith((" ms", " s"))
        _say(
            f"  {what:36}"
            + (f"{figure:8.3f} " if times else f"{100 * figure:8.2f}%")
            + f"   {BARS.get(what, '')}"
        )
    _show_confidence(scored.matches())


def _percent(facts: Iterable[Any]) -> float:
    held = [bool(fact) for fact in facts if fact is not None]
    return 100 * sum(held) / len(held) if held else float("nan")


def _show_confidence(matches: list[tuple[float, bool]]) -> None:
    _say("  confidence of a match: how many, how many right")
    for tenth in range(9, -1, -1):
        held = [
            right
            for confidence, right in matches
            if tenth <= 10 * confidence < tenth + (1 if tenth < 9 else 2)
        ]
        if held:
            _say(
                f"    {tenth / 10:.1f}-{(tenth + 1) / 10:.1f}{len(held):7}{100 * sum(held) / len(held):8.2f}%"
            )


def show_errors(scored: Scored, number: int, kind: str | None, *, wrong_only: bool) -> None:
    """Print queries that were not answered rightly: what was asked, what was wanted, what came."""
    for query, answer, facts in zip(scored.queries, scored.answers, scored.facts, strict=True):
        bad = facts["wrong"] if wrong_only else not facts["ok"]
        if number <= 0 or not bad or (kind and not f"{query['cls']}/{query['sub']}".startswith(kind)):
            continue
        number -= 1
        wanted = [scored.addresses[code] for code in query["accept_buildings"][:3]]
        came = scored.addresses.get(answer["building_id"], answer["grid_id"])
        others = [
            scored.addresses.get(other["building_id"], other["grid_id"]) for other in answer["alternatives"]
        ]
        _say(
            f"{query['cls']}/{query['sub']} | {query['text']!r} | {query['expect']} {wanted}"
            f" | {answer['status']} {came} {answer['confidence'] or 0.0:.3f} {others[:3]}"
        )


def _say(line: str) -> None:
    print(line)  # noqa: T201


def main() -> None:
    """Read the command line, score, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("books", type=Path, nargs="+")
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--cls", help="class, or class/sub, whose errors are shown")
    parser.add_argument("--wrong", action="store_true", help="show confident wrong answers only")
    parser.add_argument("--sub", action="store_true", help="a line for each kind within a class")
    wanted = parser.parse_args()
    books = [score(book) for book in wanted.books]
    show(together(books), sub=wanted.sub)
    for book, scored in zip(wanted.books, books, strict=True):
        if wanted.errors:
            _say(f"{book}:")
            show_errors(scored, wanted.errors, wanted.cls, wrong_only=wanted.wrong)


if __name__ == "__main__":
    main()
