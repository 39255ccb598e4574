"""What every test may use: a PostGIS of the tests' own, and the real data where there is some."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest

TESTS = Path(__file__).parent
NO_REAL_DATA = "GRIDGOV_TEST_DATA names no folder of real data"
# A test's database is thrown away: nothing needs to outlive a crash of the machine.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_senders": "0"}


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like by Ctrl-C: the cluster stops too
    for name in [name for name in os.environ if name.startswith("GRIDGOV_")]:
        if name != "GRIDGOV_TEST_DATA":
            del os.environ[name]  # tests use no setting and no database of whoever runs them
    # The same examples each run: red means a change, not luck, and no slow machine. --hypothesis-profile=explore
    # looks for others.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile(
        "gridgov", deadline=None, derandomize=True, suppress_health_check=slow
    )
    hypothesis.settings.register_profile("explore", deadline=None)
    hypothesis.settings.load_profile("gridgov")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    names = sorted(report.nodeid for report in skipped if NO_REAL_DATA in str(report.longrepr))
    if names:
        terminalreporter.section(f"{len(names)} tests on real data did not run: {NO_REAL_DATA}")
        for name in names:
            terminalreporter.line(f"  {name}")


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords with the cheapest argon2id: a sixth of a second each, of hundreds, are minutes otherwise."""
    from argon2 import PasswordHasher, profiles

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.accounts._hasher", PasswordHasher.from_parameters(profiles.CHEAPEST))
        yield


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """Machine code of the balancer from the run before: it takes most of a minute to compile."""
    from etl.compiled import keep_kernels

    keep_kernels()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data; the test is skipped, and named in the summary, where there is none."""
    named = os.environ.get("GRIDGOV_TEST_DATA")
    if not named:
        pytest.skip(NO_REAL_DATA)
    folder = Path(named)
    assert folder.is_dir(), f"GRIDGOV_TEST_DATA names {folder}, which is no folder"
    return folder


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path that any user may enter, as a server's socket and its user need."""
    folder = Path(tempfile.mkdtemp(prefix="gridgov-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster_url(short_folder: Path) -> Iterator[str]:
    """Address of the empty database of a cluster that lives as long as the test run."""
    from data import cluster

    with cluster.running(short_folder, settings=FAST) as url:
        yield url


@pytest.fixture(scope="session")
def fresh_database(cluster_url: str) -> Callable[[], AbstractContextManager[str]]:
    """``with fresh_database() as url`` gives a migrated, empty database and drops it afterwards."""
    from data import migrate

    migrate.upgrade(cluster_url)
    admin = cluster_url.replace("+psycopg", "").replace("@/gridgov?", "@/postgres?")
    numbers = itertools.count(1)
    with psycopg.connect(
        admin, autocommit=True
    ) as connection:  # a template is copied only while nobody uses it
        connection.execute("ALTER DATABASE gridgov ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gridgov'")

    @contextmanager
    def make() -> Iterator[str]:
        name = f"test_{next(numbers)}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE gridgov")
            yield cluster_url.replace("@/gridgov?", f"@/{name}?")
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return make


@pytest.fixture
def database_url(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Address of a migrated, empty database for one test alone."""
    with fresh_database() as url:
        yield url
