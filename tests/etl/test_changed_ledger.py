"""A second delivery: what it changes, what it retires, what it is told as, and how it is taken back."""

from __future__ import annotations

import copy
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data import audit, changes, differences, imports
from data.differences import Bounded, Counted, Recounted, Rehomed, Renamed, Split, Standing
from data.session import Store
from etl.actor import SYSTEM, Actor
from etl.establish import establish
from etl.ledger import RefusedImportError, import_tables
from etl.undo import undo_import
from geo.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from tests import ledgers
from tests.ledgers import CODE, NAME

COMMUNITIES = [{**row, "phone": "0555-0000000"} for row in ledgers.COMMUNITIES]
COMPOUNDS = [
    {**ledgers.COMPOUNDS[0], "aliases": "梧桐大院"},
    {"code": "X2", "name": "香樟里", "community": "C1", "aliases": "", "road": "西路", "road_number": "2"},
]
WORKERS = [{"code": "W1", "name": "甲示例"}, {"code": "W2", "name": "乙示例"}]
DUTIES = [{"worker": "W1", "grid": "G1", "from": "2025-01-01", "until": None}]


def ledger(count=60):
    """Return the small ledger's rows by noun."""
    houses = [{**row, "address": f"示例路{row['label']}号"} for row in ledgers.buildings(count)]
    tables = {
        "communities": COMMUNITIES,
        "compounds": COMPOUNDS,
        "buildings": houses,
        "workers": WORKERS,
        "duties": DUTIES,
        "sites": [{"code": "S1", "name": "驿站", "community": "C1", "lon": 118.402, "lat": 31.605}],
    }
    return copy.deepcopy(tables)


def deliver(store, tables, district=CODE, *, shapes=None, **options):
    """Import rows by noun; ``shapes`` are the communities' boundaries."""
    frames = {}
    for noun, rows in tables.items():
        if noun == "communities":
            frames[noun] = ledgers.frame(rows, shapes or [ledgers.square(0), ledgers.square(1)])
        elif rows and "lon" in rows[0]:
            frames[noun] = ledgers.frame(rows)
        else:
            frames[noun] = pd.DataFrame(rows)
    given = {"name": NAME, "kind": "ledger", "source": "ledger", "digest": "0" * 64}
    return import_tables(store, SYSTEM, district, frames, **{**given, **options})


def ask(store, query, district=CODE):
    with store.begin(district) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def live(store, district=CODE):
    """Return every row that counts, by table; where a thing was last changed is no part of what it is."""
    with store.begin(district) as connection:
        return {
            noun: sorted(
                connection.execute(
                    text(
                        f"SELECT ({changes.image(noun, 't')} - 'grid_id')::text FROM {noun} t"
                        + ("" if noun in ("duties", "cases") else " WHERE retired_at IS NULL")
                    )
                ).scalars()
            )
            for noun in changes.NOUNS
        }


@pytest.fixture
def settled(store):
    """A store that holds the small ledger."""
    deliver(store, ledger())
    return store


def test_what_is_missing_is_retired_and_comes_back_with_its_id(settled):
    before = ask(settled, "SELECT id FROM buildings WHERE external_code = 'B7'")
    tables = ledger()
    lost = tables["buildings"].pop(6)
    report = deliver(settled, tables)
    assert (report.counts["buildings"].gone, report.counts["buildings"].unchanged) == (1, 59)
    assert report.differences.gone == [Standing("B7", "示例路7号", 16)]
    assert report.differences.households == -16
    assert ask(settled, "SELECT id FROM buildings WHERE retired_at IS NOT NULL") == before
    assert deliver(settled, tables).nothing_to_do
    tables["buildings"].insert(6, lost)
    report = deliver(settled, tables)
    assert (report.counts["buildings"].back, report.counts["buildings"].new) == (1, 0)
    assert report.differences.back == [Standing("B7", "示例路7号", 16)]
    assert (
        ask(settled, "SELECT id FROM buildings WHERE external_code = 'B7' AND retired_at IS NULL") == before
    )


def test_a_partial_delivery_retires_nothing(settled):
    report = deliver(settled, {"buildings": ledger()["buildings"][:3]}, partial=True)
    assert report.nothing_to_do
    assert report.counts["buildings"].missing == 57


def test_rows_of_another_kind_of_import_are_not_retired(settled):
    added = {
        "code": "way/1",
        "community": "C2",
        "compound": "",
        "households": 5,
        "lon": 118.415,
        "lat": 31.602,
    }
    report = deliver(settled, {"buildings": [added]}, kind="osm")
    assert (report.counts["buildings"].new, report.counts["buildings"].gone) == (1, 0)
    assert deliver(settled, ledger()).nothing_to_do


