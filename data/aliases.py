"""Aliases (别名): names that people use and no ledger states, and every name they must not be confused with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from geo.address.corrections import Named
from geo.errors import NotFoundError

Noun = Literal["compound", "building"]
STATES = ("proposed", "in_force", "withdrawn")


@dataclass(frozen=True)
class Alias:
    """A name, what it is to name, and who proposed, confirmed and withdrew it.

    Attributes
    ----------
    number : int
        Names it for good.
    noun, code, name : str
        What it is a name of: ``compound`` or ``building``, with the ledger's code and its own name.
    quiet : bool
        What it names is retired: it is in the register no more, and neither is the alias until it comes back.
    """

    number: int
    words: str
    state: str
    noun: Noun
    code: str
    name: str
    quiet: bool
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Target:
    """A compound or building that is not retired."""

    noun: Noun
    id: int
    code: str


_BUILDING_NAME = (
    "COALESCE(b.address, b.poi, NULLIF(concat(y.name, b.label), ''), NULLIF(concat(b.road, b.road_number), ''),"
    " b.external_code)"
)
_ALIASES = f"""
SELECT a.id, a.words, a.state, CASE WHEN a.building_id IS NULL THEN 'compound' ELSE 'building' END AS noun,
       COALESCE(x.external_code, b.external_code) AS code, COALESCE(x.name, {_BUILDING_NAME}) AS name,
       COALESCE(x.retired_at, b.retired_at) IS NOT NULL AS quiet, a.proposed_by, a.proposed_at,
       a.confirmed_by, a.confirmed_at, a.withdrawn_by, a.withdrawn_at
FROM aliases a
LEFT JOIN compounds x ON x.district = a.district AND x.id = a.compound_id
LEFT JOIN buildings b ON b.district = a.district AND b.id = a.building_id
LEFT JOIN compounds y ON y.district = b.district AND y.id = b.compound_id
WHERE a.district = :district
"""


def get(connection: Connection, district: str, number: int) -> Alias:
    """Return an alias by number.

    Raises
    ------
    NotFoundError
        If there is none of that number.
    """
    row = connection.execute(
        text(f"{_ALIASES} AND a.id = :number"), {"district": district, "number": number}
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no alias {number}.", "gridgov alias list shows those there are.")
    return Alias(*row)


def every(
    connection: Connection,
    district: str,
    *,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Alias]:
    """Return aliases, the newest first; those in one state, or older than a number, where asked."""
    rows = connection.execute(
        text(
            f"{_ALIASES} AND (CAST(:state AS text) IS NULL OR a.state = :state)"
            " AND (CAST(:before AS bigint) IS NULL OR a.id < :before) ORDER BY a.id DESC LIMIT :limit"
        ),
        {"district": district, "state": state, "before": before, "limit": limit},
    )
    return [Alias(*row) for row in rows]


def counts(connection: Connection, district: str) -> dict[str, int]:
    """Return how many aliases are in each of `STATES`."""
    rows = connection.execute(
        text("SELECT a.state, count(*) FROM aliases a WHERE a.district = :district GROUP BY a.state"),
        {"district": district},
    )
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def standing(connection: Connection, district: str, target: Target) -> list[Alias]:
    """Return the aliases of a compound or building that are proposed or in force."""
    rows = connection.execute(
        text(f"{_ALIASES} AND a.state <> 'withdrawn' AND a.{target.noun}_id = :target ORDER BY a.id"),
        {"district": district, "target": target.id},
    )
    return [Alias(*row) for row in rows]


def target(connection: Connection, district: str, noun: Noun, code: str) -> Target:
    """Return a compound or building by the ledger's code.

    Raises
    ------
    NotFoundError
        If there is none of that code, or it is retired.
    """
    found = connection.execute(
        text(
            f"SELECT t.id FROM {noun}s t WHERE t.district = :district AND t.external_code = :code"
            " AND t.retired_at IS NULL"
        ),
        {"district": district, "code": code},
    ).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"There is no {noun} {code}.", "Give the code the ledger has for it.")
    return Target(noun, found, code)


_NAMES = """
SELECT 'compound' AS noun, x.id, n.name FROM compounds x
    CROSS JOIN LATERAL unnest(array_append(x.aliases, x.name)) AS n (name)
    WHERE x.district = :district AND x.retired_at IS NULL
