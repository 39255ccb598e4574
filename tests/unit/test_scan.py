"""The scan of names finds what a matcher finds that tries every way to read what was typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geo.address.scan import Scan, Typed
from geo.address.typed import Keys, beginnings, fold, initials, keys

NAMES = st.lists(st.text(alphabet="长乐重庆宁安西行昂3三an", min_size=1, max_size=5), min_size=1, max_size=6)
ASKED = st.text(alphabet="长乐三3anghceixlyuo", min_size=1, max_size=10)


def _stops(typed: str) -> tuple[int, ...]:
    stops = []
    for at, character in enumerate(typed):
        end = at + 1
        while character.isascii() and character.isalpha() and end < len(typed) and "a" <= typed[end] <= "z":
            end += 1
        stops.append(end)
    return tuple(stops)


def _stand_for(each: Keys, way: str, last: bool) -> set[str]:
    readings = {"literal": set(), "heteronyms": each.every}.get(way, each.usual)
    typed = set(each.itself | readings)
    for reading in readings:
        typed |= set(beginnings(reading)) if last else set()
        typed |= set(initials(reading)) if way in ("initials", "heteronyms") else set()
    return typed


def _tried(name: list[Keys], typed: str, stops: tuple[int, ...], way: str) -> set[tuple[int, int]]:
    """Return begin and end of what matches in a name, by trying every division of what was typed."""
    found = set()

    def onward(begin: int, place: int, at: int) -> None:
        if at == len(typed):
            found.add((begin, place))
            return
        for end in range(at + 1, stops[at] + 1) if place < len(name) else ():
            if typed[at:end] in _stand_for(name[place], way, end == stops[at]):
                onward(begin, place + 1, end)

    for begin in range(len(name)):
        onward(begin, begin, 0)
    return found


@given(NAMES, ASKED)
def test_it_finds_what_trying_everything_finds(names, typed):
    rows = [keys(fold(name).characters) for name in names]
    scan, stops = Scan(rows), _stops(typed)
    for way in ("literal", "pinyin", "initials", "heteronyms"):
        reached = scan.scan(Typed(typed, stops), getattr(scan, way))[-1]
        found = {
            (heads, whole, match)
            for heads in (True, False)
            for whole in (True, False)
            for match in scan.matches(reached, heads=heads, whole=whole)
        }
        assert found == {
            (begin == 0, end == len(row), (number, begin, end))
            for number, row in enumerate(rows)
            for begin, end in _tried(row, typed, stops, way)
        }


def test_matches_come_in_the_order_of_the_names():
    scan = Scan([keys(name) for name in ("长安路", "安路", "长安", "路安长安")])
    reached = scan.scan(Typed("an", (2, 2)), scan.pinyin)[-1]
    assert [match.name for match in scan.matches(reached, heads=False, whole=True)] == [2, 3]
    assert [match.name for match in scan.matches(reached, heads=False, whole=False)] == [0, 3]
    assert [match.name for match in scan.matches(reached, heads=True, whole=False)] == [1]
