"""The keys answers are signed with: the only place that reads their table."""

from __future__ import annotations

from sqlalchemy import Connection, text

from data.settings import Settings
from geo.errors import SetupError

EVIDENCE = "evidence"
"""Purpose of the key of evidence slips."""
SHORTEST = 16
"""Characters of a key that is set."""


def of_evidence(connection: Connection, settings: Settings) -> list[str]:
    """Return the keys of evidence slips: the first signs, all are taken as good.

    Keys that are set come before the one kept in the database, which is good for ever: slips that were given out
    before a key was set stay good.

    Raises
    ------
    SetupError
        If a key that is set is too short.
    """
    said = settings.evidence_key.get_secret_value() if settings.evidence_key else ""
    stated = [key.strip() for key in said.split(",") if key.strip()]
    if any(len(key) < SHORTEST for key in stated):
        raise SetupError(
            f"A key of GRIDGOV_EVIDENCE_KEY is shorter than {SHORTEST} characters.",
            "Make one: openssl rand -hex 32.",
        )
    kept = connection.execute(
        text("SELECT key FROM signing_keys WHERE purpose = :purpose"), {"purpose": EVIDENCE}
    ).scalar_one()
    return [*stated, kept]