UNION SELECT 'building', b.id, n.name FROM buildings b
    CROSS JOIN LATERAL unnest(array_append(b.aliases, b.poi)) AS n (name)
    WHERE b.district = :district AND b.retired_at IS NULL
UNION SELECT 'estate', NULL, x.phase_of FROM compounds x WHERE x.district = :district AND x.retired_at IS NULL
UNION SELECT 'road', NULL, r.road FROM buildings r WHERE r.district = :district AND r.retired_at IS NULL
UNION SELECT 'road', NULL, r.road FROM compounds r WHERE r.district = :district AND r.retired_at IS NULL
UNION SELECT 'road', NULL, r.name FROM streets r WHERE r.district = :district AND r.retired_at IS NULL
UNION SELECT 'site', NULL, s.name FROM sites s WHERE s.district = :district AND s.retired_at IS NULL
UNION SELECT 'town', NULL, t.name FROM towns t WHERE t.district = :district AND t.retired_at IS NULL
UNION SELECT 'community', NULL, c.name FROM communities c WHERE c.district = :district AND c.retired_at IS NULL
UNION SELECT 'district', NULL, d.name FROM districts d WHERE d.code = :district
UNION SELECT 'compound', a.compound_id, a.words FROM aliases a
    WHERE a.district = :district AND a.state <> 'withdrawn' AND a.compound_id IS NOT NULL
UNION SELECT 'building', a.building_id, a.words FROM aliases a
    WHERE a.district = :district AND a.state <> 'withdrawn' AND a.building_id IS NOT NULL
"""


def names(connection: Connection, district: str) -> Iterable[Named]:
    """Yield every name in the register, former ones too, and every alias that is proposed or in force."""
    rows = connection.execute(
        text(f"SELECT noun, id, name FROM ({_NAMES}) k WHERE k.name IS NOT NULL ORDER BY noun, name, id"),
        {"district": district},
    )
    return (Named(*row) for row in rows)


def add(connection: Connection, district: str, of: Target, words: str, actor: str, *, agreed: bool) -> int:
    """Keep a name, in force where it is agreed at once; return its number."""
    number: int = connection.execute(
        text(
            f"INSERT INTO aliases (district, {of.noun}_id, words, state, proposed_by, confirmed_by, confirmed_at)"
            " SELECT :district, :target, :words, CASE WHEN c.by IS NULL THEN 'proposed' ELSE 'in_force' END, :actor,"
            " c.by, CASE WHEN c.by IS NOT NULL THEN now() END FROM (SELECT CAST(:by AS text) AS by) c RETURNING id"
        ),
        {
            "district": district,
            "target": of.id,
            "words": words,
            "actor": actor,
            "by": actor if agreed else None,
        },
    ).scalar_one()
    return number


def confirm(connection: Connection, district: str, number: int, actor: str) -> None:
    """Put a proposed name in force."""
    _set(connection, district, number, actor, "in_force", "confirmed")


def withdraw(connection: Connection, district: str, number: int, actor: str) -> None:
    """Take a name back; its row stays."""
    _set(connection, district, number, actor, "withdrawn", "withdrawn")


def _set(connection: Connection, district: str, number: int, actor: str, state: str, act: str) -> None:
    connection.execute(
        text(
            f"UPDATE aliases a SET state = :state, {act}_by = :actor, {act}_at = now()"
            " WHERE a.district = :district AND a.id = :number"
        ),
        {"district": district, "number": number, "actor": actor, "state": state},
    )
