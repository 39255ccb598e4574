"""What of the register a delivery may write: the tables of things known by a code, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """A table of things known by their ``external_code``, as deliveries write it.

    Attributes
    ----------
    types : mapping of str to str
        Columns a delivery may state, and their PostgreSQL types.
    references : mapping of str to str
        Columns staged as an external code of another table, whose id is stored.
    kept : mapping of str to str
        Columns left as they are where another, or they themselves, come as null: a delivery without a
        position does not unplace what has one.
    former : mapping of str to str
        Lists that also keep what a column held before: a compound goes on being found by its old name.
    """

    table: str
    types: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)


_WORDS = "text"
_POINT = {"point": "geometry"}
TARGETS: dict[str, Target] = {
    target.table: target
    for target in (
        Target("towns", {"code": _WORDS, "provisional": "boolean", "name": _WORDS}),
        Target(
            "communities",
            {
                "code": _WORDS,
                "provisional": "boolean",
                "name": _WORDS,
                "status": _WORDS,
                "town_id": _WORDS,
                "phone": _WORDS,
                "boundary": "geometry",
                "boundary_source": _WORDS,
            },
            {"town_id": "towns"},
            {"boundary": "boundary", "boundary_source": "boundary"},
        ),
        Target(
            "compounds",
            {
                "name": _WORDS,
                "aliases": "text[]",
                "community_id": _WORDS,
                "road": _WORDS,
                "road_number": _WORDS,
                "phase_of": _WORDS,
                "committee_since": "date",
                "boundary": "geometry",
            },
            {"community_id": "communities"},
            {"boundary": "boundary"},
            former={"aliases": "name"},
        ),
        Target(
            "buildings",
            {
                "community_id": _WORDS,
                "compound_id": _WORDS,
                "label": _WORDS,
                "road": _WORDS,
                "road_number": _WORDS,
                "poi": _WORDS,
                "kind": _WORDS,
                "dwellings": "integer",
                "households": "integer",
                "households_on": "date",
                "households_source": _WORDS,
                "expected_households": "integer",
                "expected_on": "date",
                "entrances": "smallint",
                "floors": "smallint",
                "address": _WORDS,
                "aliases": "text[]",
                "stated_grid": _WORDS,
                "point": "geometry",
                "footprint": "geometry",
            },
            {"community_id": "communities", "compound_id": "compounds"},
            {"address": "address", "point": "point", "footprint": "point"},
        ),
        Target("workers", {"name": _WORDS, "phone": _WORDS}),
        Target(
            "sites",
            {
                "name": _WORDS,
                "kind": _WORDS,
                "state": _WORDS,
                "services": "text[]",
                "hours": _WORDS,
                "accessibility": "text[]",
                "address": _WORDS,
                "phone": _WORDS,
                "community_id": _WORDS,
                **_POINT,
            },
            {"community_id": "communities"},
        ),
        Target(
            "facilities",
            {
                "kind": _WORDS,
                "name": _WORDS,
                "state": _WORDS,
                "keeper": _WORDS,
                "checked_on": "date",
                "restricted": "boolean",
                **_POINT,
            },
        ),
        Target(
            "rider_communities",
            {
                "compound_id": _WORDS,
                "vehicles": _WORDS,
                "parking": _WORDS,
                "charging": _WORDS,
                "pledge": _WORDS,
            },
            {"compound_id": "compounds"},
        ),
        Target(
            "rider_points",
            {
                "rider_community_id": _WORDS,
                "kind": _WORDS,
                "name": _WORDS,
                "hours": _WORDS,
                "vehicles": _WORDS,
                "bikes": "integer",
                **_POINT,
            },
            {"rider_community_id": "rider_communities"},
        ),
        Target("streets", {"name": _WORDS, "kind": _WORDS, "line": "geometry"}),
        Target("barriers", {"name": _WORDS, "kind": _WORDS, "shape": "geometry"}),
        Target("ground", {"name": _WORDS, "kind": _WORDS, "shape": "geometry"}),
    )
}
"""By table, in the order in which they can be loaded."""