def test_what_others_still_name_stays(settled):
    report = deliver(settled, {"compounds": [COMPOUNDS[1]], "workers": [WORKERS[1]]})
    assert report.nothing_to_do
    assert (report.counts["compounds"].missing, report.counts["workers"].missing) == (1, 1)
    tables = {"compounds": [COMPOUNDS[0]], "workers": [WORKERS[0]]}
    assert [count.gone for count in deliver(settled, tables).counts.values()] == [1, 1]


def test_every_kind_of_change_is_told(settled):
    tables = ledger()
    houses = tables["buildings"]
    houses[0]["households"] = 99
    houses[0]["households_on"] = "2026-03-31"
    houses[1]["lon"] += 0.001
    houses[2]["compound"] = "X2"
    houses[3]["code"] = "N4"
    houses[40]["community"] = "C1"
    houses[40]["lon"] = 118.409
    houses.append({**houses[59], "code": "B61", "address": "示例路61号", "households": 7})
    tables["compounds"][0]["name"] = "新梧桐里"
    west, east = ledgers.square(0).buffer(0), ledgers.square(1)
    report = deliver(settled, tables, shapes=[west.union(west.buffer(0.0005)).difference(east), east])
    found = report.differences
    assert found.new == [Standing("B61", "示例路61号", 7)]
    assert found.recounted == [Recounted("B1", 10, 99, date(2026, 3, 31))]
    assert found.recoded == [Renamed("B4", "N4", "N4")]
    assert found.renamed == [Renamed("梧桐里", "新梧桐里", "X1")]
    assert found.split == [Split("X1", "新梧桐里", {"X1": 29, "X2": 1})]
    assert found.rehomed == [Rehomed("B41", "C2", "C1")]
    assert [(one.code, one.metres > 90) for one in found.moved] == [("B2", True), ("B41", True)]
    assert [(type(one), one.code, one.area_m2 > one.area_before_m2) for one in found.bounded] == [
        (Bounded, "C1", True)
    ]
    assert found.households == 96
    count = report.counts["buildings"]
    assert (count.new, count.changed, count.gone, count.unchanged) == (1, 5, 0, 55)
    kept = imports_of(settled)[0].report["differences"]
    assert (kept["recounted"]["count"], kept["recounted"]["items"][0]["after"]) == (1, 99)


def imports_of(store, district=CODE):
    with store.read(district) as connection:
        return [imports.get(connection, district, each.id) for each in imports.every(connection, district)]


def test_a_building_under_a_new_code_keeps_its_id(settled):
    before = ask(settled, "SELECT id FROM buildings WHERE external_code = 'B4'")
    tables = ledger()
    tables["buildings"][3]["code"] = "N4"
    tables["buildings"][4] |= {"code": "N5", "address": "别处1号"}
    report = deliver(settled, tables)
    count = report.counts["buildings"]
    assert (count.new, count.changed, count.gone) == (1, 1, 1)
    assert ask(settled, "SELECT id FROM buildings WHERE external_code = 'N4'") == before
    assert deliver(settled, tables).nothing_to_do


def test_two_buildings_of_one_address_are_not_taken_for_each_other(settled):
    tables = ledger()
    for row in tables["buildings"][3:5]:
        row |= {"code": f"N{row['code']}", "address": "示例路4号"}
    report = deliver(settled, tables)
    assert report.differences.recoded == []
    assert (report.counts["buildings"].new, report.counts["buildings"].gone) == (2, 2)


def test_a_renamed_compound_is_still_known_by_its_old_names(settled):
    tables = ledger()
    for name in ("二村", "三村"):
        tables["compounds"][0]["name"] = name
        deliver(settled, tables)
    query = "SELECT name, aliases FROM compounds WHERE external_code = 'X1'"
    assert ask(settled, query) == [("三村", ["梧桐大院", "二村", "梧桐里"])]
    assert deliver(settled, tables).nothing_to_do
    tables["compounds"][0] |= {"name": "梧桐里", "aliases": "大院"}
    deliver(settled, tables)
    assert ask(settled, query) == [("梧桐里", ["大院", "三村", "二村"])]


def test_counts_are_kept_with_their_dates(settled):
    tables = ledger()
    tables["buildings"][0] |= {"households": 12, "households_on": "2026-03-31"}
    deliver(settled, tables)
    with settled.read(CODE) as connection:
        found = differences.counts(connection, CODE, "B1")
    assert [(one.households, one.on, type(one)) for one in found] == [
        (10, None, Counted),
        (12, date(2026, 3, 31), Counted),
    ]


