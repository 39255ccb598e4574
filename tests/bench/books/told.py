"""Questions that name a building rightly, in every form."""

from __future__ import annotations

from dataclasses import replace

from tests.bench.books import noise, speech, words
from tests.bench.books.maker import Maker, Query


def clean(maker: Maker) -> Query | None:
    building = maker.building()
    said = maker.said(building)
    of = maker.ledger.division
    said.front = of.province + of.city + of.district + building.community.town
    return maker.plain("clean", "", said)


def prefix_missing(maker: Maker) -> Query | None:
    said = maker.said(maker.building())
    if maker.rng.random() < 0.4:
        said.front = ""
    return maker.plain("prefix_missing", "", said)


def synonym(maker: Maker) -> Query | None:
    building = maker.building()
    said = maker.said(building, number=speech.otherwise(building, maker.rng))
    return maker.plain("synonym", "", said)


def dash(maker: Maker) -> Query | None:
    building = maker.numbered(street=0.0)
    if maker.has_dashes(building) or building.compound is None or building.compound.village:
        return None
    said = maker.said(building, number=speech.dashed(building, maker.rng), room=False)
    return maker.plain("synonym", "dash", said)


def real_shape(maker: Maker) -> Query | None:
    """As addresses stand in real lists: the community named, the street without its number, words left out."""
    building, of = maker.building(street=0.35), maker.ledger.division
    said = maker.said(building, number=speech.otherwise(building, maker.rng))
    said.front = maker.rng.choice(
        ("", of.district, of.city + of.district, of.province + of.city + of.district)
    )
    pick = maker.rng.random()
    if pick < (0.5 if building.road else 0.15):
        said.front += building.community.town + building.community.name
    elif building.compound and building.compound.road and pick < 0.6:
        said.street = building.compound.road
    elif pick < 0.8:
        said.front += building.community.town
    return maker.plain("real_shape", "", said)


def by_street(maker: Maker) -> Query | None:
    """The compound's street address instead of its name."""
    building = maker.building(street=0.0)
    at = building.compound
    if at is None or not at.road or maker.has_dashes(building):
        return None
    said = maker.said(building, number=speech.own(building))
    said.name, said.street = f"{at.road}{at.road_no}号", ""
    if not said.number[-1].isdigit() and said.number[-1] != "号":
        return maker.asked("alias", "street", str(said), [building])
    return None


def numeral(maker: Maker) -> Query | None:
    building = maker.numbered(street=0.35)
    said = maker.said(building, number=speech.in_chinese(building, maker.rng), room=False)
    if building.compound and not building.compound.village:
        said.room = speech.room_in_chinese(building, maker.rng)
    return maker.plain("cn_numeral", "", said)


def reordered(maker: Maker) -> Query | None:
    building = maker.building()
    said = maker.said(building, room=False)
    if said.number[-1].isascii():
        return None
    said.front = said.street = ""
    of = maker.ledger.division
    name, number, town = said.name, said.number, building.community.town
    text = maker.rng.choice(
        (
            f"{number} {name} {of.district}",
            f"{number}，{name}，{of.district}{of.city}",
            f"{name}({of.district}){number}",
            f"{name} {of.district} {number}",
            f"{number}{name}",
            f"{name}（{town}）{number}",
            f"{name}{number}，{town}，{of.district}",
            f"{number}，{name}，{town}",
        )
    )
    meant = [b for b in maker.meant(said) if town not in text or b.community.town == town]
    return maker.asked("transposition", "order", text, meant) if len(meant) == 1 else None


def formatted(maker: Maker) -> Query | None:
    said = maker.said(maker.building())
    text = noise.formed(str(said), maker.rng)
    return maker.plain("format", "", said, text)


def alias(maker: Maker) -> Query | None:
    building = maker.building(street=0.0)
    if building.compound is None or not building.compound.aliases:
        return None
    said = maker.said(building, number=speech.otherwise(building, maker.rng))
    said.name, said.street = maker.rng.choice(building.compound.aliases), ""
    return maker.plain("alias", "table", said)


def extra_suffix(maker: Maker) -> Query | None:
    building = maker.building(street=0.0)
    said = maker.said(building)
    longer = said.name + "小区"
    if said.name.endswith("小区") or len(maker.truth.compounds[said.name]) > 1:
        return None
    if longer in maker.truth.names or maker.truth.slips(longer, but=said.name):
        return None
    said = replace(said, written=longer)
    return maker.plain("alias", "extra_suffix", said, str(said))


def both_names(maker: Maker) -> Query | None:
    """The official name and another beside it: X小区(原Y)12幢."""
    building = maker.building(street=0.0)
    if building.compound is None or not building.compound.aliases:
        return None
    said = maker.said(building)
    other = maker.rng.choice(building.compound.aliases)
    form = maker.rng.choice(
        ("{0}({1})", "{0}（{1}）", "{1}（现{0}）", "{0}又名{1}", "{1}{0}", "{0}（即{1}）")
    )
    said = replace(said, street="", written=form.format(said.name, other))
    return maker.plain("alias", "both", said)


