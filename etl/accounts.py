"""Accounts and sign-ins.

Passwords are hashed by argon2id and tokens by SHA-256; neither is ever stored or put on record. Acts on accounts
belong to no district, so they are recorded under none.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Connection

from data import accounts, audit, districts
from data.accounts import Account
from data.session import Store
from etl.actor import PUBLIC, SYSTEM, Actor
from geo.errors import ForbiddenError, InputError, SignInError

ROLES = ("planner", "approver", "dispatcher", "worker", "admin", "auditor")
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_NAME = re.compile(r"[\w@-][\w@.-]{1,63}")
_RESERVED = {PUBLIC.id, SYSTEM.id}
_TOKEN_BYTES = 32
_REFUSED = ("The name or the password is not right.", "Try again, or ask an administrator.")

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB and tens of milliseconds of a core: many who sign in at once queue here."""


@dataclass(frozen=True)
class SignedIn:
    """A sign-in; ``token`` is known to nobody but whom it is given to."""

    token: str
    expires_at: datetime
    account: Account


def actor_of(account: Account) -> Actor:
    """Return an account as the one who acts."""
    return Actor(account.name, account.roles, account.scope)


def described(account: Account) -> dict[str, Any]:
    """Return what may be shown of an account."""
    return {"name": account.name, **_rights(account), "created_at": account.created_at}


def random_password() -> str:
    """Return a new password nobody could guess."""
    return secrets.token_urlsafe(12)


def add(
    store: Store, actor: Actor, name: str, password: str, *, roles: Iterable[str], scope: Iterable[str] = ()
) -> Account:
    """Add an account.

    Parameters
    ----------
    name : str
        Letters, digits and ``. - _ @``, 2 to 64; capitals count as small letters.
    password : str
        At least `SHORTEST_PASSWORD` characters.
    roles : iterable of str
        Of `ROLES`, one at least.
    scope : iterable of str
        Codes of districts; none means all, which an admin alone may have.

    Raises
    ------
    InputError
        If the name, the password or the roles cannot be.
    NotFoundError
        If a district of the scope does not exist.
    ForbiddenError
        If the scope goes beyond the actor's own.
    ConflictError
        If the name is taken.
    """
    name, roles, scope = _name(name), frozenset(roles), frozenset(scope)
    hashed = _hashed(password)
    with store.begin() as connection:
        _check_rights(connection, actor, roles, scope)
        added = accounts.add(connection, name, hashed, roles, scope)
        _record(connection, actor, "account.add", added.name, after=_rights(added))
    return added


def put(
    store: Store, actor: Actor, name: str, password: str, *, roles: Iterable[str], scope: Iterable[str] = ()
) -> Account:
    """Add an account, or make one that exists like it, with that password; parameters and errors are `add`'s."""
    with store.read() as connection:
        known = accounts.find(connection, _folded(name))
    if known is None:
        return add(store, actor, name, password, roles=roles, scope=scope)
    set_password(store, actor, name, password)
    return change(store, actor, name, roles=roles, scope=scope, active=True)


def set_password(store: Store, actor: Actor, name: str, password: str) -> None:
    """Give an account another password; whoever is signed in with it no longer is.

    Raises
    ------
    InputError, NotFoundError, ForbiddenError
        As for `add`, and if there is no such account.
    """
    hashed = _hashed(password)
    with store.begin() as connection:
        account = _mine(connection, actor, name)
        accounts.set_password(connection, account.id, hashed)
        accounts.sign_out_everywhere(connection, account.id)
        _record(connection, actor, "account.password", account.name)


def change(
    store: Store,
    actor: Actor,
    name: str,
    *,
    roles: Iterable[str] | None = None,
    scope: Iterable[str] | None = None,
    active: bool | None = None,
) -> Account:
    """Change what an account may do, where, or whether it may sign in; what is None stays.

    The change holds from the next request on; an account that is disabled is signed out everywhere.

    Raises
    ------
    InputError, NotFoundError, ForbiddenError
        As for `add`, and if there is no such account.
    """
    with store.begin() as connection:
        before = _mine(connection, actor, name)
        after = replace(
            before,
            roles=before.roles if roles is None else frozenset(roles),
            scope=before.scope if scope is None else frozenset(scope),
            active=before.active if active is None else active,
        )
        if after == before:
            return before
        _check_rights(connection, actor, after.roles, after.scope)
        accounts.set_rights(connection, after.id, after.roles, after.scope, active=after.active)
        if not after.active:
            accounts.sign_out_everywhere(connection, after.id)
        _record(connection, actor, "account.change", after.name, before=_rights(before), after=_rights(after))
    return after


