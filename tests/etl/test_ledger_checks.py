"""Checks across rows and against the store: each fault is named, and what depends on it falls with it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from etl.actor import SYSTEM
from etl.establish import establish
from etl.ledger import RefusedImportError, import_ledger
from tests import ledgers
from tests.ledgers import CODE, NAME


@pytest.fixture
def folder(tmp_path):
    return ledgers.write_ledger(tmp_path / "ledger", boundaries=True)


def load(store, folder, **options):
    return import_ledger(store, SYSTEM, CODE, folder, name=NAME, crs="wgs84", **options)


def refusals(store, folder):
    """Return noun:line, column and reason of every fault of a folder that must be refused."""
    before = ledgers.digest(store)
    with pytest.raises(RefusedImportError) as refused:
        load(store, folder)
    assert ledgers.digest(store) == before
    return [
        (f"{one.file.split('.')[0]}:{one.line}", one.field, one.reason.name)
        for one in refused.value.report.refusals
    ]


def change(folder, noun, rows):
    ledgers.write_csv(folder / f"{noun}.csv", rows)


def communities(folder, *changes):
    """Write communities without boundaries, each changed."""
    (folder / "communities.geojson").unlink(missing_ok=True)
    rows = [dict.fromkeys(("official_code", "town_code"), "") | row for row in ledgers.COMMUNITIES]
    for row, changed in zip(rows, changes, strict=False):
        row.update(changed)
    change(folder, "communities", rows)


def test_every_row_of_a_code_given_twice_is_refused_and_names_the_others(store, folder):
    rows = ledgers.buildings()
    rows[4]["code"] = "B1"
    change(folder, "buildings", rows)
    assert refusals(store, folder) == [
        ("buildings:2", "code", "duplicate_code"),
        ("buildings:6", "code", "duplicate_code"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"official_code": "990001"}, {}, [("communities:2", "official_code", "bad_code")]),
        ({"official_code": "340504001001"}, {}, [("communities:2", "official_code", "bad_code")]),
        ({"town_code": "99000100x"}, {}, [("communities:2", "town_code", "bad_code")]),
        (
            {"official_code": "990001001001"},
            {"official_code": "990001001001"},
            [
                ("communities:2", "official_code", "duplicate_code"),
                ("communities:3", "official_code", "duplicate_code"),
            ],
        ),
        (
            {"town_code": "990001001"},
            {"town_code": "990001002"},
            [("communities:3", "town_code", "clashing_code")],
        ),
        (
            {"town_code": "990001001"},
            {"town_code": "990001001", "town": "另一街道"},
            [("communities:3", "town_code", "clashing_code")],
        ),
        ({"town_code": "990001001", "town": ""}, {}, [("communities:2", "town", "missing")]),
    ],
)
def test_official_codes(store, folder, first, second, expected):
    communities(folder, first, second)
    found = refusals(store, folder)
    assert [one for one in found if one[0].startswith("communities")] == expected


def test_an_official_code_another_community_has_is_refused_and_a_provisional_one_is_replaced(store, folder):
    communities(folder, {"official_code": "990001001001", "town_code": "990001001"})
    load(store, folder)
    communities(folder, {}, {"official_code": "990001001001"})
    assert ("communities:3", "official_code", "clashing_code") in refusals(store, folder)
    communities(folder, {}, {"official_code": "990001001002"})
    report = load(store, folder)
    assert (report.counts["communities"].changed, report.provisional) == (1, [])
    with store.begin(CODE) as connection:
        stored = connection.execute(text("SELECT code, provisional FROM communities ORDER BY code")).all()
        towns = connection.execute(text("SELECT code, provisional FROM towns")).all()
    assert [tuple(row) for row in stored] == [("990001001001", False), ("990001001002", False)]
    assert [tuple(row) for row in towns] == [("990001001", False)]


def test_what_names_an_unknown_or_refused_row_is_refused(store, folder):
    change(folder, "compounds", [{**ledgers.COMPOUNDS[0], "community": "C9"}])
    change(folder, "rider_communities", [{"code": "R1", "compound": "X1"}, {"code": "R2", "compound": "X7"}])
    change(
        folder,
        "rider_points",
        [{"code": "P1", "rider_community": "R1", "kind": "门", "lon": 118.401, "lat": 31.6}],
    )
    rows = ledgers.buildings()
    for row in rows[1:3]:
        row["compound"] = ""
    change(folder, "buildings", rows)
    assert refusals(store, folder) == [
        ("compounds:2", "community", "unknown_reference"),
        ("buildings:2", "compound", "refused_reference"),
        ("rider_communities:2", "compound", "refused_reference"),
        ("rider_communities:3", "compound", "unknown_reference"),
        ("rider_points:2", "rider_community", "refused_reference"),
    ]


def test_references_reach_what_an_earlier_delivery_stored(store, folder):
    load(store, folder)
    for name in ("communities.geojson", "compounds.csv", "buildings.csv"):
        (folder / name).unlink()
    change(
        folder, "sites", [{"code": "S1", "name": "驿站", "community": "C1", "lon": 118.405, "lat": 31.605}]
    )
    assert load(store, folder).counts["sites"].new == 1


def test_a_point_outside_its_community_says_how_far_and_one_on_the_border_passes(store, folder):
    rows = ledgers.buildings()
    rows[0] |= {"lon": 118.3999, "lat": 31.605}  # 9.5 m west of the border
    rows[1] |= {"lon": 118.415, "lat": 31.605}
    change(folder, "buildings", rows)
    with pytest.raises(RefusedImportError) as refused:
        load(store, folder)
    (fault,) = refused.value.report.refusals
    assert (fault.line, fault.reason.name, fault.value) == (3, "outside_community", "118.415000 31.605000")
    assert fault.hint == "C1: 475 m"


def test_swapped_axes_and_far_places_are_seen_where_both_are_possible(store, tmp_path):
    """At 47 north and 9 east the axes can be swapped without leaving the range."""
    folder = ledgers.write_ledger(tmp_path / "ledger")
    rows = ledgers.buildings()
    for row in rows:
        row |= {"lon": 9.5 + 0.001 * int(row["label"]), "lat": 47.1}
    rows[3] |= {"lon": rows[3]["lat"], "lat": rows[3]["lon"]}
    rows[5] |= {"lon": 0, "lat": 0}
    change(folder, "buildings", rows)
    assert refusals(store, folder) == [
        ("buildings:5", "geometry", "swapped_axes"),
        ("buildings:7", "geometry", "far_away"),
    ]


def test_a_building_no_boundary_holds_and_no_code_places_is_refused(store, folder):
    rows = ledgers.buildings()
    rows[5] |= {"community": "", "lon": 118.43}
    rows[4] |= {"community": "", "lon": "", "lat": ""}
    change(folder, "buildings", rows)
    assert refusals(store, folder) == [
        ("buildings:6", "community", "no_community"),
        ("buildings:7", "community", "no_community"),
    ]


def test_what_needs_a_place_has_one(store, folder):
    change(folder, "facilities", [{"code": "F1", "kind": "AED", "lon": "", "lat": ""}])
    change(folder, "barriers", [{"code": "Z1", "kind": "墙", "wkt": "POINT (118.4 31.6)"}])
    assert refusals(store, folder) == [
        ("barriers:2", "kind", "bad_choice"),
        ("facilities:2", "geometry", "no_position"),
    ]


def test_one_rider_community_a_compound(store, folder):
    change(folder, "rider_communities", [{"code": "R1", "compound": "X1"}, {"code": "R2", "compound": "X1"}])
    assert [one[2] for one in refusals(store, folder)] == ["duplicate_code"] * 2
    change(folder, "rider_communities", [{"code": "R1", "compound": "X1"}])
    load(store, folder)
    change(folder, "rider_communities", [{"code": "R2", "compound": "X1"}])
    assert refusals(store, folder) == [("rider_communities:2", "compound", "clashing_code")]


WORKERS = [{"code": "W1", "name": "甲"}, {"code": "W2", "name": "乙"}]


def duty(worker, since, until="", *, grid="G1", role="主责"):
    return {"worker": worker, "grid": grid, "role": role, "from": since, "until": until}


@pytest.mark.parametrize(
    ("duties", "expected"),
    [
        ([duty("W1", "2025-01-01", grid="G9")], [("duties:2", "grid", "unknown_reference")]),
        ([duty("W3", "2025-01-01")], [("duties:2", "worker", "unknown_reference")]),
        ([duty("W1", "2025-01-01", "2025-01-01")], [("duties:2", "until", "bad_period")]),
        (
            [duty("W1", "2025-01-01"), duty("W2", "2025-06-01")],
            [("duties:2", "from", "overlapping_duty"), ("duties:3", "from", "overlapping_duty")],
        ),
        (
            [duty("W1", "2025-01-01"), duty("W1", "2025-01-01", "2025-02-01")],
            [("duties:2", "worker", "duplicate_code"), ("duties:3", "worker", "duplicate_code")],
        ),
    ],
)
def test_duties_that_cannot_be(store, folder, duties, expected):
    change(folder, "workers", WORKERS)
    change(folder, "duties", duties)
    assert refusals(store, folder) == expected


def test_duties_follow_each_other_and_are_closed_by_a_later_delivery(store, folder):
    change(folder, "workers", WORKERS)
    change(folder, "duties", [duty("W1", "2025-01-01"), duty("W2", "2025-01-01", role="协助")])
    assert load(store, folder).counts["duties"].new == 2
    assert load(store, folder).nothing_to_do
    change(folder, "duties", [duty("W2", "2025-06-01")])
    assert refusals(store, folder) == [("duties:2", "from", "overlapping_duty")]
    change(folder, "duties", [duty("W1", "2025-01-01", "2025-06-01"), duty("W2", "2025-06-01")])
    count = load(store, folder).counts["duties"]
    assert (count.new, count.changed) == (1, 1)
    with store.begin(CODE) as connection:
        stored = connection.execute(
            text("SELECT lower(valid), upper(valid) FROM duties WHERE role = 'primary' ORDER BY 1")
        )
        assert [tuple(row) for row in stored] == [
            (date(2025, 1, 1), date(2025, 6, 1)),
            (date(2025, 6, 1), None),
        ]


def case(number, **changes):
    row = {
        "code": number,
        "category": "环境",
        "state": "待办",
        "grid": "G1",
        "department": "",
        "closed_on": "",
    }
    return {**row, "opened_on": "2025-01-31", "lon": 118.401, "lat": 31.605, **changes}


def test_cases_that_cannot_be(store, folder):
    cases = [
        case("1", department="城管"),
        case("2", grid=""),
        case("3", grid="G9"),
        case("4", state="办结"),
        case("5", closed_on="2025-02-01"),
        case("6", state="办结", closed_on="2025-01-01"),
    ]
    change(folder, "cases", cases)
    assert refusals(store, folder) == [
        ("cases:2", "grid", "one_handler"),
        ("cases:3", "grid", "one_handler"),
        ("cases:4", "grid", "unknown_reference"),
        ("cases:5", "closed_on", "open_or_closed"),
        ("cases:6", "closed_on", "open_or_closed"),
        ("cases:7", "closed_on", "bad_period"),
    ]


def test_cases_wait_for_their_grid_to_be_published_and_duties_are_bound_to_it(store, folder):
    change(folder, "workers", WORKERS)
    change(folder, "duties", [duty("W1", "2025-01-01")])
    change(folder, "cases", [case("1"), case("2", grid="", department="城管")])
    count = load(store, folder).counts["cases"]
    assert (count.new, count.waiting) == (1, 1)
    establish(store, SYSTEM, CODE)
    change(folder, "duties", [duty("W1", "2025-01-01"), duty("W2", "2025-01-01", grid="G2")])
    report = load(store, folder)
    assert (report.counts["cases"].new, report.counts["cases"].waiting) == (1, 0)
    with store.begin(CODE) as connection:
        unbound = connection.execute(text("SELECT count(*) FROM duties WHERE grid_id IS NULL")).scalar_one()
        handlers = connection.execute(
            text(
                "SELECT k.number, g.external_code FROM cases k LEFT JOIN grids g ON g.id = k.grid_id ORDER BY 1"
            )
        ).all()
    assert unbound == 0
    assert [tuple(row) for row in handlers] == [("1", "G1"), ("2", None)]
    assert load(store, folder).nothing_to_do
