"""Questions that can mean several buildings; none of them may be chosen."""

from __future__ import annotations

from tests.bench.books import alike, noise, speech, words
from tests.bench.books.ledger import Building
from tests.bench.books.maker import Maker, Query
from tests.bench.books.truth import canonical

_AS_NEAR = 0.05


def same_name(maker: Maker) -> Query | None:
    """Compounds of one name in two towns: ambiguous, unless the town or the street tells."""
    shared = [at for at in maker.ledger.compounds if len(maker.truth.compounds[at.name]) > 1]
    at = maker.rng.choice(shared)
    building = maker.rng.choice(list(maker.truth.of_compound[at.code].values()))
    said = maker.said(building, number=speech.otherwise(building, maker.rng), room=False)
    way = maker.rng.choice(("bare", "bare", "town", "street", "community"))
    said.street, said.front = "", maker.rng.choice(("", maker.ledger.division.district))
    if way == "town":
        said.front += building.community.town
    elif way == "street" and at.road:
        said.street = maker.rng.choice((f"{at.road}{at.road_no}号", at.road))
    elif way == "community":
        said.front += building.community.name
    meant = maker.meant(said) if way != "community" else [building]
    if way == "bare" and len(meant) > 1:
        return maker.asked("ambiguous", "same_name", str(said), meant)
    return maker.asked("prefix_missing", f"same_name_{way}", str(said), meant) if len(meant) == 1 else None


def compound_only(maker: Maker) -> Query | None:
    at = maker.rng.choice(maker.ledger.compounds)
    if len(maker.truth.compounds[at.name]) > 1:
        return None
    held = list(maker.truth.of_compound[at.code].values())
    text = speech.front(maker.rng, maker.ledger.division, at.community.town) + at.name
    grids = {building.grid for building in held}
    query = maker.asked("ambiguous", "compound_only", text, held, "match_grid" if len(grids) == 1 else None)
    return query and {**query, "building_id": None}


def loose(maker: Maker) -> Query | None:
    """A compound without a building; the numbers around are of something else."""
    at = maker.rng.choice(maker.ledger.compounds)
    held = list(maker.truth.of_compound[at.code].values())
    text = maker.rng.choice(words.LOOSE)
    grids = {building.grid for building in held}
    if len(maker.truth.compounds[at.name]) > 1 or len(grids) == 1:
        return None
    return maker.asked("ambiguous", "loose", text.format(at.name), held)


def family(maker: Maker) -> Query | None:
    """A number in estates that belong together, which of them left out."""
    at = maker.rng.choice(maker.ledger.compounds)
    if not at.family or at.family == at.name:
        return None
    building = maker.rng.choice(list(maker.truth.of_compound[at.code].values()))
    meant = maker.truth.buildings(at.family, building.label)
    if len(meant) < 2:
        return None
    front = maker.rng.choice(("", maker.ledger.division.district))
    number = canonical(building.label) + maker.rng.choice(("幢", "号楼", "栋"))
    return maker.asked("ambiguous", "family", front + at.family + number, meant)


def sound_alike(maker: Maker) -> Query | None:
    """A name that is neither of two that sound like it."""
    building = maker.numbered()
    name = building.compound.name if building.compound else building.road
    same = maker.truth.sound_alike(name, building.label)
    wrong = noise.heard(name, maker.rng)
    if len(same) < 2 or wrong in maker.truth.names or not _as_near(wrong, same):
        return None
    return maker.asked("ambiguous", "sound_alike", wrong + speech.own(building), same)


def _as_near(written: str, buildings: list[Building]) -> bool:
    """Tell whether what was written is as near to the name of one building's compound or road as to any other's."""
    names = {building.compound.name if building.compound else building.road for building in buildings}
    costs = [alike.cost(written, name) for name in names]
    return max(costs) - min(costs) < _AS_NEAR


def two_places(maker: Maker) -> Query | None:
    one, other = maker.building(street=0.2), maker.building(street=0.2)
    first, second = maker.said(one, room=False), maker.said(other, room=False)
    first.front = second.front = first.street = second.street = ""
    if one.grid == other.grid or first.number[-1].isascii() or second.number[-1].isascii():
        return None
    meant = [*maker.meant(first), *maker.meant(second)]
    text = maker.rng.choice(("{}和{}之间", "{}与{}中间的路", "从{}到{}")).format(first, second)
    return maker.asked("ambiguous", "two_places", text, meant) if len(meant) == 2 else None


def two_numbers(maker: Maker) -> Query | None:
    """Two buildings of a compound in different grids."""
    one = maker.numbered(street=0.0)
    if one.compound is None or len(maker.truth.compounds[one.compound.name]) > 1:
        return None
    others = [each for each in maker.truth.of_compound[one.compound.code].values() if each.grid != one.grid]
    if not others:
        return None
    other = maker.rng.choice(others)
    text = maker.rng.choice(
        ("{0}{1}号楼和{2}号楼", "{0}{1}栋、{2}栋", "{0}{1}幢与{2}幢之间", "{0}{1}、{2}号楼")
    )
    return maker.asked(
        "ambiguous", "two_numbers", text.format(one.compound.name, one.label, other.label), (one, other)
    )
