"""Questions that name a building wrongly, and can still mean but the one; in pinyin and in English."""

from __future__ import annotations

from dataclasses import replace

from tests.bench.books import english, noise, speech
from tests.bench.books.maker import Maker, Query, Said


def typo(maker: Maker) -> Query | None:
    said, how = misspelling(maker)
    return maker.plain("typo", how, said, str(said)) if said else None


def misspelling(maker: Maker) -> tuple[Said | None, str]:
    """Misspell one thing: the name, the word behind the number, or the town."""
    building = maker.building()
    said = maker.said(building)
    pick = maker.rng.random()
    if pick < 0.06:
        wrong = noise.slip_of_word(said.number + said.room, maker.rng)
        if wrong == said.number + said.room:
            return None, ""
        said.number, said.room = wrong, ""
        return said, "word"
    if pick < 0.1 and building.community.town in said.front:
        town = building.community.town
        wrong, _ = noise.misspelt(town, maker.rng)
        said.front = said.front.replace(town, wrong)
        return (said, "town") if wrong != town else (None, "")
    name, wrong, how = said.name, *noise.misspelt(said.name, maker.rng)
    if not how or wrong == name or not maker.truth.means(wrong, name):
        return None, ""
    return replace(said, written=wrong), how


def heard(maker: Maker) -> Query | None:
    """As a speech recogniser writes it: characters of the same sound, numbers in words."""
    building = maker.numbered()
    said = maker.said(building, number=speech.in_chinese(building, maker.rng), room=False)
    wrong = noise.heard(said.name, maker.rng)
    same = maker.truth.sound_alike(said.name, building.label)
    if wrong == said.name or len(same) != 1 or not maker.truth.means(wrong, said.name):
        return None
    said = replace(said, written=wrong)
    return maker.plain("typo", "heard", said, str(said))


def swapped(maker: Maker) -> Query | None:
    said = maker.said(maker.building())
    wrong = noise.swapped(said.name, maker.rng)
    if wrong == said.name or not maker.truth.means(wrong, said.name):
        return None
    said = replace(said, written=wrong)
    return maker.plain("transposition", "chars", said, str(said))


def multi(maker: Maker) -> Query | None:
    """Several at once: a misspelt name, numerals, other words and forms."""
    rng = maker.rng
    if rng.random() < 0.75:
        said, how = misspelling(maker)
        if said is None or how in ("word", "town"):
            return None
    else:
        said = maker.said(maker.numbered())
    if said.building.label.isdigit() and not said.room and rng.random() < 0.6:
        said.number = speech.in_chinese(said.building, rng)
    return maker.plain("multi", "", said, noise.formed(str(said), rng))


def alias_typo(maker: Maker) -> Query | None:
    building = maker.building(street=0.0)
    if building.compound is None or not building.compound.aliases:
        return None
    said = maker.said(building)
    said.name, said.street = maker.rng.choice(building.compound.aliases), ""
    wrong, how = noise.misspelt(said.name, maker.rng)
    if not how or wrong == said.name or not maker.truth.means(wrong, said.name):
        return None
    said = replace(said, written=wrong)
    return maker.plain("typo", "alias", said, str(said))


def pinyin(maker: Maker) -> Query | None:
    rng = maker.rng
    building = maker.building()
    if building.road and not building.label.isdigit():
        return None
    name = building.compound.name if building.compound else building.road
    same = maker.truth.sound_alike(name, building.label)
    front = rng.choice(("", "", maker.ledger.division.district))
    spelt = noise.spelt(front + name, rng)
    word = rng.choice(("hao", "", "hao"))
    if building.compound and not building.compound.village:
        word = rng.choice(("zhuang", "dong", "haolou", "hao lou", "", "zuo"))
    blanks = (" ", "") if building.label.isdigit() else (" ",)
    text = spelt + rng.choice(blanks) + building.label + rng.choice(blanks) + word
    if rng.random() < 0.15:
        text = text.title()
    return maker.asked("pinyin", "full", text, same)


def half_pinyin(maker: Maker) -> Query | None:
    """Where the input method did not convert the first or last of a name."""
    building = maker.numbered()
    said = maker.said(building)
    at = maker.rng.randrange(1, len(said.name))
    one, other = said.name[:at], said.name[at:]
    halves = (noise.spelt(one, maker.rng, blank="") + other, one + noise.spelt(other, maker.rng, blank=""))
    same = maker.truth.sound_alike(said.name, building.label)
    if len(same) != 1:
        return None
    said = replace(said, written=maker.rng.choice(halves))
    return maker.plain("pinyin", "half", said, str(said))


def letters(maker: Maker) -> Query | None:
    """First letters of the syllables, where only one place with that number has them."""
    building = maker.numbered()
    name = building.compound.name if building.compound else building.road
    short = noise.initials(name)
    if len(short) < 3:
        return None
    same = {
        found.code: found
        for other in maker.truth.names
        if noise.initials(other) == short
        for found in maker.truth.buildings(other, building.label)
    }
    word = "hao" if building.road or (building.compound and building.compound.village) else "zhuang"
    text = f"{short}{building.label}{maker.rng.choice((' ', ''))}{word}"
    return maker.asked("pinyin", "initials", text, same.values())


def in_english(maker: Maker) -> Query | None:
    building = maker.numbered(street=0.45)
    name = building.compound.name if building.compound else building.road
    text, readings = english.write(name, building, maker)
    meant = {
        found.code: found for reading in readings for found in maker.truth.buildings(reading, building.label)
    }
    heard = {found.code for found in maker.truth.sound_alike(name, building.label)}
    if heard - set(meant):  # what is translated may stand for any word of that sound
        return None
    return maker.asked("english", "", text, meant.values())
