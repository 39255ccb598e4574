"""What answers look like: the model of what `api.telling` writes. The public is not told who is on duty by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

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

    code: str = Field(examples=["near_border"])


class District(Model):
    """District (区)."""

    code: str = Field(examples=["340504"])
    name: str = Field(examples=["雨山区"])


class Plan(Model):
    """The plan (方案) the answer holds for: the one in force, or the one asked for."""

    number: int = Field(examples=[3])
    title: str
    state: str = Field(
        description="draft, submitted, approved, published, superseded or withdrawn", examples=["published"]
    )
    valid_from: datetime | None = Field(description="None until it is published.")
    valid_until: datetime | None = Field(description="None while no end is known.")


class Change(BaseModel):
    """The plan that takes over, and what this place will be in then."""

    plan: int = Field(description="Its number.", examples=[4])
    title: str
    at: datetime = Field(description="When it takes effect.")
    status: answers.Status | None = Field(
        description="How sure it is what will be answered then; None where that is not known here yet."
    )
    grid: str | None = Field(description="Code of the grid then, where one is sure.")
    same: bool | None = Field(description="Whether the answer stays as it is.")


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


class Worker(Model):
    """Who is on duty (网格员)."""

    role: str = Field(examples=["primary"])
    worker: str | None
    phone: str | None


class StaffDuty(Duty):
    """Duty channel as staff of the district are told it."""

    workers: list[Worker] = Field(description="Who is on duty today, the primary before deputies.")


class Grid(BaseModel):
    """Grid (网格)."""

    code: str = Field(examples=["340504001007003"])
    external_code: str | None = Field(description="The ledger's own code.", examples=["C07-G03"])
    provisional: bool = Field(description="The code is ours, not an official one.")
    kind: str = Field(examples=["basic"])
    households: int | None = Field(description="None where fewer than 10.", examples=[281])
    community: Community
    duty: StaffDuty | Duty


class Site(Model):
    """Party-service site (党群服务阵地) that is open."""

    name: str
    kind: str | None
    services: list[str]
    hours: str | None
    address: str | None
    phone: str | None
    lon: float
    lat: float


class NearSite(BaseModel):
    """The nearest open site with a service."""

    service: str | None = Field(description="None for a site that states none.", examples=["饮水"])
    distance_m: float = Field(description="As the crow flies.", examples=[240.5])
    site: Site


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
    next_change: Change | None = Field(description="None where no other plan is published to follow.")
    grid: Grid | None
    building: Building | None
    entrance: int | None = Field(description="单元, where the address names one.")
    alternatives: list[Alternative]
    border_m: float | None = Field(
        description="To the border of the grid that covers the place, metres, where that is near or the point is"
        " uncertain; else with `include=border`."
    )
    outside_m: float | None = Field(description="From the nearest grid, metres, for a point in none.")
    probabilities: dict[str, float] | None = Field(
        description="For a point with an accuracy: how likely each grid holds it, and how likely none (`outside`)."
    )
    confidence: float | None = Field(description="For an address: how often an answer like this is right.")
    precision: str | None = Field(
        description="For an address: how much of it the register has (building, compound, road, none); grid for a code."
    )
    faults: list[Fault] = Field(description="For an address: each doubt about it, the heaviest first.")
    spans: list[Span] = Field(description="For an address: which parts of it were understood, and as what.")
    sites: list[NearSite] | SkipJsonSchema[None] = Field(
        default=None,
        description="With `include=sites`: the nearest open site of each service, the nearest first.",
    )
    evidence: str | SkipJsonSchema[None] = Field(
        default=None,
        description="With `include=evidence`: a signed slip that `GET /api/v1/evidence/{id}` verifies.",
    )


def change(found: answers.Change, now: answers.Answer | None, then: answers.Answer | None) -> Change:
    """Return what a place will be in once the next plan is in force, as far as that is known."""
    told = Change(plan=found.number, title=found.title, at=found.at, status=None, grid=None, same=None)
    if now is None or then is None:
        return told
    code = then.grid.code if then.grid else None
    same = (then.status, code) == (now.status, now.grid.code if now.grid else None)
    return told.model_copy(update={"status": then.status, "grid": code, "same": same})


def grid(found: answers.Grid, workers: Sequence[answers.OnDuty] | None = None) -> Grid:
    """Return a grid as the public is told it, the community's channel instead of the worker; staff are told both."""
    community = Community.model_validate(found.community)
    duty = Duty(on_duty=[duty.role for duty in found.on_duty], channel=community.name, phone=community.phone)
    if workers is not None:
        named = [Worker.model_validate(worker) for worker in workers]
        duty = StaffDuty(**duty.model_dump(), workers=named)
    return Grid(
        code=found.code,
        external_code=found.external_code,
        provisional=found.provisional,
        kind=found.kind,
        households=found.households,
        community=community,
        duty=duty,
    )
