"""A made-up district: communities, compounds, buildings on streets, and grids of about 22 buildings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.bench.books import words
from tests.bench.books.words import Division

A_GRID = 22
"""Buildings a grid has on average."""
_HIGHEST = 420
_ODD = (
    "{}SOHO",
    "{}·国际",
    "{}花园(北区)",
    "{}花园(南区)",
    "CBD{}公寓",
    "1958{}园",
    "{}MOMA",
    "{}1号",
    "{}·公元",
    "{}V谷",
)
"""Names with letters, digits and marks."""


@dataclass(frozen=True)
class Size:
    """How many of each there are."""

    communities: int
    compounds: int
    roads: int
    buildings: int
    queries: int


SIZES = {
    "small": Size(8, 36, 24, 1500, 500),
    "full": Size(35, 150, 74, 10_000, 1000),
}


@dataclass
class Community:
    code: str
    name: str
    town: str


@dataclass
class Compound:
    """``family`` is what is said of all estates that belong together, also where the register has no word for it."""

    code: str
    name: str
    community: Community
    road: str
    road_no: str
    aliases: tuple[str, ...] = ()
    phase_of: str = ""
    family: str = ""
    village: bool = False


@dataclass
class Building:
    code: str
    label: str
    word: str
    community: Community
    compound: Compound | None = None
    road: str = ""
    poi: str = ""
    units: int = 1
    floors: int = 1
    rooms: int = 1
    grid: str = ""
    lon: float = 0.0
    lat: float = 0.0


@dataclass
class Ledger:
    """A whole district."""

    division: Division
    communities: list[Community]
    compounds: list[Compound]
    roads: list[str]
    buildings: list[Building] = field(default_factory=list)

    def address(self, building: Building) -> str:
        """Return the standard address."""
        of = self.division
        front = f"{of.province}{of.city}{of.district}{building.community.town}"
        if building.compound:
            at = building.compound
            street = f"{at.road}{at.road_no}号" if at.road else ""
            return f"{front}{street}{at.name}{building.label}{building.word}"
        return f"{front}{building.road}{building.label}号{building.poi}"


def make(seed: int, size: Size) -> Ledger:
    """Make a district; the same seed gives the same one."""
    rng = Random(seed)  # noqa: S311
    division = words.DIVISIONS[seed % len(words.DIVISIONS)]
    communities = _communities(rng, division, size.communities)
    around = _around(division, communities)
    roads = _roads(rng, size.roads, around)
    compounds = _compounds(rng, communities, roads, size.compounds, around)
    ledger = Ledger(division, communities, compounds, roads)
    _aliases(rng, ledger)
    ledger.buildings += _in_compounds(rng, compounds)
    rest = size.buildings - len(ledger.buildings)
    ledger.buildings += _on_streets(rng, ledger, rest)
    _places(rng, ledger)
    _grids(rng, ledger)
    return ledger


def _around(division: Division, communities: list[Community]) -> list[str]:
    """Return what is named after what it lies in: the stems of the district, its city and its towns."""
    areas = (division.district, division.city or division.province, *(at.town for at in communities))
    stems = (re.sub(r"街道$|[省市区县镇乡]$", "", area) for area in areas)
    return [stem for stem in dict.fromkeys(stems) if len(stem) > 1]


def _communities(rng: Random, division: Division, number: int) -> list[Community]:
    stems = rng.sample(words.TOWN_STEMS, max(2, number // 5))
    towns = [stem + rng.choice(words.TOWN_SUFFIXES) for stem in stems if stem not in division.district]
    names = rng.sample(sorted({*words.STEMS, *words.ROAD_STEMS}), number)
    ends = ("社区", "社区", "社区", "路社区", "新村社区", "村")
    return [
        Community(f"C{n + 1:02}", name + rng.choice(ends), towns[n * len(towns) // number])
        for n, name in enumerate(names)
    ]


def _roads(rng: Random, number: int, around: list[str]) -> list[str]:
    made = dict.fromkeys(stem + rng.choice(("路", "大道", "东路")) for stem in around[:3])
    numbered = rng.choice((("经{}路", "纬{}路"), ("{}马路",), ("工业{}路", "科技{}路"), ()))
    for form in numbered:
        made |= dict.fromkeys(form.format(digit) for digit in rng.sample("一二三四五六七八", 4))
    for stem in _stems(rng, words.ROAD_STEMS):
        names = _siblings(rng, stem)
        made |= dict.fromkeys(names)
    return list(made)[:number]


def _stems(rng: Random, known: list[str]) -> list[str]:
    """Return stems in any order: those of the list, and about as many that chance makes."""
    made = ["".join(rng.sample(words.CHARACTERS, 2)) for _ in range(len(known) * 2 // 3)]
    stems = list(dict.fromkeys((*known, *made)))
    return rng.sample(stems, len(stems))


def _siblings(rng: Random, stem: str) -> list[str]:
    if stem in ("环城", "滨河", "沿湖", "临江"):
        return [f"{stem}{side}路" for side in rng.sample("东西南北", 2)]
    kind = rng.random()
    if kind < 0.22:
        return [f"{stem}{side}路" for side in rng.sample("东西南北中", 2)]
    if kind < 0.34:
        return [f"{stem}{digit}路" for digit in "一二三"[: rng.randint(2, 3)]]
    if kind < 0.42:
        return [f"{stem}路", f"{stem}{rng.choice(('支路', '巷', '一巷', '东街', '后街'))}"]
    if kind < 0.46:
        return [f"{stem}东{digit}路" for digit in "一二"]
    return [stem + rng.choice(("路", "路", "路", "路", "大道", "大街", "街", "巷", "弄", "胡同"))]


def _compounds(
    rng: Random, communities: list[Community], roads: list[str], number: int, around: list[str]
) -> list[Compound]:
    named = [(stem + rng.choice(words.COMMON_SUFFIXES), "", "") for stem in around if rng.random() < 0.6]
    stems = _stems(rng, words.STEMS)
    while len(named) < number * 0.3:
        form, marks, whole = rng.choice(words.FAMILIES)
        stem = stems.pop()
        family = whole.format(stem)
        phase = family if form[-1] in words.PHASED else ""
        named += [(form.format(stem, mark), phase, family) for mark in marks[: rng.randint(2, len(marks))]]
    named += [(village, "", "") for village in rng.sample(words.VILLAGES, max(2, number // 15))]
    suffixes = rng.sample(words.COMPOUND_SUFFIXES, 24)
    taken = {name for name, _, _ in named} | {family for _, _, family in named} | set(roads)
    while len(named) < number:
        stem = stems.pop() if stems and rng.random() < 0.85 else rng.choice(words.STEMS)
        name = stem + rng.choice(suffixes if rng.random() < 0.6 else words.COMMON_SUFFIXES)
        if rng.random() < 0.08:
            road = rng.choice(roads)
            name = road + rng.choice(("小区", "家属院", f"{rng.randint(_HIGHEST + 1, _HIGHEST + 40)}号院"))
        if rng.random() < 0.04:
            name = rng.choice(_ODD).format(stem)
        for one in (name, *_twins(rng, name)):
            if one not in taken and not _within(one, taken):
                taken.add(one)
                named.append((one, "", ""))
    rng.shuffle(named)
    named = named[:number]
    numbers = _Numbers(rng)
    made = []
    for n, (name, phase, family) in enumerate(named):
        road = rng.choice(roads)
        community = communities[n * len(communities) // number]
        at = Compound(
            f"X{n + 1:03}", name, community, road, numbers.take(road), phase_of=phase, family=family
        )
        at.village = name in words.VILLAGES
        if at.village and rng.random() < 0.5:
            at.road = at.road_no = ""
        made.append(at)
    _same_names(rng, made)
    return made


def _twins(rng: Random, name: str) -> Iterator[str]:
    """Yield, for some names, another that sounds or looks like it: 翠竹佳园 and 翠竹家园, 晨光小区 and 辰光小区."""
    if rng.random() > 0.35:
        return
    for twins, where in ((words.TWIN_STEMS, name.startswith), (words.TWIN_ENDS, name.endswith)):
        known = [part for part in twins if where(part) and part != name]
        if known:
            part = rng.choice(known)
            yield name.replace(part, rng.choice(twins[part]))
            return


def _within(name: str, taken: set[str]) -> bool:
    """Tell whether one name begins another by a mere 小区, which everybody adds and leaves out."""
    return f"{name}小区" in taken or name.removesuffix("小区") in taken


def _same_names(rng: Random, compounds: list[Compound]) -> None:
    """Give some compounds the name of another that lies in another town."""
    plain = [at for at in compounds if not at.family]
    for at in rng.sample(plain, max(2, len(compounds) // 30)):
        others = [
            other for other in plain if other.community.town != at.community.town and other.name != at.name
        ]
        other = rng.choice(others)
        if sum(each.name == at.name for each in compounds) == 1 and not (at.village or other.village):
            other.name = at.name


class _Numbers:
    """Numbers on roads that are not given away yet."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[tuple[str, int]] = set()

    def take(self, road: str) -> str:
        while True:
            number = self._rng.randint(1, _HIGHEST)
            if (road, number) not in self._taken:
                self._taken.add((road, number))
                return str(number)


