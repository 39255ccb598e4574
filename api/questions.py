"""What can be asked of points and addresses: one model each for query and body, documented and held to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.params import LARGEST_NUMBER, Plain, Prose, dated
from api.plain import LONGEST_ADDRESS
from geo.accuracy import Level
from geo.crs import KNOWN, normalise
from geo.errors import InputError
from geo.points import Source


def _digits(value: Any) -> Any:
    """Refuse a number with underscores, as source code has them."""
    if isinstance(value, str) and "_" in value:
        raise ValueError("underscores are not allowed in a number")
    return value


Digits = BeforeValidator(_digits)
Number = Annotated[float, Digits, Field(allow_inf_nan=False)]
_PARTS = "(sites|evidence|border)"
_INCLUDE = f"^{_PARTS}(,{_PARTS}){{0,2}}$"


class OfDistrict(BaseModel):
    """What is of one district; nothing else is taken."""

    model_config = ConfigDict(extra="forbid")

    district: Annotated[str, Field(pattern=r"^\d{6}$")] | None = Field(
        default=None,
        description="District (区) meant, 6 digits; may be left out where only one is served.",
        examples=["340504"],
    )


class Question(OfDistrict):
    """What can be said with every question."""

    as_of: Annotated[datetime, AfterValidator(dated)] | None = Field(
        default=None,
        description="The instant asked about, now by default: 2026-07-01 or 2026-07-01T08:00:00+08:00. The plan and"
        " its duties are those of that instant; buildings and sites are today's.",
    )
    plan: Annotated[int, Digits, Field(ge=1, le=LARGEST_NUMBER)] | None = Field(
        default=None,
        description="Number of the plan asked about, in place of an instant: of one that was or will be in force;"
        " staff may name drafts too.",
    )
    min_version: Annotated[int, Digits, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None,
        description="Never answer from an older version of the data: the `Gridgov-Version` of an earlier answer."
        " What is not there in two seconds is answered 503.",
    )


class Single(Question):
    """What can be said with a question that is asked alone, too."""

    include: Annotated[str, Field(pattern=_INCLUDE)] | None = Field(
        default=None,
        description="What is told beside the default, with commas between: `sites`, the nearest open one of each"
        " service; `evidence`, a signed slip; `border`, how far the border is also where it is not near.",
        examples=["sites,evidence"],
    )


class Point(BaseModel):
    """A point: `lon` and `lat`, or `x` and `y`, and always the coordinate system."""

    model_config = ConfigDict(extra="forbid")

    lon: Number | None = Field(default=None, description="Longitude, degrees.", examples=[118.4589])
    lat: Number | None = Field(default=None, description="Latitude, degrees.", examples=[31.6519])
    x: Number | None = Field(default=None, description="Easting, metres (or longitude).")
    y: Number | None = Field(default=None, description="Northing, metres (or latitude).")
    crs: Annotated[str, Field(min_length=1, max_length=40), Plain] | None = Field(
        default=None,
        description=f"Coordinate system, required: {KNOWN}. Without it the answer is 422 and `candidates` show where"
        " the point would be in each.",
        examples=["wgs84"],
    )
    accuracy_m: Annotated[Number, Field(gt=0)] | None = Field(
        default=None,
        description="Radius that holds the true place, metres; left out for a point that is exact.",
        examples=[25],
    )
    accuracy_level: Level = Field(
        default=Level.UNKNOWN,
        description="Percent of positions that the radius holds; Android says 68, browsers 95.",
    )
    source: Source | None = Field(
        default=None,
        description="Where the point comes from. One of a device is not answered without `accuracy_m`.",
    )

    def point(self) -> tuple[float, float]:
        """Return the pair that is given.

        Raises
        ------
        InputError
            If it is not exactly one pair.
        """
        lon, lat, x, y = self.lon, self.lat, self.x, self.y
        if lon is not None and lat is not None and x is None and y is None:
            return lon, lat
        if x is not None and y is not None and lon is None and lat is None:
            return x, y
        raise InputError("A point needs lon and lat, or x and y.", "Give one pair and no other.")

    def written(self) -> bytes:
        """Write what is asked about in the one way it always is.

        Raises
        ------
        InputError
            If it is not one pair, or its system is not named or none that is known.
        """
        point = self.point()
        if self.crs is None:
            raise InputError("The point has no coordinate system.", f"Name it with crs: {KNOWN}.")
        said = (*point, normalise(self.crs), self.accuracy_m, self.accuracy_level, self.source)
        return b"point " + orjson.dumps(said)


class PointAsked(Point, Single):
    """A question about a point."""

    kind: ClassVar[Literal["point"]] = "point"


Address = Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS), Prose]
"""An address (地址), as it was given."""


class AddressAsked(Single):
    """A question about an address (地址)."""

    kind: ClassVar[Literal["address"]] = "address"

    q: Address = Field(
        description="Address (地址), as it was given.", examples=["湖东路166号康宁三村3幢2单元502室"]
    )

    def written(self) -> bytes:
        """Write what is asked about in the one way it always is."""
        return written_address(self.q)


def written_address(text: str) -> bytes:
    """Write an address that is asked about in the one way it always is."""
    return b"address " + text.strip().encode()