def test_half_a_file_or_another_district_is_refused_and_on_record(settled):
    before = ledgers.digest(settled)
    half = {**ledger(), "buildings": ledger()["buildings"][:30]}
    with pytest.raises(RefusedImportError, match=r"retire 30 of 60 stored buildings.*--partial"):
        deliver(settled, half)
    assert ledgers.digest(settled) == before
    refused = imports_of(settled)[0]
    assert (refused.state, refused.report["doubts"]) == (
        "refused",
        ["It would retire 30 of 60 stored buildings."],
    )
    assert deliver(settled, half, dry_run=True).doubts
    assert deliver(settled, half, retire=True).counts["buildings"].gone == 30


def test_a_delivery_of_another_place_is_refused(settled):
    for row in (far := ledger())["buildings"]:
        row["lon"] += 0.3
    del far["communities"]
    with pytest.raises(InputError, match="far from all that is stored of 990001"):
        deliver(settled, far)
    swapped = ledger()
    for row in swapped["buildings"]:
        row |= {"lon": 236.82 - row["lon"], "community": "C2" if row["community"] == "C1" else "C1"}
    for row in swapped["buildings"]:
        row["compound"] = ""
    with pytest.raises(RefusedImportError, match=r"move \d+ buildings by more than 1000 m"):
        deliver(settled, {"buildings": swapped["buildings"]})


def test_a_dry_run_tells_everything_and_changes_nothing(settled):
    before = ledgers.digest(settled)
    tables = ledger()
    tables["buildings"][0]["households"] = 1
    tables["buildings"].pop()
    report = deliver(settled, tables, dry_run=True)
    assert (len(report.differences.recounted), len(report.differences.gone), report.import_id) == (1, 1, None)
    assert ledgers.digest(settled) == before


def changed_ledger():
    tables = ledger()
    houses = tables["buildings"]
    houses[0] |= {"households": 99, "compound": "X2"}
    houses[3]["code"] = "N4"
    houses.pop(10)
    houses.append({**houses[50], "code": "B61", "address": "新路1号", "kind": "住宅"})
    tables["compounds"][0] |= {"name": "新梧桐里"}
    tables["compounds"].append({**COMPOUNDS[1], "code": "X3", "name": "第三里"})
    tables["workers"].append({"code": "W3", "name": "丙示例"})
    tables["duties"] = [
        {"worker": "W1", "grid": "G1", "from": "2025-01-01", "until": "2025-06-01"},
        {"worker": "W3", "grid": "G1", "from": "2025-06-01", "until": None},
    ]
    tables["cases"] = [
        {
            "code": "1",
            "category": "环境",
            "grid": "G1",
            "opened_on": "2025-01-31",
            "lon": 118.401,
            "lat": 31.605,
        },
        {
            "code": "2",
            "category": "环境",
            "department": "城管",
            "opened_on": "2025-01-31",
            "lon": 118.4,
            "lat": 31.6,
        },
    ]
    return tables


def test_an_import_is_undone_as_a_whole(settled):
    establish(settled, SYSTEM, CODE)
    before = live(settled)
    report = deliver(settled, changed_ledger())
    assert live(settled) != before
    done = undo_import(settled, SYSTEM, CODE, report.import_id)
    assert live(settled) == before
    assert (done.nouns["buildings"].removed, done.nouns["cases"].removed) == (1, 2)
    assert {one.left for one in done.nouns.values()} == {0}
    assert imports_of(settled)[0].undone_by == "system"
    with settled.read(CODE) as connection:
        newest = audit.entries(connection, CODE)[0]
    assert (newest.action, newest.subject) == ("import.undo", f"import {report.import_id}")
    with pytest.raises(ConflictError, match="undone already"):
        undo_import(settled, SYSTEM, CODE, report.import_id)
    again = deliver(settled, changed_ledger())
    assert (again.counts["buildings"].back, again.counts["buildings"].new) == (1, 0)


def test_the_first_import_can_be_undone_too(settled):
    undo_import(settled, SYSTEM, CODE, imports_of(settled)[0].id)
    assert not any(live(settled).values())


