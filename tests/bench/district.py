"""The district the benches ask: the made-up ledger of 10,000 buildings, published, on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from data.session import Store
from etl.actor import SYSTEM
from etl.establish import establish
from etl.ledger import import_ledger
from tests.bench.database import thrown_away

CODE = "990301"
LEDGER = Path(__file__).parents[1] / "data" / "address" / "dev"


@contextmanager
def published() -> Iterator[str]:
    """Keep the district in a database that is thrown away afterwards, and give its address."""
    with thrown_away() as url:
        with closing(Store(url)) as store:
            import_ledger(store, SYSTEM, CODE, LEDGER, name="试验区", crs="wgs84")
            establish(store, SYSTEM, CODE)
        yield url
