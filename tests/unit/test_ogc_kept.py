"""What is kept of answers stays within its bound, and what was asked for last stays."""

from __future__ import annotations

import gzip

import pytest

from api.direct import Answer
from api.ogc.kept import Answers, Counts


def answer(size: int = 1000) -> Answer:
    return Answer(b"x" * size, [])


@pytest.mark.parametrize("most", [0, 20_000, 100_000])
def test_answers_take_no_more_than_they_may(most):
    kept = Answers(most)
    for number in range(500):
        kept.keep(number, answer(number * 7 % 3000))
        assert kept.bytes <= most
    found = [kept.find(number) for number in range(500)]
    assert sum(one.size for one in found if one) == kept.bytes
    assert any(found) == (most > 0)


def test_what_was_asked_for_last_stays():
    kept = Answers(answer().size * 9)
    first = answer()
    kept.keep("first", first)
    for number in range(50):
        kept.keep(number, answer())
        assert kept.find("first") is first
    assert kept.find(0) is None


def test_a_large_answer_drives_out_no_others():
    kept = Answers(20_000)
    kept.keep("small", answer(10))
    kept.keep("large", answer(10_000))
    assert kept.find("large") is None
    assert kept.find("small")


def test_an_answer_kept_again_counts_once():
    kept = Answers(20_000)
    for size in (100, 1000, 10):
        kept.keep("one", answer(size))
    assert kept.bytes == answer(10).size


def test_a_body_is_packed_once():
    told = Answer("网格".encode() * 500, [])
    assert gzip.decompress(told.packed()) == told.body
    assert told.packed() is told.packed()


def test_counts_are_the_last_ones():
    counts = Counts(most=3)
    for number in range(5):
        counts.keep(number, number * 10)
    assert [counts.find(number) for number in range(5)] == [None, None, 20, 30, 40]
