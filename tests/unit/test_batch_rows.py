"""Rows are read as they come, however they are cut and whatever they hold."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.batch_rows import MOST_ID, Decoder, Lines, ObjectReader, TableReader, roles_of
from geo.errors import InputError, TooMuchError

LONGEST = 300

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
fields = st.sampled_from(["id", "lon", "lat", "x", "y", "q", "address", "crs", "accuracy_m", "other", ""])
objects = st.dictionaries(fields, values, max_size=6)
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def cut(data, sizes):
    """Cut bytes into pieces of the sizes, the last for all the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def read(reader, data, sizes=()):
    """Read all, piece by piece; return ids, columns, faults and cells as one."""
    lines, found = Lines(LONGEST), []
    for piece in cut(data, sizes):
        found.append(reader.rows(lines.cut(piece)))
        if lines.broken or found[-1].broken:
            return found
    found.append(reader.rows(lines.end(), last=True))
    return found


def cells_of(found):
    return [cells for rows in found for cells in rows.cells]


@given(data=st.binary(max_size=400), sizes=sizes)
@example(data=b"\xff\xfe\n{\n}\n\x00\n[1]\nnull", sizes=[3])
def test_any_bytes_are_rows_of_objects_each_with_its_fault(data, sizes):
    found = read(ObjectReader(), data.replace(b"\n", b"\n\n"), sizes)
    told = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line and not line.isspace()]
    if max(map(len, told), default=0) <= LONGEST:
        assert sum(rows.count for rows in found) == len(told)
    for rows in found:
        assert all(len(column) == rows.count for column in rows.columns.values())
        assert rows.faults.keys() <= set(range(rows.count))


@given(rows=st.lists(st.one_of(objects, values), max_size=12), sizes=sizes)
def test_objects_come_back_in_their_columns(rows, sizes):
    lines = []
    for row in rows:
        try:
            lines.append((orjson.dumps(row), orjson.loads(orjson.dumps(row))))
        except orjson.JSONEncodeError:  # a whole number beyond JSON's, or a half character
            continue
    lines = [(line, row) for line, row in lines if len(line) <= LONGEST]
    found = read(ObjectReader(), b"\n".join(line for line, _ in lines), sizes)
    places = [(rows, place) for rows in found for place in range(rows.count)]
    assert len(places) == len(lines)
    for (rows, place), (_, row) in zip(places, lines, strict=True):
        if not isinstance(row, dict):
            assert "object" in str(rows.faults[place])
        elif place not in rows.faults:
            assert rows.columns.get("address", {place: None})[place] == row.get("address", row.get("q"))
            assert rows.columns.get("x", {place: None})[place] == row.get("lon", row.get("x"))
            assert rows.columns.get("id", {place: None})[place] == row.get("id")


def test_two_names_of_one_thing_are_a_fault_of_that_row_alone():
    (found, _) = read(ObjectReader(), b'{"lon":1,"x":2,"lat":3}\n{"lon":1,"lat":3}\n')
    assert list(found.faults) == [0]
    assert "'lon' and 'x'" in str(found.faults[0])
    with pytest.raises(InputError, match="say the same"):
        roles_of(["lon", "lat", "经度"])


@pytest.mark.parametrize("key", [True, 1.5, [1], {"a": 1}, "x" * (MOST_ID + 1)])
def test_an_id_that_cannot_be_told_back_is_a_fault(key):
    (found, _) = read(ObjectReader(), orjson.dumps({"id": key, "q": "a"}) + b'\n{"id":"1","q":"a"}\n')
    assert list(found.faults) == [0]
    assert found.columns["id"] == [None, "1"]


texts = st.text(  # what writes the table does not quote a lone \r
    st.one_of(
        st.sampled_from('",\n \t;\x00路'), st.characters(exclude_categories=["Cs"], exclude_characters="\r")
    ),
    max_size=12,
)
tables = st.lists(st.tuples(texts, texts, texts), max_size=8)


@settings(max_examples=200)
@given(rows=tables, sizes=sizes, ends=st.sampled_from(["\n", "\r\n"]))
@example(rows=[('a\n"b', "", "x")], sizes=[9, 1, 1, 1], ends="\n")
@example(rows=[("", "\n", "\n\n")], sizes=[1] * 30, ends="\r\n")
def test_cells_come_back_as_they_were_written(rows, sizes, ends):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ends).writerows([("id", "地址", "other"), *rows])
    found = read(TableReader(LONGEST), text.getvalue().encode(), sizes)
    assert not any(part.faults or part.broken for part in found)
    assert cells_of(found) == [list(row) for row in rows]


