"""The keys answers are signed with: the only place that reads their table."""

from __future__ import annotations

from sqlalchemy import Connection, text

from data.settings import Settings

EVIDENCE = "evidence"
"""Purpose of the key of evidence slips."""


def of_evidence(connection: Connection, settings: Settings) -> list[str]:
    """Return the keys of evidence slips: the first signs, all are taken as good.

    Keys that are set come before the one kept in the database, which is good for ever: slips that were given out
    before a key was set stay good.
    """
    kept = connection.execute(
        text("SELECT key FROM signing_keys WHERE purpose = :purpose"), {"purpose": EVIDENCE}
    ).scalar_one()
    return [*settings.evidence_keys, kept]