def test_later_imports_of_the_same_rows_are_undone_first(settled):
    tables = ledger()
    tables["buildings"][0]["households"] = 11
    first = deliver(settled, tables).import_id
    tables["buildings"][1]["households"] = 22
    other = deliver(settled, tables).import_id
    tables["buildings"][0]["households"] = 33
    last = deliver(settled, tables).import_id
    before = live(settled)
    with pytest.raises(ConflictError, match=f"import {first}: {last}\\."):
        undo_import(settled, SYSTEM, CODE, first)
    assert live(settled) == before
    for number in (last, first, other):
        undo_import(settled, SYSTEM, CODE, number)
    assert ask(
        settled, "SELECT households FROM buildings WHERE external_code IN ('B1', 'B2') ORDER BY id"
    ) == [
        (10,),
        (11,),
    ]


def test_a_case_of_a_grid_not_in_force_goes_to_the_one_at_its_place(settled):
    establish(settled, SYSTEM, CODE)
    with settled.begin(CODE) as connection:
        connection.execute(
            text(
                "WITH old AS (INSERT INTO grids (district, community_id, code, issued_at) SELECT district, id,"
                " code || '999', now() FROM communities WHERE external_code = 'C2' RETURNING id)"
                " INSERT INTO grid_external_codes (district, external_code, grid_id, share)"
                f" SELECT '{CODE}', 'G9', id, 1 FROM old"
            )
        )
    case = {"category": "环境", "grid": "G9", "opened_on": "2025-01-31", "lon": 118.401, "lat": 31.605}
    closed = case | {"code": "2", "state": "closed", "closed_on": "2025-02-01"}
    deliver(settled, {"cases": [case | {"code": "1", "state": "open", "closed_on": None}, closed]})
    handled = "SELECT k.number, g.code, e.text FROM cases k JOIN grids g ON g.id = k.grid_id"
    (first, second) = ask(settled, f"{handled} LEFT JOIN case_events e ON e.case_id = k.id ORDER BY 1")
    covering = ask(
        settled,
        "SELECT g.code FROM plan_grids p JOIN grids g ON g.id = p.grid_id"
        " WHERE ST_Covers(p.shape, ST_Point(118.401, 31.605, 4326))",
    )
    assert [first[1:2]] == covering
    assert first[2] == f"Grid G9 is not in force; {first[1]} has it"
    assert (second[1][-3:], second[2]) == ("999", None)


def test_a_case_that_was_closed_since_is_left(settled):
    establish(settled, SYSTEM, CODE)
    report = deliver(settled, {"cases": changed_ledger()["cases"]})
    with settled.begin(CODE) as connection:
        connection.execute(text("UPDATE cases SET state = 'closed', closed_at = now() WHERE number = '1'"))
    done = undo_import(settled, SYSTEM, CODE, report.import_id).nouns["cases"]
    assert (done.removed, done.left) == (1, 1)
    assert ask(settled, "SELECT number FROM cases") == [("1",)]


def test_only_what_exists_here_can_be_undone_by_those_who_may(settled):
    deliver(settled, ledger(), "990002", name="别区")
    other = imports_of(settled, "990002")[0].id
    with pytest.raises(NotFoundError):
        undo_import(settled, SYSTEM, CODE, other)
    with pytest.raises(ForbiddenError):
        undo_import(settled, Actor("planner", scope=frozenset({"990002"})), CODE, 1)


EDITS = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.sampled_from(["drop", "households", "move", "recode", "compound", "unplace", "rename", "address"]),
    ),
    max_size=8,
)


def edit(tables, number, act):
    row = next((row for row in tables["buildings"] if row["code"] == f"B{number + 1}"), None)
    if act == "rename":
        tables["compounds"][number % 2]["name"] += "新"
    elif row is None:
        return
    elif act == "drop":
        tables["buildings"].remove(row)
    else:
        row |= {
            "households": {"households": row["households"] + 1},
            "move": {"lat": 31.6051},
            "recode": {"code": f"N{number}"},
            "compound": {"compound": "X2" if row["community"] == "C1" else ""},
            "unplace": {"aliases": "旧楼"},
            "address": {"address": f"新址{number}号"},
        }[act]


@pytest.fixture(scope="module")
def kept_store(fresh_database):
    with fresh_database() as url:
        store = Store(url)
        deliver(store, ledger(12))
        yield store
        store.close()


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EDITS, min_size=1, max_size=2))
def test_undoing_deliveries_leaves_what_was_before_each(kept_store, deliveries):
    tables, states, done = ledger(12), [live(kept_store)], []
    for edits in deliveries:
        for number, act in edits:
            edit(tables, number, act)
        report = deliver(kept_store, tables)
        if report.import_id is not None:
            done.append(report.import_id)
            states.append(live(kept_store))
    for number in reversed(done):
        assert live(kept_store) == states.pop()
        undo_import(kept_store, SYSTEM, CODE, number)
    assert live(kept_store) == states.pop()
