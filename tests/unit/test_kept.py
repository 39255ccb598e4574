from __future__ import annotations

import threading

import pytest

from api.kept import Kept


def test_a_thing_is_made_once_and_the_one_used_longest_ago_is_forgotten():
    kept: Kept[str] = Kept(2)
    made: list[str] = []

    def ask(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key)

    assert [ask(key) for key in "abacab"] == list("abacab")
    assert made == ["a", "b", "c", "b"]


def test_what_fails_is_made_again():
    kept: Kept[int] = Kept(2)
    with pytest.raises(ZeroDivisionError):
        kept.get("x", lambda: 1 // 0)
    assert kept.get("x", lambda: 1) == 1


def test_many_who_ask_at_once_have_it_made_once():
    kept: Kept[int] = Kept(2)
    made: list[int] = []
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        kept.get("x", lambda: made.append(1) or 1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_what_is_there_is_given_while_another_is_made():
    kept: Kept[int] = Kept(2)
    kept.get("there", lambda: 1)
    begun, end = threading.Event(), threading.Event()

    def make() -> int:
        begun.set()
        end.wait(10)
        return 2

    maker = threading.Thread(target=kept.get, args=("slow", make))
    maker.start()
    begun.wait(10)
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(kept.get("there", lambda: 3)))
    reader.start()
    reader.join(5)
    assert found == [1]
    end.set()
    maker.join(10)
    assert kept.get("slow", lambda: 4) == 2
