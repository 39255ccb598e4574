"""Lines of the log: written together soon, whole and in order."""

from __future__ import annotations

import io
import logging
import time

import pytest

from api.logs import HELD_S, Lines


@pytest.fixture
def log():
    handler, written = Lines(), io.StringIO()
    handler.setStream(written)
    log = logging.Logger("gridgov.test")
    log.addHandler(handler)
    return log, written, handler


def test_lines_are_written_together_within_a_moment(log):
    log, written, _ = log
    for n in range(3):
        log.info("line %d", n)
    assert written.getvalue() == ""
    for _ in range(100):
        if written.getvalue():
            break
        time.sleep(HELD_S / 5)
    lines = written.getvalue().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [f"gridgov.test line {n}" for n in range(3)]
    plain = logging.Formatter("%(asctime)s").format(logging.makeLogRecord({"created": time.time()}))
    assert len(lines[0].split(" gridgov")[0]) == len(plain)


def test_a_warning_is_written_at_once_after_what_came_before_it(log):
    log, written, _ = log
    log.info("before")
    log.warning("now")
    assert [line.rsplit(" ", 1)[1] for line in written.getvalue().splitlines()] == ["before", "now"]


def test_what_is_held_is_written_at_the_end(log):
    log, written, handler = log
    log.info("last")
    logging.shutdown([lambda: handler])
    assert written.getvalue().endswith("last\n")
