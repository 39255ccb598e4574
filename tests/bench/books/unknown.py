"""Questions about what does not exist; none may be answered with a building."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.bench.books import noise, speech, words

if TYPE_CHECKING:
    from tests.bench.books.ledger import Compound
    from tests.bench.books.maker import Maker, Query


_MORE = {"一": "五六七八九", "东": "东西南北中", "A": "EFGH"}
"""What may come after the marks of a family that has the first."""


def number(maker: Maker) -> Query | None:
    """A building number that a compound does not have: in a gap, beyond the last, of another phase."""
    rng = maker.rng
    at = rng.choice([each for each in maker.ledger.compounds if not each.village])
    name = rng.choice((at.name, at.name, at.name, *at.aliases))
    label = _missing(maker, at, rng)
    if maker.truth.buildings(name, label):
        return None
    word = rng.choice(("幢", "栋", "号楼", "座"))
    said = label + word
    if label.isdigit() and rng.random() < 0.2:
        said = speech.chinese(int(label), rng) + word
    text = (
        _front(maker, at.community.town) + name + said + rng.choice(("", "", "1单元302", "-1-302", "302室"))
    )
    sub = "no_building_twin" if _exists(maker, name, label) else "no_building"
    return maker.asked("nonexistent", sub, text, ())


def _missing(maker: Maker, at: Compound, rng: Random) -> str:
    held = maker.truth.of_compound[at.code]
    highest = max((int(label) for label in held if label.isdigit()), default=8)
    gaps = [str(n) for n in range(1, highest) if str(n) not in held]
    if gaps and rng.random() < 0.4:
        return rng.choice(gaps)
    return rng.choice((str(highest + 1), str(highest + rng.randint(2, 60)), "Z", "K", str(highest + 2)))


def _exists(maker: Maker, name: str, label: str) -> bool:
    return bool(maker.truth.sound_alike(name, label))


def house_number(maker: Maker) -> Query | None:
    """A number that a road does not have."""
    road = maker.rng.choice(maker.ledger.roads)
    label = str(maker.rng.randint(1, 480) if maker.rng.random() < 0.8 else maker.rng.randint(500, 1500))
    if _exists(maker, road, label) or _is_street_of_compound(maker, road, label):
        return None
    text = f"{_front(maker)}{road}{label}号"
    if maker.rng.random() < 0.15:
        text = f"{_front(maker)}{road}{speech.counted(int(label))}号" if int(label) < 1000 else text
    return maker.asked("nonexistent", "no_number", text, ())


def _is_street_of_compound(maker: Maker, road: str, label: str) -> bool:
    return any((at.road, at.road_no) == (road, label) for at in maker.ledger.compounds)


def compound(maker: Maker) -> Query | None:
    """A compound that does not exist and is like none."""
    name = maker.rng.choice(words.INVENTED) + maker.rng.choice(words.COMPOUND_SUFFIXES)
    return _no_such(maker, name, "no_compound")


def other_suffix(maker: Maker) -> Query | None:
    """The first part of a compound's name with another second part."""
    at = maker.rng.choice([each for each in maker.ledger.compounds if not each.family and not each.village])
    for suffix in sorted(words.COMPOUND_SUFFIXES, key=len, reverse=True):
        if at.name.endswith(suffix) and len(at.name) > len(suffix) + 1:
            other = maker.rng.choice(words.COMPOUND_SUFFIXES)
            return _no_such(maker, at.name.removesuffix(suffix) + other, "other_suffix", at)
    return None


def near_name(maker: Maker) -> Query | None:
    """A compound that does not exist; one that does differs in one character, of another sound and shape."""
    at = maker.rng.choice(
        [each for each in maker.ledger.compounds if not each.family and each.name[:2] in words.STEMS]
    )
    stems = [
        stem for stem in words.STEMS if len(stem) == 2 and (stem[0] == at.name[0]) != (stem[1] == at.name[1])
    ]
    if not stems:
        return None
    return _no_such(maker, maker.rng.choice(stems) + at.name[2:], "near_name", at)


