"""Files and pipes of points and addresses: any form, any encoding, whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import sys
import threading
from types import SimpleNamespace

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.batch_files import STREAM, Form, encoding_of, locate_file, sniffed
from geo.errors import CoordinateError, InputError, TooMuchError, UnstatedError
from tests.squares import SOUTH, STEP, WEST, code_of, squares

ASKED = squares(named={"枫林小区1幢": 3})
MIDDLE = f"{WEST + STEP / 2},{SOUTH + STEP / 2}"
LONGEST = 1000


def located(source, target, **more):
    return locate_file(ASKED, source, target, line_bytes=LONGEST, **more)


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_table_in_any_encoding_is_written_with_its_answers(tmp_path, encoding, ends):
    source, target = tmp_path / "in.csv", tmp_path / "out.CSV"
    source.write_bytes(ends.join(["编号,地址", "甲,枫林小区1幢", "乙,不存在路1号"]).encode(encoding))
    assert located(source, target) == {"match": 1, "none": 1}
    assert [(row["编号"], row["status"], row["grid"]) for row in rows_of(target)] == [
        ("甲", "match", code_of(3)),
        ("乙", "none", ""),
    ]
    assert target.read_bytes().startswith("\ufeff".encode())


def test_objects_become_objects_and_either_becomes_the_other(tmp_path):
    objects, table = tmp_path / "in.ndjson", tmp_path / "in.csv"
    lon, lat = map(float, MIDDLE.split(","))
    objects.write_bytes(orjson.dumps({"id": 7, "lon": lon, "lat": lat}))
    table.write_text(f"id,lon,lat,crs\n7,{MIDDLE},wgs84\n", "utf-8")
    for source in (objects, table):
        located(source, tmp_path / "out.jsonl", crs="wgs84")
        (line,) = (tmp_path / "out.jsonl").read_bytes().splitlines()
        assert (str(orjson.loads(line)["id"]), orjson.loads(line)["grid"]) == ("7", code_of(0))
        located(source, tmp_path / "out.csv", crs="wgs84")
        (row,) = rows_of(tmp_path / "out.csv")
        assert (row["id"], row["grid"]) == ("7", code_of(0))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a,b\n1,2\n", InputError),
        (b"", InputError),
        (f"lon,lat\n{MIDDLE}\n".encode(), UnstatedError),
        (f"lon,lat,crs\n{MIDDLE},wgs84\n".encode() + b"x" * 1100, TooMuchError),
        (b"address\n\xff\xff\xff\xff\n", InputError),
    ],
)
def test_a_file_that_cannot_be_answered_leaves_what_was_there(tmp_path, content, fault):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(content)
    target.write_text("before")
    with pytest.raises(fault):
        located(source, target)
    assert target.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_an_unknown_system_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(CoordinateError, match="mars"):
        located(tmp_path / "none.csv", tmp_path / "out.csv", crs="mars")


@pytest.mark.parametrize(("source", "target"), [("in.txt", "o.csv"), ("in.csv", "o"), ("no.csv", "o.csv")])
def test_a_name_that_tells_no_form_or_no_file_is_refused(tmp_path, source, target):
    (tmp_path / "in.csv").write_text("address\nx\n")
    with pytest.raises(InputError):
        located(tmp_path / source, tmp_path / target)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_folder_and_a_place_that_is_not_there_cannot_be_written(tmp_path):
    (tmp_path / "in.csv").write_text("address\nx\n")
    (tmp_path / "folder.csv").mkdir()
    for target in ("folder.csv", "nowhere/out.csv"):
        with pytest.raises(InputError, match=r"folder|written"):
            located(tmp_path / "in.csv", tmp_path / target)


def test_how_far_it_is_is_told(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("address\n" + "枫林小区1幢\n" * 30_000, "utf-8")
    told = []
    located(source, tmp_path / "out.csv", listener=lambda rows, share: told.append((rows, share)))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (30_000, 1.0)


def piped(monkeypatch, pieces, *, form):
    """Answer what is piped in; return what is piped out. A piece is sent once the one before is answered."""
    (reads, writes), out = os.pipe(), io.BytesIO()
    monkeypatch.setattr(sys, "stdin", os.fdopen(reads))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    answered = threading.Semaphore()

    def send():
        with os.fdopen(writes, "wb", buffering=0) as pipe:
            for piece in pieces:
                assert answered.acquire(timeout=30)
                pipe.write(piece)

    sender = threading.Thread(target=send)
    sender.start()
    located(STREAM, STREAM, crs="wgs84", otherwise=form, listener=lambda rows, share: answered.release())
    sender.join()
    sys.stdin.close()
    return out.getvalue()


def test_a_pipe_is_answered_as_it_comes(monkeypatch):
    lon, lat = map(float, MIDDLE.split(","))
    line = orjson.dumps({"lon": lon, "lat": lat}) + b"\n"
    out = piped(monkeypatch, [line, line[:9], line[9:] + line], form=Form.NDJSON)
    assert [orjson.loads(line)["grid"] for line in out.splitlines()] == [code_of(0)] * 3


def test_a_pipe_may_be_in_gb18030(monkeypatch):
    out = piped(monkeypatch, [b"id,address\n", "1,枫林小区1幢\n".encode("gb18030")], form=Form.CSV).decode()
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert (row["id"], row["address"], row["grid"]) == ("1", "枫林小区1幢", code_of(3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")),
    size=st.integers(1, 9),
)
def test_utf8_is_recognised_however_it_is_cut(text, size):
    data = text.encode()
    assert b"".join(sniffed(data[n : n + size] for n in range(0, len(data), size))).decode() == text
    assert encoding_of(io.BytesIO(data), "a file") == "utf-8"
