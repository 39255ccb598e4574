"""Lanes: the right to run one kind of job in one district, held by one process at a time.

A lane is an advisory lock of a connection of its own. PostgreSQL frees it when that connection ends, so a
process that is killed leaves its lane at once, and one that is merely slow or asleep never loses it to a
guess about heartbeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from data.session import Store
from geo.errors import UnavailableError

# A machine that vanished is noticed within a minute; on a Unix socket these settings do nothing.
_TAKE = text(
    "SELECT pg_backend_pid() AS backend, pg_try_advisory_lock(hashtext('gridgov jobs of ' || :district),"
    " hashtext(:kind)) AS taken, set_config('tcp_keepalives_idle', '30', false),"
    " set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)"
)


@dataclass(frozen=True)
class Lane:
    """A lane that is held."""

    district: str
    kind: str
    _store: Store
    _backend: int

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction of the connection that holds the lane.

        Raises
        ------
        UnavailableError
            If that connection ended, and the lane with it.
        """
        with self._store.begin(self.district) as connection:
            if connection.scalar(text("SELECT pg_backend_pid()")) != self._backend:
                raise UnavailableError("The connection that held the job was lost.", "It is tried again.")
            yield connection


@contextmanager
def lane(store: Store, district: str, kind: str) -> Iterator[Lane | None]:
    """Take a lane until the block ends; None if another process, or thread, has it."""
    own = Store(store.engine.url.render_as_string(hide_password=False), pool_size=1)
    try:
        with own.begin(district) as connection:
            row = connection.execute(_TAKE, {"district": district, "kind": kind}).one()
        yield Lane(district, kind, own, row.backend) if row.taken else None
    finally:
        own.close()