def slip(maker: Maker) -> Query | None:
    """A number that a compound does not have, its name misspelt."""
    rng = maker.rng
    at = rng.choice([each for each in maker.ledger.compounds if not each.village])
    wrong, how = noise.misspelt(at.name, rng)
    label = _missing(maker, at, rng)
    if not how or wrong == at.name or _exists(maker, at.name, label) or not maker.truth.means(wrong, at.name):
        return None
    return _no_such(maker, wrong, "typo_no_building", None, label)


def _no_such(
    maker: Maker, name: str, sub: str, like: Compound | None = None, label: str | None = None
) -> Query | None:
    rng = maker.rng
    if label is None:
        held = [each for each in maker.truth.of_compound[like.code] if each.isdigit()] if like else []
        label = rng.choice(held) if held else str(rng.randint(1, 28))
    known = {at.name for at in maker.ledger.communities} | {at.town for at in maker.ledger.communities}
    if name in maker.truth.names or name in known or maker.truth.mistaken(name, (label,)):
        return None
    text = _front(maker) + name + label + rng.choice(("幢", "栋", "号楼"))
    return maker.asked("nonexistent", sub, text, ())


def member(maker: Maker) -> Query | None:
    """One more of estates that belong together than there are."""
    rng = maker.rng
    at = rng.choice([each for each in maker.ledger.compounds if each.family])
    for form, marks, whole in words.FAMILIES:
        stem = at.family[: len(at.family) - len(whole) + 2]
        if whole.format(stem) == at.family and form.format(stem, "") == at.name.replace(
            _mark(at, form, stem), ""
        ):
            more = next(rest for first, rest in _MORE.items() if first in marks)
            name = form.format(stem, rng.choice([mark for mark in more if mark not in at.name]))
            like = at if rng.random() < 0.7 else None
            return _no_such(maker, name, "no_family", like)
    return None


def _mark(at: Compound, form: str, stem: str) -> str:
    before, _, after = form.format(stem, "\0").partition("\0")
    return at.name.removeprefix(before).removesuffix(after)


def road(maker: Maker) -> Query | None:
    """A road that does not exist: of an unknown name, or the other end of a known one."""
    rng = maker.rng
    real = rng.choice(maker.ledger.roads)
    name = rng.choice(words.INVENTED) + rng.choice(("路", "大道", "街", "巷"))
    side = next((side for side in "东西南北" if f"{side}路" in real), None)
    if side and rng.random() < 0.6:
        name = real.replace(f"{side}路", rng.choice([other for other in "东西南北" if other != side]) + "路")
    label = rng.choice(list(maker.truth.of_road[real]))
    if name in maker.truth.names or maker.truth.mistaken(name, (label,)):
        return None
    return maker.asked("nonexistent", "no_road", f"{_front(maker)}{name}{label}号", ())


def place(maker: Maker) -> Query | None:
    """A place of interest that does not exist."""
    rng = maker.rng
    stem = rng.choice(words.INVENTED) if rng.random() < 0.5 else rng.choice(words.STEMS)
    name = stem + rng.choice(words.POI_KINDS)
    near = [other for other in maker.truth.names if other in name or name in other]
    if near or maker.truth.mistaken(name, ()):
        return None
    return maker.asked("nonexistent", "no_place", _front(maker) + name, ())


def elsewhere(maker: Maker) -> Query | None:
    """An address of the district, in another city."""
    building = maker.building(street=0.25)
    said = maker.said(building, room=False)
    said.front, said.street = maker.rng.choice(words.ELSEWHERE), ""
    if "省" in said.front and maker.rng.random() < 0.35:
        said.front = said.front.partition("省")[2]
    return maker.asked("nonexistent", "out_of_area", str(said), ())


def no_address(maker: Maker) -> Query | None:
    """Words that are no address."""
    text = maker.rng.choice(words.TALK) + maker.rng.choice(
        ("", "", " ", "!", "。", str(maker.rng.randint(10, 99)))
    )
    return maker.asked("nonexistent", "not_address", text, ())


def _front(maker: Maker, town: str = "") -> str:
    of = maker.ledger.division
    front = maker.rng.choice(("", "", of.district, of.province + of.city + of.district))
    return front + (town if town and maker.rng.random() < 0.2 else "")