def _aliases(rng: Random, ledger: Ledger) -> None:
    names = {at.name for at in ledger.compounds} | {at.family for at in ledger.compounds} | set(ledger.roads)
    pool = [f"原{unit}{rng.choice(words.HOUSINGS)}" for unit in words.UNITS]
    pool += [f"老{stem}{rng.choice(words.ALIAS_SUFFIXES)}" for stem in rng.sample(words.STEMS, 60)]
    old = set(pool)
    others = [f"{stem}{rng.choice(words.ALIAS_SUFFIXES)}" for stem in rng.sample(words.STEMS, 60)]
    pool += [name for name in others if f"老{name}" not in old]
    pool = [name for name in dict.fromkeys(pool) if name not in names and not _within(name, names)]
    rng.shuffle(pool)
    for at in ledger.compounds:
        if pool and rng.random() < 0.4:
            at.aliases = tuple(pool.pop() for _ in range(min(len(pool), rng.choice((1, 1, 1, 2)))))


def _in_compounds(rng: Random, compounds: list[Compound]) -> Iterator[Building]:
    number = 0
    for at in compounds:
        word, labels = _labels(rng, at)
        height = rng.choice((5, 6, 6, 6, 11, 18, 26, 33))
        for label in labels:
            number += 1
            yield Building(
                f"B{number:05}",
                label,
                word,
                at.community,
                at,
                units=1 if at.village else rng.randint(1, 4),
                floors=2 if at.village else height,
                rooms=1 if at.village else rng.choice((2, 2, 3, 4)),
            )