@settings(max_examples=200)
@given(data=st.binary(max_size=300), sizes=sizes)
@example(data=b'a"b"c,"d\n', sizes=[1])
@example(data=b'"a"b,c\nd,e\n"', sizes=[4])
def test_any_bytes_in_a_table_end_in_rows_or_a_fault(data, sizes):
    found = read(TableReader(LONGEST), b"id,address\n" + data, sizes)
    for rows in found:
        assert rows.faults.keys() <= set(range(rows.count))
        assert all(len(column) == rows.count == len(rows.cells) for column in rows.columns.values())
    try:
        data.decode()
    except UnicodeDecodeError:
        assert found[-1].broken is not None


def test_a_row_that_is_no_csv_spoils_no_other():
    found = read(TableReader(LONGEST), b'address\nbefore\n"a"b\nafter\n"open\nstill', [20])
    told = [(cells[0], place in rows.faults) for rows in found for place, cells in enumerate(rows.cells)]
    assert told[:3] == [("before", False), ('"a"b', True), ("after", False)]
    assert told[3][1]
    assert len(told) == 4


def test_what_comes_before_text_in_another_encoding_is_read():
    found = read(TableReader(LONGEST), b"address\n\xe8\xb7\xaf\n\xc2\xb7\xff\nmore\n")
    assert cells_of(found) == [["路"]]
    assert "UTF-8" in str(found[-1].broken)


def test_a_quote_that_is_not_closed_ends_where_a_row_is_too_long():
    found = read(TableReader(LONGEST), b'address\n"' + b"line\n" * 200, [50] * 30)
    assert isinstance(found[-1].broken, TooMuchError)
    assert sum(rows.count for rows in found) == 0


def test_cells_beyond_the_titles_are_a_fault_and_missing_ones_are_empty():
    (found, _) = read(TableReader(LONGEST), "id,address\n1,湖东路,166号\n2\n3,a,, \n".encode())
    assert list(found.faults) == [0]
    assert found.columns == {"id": ["1", "2", "3"], "address": ["湖东路", None, "a"]}


@pytest.mark.parametrize("titles", ["", "a,b", "lon", "lat,y", "lon,lat,x"])
def test_titles_that_say_nothing_are_refused(titles):
    with pytest.raises(InputError, match=r"column|say the same"):
        read(TableReader(LONGEST), f"{titles or 'id'}\n1\n".encode())


@given(sizes=sizes)
def test_a_byte_order_mark_is_no_part_of_the_first_title(sizes):
    data = "\ufeff地址\n湖东路\n".encode()
    assert cells_of(read(TableReader(LONGEST), data, sizes)) == [["湖东路"]]


@given(sizes=sizes, length=st.integers(LONGEST + 1, 3 * LONGEST))
def test_a_line_that_is_too_long_ends_all_but_what_was_before(sizes, length):
    found = read(ObjectReader(), b'{"q":"a"}\n' + b"x" * length + b"\n{}\n", sizes)
    assert sum(rows.count for rows in found) == 1


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    encoding=st.sampled_from(["gb18030", "utf-16", "utf-8"]),
    sizes=sizes,
)
def test_every_encoding_comes_back_however_it_is_cut(text, encoding, sizes):
    decoder = Decoder(encoding)
    parts = [decoder.take(piece) for piece in cut(text.encode(encoding), sizes)]
    assert (b"".join(parts) + decoder.take(b"", last=True)).decode() == text


def test_what_is_not_in_its_encoding_is_told():
    with pytest.raises(InputError, match="GB18030"):
        Decoder("gb18030").take(b"\xff\xff\xff")


@given(sizes=sizes, bad=st.booleans())
@example(sizes=[10_000], bad=False)
@example(sizes=[10_000], bad=True)
def test_a_record_of_many_lines_is_measured_whole(sizes, bad):
    cell = b"line\n" * (LONGEST // 5 - 1)
    within = b'"%b"' % cell
    beyond = b'"%b%b"%b' % (cell, cell, b"x" if bad else b"")
    found = read(TableReader(LONGEST), b"address\n%b\n%b\nafter\n" % (within, beyond), sizes)
    assert cells_of(found) == [[cell.decode()]]
    assert isinstance(found[-1].broken, TooMuchError)
