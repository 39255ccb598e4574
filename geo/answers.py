"""What is answered to "whose grid is this?": the statuses, what to do next, and the parts of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Words(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


class Status(StrEnum):
    """How sure an answer is; one table for point, address, batch, command line and pages."""

    MATCH = "match"
    APPROXIMATE = "approximate"
    AMBIGUOUS = "ambiguous"
    OUTSIDE = "outside"
    NONE = "none"
    NO_ANSWER = "no_answer"


NEXT_STEP = {
    Status.MATCH: Words("派给该网格。", "Dispatch to this grid."),
    Status.APPROXIMATE: Words(
        "先与来电人核对地点，再派给该网格。", "Check the place with the caller, then dispatch to this grid."
    ),
    Status.AMBIGUOUS: Words(
        "请来电人在所列选项中指明一处，再派单。",
        "Ask the caller which of the alternatives is meant, then dispatch.",
    ),
    Status.OUTSIDE: Words(
        "不在本区，转至所属区。", "It is not in this district: pass it to the district it is in."
    ),
    Status.NONE: Words(
        "登记中没有此地址：核对名称和号码，或改用地图选点。",
        "The register has no such address: check name and number, or pick the point on the map.",
    ),
    Status.NO_ANSWER: Words(
        "有此楼栋但尚未划入网格：联系所属社区。",
        "The building is known but lies in no grid yet: call its community.",
    ),
}
"""What a dispatcher should do next."""

BETTER_POSITION = Words(
    "请对方给出地址、在地图上选点，或移到开阔处重新定位。",
    "Ask for the address, have the point picked on the map, or locate again in the open.",
)
"""What to do next where a position says too little."""


class Reason(StrEnum):
    """Why an answer is not a plain match, or what was done to read the question."""

    GAP = "gap"
    SEVERAL_BUILDINGS = "several_buildings"
    INCOMPLETE = "incomplete"
    NEARBY = "nearby"
    SPLIT_BUILDING = "split_building"
    STATED_ONLY = "stated_only"
    PENDING = "pending"
    NEAR_BORDER = "near_border"
    DISTRICT_EDGE = "district_edge"
    UNCERTAIN = "uncertain"
    NO_ACCURACY = "no_accuracy"
    TOO_WIDE = "too_wide"
    SWAPPED = "swapped"
    ZONE_PREFIX = "zone_prefix"


REASONS = {
    Reason.GAP: Words(
        "该点不在任何网格内，给出最近的网格。", "No grid covers the point; the nearest one is named."
    ),
    Reason.SEVERAL_BUILDINGS: Words("多处楼栋同名。", "Several buildings have this name."),
    Reason.INCOMPLETE: Words("地址没有写到楼栋。", "The address does not name a building."),
    Reason.NEARBY: Words("地址说的是该楼附近。", "The address speaks of somewhere beside the building."),
    Reason.SPLIT_BUILDING: Words(
        "该楼按单元分属不同网格，请补充单元号。",
        "The building is split among grids by entrance: the entrance (单元) is needed.",
    ),
    Reason.STATED_ONLY: Words(
        "该楼无坐标，按台账所填网格答复。",
        "The building has no position; its grid is the one the ledger states.",
    ),
    Reason.PENDING: Words(
        "新楼栋，下次方案确认前按所在网格答复。",
        "A new building: the grid that covers it answers until the next plan.",
    ),
    Reason.NEAR_BORDER: Words(
        "该点紧邻网格边界，两侧网格均列出。",
        "The point is close to a border; the grids on both sides are listed.",
    ),
    Reason.DISTRICT_EDGE: Words(
        "该点紧邻本区边界，也可能在区外。",
        "The point is close to where the district's grids end; it may be outside.",
    ),
    Reason.UNCERTAIN: Words(
        "定位误差范围内有多个网格，按可能性排列。",
        "The position may be in several grids within its accuracy; the likeliest comes first.",
    ),
    Reason.NO_ACCURACY: Words(
        "设备定位未提供精度，无法判断网格。",
        "The position is a device's and its accuracy is not stated, so no grid can be told.",
    ),
    Reason.TOO_WIDE: Words(
        "定位误差过大，无法判断网格。", "The position is too uncertain for a grid to be told."
    ),
    Reason.SWAPPED: Words(
        "横纵坐标颠倒，已互换后定位。",
        "Northing was given before easting; they were read the other way round.",
    ),
    Reason.ZONE_PREFIX: Words(
        "东坐标的带号写法与所报坐标系不同，已按带号换算。",
        "The easting is not written as that system has it; its zone prefix was read as such.",
    ),
}
"""Each reason in words."""


ALTERNATIVES = 10
"""How many alternatives an answer names at most."""
OUTSIDE = "outside"
"""Stands for "in no grid" among the codes of `Answer.probabilities`."""


@dataclass(frozen=True)
class District:
    """The tenant an answer is about."""

    code: str
    name: str


@dataclass(frozen=True)
class Change:
    """The plan that takes over, and when."""

    number: int
    title: str
    at: datetime


@dataclass(frozen=True)
class Plan:
    """The plan an answer holds for.

    Attributes
    ----------
    valid_from, valid_until : datetime, optional
        When it holds; no start before it is published, no end while none is known.
    state : str
        draft, submitted, approved, published, superseded or withdrawn.
    change : Change, optional
        What ends it, where that is known.
    """

    number: int
    title: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: str = "published"
    change: Change | None = None


@dataclass(frozen=True)
class Community:
    """A community; ``phone`` is the channel the public is given."""

    code: str
    external_code: str | None
    provisional: bool
    name: str
    status: str
    town: str | None
    phone: str | None


@dataclass(frozen=True)
class OnDuty:
    """Who is on duty today. The worker's name and phone are for staff, and None for everybody else."""

    role: str
    worker: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Grid:
    """A grid of the plan in force; ``households`` is None where the count is withheld."""

    code: str
    external_code: str | None
    provisional: bool
    kind: str
    households: int | None
    community: Community
    on_duty: tuple[OnDuty, ...] = ()


