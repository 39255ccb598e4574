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


class Full(io.StringIO):
    """A disk that is full, until there is room."""

    full = True

    def write(self, text):
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_stream_that_fails_fails_nothing_else(log, capsys):
    log, _, handler = log
    stream = Full()
    handler.setStream(stream)
    log.warning("lost")
    log.info("lost too")
    for _ in range(100):
        if not handler._due:
            break
        time.sleep(HELD_S / 5)
    assert capsys.readouterr().err.count("--- Logging error ---") == 2
    stream.full = False
    log.info("kept")
    for _ in range(100):
        if stream.getvalue():
            break
        time.sleep(HELD_S / 5)
    assert [line.rsplit(" ", 1)[1] for line in stream.getvalue().splitlines()] == ["kept"]


def test_what_cannot_be_written_at_the_end_ends_quietly(log):
    log, _, handler = log
    handler.setStream(Full())
    log.info("lost")
    logging.shutdown([lambda: handler])
    assert handler._held == []


def test_a_line_that_cannot_be_formatted_is_told_and_holds_up_no_other(log, capsys):
    log, written, _ = log
    log.info("%d", "no number")
    log.warning("now")
    assert written.getvalue().endswith(" now\n")
    assert "no number" in capsys.readouterr().err