def twice(maker: Maker) -> Query | None:
    """Pasted twice, or the name before the whole address."""
    building = maker.building()
    said = maker.said(building)
    short = said.name + said.number
    if said.number[-1].isascii():
        return None
    text = maker.rng.choice(
        (f"{said} {said}", f"{short}，{said}", f"{said}（{short}）", f"{said.name} {said}")
    )
    return maker.plain("embedded", "twice", said, text)


def story(maker: Maker) -> Query | None:
    """A whole message, with town and community beside the address and numbers of other things."""
    building = maker.building()
    said = maker.said(building)
    if said.number[-1].isascii():
        return None
    said.front = maker.rng.choice(("", "", maker.ledger.division.district))
    place = building.community
    told = maker.rng.choice(words.STORIES).format(town=place.town, community=place.name, at=said)
    return maker.plain("embedded", "story", said, told)


def recognised(maker: Maker) -> Query | None:
    """Letters that a recogniser of print read for 0 and 1."""
    building = maker.numbered()
    if not set(building.label) & set("01") or len(building.label) < 2:
        return None
    said = maker.said(building)
    wrong = said.number.replace("0", maker.rng.choice("OoＯ")).replace("1", maker.rng.choice("lI"), 1)
    if maker.rng.random() < 0.5:
        wrong = said.number.replace("0", "O")
    said.number, before = wrong, said.number
    return maker.plain("format", "letters", said) if wrong != before else None


def poi(maker: Maker) -> Query | None:
    name = maker.rng.choice(sorted(maker.truth.poi))
    building = maker.truth.poi[name]
    town = building.community.town
    text = maker.rng.choice(
        (name, name, f"{maker.ledger.division.district}{name}", town + name, f"{building.road}{name}")
    )
    return maker.asked("alias", "poi", text, [building])


def embedded(maker: Maker) -> Query | None:
    rng = maker.rng
    building = maker.building()
    said = maker.said(building, number=speech.otherwise(building, rng))
    if said.number[-1:].isascii() and said.number[-1:] != "#" and not said.room:
        said.number += "号" if building.road else "幢"
    said.front = rng.choice(("", "", "", said.front))
    if building.label.isdigit() and rng.random() < 0.4:
        said.number = speech.in_chinese(building, rng)
        said.room = ""
        if building.compound and not building.compound.village:
            said.room = speech.room_in_chinese(building, rng)
    if building.compound and not building.compound.village:
        longer = said.name + ("" if said.name.endswith("小区") else "小区")
        if not maker.truth.slips(longer, but=said.name):
            said = replace(
                said, written=rng.choice((said.name, longer)) + rng.choice(("", "", "的", "里面", "那边"))
            )
    if rng.random() < 0.12:
        return maker.near("embedded", said, rng.choice(words.NEAR_TICKETS).format(said))
    return maker.plain("embedded", "", said, rng.choice(words.TICKETS).format(said))


def vague(maker: Maker) -> Query | None:
    said = maker.said(maker.building(), room=False)
    if said.number[-1].isascii():
        return None
    return maker.near("vague", said, f"{said}{maker.rng.choice(words.NEAR)}")


def overflow(maker: Maker) -> Query | None:
    """An entrance and a floor that the building does not have."""
    building = maker.building(street=0.0)
    if building.compound is None or building.compound.village:
        return None
    said = maker.said(building, room=False)
    unit, floor = building.units + maker.rng.randint(1, 6), building.floors + maker.rng.randint(2, 40)
    maker.add_room(said, f"{unit}单元{floor}01室")
    return maker.plain("unit_overflow", "", said)


def wrong_prefix(maker: Maker) -> Query | None:
    """Another town, community, street or district of the city in front of a name that is there only once."""
    rng, ledger = maker.rng, maker.ledger
    building = maker.building(street=0.3)
    said = maker.said(building, room=False)
    said.street = ""
    said.front = ""
    if len(maker.truth.buildings(said.name, building.label)) != 1:
        return None
    sub = rng.choice(("town", "town", "district", "district", "community", "road"))
    if sub == "town":
        towns = sorted({at.town for at in ledger.communities} - {building.community.town})
        said.front = rng.choice(("", ledger.division.city + ledger.division.district)) + rng.choice(towns)
    elif sub == "district":
        said.front = rng.choice(("", ledger.division.city)) + rng.choice(ledger.division.neighbours)
    elif sub == "community":
        names = [at.name for at in ledger.communities if at is not building.community]
        said.front = ledger.division.district + rng.choice(names)
    else:
        if building.road:
            return None
        other = rng.choice(ledger.buildings)
        if not other.road or other.poi:
            return None
        said.front = f"{ledger.division.district}{other.road}{other.label}号"
    if said.front.endswith("村") or len(maker.truth.compounds[said.name]) > 1:
        return None
    return maker.asked("wrong_prefix", sub, str(said), [building])
