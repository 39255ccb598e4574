"""A batch answers row by row what the locator answers to each alone, however it comes and in whatever form."""

from __future__ import annotations

import csv
import gc
import io
import weakref

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.batch import TURN_ROWS, Batch, numbers
from api.batch_lines import ANSWER, ObjectWriter, TableWriter
from api.batch_rows import ObjectReader, TableReader
from api.plain import LONGEST_ADDRESS
from geo.errors import GridgovError, InputError, TooMuchError, UnstatedError
from geo.locate import Locator
from tests.squares import SOUTH, STEP, WEST, code_of, squares

NAMED = {"枫林小区1幢": 3, "枫林小区2幢": 4}
ASKED = squares({20}, named=NAMED)
LONGEST = 2_000


def answered(data, *, size=10**9, reader=None, writer=None, crs="wgs84", most_rows=None, locator=ASKED):
    """Answer all; return the batch and what it wrote."""
    batch = Batch(
        locator,
        reader or ObjectReader(),
        writer or ObjectWriter(),
        crs=crs,
        line_bytes=LONGEST,
        most_rows=most_rows,
    )
    out = []
    for begin in range(0, len(data), size):
        for turn in batch.turns(data[begin : begin + size]):
            out.append(batch.answer(turn))
            if batch.fault:
                return batch, b"".join(out)
        if batch.fault:
            return batch, b"".join(out)
    out.append(batch.end())
    return batch, b"".join(out)


def told(rows, **more):
    """Return what is answered to rows of objects."""
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    return [orjson.loads(line) for line in answered(data, **more)[1].splitlines()]


def table(text, *, encoding="utf-8", headers=False, **more):
    reader = TableReader(LONGEST)
    writer = TableWriter(1, reader.headers if headers else None)
    _, out = answered(text.encode(encoding), reader=reader, writer=writer, **more)
    return list(csv.DictReader(io.StringIO(out.decode(), newline="")))


def alone(row, locator=ASKED, crs="wgs84"):
    """Return what the locator answers to a row by itself: status, grid and alternatives, or None if it refuses."""
    try:
        if "address" in row:
            answer = locator.resolve(row["address"])
        else:
            more = {"accuracy_m": row["accuracy_m"]} if "accuracy_m" in row else {}
            answer = locator.at(row["lon"], row["lat"], row.get("crs", crs), **more)
    except GridgovError:
        return None
    return (
        answer.status.value,
        list(answer.reasons),
        answer.grid and answer.grid.code,
        [other.grid.code for other in answer.alternatives],
    )


def shown(answer):
    if answer["status"] == "invalid":
        return None
    return answer["status"], answer["reasons"], answer["grid"], answer["alternatives"]


spots = st.fixed_dictionaries(
    {"lon": st.floats(WEST - 0.01, WEST + 0.02), "lat": st.floats(SOUTH - 0.01, SOUTH + 0.02)},
    optional={
        "crs": st.sampled_from(["wgs84", "gcj02", "BD-09", "mars"]),
        "accuracy_m": st.sampled_from([0, 1, 30, 600]),
    },
)
addresses = st.fixed_dictionaries({"address": st.sampled_from([*NAMED, "枫林小区9幢", "不存在路1号", "😀"])})


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.one_of(spots, addresses), min_size=1, max_size=20), size=st.integers(1, 400))
def test_rows_are_answered_in_their_order_as_each_alone(rows, size):
    answers = told([{**row, "id": n} for n, row in enumerate(rows)], size=size)
    assert [answer["id"] for answer in answers] == list(range(len(rows)))
    assert [shown(answer) for answer in answers] == [alone(row) for row in rows]


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.one_of(spots, addresses), min_size=1, max_size=12), size=st.integers(1, 400))
def test_a_table_is_answered_as_objects_are(rows, size):
    names = ("id", "lon", "lat", "crs", "accuracy_m", "address")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows({**row, "id": f"no {n}"} for n, row in enumerate(rows))
    answers = table(text.getvalue(), size=size)
    assert [answer["id"] for answer in answers] == [f"no {n}" for n in range(len(rows))]
    for row, answer in zip(rows, answers, strict=True):
        expected = alone(row)
        assert answer["status"] == (expected[0] if expected else "invalid")
        assert answer["grid"] == ((expected and expected[2]) or "")
        assert answer["alternatives"] == (";".join(expected[3]) if expected else "")
        assert (answer["fault"] == "") == (expected is not None)
        assert answer["plan"] == ("1" if expected else "")


scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 200), st.floats(), st.text(max_size=5))
values = st.one_of(
    scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text(max_size=2), scalars, max_size=2)
)
fields = st.sampled_from(["id", "lon", "lat", "q", "crs", "accuracy_m", "accuracy_level", "source"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(fields, values, max_size=8), min_size=1, max_size=12))
def test_every_row_has_a_line_whatever_it_holds(rows):
    batch, out = answered(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    statuses = [orjson.loads(line)["status"] for line in out.splitlines()]
    assert len(statuses) == len(rows)
    assert batch.counts == {status: statuses.count(status) for status in statuses}


def test_a_row_tells_what_a_dispatcher_needs():
    point, address = told(
        [{"lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2}, {"q": "枫林小区1幢", "id": "a"}]
    )
    assert point == {
        "status": "match",
        "reasons": [],
        "grid": code_of(0),
        "grid_external_code": "L0",
        "community": "富民社区",
        "town": None,
        "building": None,
        "precision": None,
        "confidence": None,
        "faults": [],
        "alternatives": [],
    }
    assert (address["id"], address["building"], address["grid"]) == ("a", "B3", code_of(3))
    assert (address["confidence"] > 0.5, address["precision"]) == (True, "building")
    (misspelt,) = told([{"q": "枫林小去1幢"}])
    assert "spelling" in misspelt["faults"]


BAD_ROWS = [
    ({"lon": "118.0", "lat": 31.0}, "lon"),
    ({"lon": True, "lat": 31.0}, "lon"),
    ({"lon": None, "lat": 31.0}, "lon"),
    ({"lon": 118.0}, "lat"),
    ({"lat": 31.0}, "lon"),
    ({"lon": 118.0, "lat": [31.0]}, "lat"),
    ({"lon": 31.0, "lat": 118.0}, "range"),
    ({"lon": 118.0, "lat": 31.0, "crs": "mars"}, "mars"),
    ({"lon": 118.0, "lat": 31.0, "crs": 5}, "crs"),
    ({"lon": 118.0, "lat": 31.0, "crs": {}}, "crs"),
    ({"lon": 118.0, "lat": 31.0, "accuracy_m": 0}, "accuracy"),
    ({"lon": 118.0, "lat": 31.0, "accuracy_m": "9"}, "accuracy"),
    ({"lon": 118.0, "lat": 31.0, "accuracy_m": 9, "accuracy_level": "50"}, "accuracy_level"),
    ({"lon": 118.0, "lat": 31.0, "source": "guess"}, "source"),
    ({"lon": 118.0, "lat": 31.0, "source": {}}, "source"),
    ({"lon": 118.0, "lat": 31.0, "accuracy_m": 9, "accuracy_level": [68]}, "accuracy_level"),
    ({"lon": 118.0, "lat": 31.0, "accuracy_m": 9, "crs": []}, "crs"),
    ({"lon": "118", "source": "device"}, "lon"),
    ({"q": ""}, "address"),
    ({"q": 5}, "address"),
    ({"q": "\x00"}, "control"),
    ({"q": "湖" * (LONGEST_ADDRESS + 1)}, str(LONGEST_ADDRESS)),
    ({"other": 1}, "nothing"),
    ({}, "nothing"),
]


@pytest.mark.parametrize(("row", "fault"), BAD_ROWS)
def test_a_row_that_cannot_be_asked_is_told_why_and_spoils_no_other(row, fault):
    good = {"lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2}
    before, bad, after = told([good, {**row, "id": 7}, good])
    assert before["status"] == after["status"] == "match"
    assert (bad["id"], bad["status"], fault in bad["fault"]) == (7, "invalid", True)
    assert bad["remedy"]


@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "1_18", "here", "118.0.0", "0x76"])
def test_text_that_is_no_number_is_a_fault_of_its_row(number):
    bad, good = table(f"lon,lat\n{number},{SOUTH}\n{WEST + STEP / 2},{SOUTH + STEP / 2}\n")
    assert (bad["status"], good["status"]) == ("invalid", "match")


def test_a_device_without_an_accuracy_is_not_answered():
    spot = {"lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2}
    device, survey = told([{**spot, "source": "device"}, {**spot, "source": "survey"}])
    assert (device["status"], device["reasons"]) == ("no_answer", ["no_accuracy"])
    assert survey["status"] == "match"


def test_accuracy_is_told_as_confidence():
    spot = {"lon": WEST + 1.5 * STEP, "lat": SOUTH + 1.5 * STEP}
    sure, unsure = told([{**spot, "accuracy_m": 5, "accuracy_level": 68}, {**spot, "accuracy_m": 90}])
    assert (sure["status"], sure["confidence"]) == ("match", pytest.approx(1.0, abs=1e-3))
    assert (unsure["status"], unsure["confidence"]) == ("ambiguous", None)


def test_points_without_a_system_are_never_guessed():
    spot = {"lon": WEST + STEP, "lat": SOUTH + STEP}
    bad, good = told([spot, {**spot, "crs": "wgs84"}], crs=None)
    assert (bad["status"], "not stated" in bad["fault"], good["status"]) == ("invalid", True, "ambiguous")
    with pytest.raises(UnstatedError) as refused:
        table(f"lon,lat\n{WEST},{SOUTH}\n", crs=None)
    assert refused.value.candidates
    stated = table(f"lon,lat,crs\n{WEST + STEP},{SOUTH + STEP},wgs84\n", crs=None)
    assert stated[0]["status"] == "ambiguous"


def test_the_rows_of_a_file_stand_before_the_answers():
    (row,) = table('编号,"备,注",地址\n7,"a ""b""\nc",枫林小区1幢\n', headers=True)
    assert list(row) == ["编号", "备,注", "地址", *ANSWER]
    assert (row["备,注"], row["status"], row["building"]) == ('a "b"\nc', "match", "B3")


def test_an_id_with_commas_and_quotes_comes_back():
    keys = ['a,"b"', "c\nd", "e\rf", "路"]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "地址"), *((key, "x路") for key in keys)])
    assert [row["id"] for row in table(text.getvalue())] == keys


