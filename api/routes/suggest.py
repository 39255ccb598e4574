"""What may be meant by what is typed so far, from memory."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api import hot
from api.hot import Told
from api.params import API, Plain
from api.state import State
from etl.actor import Actor
from geo.address.directory import Kind
from geo.address.suggest import LIMIT
from geo.suggestions import Suggested, suggested

LONGEST = 100
"""Characters of what is typed; no name is as long."""
MOST = 50
"""How many suggestions can be asked for."""


class Asked(BaseModel):
    """What is typed so far; nothing else is taken."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(min_length=1, max_length=LONGEST), Plain] = Field(
        description="What is typed so far: hanzi, pinyin, its initials, or a mixture.", examples=["hqdl1"]
    )
    limit: Annotated[int, Field(ge=1, le=MOST)] = Field(default=LIMIT, description="At most this many.")
    district: Annotated[str, Field(pattern=r"^\d{6}$")] | None = Field(
        default=None,
        description="District (区) meant, 6 digits; may be left out where only one is served.",
        examples=["340504"],
    )
    min_version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None,
        description="Never answer from an older version of the data: the `Gridgov-Version` of an earlier answer.",
    )


class Codes(BaseModel):
    """Codes of a grid (网格)."""

    code: str = Field(examples=["340504001007003"])
    external_code: str | None = Field(description="The ledger's own code.", examples=["C07-G03"])


class Suggestion(BaseModel):
    """Something that may be meant."""

    text: str = Field(
        description="What to put in place of what was typed; `/resolve` takes it as an address.",
        examples=["红旗东路12号"],
    )
    kind: Kind = Field(
        description="compound 小区, estate (all phases of one) 小区各期, building 楼栋, road 道路, house 门牌,"
        " poi 地点, town 街道/镇, community 社区"
    )
    spans: list[tuple[int, int]] = Field(
        description="Begin and end, in characters (code points), of the parts of `text` that match.",
        examples=[[[0, 4], [4, 5]]],
    )
    compound: str | None = Field(description="Official name of the compound it is, or is in.")
    community: str | None = Field(description="None where it is in several.")
    town: str | None = Field(description="None where it is in several.")
    buildings: int = Field(description="How many buildings it is.", examples=[1])
    external_code: str | None = Field(
        description="The building's code in the ledger, where it is one.", examples=["B00003"]
    )
    grid: Codes | None = Field(description="Where it is one building in one grid.")


class Suggestions(BaseModel):
    """What may be meant, the likeliest first; empty where nothing in the register is like it."""

    suggestions: list[Suggestion]


def add_to(app: FastAPI, **described: Any) -> None:
    """Add the route; ``described`` is what FastAPI says of every route of the application."""
    described |= {"tags": ["locate"], "response_model": Suggestions}
    hot.add_to(
        app, f"{API}/suggest", {"GET": suggest}, summary="Suggestions while typing (输入提示)", **described
    )


async def suggest(request: Request, asked: Annotated[Asked, Query()]) -> Told:
    """Suggest names of the register from the first character on, then buildings and house numbers.

    Compounds by official name, alias and estate, roads, points of interest, towns and communities; once one is named,
    its buildings or house numbers (`康宁三村1`). Traditional and full-width characters are taken, and a character
    with several readings answers to each. Names that begin like it come before those that hold it, then by
    pinyin, then by initials; official before other names, then those of more buildings.
    """
    state: State = request.app.state.served
    actor: Actor = request.state.actor
    district = next(iter(actor.scope)) if asked.district is None and len(actor.scope) == 1 else asked.district
    if asked.min_version:
        await state.reach(district, asked.min_version)
    teller = state.ready(district).teller
    found = suggested(teller.locator, asked.q, asked.limit)
    return Told(orjson.dumps({"suggestions": [_told(each) for each in found]}), teller.headers)


def _told(found: Suggested) -> dict[str, Any]:
    suggestion, building, grid = found.suggestion, found.building, found.grid
    return {
        "text": suggestion.text,
        "kind": suggestion.kind,
        "spans": suggestion.spans,
        "compound": suggestion.compound,
        "community": suggestion.community,
        "town": suggestion.town,
        "buildings": len(suggestion.entries),
        "external_code": building and building.external_code,
        "grid": grid and {"code": grid.code, "external_code": grid.external_code},
    }
