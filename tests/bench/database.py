"""A database that a bench fills and throws away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import cluster, migrate


@contextmanager
def thrown_away() -> Iterator[str]:
    """Give the address of an empty database of the newest schema, on a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gridgov-bench-", dir="/tmp"))  # a socket's path must be short
    folder.chmod(0o755)
    try:
        with cluster.running(folder) as url:
            migrate.upgrade(url)
            yield url
    finally:
        shutil.rmtree(folder)
