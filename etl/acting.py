"""How every use case acts on a district: alone, in one transaction, with what it did on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from data import audit, districts
from data.districts import District
from data.session import Store
from etl import levels
from etl.activation import carry_out_due
from etl.actor import Actor
from geo.errors import ForbiddenError


@dataclass(frozen=True)
class Act:
    """An open transaction of somebody who is alone in changing a district.

    Attributes
    ----------
    connection : Connection
        Of `Store.begin`; committed when the act ends, rolled back when it raises.
    actor : Actor
        Who acts.
    district : District
        What is acted on.
    """

    connection: Connection
    actor: Actor
    district: District

    @property
    def code(self) -> str:
        """Code of the district."""
        return self.district.code

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Put what is done on record; see `data.audit.record`."""
        audit.record(
            self.connection,
            self.code,
            actor=self.actor.id,
            action=action,
            subject=subject,
            before=before,
            after=after,
        )


@contextmanager
def acting(store: Store, actor: Actor, district: str) -> Iterator[Act]:
    """Open the transaction of one use case; whoever else changes the district waits until it ends.

    A plan whose time has come is carried out first, so that no act finds the district half changed.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    NotFoundError
        If there is no such district.
    """
    with acting_on_new(store, actor, district) as connection:
        yield Act(connection, actor, districts.get(connection, district))


@contextmanager
def acting_on_new(store: Store, actor: Actor, district: str) -> Iterator[Connection]:
    """As `acting`, for a use case that may be the district's first: it need not be stored yet.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    """
    check_scope(actor, district)
    with store.begin(district) as connection:
        districts.queue(connection, district)
        carry_out_due(connection, district)
        yield connection
        levels.complete(connection, district)
    store.count_grown()


def check_scope(actor: Actor, district: str) -> None:
    """See that an actor may act on a district.

    Raises
    ------
    ForbiddenError
        If its scope leaves the district out.
    """
    if not actor.reaches(district):
        raise ForbiddenError(
            f"{actor.id} may not act on district {district}.",
            "Ask an administrator to widen the account's scope.",
        )
