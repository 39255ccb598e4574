"""Once an act is committed the planner knows how much there is."""

from __future__ import annotations

from sqlalchemy import text

from data.session import Store
from etl.actor import SYSTEM
from etl.ledger import import_ledger
from tests.bench.district import CODE, LEDGER


def known(store: Store, table: str) -> int:
    with store.engine.connect() as connection:
        return connection.execute(
            text("SELECT reltuples::int FROM pg_class WHERE oid = CAST(:table AS regclass)"), {"table": table}
        ).scalar_one()


def test_tables_are_counted_once_what_filled_them_is_committed(database_url):
    store = Store(database_url)
    import_ledger(store, SYSTEM, CODE, LEDGER, name="试验区", crs="wgs84")
    assert known(store, "buildings") == 10_000
    assert store.count_grown() == []
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE buildings SET households = households + 1 WHERE id % 100 = 0"))
    assert store.count_grown() == []  # a small change is none to the planner
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE buildings SET households = households - 1"))
    assert store.count_grown() == ["buildings"]
    assert known(store, "buildings") == 10_000
    store.close()
