"""Districts: the tenants."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from geo.errors import InputError, NotFoundError


@dataclass(frozen=True)
class District:
    """A tenant; ``srid`` is the EPSG code its lengths are measured in."""

    code: str
    name: str
    srid: int
    made_up: bool


def every(connection: Connection) -> list[District]:
    """Return all districts by code."""
    rows = connection.execute(text("SELECT code, name, srid, made_up FROM districts ORDER BY code"))
    return [District(*row) for row in rows]


def find(connection: Connection, code: str) -> District | None:
    """Return the district of that code, if there is one."""
    row = connection.execute(
        text("SELECT code, name, srid, made_up FROM districts WHERE code = :code"), {"code": code}
    ).one_or_none()
    return District(*row) if row else None


def get(connection: Connection, code: str) -> District:
    """Return the district of that code.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    found = find(connection, code)
    if found is None:
        known = ", ".join(f"{d.code} {d.name}" for d in every(connection)) or "none yet"
        raise NotFoundError(f"There is no district {code}.", f"Districts: {known}.")
    return found


def choose(connection: Connection, named: str | None) -> District:
    """Return the district meant: the one named, else the only one.

    Raises
    ------
    NotFoundError
        If the named one does not exist, or there is no district at all.
    InputError
        If several exist and none was named.
    """
    if named:
        return get(connection, named)
    known = every(connection)
    if not known:
        raise NotFoundError("There is no district yet.", "Import one, or run gridgov demo.")
    if len(known) > 1:
        listed = ", ".join(f"{d.code} {d.name}" for d in known)
        raise InputError("Several districts are stored and none was named.", f"Name one of: {listed}.")
    return known[0]


def add(connection: Connection, code: str, name: str, srid: int, *, made_up: bool = False) -> District:
    """Add a district; its code, name and metric system stay as they were if it exists."""
    connection.execute(
        text(
            "INSERT INTO districts (code, name, srid, made_up) VALUES (:code, :name, :srid, :made_up)"
            " ON CONFLICT (code) DO NOTHING"
        ),
        {"code": code, "name": name, "srid": srid, "made_up": made_up},
    )
    return get(connection, code)


def queue(connection: Connection, code: str) -> None:
    """Wait until no other transaction changes the district, then keep others waiting until this one ends.

    The district need not exist yet. Readers never wait.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('gridgov district'), hashtext(:code))"), {"code": code}
    )


def lock(connection: Connection, code: str) -> District:
    """Return a district when this transaction is the only one that changes it; see `queue`.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    queue(connection, code)
    return get(connection, code)
