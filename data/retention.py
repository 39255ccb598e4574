"""What may be kept only for a time, and is deleted when that is over."""

from __future__ import annotations

from sqlalchemy import Connection, text

_OVER = {
    "answered_requests": "DELETE FROM answered_requests WHERE district = :district AND at < now() - interval '7 days'",
    "case_contacts": "DELETE FROM case_contacts WHERE district = :district AND delete_on <= current_date",
    "sign_ins": "DELETE FROM sign_ins WHERE expires_at < now()",
    "aliases": "DELETE FROM aliases WHERE district = :district AND withdrawn_at < now() - interval '30 days'",
}
"""A repeated request comes within days; a contact has a date of its own; a sign-in that ended opens nothing; a name
taken back may have been a person's."""

_OLD_FILES = (
    "FROM jobs WHERE district = :district AND finished_at < now() - interval '30 days' AND result ? 'file'"
)


def forget(connection: Connection, district: str) -> dict[str, int]:
    """Delete the rows whose time is over; return how many of each table."""
    return {
        table: connection.execute(
            text(statement), {"district": district} if ":d" in statement else {}
        ).rowcount
        for table, statement in _OVER.items()
    }


def old_files(connection: Connection, district: str) -> list[tuple[int, str]]:
    """Return number and file of the jobs whose file was made over 30 days ago."""
    rows = connection.execute(text(f"SELECT id, result ->> 'file' {_OLD_FILES}"), {"district": district})
    return [(row[0], row[1]) for row in rows]


def drop_files(connection: Connection, district: str, numbers: list[int]) -> None:
    """Say of jobs that their file is gone."""
    connection.execute(
        text("UPDATE jobs SET result = result - 'file' WHERE district = :district AND id = ANY(:numbers)"),
        {"district": district, "numbers": numbers},
    )