def may_manage(actor: Actor, scope: frozenset[str]) -> bool:
    """Tell whether an actor's scope takes in all of another."""
    return not actor.scope or bool(scope and scope <= actor.scope)


def sign_in(store: Store, name: str, password: str, *, hours: int) -> SignedIn:
    """Sign somebody in.

    One hash is computed whether the name is known or not, so that neither the answer nor the time it takes tells
    which names there are.

    Parameters
    ----------
    hours : int
        How long the token lasts.

    Raises
    ------
    SignInError
        If there is no such account, the password is another, or the account is disabled.
    """
    with store.read() as connection:
        account = accounts.find(connection, _folded(name))
    right = _verified(account, password)
    if account is None or not right or not account.active:
        raise SignInError(*_REFUSED)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    rehashed = _hashed(password) if _hasher.check_needs_rehash(account.password_hash) else None
    with store.begin() as connection:
        if accounts.lock(connection, account.name) != account:  # changed while the hash was computed
            raise SignInError(*_REFUSED)
        if rehashed:
            accounts.set_password(connection, account.id, rehashed)
        expires_at = accounts.sign_in(connection, account.id, _digest(token), timedelta(hours=hours))
        _record(connection, actor_of(account), "session.open", account.name)
    return SignedIn(token, expires_at, account)


def signed_in(store: Store, token: str) -> SignedIn:
    """Return whose token it is.

    Raises
    ------
    SignInError
        If it was not given out, has expired, or its account is disabled.
    """
    with store.read() as connection:
        found = accounts.signed_in(connection, _digest(token))
    if found is None:
        raise SignInError("The sign-in is not known or has expired.", "Sign in again.")
    account, expires_at = found
    return SignedIn(token, expires_at, account)


def sign_out(store: Store, actor: Actor, token: str) -> None:
    """Make a token useless."""
    with store.begin() as connection:
        accounts.sign_out(connection, _digest(token))
        _record(connection, actor, "session.close", actor.id)


def _mine(connection: Connection, actor: Actor, name: str) -> Account:
    """Return an account to change, if it is within the actor's scope."""
    account = accounts.lock(connection, _folded(name))
    _check_scope(actor, account.scope)
    return account


def _check_rights(connection: Connection, actor: Actor, roles: frozenset[str], scope: frozenset[str]) -> None:
    if not roles or not roles <= set(ROLES):
        named = ", ".join(sorted(roles - set(ROLES)))
        raise InputError(
            f"There is no role {named}." if named else "An account needs a role.",
            f"Roles: {', '.join(ROLES)}.",
        )
    if not scope and "admin" not in roles:
        raise InputError("Only an admin may act on all districts.", "Name the districts of the account.")
    _check_scope(actor, scope)
    for code in sorted(scope):
        districts.get(connection, code)


def _check_scope(actor: Actor, scope: frozenset[str]) -> None:
    if not may_manage(actor, scope):
        raise ForbiddenError(
            f"{actor.id} may not manage accounts beyond its own districts.",
            f"Its districts: {', '.join(sorted(actor.scope))}.",
        )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _name(name: str) -> str:
    folded = _folded(name)
    if not _NAME.fullmatch(folded) or folded in _RESERVED:
        raise InputError(
            "This cannot be the name of an account.",
            "Take 2 to 64 letters, digits and . - _ @; not public or system.",
        )
    return folded


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", "Choose another one."
        )
    with _hashing:
        return _hasher.hash(password)


def _verified(account: Account | None, password: str) -> bool:
    """Compare a password with an account's, at the same cost where there is no account."""
    with _hashing:
        if account is None:
            _hasher.hash(password)
            return False
        try:
            return _hasher.verify(account.password_hash, password)
        except VerifyMismatchError:
            return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _rights(account: Account) -> dict[str, Any]:
    return {"roles": sorted(account.roles), "scope": sorted(account.scope), "active": account.active}


def _record(
    connection: Connection,
    actor: Actor,
    action: str,
    name: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        connection, "", actor=actor.id, action=action, subject=f"account {name}", before=before, after=after
    )
