"""What answers look like to the public: an answer without who is on duty by name."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from geo import answers


class Model(BaseModel):
    """Read from the attributes of a dataclass of the same shape."""

    model_config = ConfigDict(from_attributes=True)


class Words(Model):
    """A text in both languages."""

    zh: str
    en: str


class Reason(Words):
    """Why an answer is not a plain match, or how the question was read."""

    code: str = Field(examples=["unknown_words"])


class District(Model):
    """District (区)."""

    code: str = Field(examples=["340504"])
    name: str = Field(examples=["雨山区"])


class Plan(Model):
    """The plan in force (生效方案) the answer holds for."""

    number: int = Field(examples=[3])
    title: str
    valid_from: datetime
    valid_until: datetime | None = Field(description="None while no end is known.")


class Community(Model):
    """Community (社区) and its channel for the public."""

    code: str = Field(examples=["340504001007"])
    external_code: str | None = Field(description="The ledger's own code.", examples=["C07"])
    provisional: bool = Field(description="The code is ours, not an official one.")
    name: str = Field(examples=["安居社区"])
    status: str = Field(examples=["active"])
    town: str | None = Field(examples=["映湖街道"])
    phone: str | None = Field(examples=["0555-0000000"])


class Duty(BaseModel):
    """Duty channel (值守): whom the public turns to, and which roles are filled today."""

    on_duty: list[str] = Field(description="Roles filled today; empty is a vacancy.", examples=[["primary"]])
    channel: str = Field(description="Whom to turn to: the community.", examples=["安居社区"])
    phone: str | None = Field(examples=["0555-0000000"])


class Grid(BaseModel):
    """Grid (网格)."""

    code: str = Field(examples=["340504001007003"])
    external_code: str | None = Field(description="The ledger's own code.", examples=["C07-G03"])
    provisional: bool = Field(description="The code is ours, not an official one.")
    kind: str = Field(examples=["basic"])
    households: int | None = Field(description="None where fewer than 10.", examples=[281])
    community: Community
    duty: Duty


class Site(BaseModel):
    """Party-service site (党群服务阵地) that is open, and how far it is as the crow flies."""

    name: str
    kind: str | None
    services: list[str]
    hours: str | None
    address: str | None
    phone: str | None
    lon: float
    lat: float
    distance_m: float = Field(examples=[240.5])


class Building(Model):
    """Building (楼栋) an address names."""

    external_code: str | None = Field(examples=["B00003"])
    name: str = Field(examples=["湖东路166号康宁三村3幢"])
    lon: float | None
    lat: float | None


class Alternative(BaseModel):
    """Another grid that may be meant."""

    grid: Grid
    building: Building | None
    distance_m: float | None
    probability: float | None = Field(description="That it holds the place, for a point with an accuracy.")
    confidence: float | None = Field(description="How often a guess like this is right, for an address.")


class Fault(Words):
    """A doubt about an address: a part that does not agree with the register."""

    code: str
    weight: float = Field(description="How much it takes from the confidence, 0 to 1.")


class Span(Model):
    """A part of the address that was understood: characters `start` to `end` (not included) of what was asked."""

    start: int
    end: int
    role: str = Field(description="What it was read as.")
    name: str = Field(description="What the register calls it.")


class Answer(BaseModel):
    """Whose grid it is, how sure that is, and what else may be meant."""

    status: answers.Status
    next_step: Words = Field(description="What a dispatcher should do next.")
    reasons: list[Reason] = Field(description="Why it is not a plain match, or how the question was read.")
    pending: bool = Field(
        description="It is about a new building: the grid that covers it answers until the next plan."
    )
    district: District
    plan: Plan
    data_version: int
    grid: Grid | None
    building: Building | None
    entrance: int | None = Field(description="单元, where the address names one.")
    alternatives: list[Alternative]
    sites: list[Site] = Field(description="The nearest open sites.")
    border_m: float | None = Field(description="To the border of the grid that covers the point, metres.")
    outside_m: float | None = Field(description="From the nearest grid, metres, for a point in none.")
    probabilities: dict[str, float] | None = Field(
        description="For a point with an accuracy: how likely each grid holds it, and how likely none (`outside`)."
    )
    confidence: float | None = Field(description="For an address: how often an answer like this is right.")
    precision: str | None = Field(
        description="For an address: how much of it the register has (building, compound, road, none)."
    )
    faults: list[Fault] = Field(description="For an address: each doubt about it, the heaviest first.")
    spans: list[Span] = Field(description="For an address: which parts of it were understood, and as what.")


def answer(found: answers.Answer) -> Answer:
    """Return the public form of an answer."""
    return Answer(
        status=found.status,
        next_step=_words(found.next_step),
        reasons=[
            Reason(code=reason, zh=answers.REASONS[reason].zh, en=answers.REASONS[reason].en)
            for reason in found.reasons
        ],
        pending=found.pending,
        district=District.model_validate(found.district),
        plan=Plan.model_validate(found.plan),
        data_version=found.data_version,
        grid=grid(found.grid) if found.grid else None,
        building=_building(found.building),
        entrance=found.entrance,
        alternatives=[
            Alternative(
                grid=grid(other.grid),
                building=_building(other.building),
                distance_m=_metres(other.distance_m),
                probability=other.probability,
                confidence=other.confidence,
            )
            for other in found.alternatives
        ],
        sites=[_site(near) for near in found.sites],
        border_m=_metres(found.border_m),
        outside_m=_metres(found.outside_m),
        probabilities=found.probabilities,
        confidence=found.confidence,
        precision=found.precision,
        faults=[
            Fault(code=fault.code, weight=fault.weight, zh=fault.words.zh, en=fault.words.en)
            for fault in found.faults
        ],
        spans=[Span.model_validate(span) for span in found.spans],
    )


def grid(found: answers.Grid) -> Grid:
    """Return the public form of a grid: the community's channel instead of the worker."""
    community = Community.model_validate(found.community)
    return Grid(
        code=found.code,
        external_code=found.external_code,
        provisional=found.provisional,
        kind=found.kind,
        households=found.households,
        community=community,
        duty=Duty(
            on_duty=[duty.role for duty in found.on_duty], channel=community.name, phone=community.phone
        ),
    )


def _building(found: answers.Building | None) -> Building | None:
    return Building.model_validate(found) if found else None


def _site(near: answers.NearSite) -> Site:
    site = near.site
    return Site(
        name=site.name,
        kind=site.kind,
        services=list(site.services),
        hours=site.hours,
        address=site.address,
        phone=site.phone,
        lon=site.lon,
        lat=site.lat,
        distance_m=round(near.distance_m, 1),
    )


def _words(found: answers.Words) -> Words:
    return Words(zh=found.zh, en=found.en)


def _metres(length: float | None) -> float | None:
    return None if length is None else round(length, 1)