@dataclass(frozen=True)
class Site:
    """A party-service site that is open; EPSG:4326."""

    name: str
    kind: str | None
    services: tuple[str, ...]
    hours: str | None
    address: str | None
    phone: str | None
    lon: float
    lat: float


@dataclass(frozen=True)
class NearSite:
    """The nearest site with a service, and how far it is from the place asked about, metres as the crow flies.

    ``service`` is None for a site that states none.
    """

    site: Site
    distance_m: float
    service: str | None


@dataclass(frozen=True)
class Building:
    """A building an address names; without a position ``lon`` and ``lat`` are None."""

    external_code: str | None
    name: str
    lon: float | None
    lat: float | None

    @property
    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude, where it has a position."""
        return None if self.lon is None or self.lat is None else (self.lon, self.lat)


@dataclass(frozen=True)
class Fault:
    """A doubt about an address: a part that does not agree with the register.

    Attributes
    ----------
    code : str
        Its kind.
    weight : float
        How much it speaks against the answer, in nats; see `geo.address.faults`.
    words : Words
        What is wrong.
    """

    code: str
    weight: float
    words: Words


@dataclass(frozen=True)
class Span:
    """A part of the text asked that was understood: characters ``start`` to ``end`` (not included).

    Attributes
    ----------
    start, end : int
        Positions in the text as it was asked.
    role : str
        What it was read as: a town, a compound, a number.
    name : str
        What the register calls it.
    """

    start: int
    end: int
    role: str
    name: str


@dataclass(frozen=True)
class Alternative:
    """Another grid that may be meant, with the building or the distance that speaks for it."""

    grid: Grid
    building: Building | None = None
    distance_m: float | None = None
    probability: float | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Answer:
    """Whose grid it is, how sure that is, and what else may be meant.

    Attributes
    ----------
    status : Status
        How sure it is.
    reasons : tuple of Reason
        Why it is not a plain match.
    district, plan, data_version
        What the answer holds for.
    grid : Grid, optional
        The grid, with its community and who is on duty.
    building : Building, optional
        For an address: the building it names.
    entrance : int, optional
        For an address: the 单元 it names.
    alternatives : tuple of Alternative
        Other grids that may be meant, the likeliest first.
    sites : tuple of NearSite
        The nearest open site of each service, the nearest first; left out where they were not asked for.
    place : (float, float), optional
        Longitude and latitude of what was asked about, EPSG:4326, where it is known and not outside.
    border_m : float, optional
        Distance to the border of the grid that covers a point, where that is near or the point is uncertain.
    outside_m : float, optional
        Distance to the nearest grid, for a point in none.
    probabilities : dict of str to float, optional
        For a point with an accuracy: how likely each grid holds it, by code, the likeliest first, and last
        how likely none does (`OUTSIDE`). They sum to 1.
    confidence : float, optional
        For an address: how often an answer like this is right, 0 to 1.
    precision : str, optional
        For an address: how much of it the register has (building, compound, road, none; grid for a code).
    faults : tuple of Fault
        For an address: each doubt about it, the heaviest first.
    spans : tuple of Span
        For an address: which parts of it were understood, and as what.
    """

    status: Status
    district: District
    plan: Plan
    data_version: int
    reasons: tuple[Reason, ...] = ()
    grid: Grid | None = None
    building: Building | None = None
    entrance: int | None = None
    alternatives: tuple[Alternative, ...] = ()
    sites: tuple[NearSite, ...] = ()
    border_m: float | None = None
    outside_m: float | None = None
    probabilities: dict[str, float] | None = None
    confidence: float | None = None
    precision: str | None = None
    faults: tuple[Fault, ...] = ()
    spans: tuple[Span, ...] = ()
    place: tuple[float, float] | None = None

    @property
    def pending(self) -> bool:
        """Whether it is about a new building, which a grid holds only until the next plan says which."""
        return Reason.PENDING in self.reasons

    @property
    def next_step(self) -> Words:
        """What a dispatcher should do next."""
        if Reason.NO_ACCURACY in self.reasons or Reason.TOO_WIDE in self.reasons:
            return BETTER_POSITION
        return NEXT_STEP[self.status]
