"""The made-up districts that the resolver is scored on: what their answers say is true of them."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest

from tests.bench.books import alike
from tests.bench.books.ledger import SIZES, Building, Community, Compound, Ledger
from tests.bench.books.ledger import make as make_ledger
from tests.bench.books.make import make
from tests.bench.books.queries import CLASSES
from tests.bench.books.truth import Truth, canonical
from tests.bench.books.words import DIVISIONS

SEED = 7


@pytest.fixture(scope="module")
def truth():
    return Truth(make_ledger(SEED, SIZES["small"]))


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    make(folder, SEED, "small", 400)
    return folder


@pytest.fixture(scope="module")
def queries(book):
    return [json.loads(line) for line in (book / "queries.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def buildings(book):
    with (book / "buildings.csv").open(encoding="utf-8", newline="") as file:
        return {row["building_id"]: row for row in csv.DictReader(file)}


def test_the_same_seed_makes_the_same_book(book, tmp_path):
    make(tmp_path, SEED, "small", 400)
    for name in ("communities.csv", "compounds.csv", "buildings.csv", "queries.jsonl"):
        assert (tmp_path / name).read_bytes() == (book / name).read_bytes()


def test_another_seed_makes_another_district():
    names = [{at.name for at in make_ledger(seed, SIZES["small"]).compounds} for seed in (SEED, SEED + 1)]
    assert len(names[0] & names[1]) < len(names[0]) / 2


def test_every_kind_of_question_is_asked(queries):
    assert len({(query["cls"], query["sub"]) for query in queries}) >= len(CLASSES)


def test_no_two_buildings_have_one_address(buildings):
    assert Counter(row["standard_address"] for row in buildings.values()).most_common(1)[0][1] == 1


def test_what_is_accepted_is_where_the_buildings_are(queries, buildings):
    for query in queries:
        grids = {buildings[code]["grid_id"] for code in query["accept_buildings"]}
        assert sorted(grids) == query["accept_grids"], query["text"]


def test_what_is_asked_for_says_how_many_can_be_meant(queries):
    several = {"match": (1, 1), "near": (1, 1), "refuse": (0, 0), "ambiguous": (2, 99), "match_grid": (1, 99)}
    for query in queries:
        least, most = several[query["expect"]]
        assert least <= len(query["accept_buildings"]) <= most, query["text"]
        assert bool(query["building_id"]) == (query["expect"] in ("match", "near")), query["text"]


def test_a_plain_address_is_its_buildings(queries, buildings):
    for query in queries:
        if query["cls"] == "clean":
            row = buildings[query["building_id"]]
            assert (row["road"] or row["standard_address"].partition("号")[2])[:2] in query["text"]
            assert row["label"] in query["text"]


def test_what_does_not_exist_is_no_name_with_that_number(truth):
    compound = truth.ledger.compounds[0]
    assert truth.buildings(compound.name, "999") == []
    held = next(iter(truth.of_compound[compound.code].values()))
    assert held in truth.buildings(compound.name, held.label)


@pytest.mark.parametrize(
    ("label", "plain"),
    [("12号附1", "12-1"), ("12之2", "12-2"), ("12附3", "12-3"), ("3a", "3A"), ("12甲", "12甲")],
)
def test_numbers_have_one_spelling(label, plain):
    assert canonical(label) == plain


@pytest.fixture(scope="module")
def few():
    """Make five compounds of five buildings each, two of them of a family."""
    community = Community("C01", "乐业社区", "望江街道")
    names = ("永安一村", "永安二村", "翠竹家园", "翠竹佳园", "晨光小区")
    compounds = [Compound(f"X{n}", name, community, "湖东路", str(n)) for n, name in enumerate(names)]
    for at in compounds[:2]:
        at.family = "永安村"
    buildings = [
        Building(f"B{at.code}{number}", str(number), "幢", community, at)
        for at in compounds
        for number in range(1, 6)
    ]
    return Truth(Ledger(DIVISIONS[0], [community], compounds, ["湖东路"], buildings))


@pytest.mark.parametrize(
    ("written", "name", "told"),
    [
        ("永安一寸", "永安一村", True),
        ("永按一村", "永安一村", True),
        ("晨光小娶", "晨光小区", True),
        ("晨光光小区", "晨光小区", True),
        ("永安村", "永安一村", False),  # of both
        ("永安二村", "永安一村", False),  # the other
        ("翠竹嘉园", "翠竹家园", False),  # as near to the other
        ("翠朱佳园", "翠竹佳园", True),
        ("乐业社区", "晨光小区", False),
    ],
)
def test_whether_a_misspelling_can_only_mean_its_name(few, written, name, told):
    assert few.means(written, name) is told


@pytest.mark.parametrize(
    ("written", "label", "taken"),
    [
        ("晨小区", "3", True),
        ("辰光小区", "3", True),
        ("晨光小区北院", "3", True),
        ("晨光小区北院", "9", False),
        ("阳光小区", "3", False),  # one character of another sound and shape is no slip
        ("橡树家园", "3", False),
    ],
)
def test_what_may_be_taken_for_a_real_name_with_that_number(few, written, label, taken):
    assert few.mistaken(written, (label,)) is taken


def test_names_that_sound_alike_are_asked_for_together(few):
    assert [b.compound.name for b in few.sound_alike("翠竹家园", "2")] == ["翠竹家园", "翠竹佳园"]


@pytest.mark.parametrize(
    ("written", "name", "least", "most"),
    [
        ("晨光小区", "晨光小区", 0.0, 0.0),
        ("辰光小区", "晨光小区", 0.1, 0.4),
        ("晨光小娶", "晨光小区", 0.1, 0.4),
        ("晨光光小区", "晨光小区", 0.5, 0.5),
        ("光晨小区", "晨光小区", 0.7, 0.7),
        ("晨小区", "晨光小区", 1.0, 1.0),
        ("东湖小区", "西湖小区", 1.0, 1.0),
        ("阳光小区", "晨光小区", 1.0, 1.0),
    ],
)
def test_what_a_misspelling_costs(written, name, least, most):
    assert least <= alike.cost(written, name) <= most
