"""What every kind of query needs: a district, what is true of it, chance, and how a query is put down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.bench.books import speech
from tests.bench.books.ledger import Building, Compound, Ledger
from tests.bench.books.truth import Truth

Query = dict[str, Any]


@dataclass
class Said:
    """An address in its parts; ``written`` is how the name is spelt, where not as it is."""

    building: Building
    name: str
    front: str = ""
    street: str = ""
    number: str = ""
    room: str = ""
    written: str = ""

    def __str__(self) -> str:
        return self.front + self.street + (self.written or self.name) + self.number + self.room


class Maker:
    """Picks, says, and judges."""

    def __init__(self, ledger: Ledger, rng: Random) -> None:
        self.ledger = ledger
        self.truth = Truth(ledger)
        self.rng = rng
        self._streets = [building for building in ledger.buildings if building.road]
        self._inside = [building for building in ledger.buildings if building.compound]

    # --- picking

    def building(self, *, street: float = 0.3) -> Building:
        pool = self._streets if self.rng.random() < street else self._inside
        return self.rng.choice(pool)

    def numbered(self, *, street: float = 0.3) -> Building:
        """Return a building with a plain number."""
        while True:
            building = self.building(street=street)
            if building.label.isdigit():
                return building

    def said(self, building: Building, *, number: str | None = None, room: bool = True) -> Said:
        """Say where a building is, cut short somehow."""
        name = building.compound.name if building.compound else building.road
        said = Said(building, name, speech.front(self.rng, self.ledger.division, building.community.town))
        if building.compound and building.compound.road and self.rng.random() < 0.2:
            said.street = f"{building.compound.road}{building.compound.road_no}号"
        said.number = speech.own(building) if number is None else number
        if "-" in building.label and said.number == building.label and building.compound:
            said.number += "幢"  # 2-1 alone is entrance 1 of 2 as well
        if building.road and number is None:
            said.number = building.label if building.label[-1] == "号" else building.label + "号"
        if room:
            self.add_room(said, speech.room(building, self.rng))
        return said

    def add_room(self, said: Said, room: str) -> None:
        """Put a room behind the number, where the two can be told apart."""
        if not room or (room[0] == "-" and self.has_dashes(said.building)):
            return
        if said.number[-1:].isascii() and said.number[-1:] != "#" and room[0] != "-":
            said.number += "幢"
        said.room = room

    def has_dashes(self, building: Building) -> bool:
        """Tell whether a compound has a building 1-1 beside 1, so that dashes mean several things."""
        held = self.truth.of_compound[building.compound.code] if building.compound else {}
        return any(label.startswith(f"{building.label}-") for label in held) or "-" in building.label

    # --- judging

    def asked(
        self, kind: str, sub: str, text: str, meant: Iterable[Building], expect: str | None = None
    ) -> Query | None:
        """Make a query of the buildings it can mean: one is to be matched, of several none is to be chosen."""
        found = {building.code: building for building in meant}
        grids = sorted({building.grid for building in found.values()})
        one = next(iter(found.values())) if len(found) == 1 else None
        return {
            "cls": kind,
            "sub": sub,
            "text": text,
            "expect": expect or ("match" if one else "ambiguous" if found else "refuse"),
            "building_id": one.code if one else None,
            "grid_id": grids[0] if len(grids) == 1 else None,
            "accept_buildings": sorted(found),
            "accept_grids": grids,
        }

    def meant(self, said: Said) -> list[Building]:
        """Return what a name and number mean with the town and the street in front of them."""
        found = self.truth.buildings(said.name, said.building.label)
        town = said.building.community.town
        if said.front.endswith(town):
            found = [building for building in found if building.community.town == town]
        if said.street:
            found = [
                building
                for building in found
                if building.compound and self._on(building.compound, said.street)
            ]
        return found

    def _on(self, compound: Compound, street: str) -> bool:
        return street in (compound.road, f"{compound.road}{compound.road_no}号")

    def plain(self, kind: str, sub: str, said: Said, text: str | None = None) -> Query | None:
        """Ask what was said; None where other places have the same name and number."""
        meant = self.meant(said)
        return self.asked(kind, sub, str(said) if text is None else text, meant) if len(meant) == 1 else None

    def near(self, kind: str, said: Said, text: str) -> Query | None:
        """Ask for what is near a building."""
        meant = self.meant(said)
        return self.asked(kind, "", text, meant, "near") if len(meant) == 1 else None
