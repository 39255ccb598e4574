"""The tables of accounts are read in one place, and the audit is only ever added to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from data import audit
from data.session import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    with store.begin() as connection:
        audit.record(connection, "", actor="chief", action="account.add", subject="account wang")
    yield store
    store.close()


def test_one_module_reads_the_tables_of_accounts():
    reads = re.compile(r"(?<!DELETE )\b(FROM|JOIN|INTO|UPDATE)\s+(accounts|sign_ins)\b")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("api", "data", "etl", "geo", "maps")
        for path in (ROOT / folder).rglob("*.py")
        if reads.search(path.read_text("utf-8"))
    }
    assert found == {"data/accounts.py"}


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_cannot_be_changed_by_the_program_nor_by_its_owner(store, database_url, change):
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"), store.begin() as connection:
        connection.execute(text(change))
    owner = create_engine(database_url, poolclass=NullPool)
    with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
        connection.execute(text(change))
    with store.read() as connection:
        assert [entry.actor for entry in audit.entries(connection, "")] == ["chief"]


@pytest.mark.parametrize(("roles", "scope"), [([], ["990001"]), (["planner"], [])])
def test_an_account_without_roles_or_bounds_cannot_be_stored(store, roles, scope):
    added = text(
        "INSERT INTO accounts (name, password_hash, roles, scope) VALUES ('wang', '', :roles, :scope)"
    )
    with pytest.raises(IntegrityError), store.begin() as connection:
        connection.execute(added, {"roles": roles, "scope": scope})