def _labels(rng: Random, at: Compound) -> tuple[str, list[str]]:
    if at.village:
        return "号", [str(n) for n in range(1, rng.randint(20, 60)) if rng.random() < 0.85]
    if rng.random() < 0.08:
        return rng.choice(("座", "栋")), list("ABCDEFGH"[: rng.randint(3, 8)])
    if rng.random() < 0.05:
        return rng.choice(("栋", "座")), [f"{part}{n}" for part in "AB" for n in range(1, rng.randint(4, 9))]
    if rng.random() < 0.04:
        return rng.choice(("号楼", "栋")), [str(100 + n) for n in range(1, rng.randint(8, 24))]
    word = rng.choice(("幢", "幢", "栋", "栋", "号楼", "号楼", "座", "楼", "号", ""))
    most = rng.choice((5, 12, 18, 25, 35, 45))
    labels = [str(n) for n in range(1, most + 1) if n < 3 or rng.random() < 0.93]
    if rng.random() < 0.25:
        labels.append(rng.choice(("1-1", "2-1", "甲1", "乙2", "3A", "5B", "丙", "12A", "南", "北")))
    return word, labels


def _on_streets(rng: Random, ledger: Ledger, number: int) -> list[Building]:
    """Number the streets: each runs through some communities, its numbers rising, with gaps and with 12-1, 12甲."""
    first = len(ledger.buildings) + 1
    reserved = {(at.road, at.road_no) for at in ledger.compounds}
    each = -(-number // len(ledger.roads))
    made = []
    for road in ledger.roads:
        through = sorted(
            rng.sample(ledger.communities, min(7, len(ledger.communities))), key=lambda at: at.code
        )
        free = [n for n in range(1, _HIGHEST + 1) if (road, str(n)) not in reserved]
        for n in sorted(rng.sample(free, min(each, len(free)))):
            community = through[n * len(through) // (_HIGHEST + 1)]
            made.append((road, str(n), community))
            if rng.random() < 0.06:
                extra = rng.choice(("{}-1", "{}-2", "{}之1", "{}号附1", "{}号附2", "{}甲", "{}乙"))
                made.append((road, extra.format(n), community))
    chosen = sorted(rng.sample(range(len(made)), min(number, len(made))))
    return [
        Building(
            f"B{first + n:05}", made[at][1], "号", made[at][2], road=made[at][0], floors=rng.randint(1, 4)
        )
        for n, at in enumerate(chosen)
    ]


def _places(rng: Random, ledger: Ledger) -> None:
    """Name places of interest: after stems, brands, roads, and compounds they are not in."""
    streets = [building for building in ledger.buildings if building.road]
    names = {at.name for at in ledger.compounds} | {name for at in ledger.compounds for name in at.aliases}
    for building in rng.sample(streets, len(streets) // 8):
        kind = rng.choice(words.POI_KINDS)
        pick = rng.random()
        if pick < 0.65:
            name = rng.choice(words.STEMS) + kind
        elif pick < 0.75:
            name = rng.choice(ledger.compounds).name + kind
        elif pick < 0.85:
            name = rng.choice(ledger.roads) + kind
        else:
            name = f"{rng.choice(words.BRANDS)}{kind}({rng.choice(ledger.roads)}店)"
        if name not in names and not _within(name, names):
            names.add(name)
            building.poi = name


def _grids(rng: Random, ledger: Ledger) -> None:
    """Put the buildings of each community into grids, and on the map: compounds first, each close together."""
    for n, community in enumerate(ledger.communities):
        held = [building for building in ledger.buildings if building.community is community]
        west = ledger.division.lon + 0.012 * (n % 6)
        south = ledger.division.lat + 0.01 * (n // 6)
        number = max(1, round(len(held) / A_GRID))
        for position, building in enumerate(held):
            building.grid = f"{community.code}-G{position * number // len(held) + 1:02}"
            building.lon = round(west + 0.0002 * (position % 50) + 0.00002 * rng.random(), 7)
            building.lat = round(south + 0.0002 * (position // 50) + 0.00002 * rng.random(), 7)
