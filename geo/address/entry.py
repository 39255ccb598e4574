"""A building as addresses name it, and its compound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Compound:
    """A compound as addresses name it.

    Attributes
    ----------
    key : str
        Tells it from others of the same name.
    name : str
        Its official name.
    aliases : tuple of str
        What else it is called: former names, what people say.
    phase_of : str, optional
        Name of the estate it is a phase of: 盛世新城 for 盛世新城二期.
    road, road_number : str, optional
        Its street address.
    """

    key: str
    name: str
    aliases: tuple[str, ...] = ()
    phase_of: str | None = None
    road: str | None = None
    road_number: str | None = None

    @property
    def street(self) -> str | None:
        """Its street address in one word, where it has a number."""
        number = self.road_number and self.road_number.removesuffix("号")
        return f"{self.road}{number}号" if self.road and number else None


@dataclass(frozen=True)
class Entry:
    """A building as addresses name it.

    Attributes
    ----------
    address : str, optional
        Standard address.
    aliases : tuple of str
        Other full names.
    compound : Compound, optional
        The compound it stands in.
    label : str, optional
        Number or name within the compound: 3幢.
    road, road_number, poi : str, optional
        Street address, and the place in it.
    town, community, district : str, optional
        What it lies in.
    entrances : int, optional
        How many entrances (单元) it has, where that is known.
    """

    address: str | None = None
    aliases: tuple[str, ...] = ()
    compound: Compound | None = None
    label: str | None = None
    road: str | None = None
    road_number: str | None = None
    poi: str | None = None
    town: str | None = None
    community: str | None = None
    district: str | None = None
    entrances: int | None = None

    @property
    def areas(self) -> tuple[str, ...]:
        """What it lies in, the largest first, and the street address of its compound."""
        street = self.compound.street if self.compound else None
        return tuple(filter(None, (self.district, self.town, self.community, street)))
