"""Accounts of staff and their sign-ins: the only place that reads their tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from geo.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in.

    Attributes
    ----------
    roles : frozenset of str
        What it may do.
    scope : frozenset of str
        Codes of the districts it may act on; empty means all.
    password_hash : str
        Argon2id; never shown.
    """

    id: int
    name: str
    roles: frozenset[str]
    scope: frozenset[str]
    active: bool
    created_at: datetime
    password_hash: str = field(repr=False)


_COLUMNS = "a.id, a.name, a.roles, a.scope, a.active, a.created_at, a.password_hash"


def every(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    return [
        _account(row) for row in connection.execute(text(f"SELECT {_COLUMNS} FROM accounts a ORDER BY name"))
    ]


def find(connection: Connection, name: str) -> Account | None:
    """Return the account of that name, if there is one."""
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM accounts a WHERE name = :name"), {"name": name}
    ).one_or_none()
    return _account(row) if row else None


def lock(connection: Connection, name: str) -> Account:
    """Return the account of that name; nobody else changes it until the transaction ends.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM accounts a WHERE name = :name FOR UPDATE"), {"name": name}
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no account {name}.", "gridgov account list shows those there are.")
    return _account(row)


def add(
    connection: Connection, name: str, password_hash: str, roles: Iterable[str], scope: Iterable[str]
) -> Account:
    """Add an account.

    Raises
    ------
    ConflictError
        If the name is taken.
    """
    row = connection.execute(
        text(
            "INSERT INTO accounts AS a (name, password_hash, roles, scope) VALUES (:name, :hash, :roles, :scope)"
            f" ON CONFLICT (name) DO NOTHING RETURNING {_COLUMNS}"
        ),
        {"name": name, "hash": password_hash, "roles": sorted(roles), "scope": sorted(scope)},
    ).one_or_none()
    if row is None:
        raise ConflictError(f"There is an account {name} already.", "Choose another name.")
    return _account(row)


def set_password(connection: Connection, account: int, password_hash: str) -> None:
    """Keep the hash of a password."""
    connection.execute(
        text("UPDATE accounts SET password_hash = :hash WHERE id = :account"),
        {"hash": password_hash, "account": account},
    )


def set_rights(
    connection: Connection, account: int, roles: Iterable[str], scope: Iterable[str], *, active: bool
) -> None:
    """Change what an account may do, where, and whether it may sign in."""
    connection.execute(
        text("UPDATE accounts SET roles = :roles, scope = :scope, active = :active WHERE id = :account"),
        {"roles": sorted(roles), "scope": sorted(scope), "active": active, "account": account},
    )


def sign_in(connection: Connection, account: int, token_hash: bytes, lasts: timedelta) -> datetime:
    """Keep the hash of a token; data/retention.py forgets it some time after it expired.

    Returns
    -------
    datetime
        When it expires.
    """
    expires: datetime = connection.execute(
        text(
            "INSERT INTO sign_ins (token_hash, account_id, expires_at)"
            " VALUES (:hash, :account, now() + :lasts) RETURNING expires_at"
        ),
        {"hash": token_hash, "account": account, "lasts": lasts},
    ).scalar_one()
    return expires


def signed_in(connection: Connection, token_hash: bytes) -> tuple[Account, datetime] | None:
    """Return whose token it is and until when; None if it was not given out, has expired or is of no use."""
    row = connection.execute(
        text(
            f"SELECT {_COLUMNS}, s.expires_at FROM sign_ins s JOIN accounts a ON a.id = s.account_id"
            " WHERE s.token_hash = :hash AND s.expires_at > now() AND a.active"
        ),
        {"hash": token_hash},
    ).one_or_none()
    return (_account(row), row.expires_at) if row else None


def sign_out(connection: Connection, token_hash: bytes) -> None:
    """Forget a token."""
    connection.execute(text("DELETE FROM sign_ins WHERE token_hash = :hash"), {"hash": token_hash})


def sign_out_everywhere(connection: Connection, account: int) -> None:
    """Forget every token of an account."""
    connection.execute(text("DELETE FROM sign_ins WHERE account_id = :account"), {"account": account})


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        roles=frozenset(row.roles),
        scope=frozenset(row.scope),
        active=row.active,
        created_at=row.created_at,
        password_hash=row.password_hash,
    )
