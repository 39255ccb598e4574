"""No answer that the rule of freshness forbids, with several processes that publish and read at once."""

from __future__ import annotations

import json
import threading

import psycopg

from data import audit
from data.session import Store
from tests.api.processes import (
    ANOTHER,
    PROCESSES,
    Asking,
    Seen,
    check,
    house,
    publish_and_read,
    serving_processes,
)
from tests.api.server import CODE

WRITES = 7


def grid_of(path: str, body: bytes, plan: int, version: int) -> str:
    told = json.loads(body)
    if "grid" not in told:
        return ""
    same = (told["plan"]["number"], told["data_version"]) == (plan, version)
    return told["grid"]["code"] if same else ANOTHER


def break_listeners(seen: Seen, url: str) -> None:
    """End the connections by which the processes hear of changes, again and again."""
    admin = url.replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        while not seen.ended.wait(0.6):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )


def test_no_process_gives_an_answer_the_rule_forbids(database_url):
    query = f"lon={house().x}&lat={house().y}&crs=wgs84&district={CODE}"
    paths = (f"locate?{query}", f"locate?{query}&include=sites,evidence", f"overview?district={CODE}")
    asking = Asking([f"/api/v1/{path}" for path in paths], grid_of)  # from memory and from the database
    seen = Seen()
    breaking = threading.Thread(target=break_listeners, args=(seen, database_url))
    with serving_processes(database_url) as ports:
        last = publish_and_read(seen, ports, asking, WRITES, 0.3, breaking)
    check(seen, last, least=50 * PROCESSES)
    assert carried_out(database_url) == list(range(1, last.number + 1))


def carried_out(url: str) -> list[int]:
    """Return the numbers of the plans carried out, once for each time."""
    store = Store(url)
    with store.read(CODE) as connection:
        done = audit.entries(connection, CODE, limit=1000)
    store.close()
    return sorted(int(entry.subject.split()[1]) for entry in done if entry.action == "plan.activate")