def test_no_more_rows_than_allowed_are_answered():
    rows = b'{"q":"a"}\n' * 12
    batch, out = answered(rows, most_rows=12)
    assert (batch.fault, out.count(b"\n")) == (None, 12)
    batch, out = answered(rows, most_rows=11, size=35)
    assert isinstance(batch.fault, TooMuchError)
    assert out.count(b"\n") == batch.counts.total() == 11


def test_a_line_that_is_too_long_ends_the_batch_after_what_was_before():
    batch, out = answered(b'{"q":"a"}\n' + b" " * (LONGEST + 1) + b"\n" + b'{"q":"b"}\n')
    assert isinstance(batch.fault, TooMuchError)
    assert out.count(b"\n") == 1


@pytest.mark.parametrize("reader", [ObjectReader, lambda: TableReader(LONGEST)])
@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_nothing_at_all_is_refused(reader, data):
    with pytest.raises(InputError, match="no row"):
        answered(data, reader=reader())


def test_a_table_of_titles_only_is_answered_with_titles_only():
    assert table("地址\n") == []


def test_a_turn_is_bounded():
    batch = Batch(ASKED, ObjectReader(), ObjectWriter(), crs=None, line_bytes=100)
    assert max(map(len, batch.turns(b"{}\n" * (3 * TURN_ROWS)))) == TURN_ROWS


@given(
    st.lists(st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=6), st.none()), max_size=8)
)
def test_numbers_are_read_or_have_a_fault(values):
    found, faults = numbers(values, "x", True)
    assert np.isnan(found[list(faults)]).all()
    for place, value in enumerate(values):
        if place not in faults:
            assert found[place] == float(value) or (value != value and np.isnan(found[place]))


def test_what_was_learnt_of_a_locator_is_forgotten_with_it():
    locator = squares()
    told([{"lon": WEST, "lat": SOUTH}], locator=locator)
    gone = weakref.ref(locator)
    assert isinstance(gone(), Locator)
    del locator
    gc.collect()
    assert gone() is None


def test_tabs_and_ends_of_lines_in_an_address_do_no_harm():
    (answer,) = told([{"q": "枫林\t小区\n1幢"}])
    assert (answer["status"], answer["building"]) == ("match", "B3")


@pytest.mark.parametrize("level", ["96", 96, True, [], "often"])
@pytest.mark.parametrize("more", [{}, {"accuracy_m": 30}, {"source": "device"}])
def test_a_level_that_is_none_is_a_fault_with_an_accuracy_and_without(level, more):
    (answer,) = told([{"lon": WEST, "lat": SOUTH, "accuracy_level": level, **more}])
    assert (answer["status"], "accuracy_level" in answer["fault"]) == ("invalid", True)


@pytest.mark.parametrize("blank", [b"\n", b" \t\n", b"\r\n"])
def test_empty_lines_end_a_batch_too(blank):
    row = orjson.dumps({"lon": WEST, "lat": SOUTH}) + b"\n"
    batch, out = answered((row + blank) * 5, size=7, most_rows=5)
    assert (batch.fault, out.count(b"\n")) == (None, 5)
    batch, out = answered(row + blank * 6 + row, size=7, most_rows=5)
    assert (isinstance(batch.fault, TooMuchError), out.count(b"\n")) == (True, 1)
    assert answered(row + blank * 6 + row)[0].fault is None


def test_no_more_bytes_are_read_than_the_rows_may_have():
    widest = b'{"q":"%b"}' % (b"x" * (LONGEST - 8))
    batch, out = answered((widest + b"\n") * 5, most_rows=5)
    assert (batch.fault, out.count(b"\n")) == (None, 5)
    batch, _ = answered((b" " * LONGEST + b"\n") * 5 + (widest + b"\n") * 2, most_rows=5)
    assert "bytes" in str(batch.fault)
