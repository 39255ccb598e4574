"""Row-level security, as the migrations set it up: the second wall between districts."""

from __future__ import annotations

from data.session import APP_ROLE

_HERE = "district = current_setting('gridgov.district', true)"


def build(table: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Return the statements that show a new table's rows to their own district alone, whoever asks."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({_HERE})",
        f"GRANT {rights} ON {table} TO {APP_ROLE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}",
    ]
