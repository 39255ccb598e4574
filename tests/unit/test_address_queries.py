"""The address book on 998 messy queries of a made-up ledger: what is answered is right, the rest is none."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest

from geo.address import AddressBook, Compound, Entry

LEDGER = Path(__file__).parents[1] / "data" / "address" / "dev"


def rows(name):
    with (LEDGER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def scored():
    """What was found for each query, by class: the query, the buildings, and what the book said."""
    buildings = rows("buildings.csv")
    compounds = {row["compound_id"]: row for row in rows("compounds.csv")}
    communities = {row["community_id"]: row for row in rows("communities.csv")}
    book = AddressBook([entry(row, compounds, communities) for row in buildings])
    found = defaultdict(list)
    for line in (LEDGER / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        query = json.loads(line)
        answer = book.find(query["text"])
        found[query["cls"]].append((query, [buildings[position] for position in answer.entries], answer))
    return found


def entry(building, compounds, communities):
    community = communities[building["community_id"]]
    areas = {"district": "雨山区", "town": community["town"], "community": community["name"]}
    row = compounds.get(building["compound_id"])
    if row is None:
        return Entry(
            building["standard_address"],
            road=building["road"],
            road_number=building["road_no"],
            poi=building["poi"] or None,
            **areas,
        )
    aliases = tuple(filter(None, row["aliases"].split(";")))
    compound = Compound(
        row["compound_id"], row["name"], aliases, row["phase_of"] or None, row["road"], row["road_no"]
    )
    return Entry(
        building["standard_address"],
        compound=compound,
        label=building["label"] + building["word"],
        **areas,
    )


def is_sure(buildings):
    return len({building["grid_id"] for building in buildings}) == 1


def test_no_answer_is_wrong(scored):
    wrong = [
        query["text"]
        for queries in scored.values()
        for query, buildings, answer in queries
        if is_sure(buildings) and buildings[0]["grid_id"] not in query["accept_grids"]
    ]
    assert wrong == []


def test_what_does_not_exist_is_not_found(scored):
    assert [query["text"] for query, buildings, _ in scored["nonexistent"] if buildings] == []


@pytest.mark.parametrize("kind", ["clean", "prefix_missing", "unit_overflow"])
def test_plain_addresses_match_their_building(scored, kind):
    for query, buildings, answer in scored[kind]:
        assert [building["building_id"] for building in buildings] == [query["building_id"]], query["text"]
        assert answer.whole
        assert not answer.unexplained


def test_another_town_in_front_is_always_reported(scored):
    for query, buildings, answer in scored["wrong_prefix"]:
        assert [building["building_id"] for building in buildings] == [query["building_id"]], query["text"]
        assert answer.unexplained
