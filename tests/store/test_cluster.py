"""The embedded PostGIS, on real servers: made, shared between processes, killed, starved and hindered."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from data import cluster, folders, postgres
from geo.errors import ClusterError

ROOT = Path(__file__).parents[2]
FAST = {"fsync": "off", "synchronous_commit": "off"}
USER = """
import sys
from pathlib import Path
from data import cluster
with cluster.running(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away and mount disks")


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def ask(url: str, question: str) -> object:
    with connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


@contextmanager
def other_user(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the cluster, until its input is closed."""
    words = [sys.executable, "-c", USER, str(folder)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql+psycopg://")
        yield process


@pytest.fixture
def new_folder(short_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    folder.chmod(0o755)
    yield folder
    cluster.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made_folder(short_folder: Path) -> Iterator[Path]:
    folder = short_folder / "made"
    with cluster.running(folder, settings=FAST):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(made_folder: Path) -> Iterator[Path]:
    """A folder whose cluster was made and stopped; stopped again after the test."""
    yield made_folder
    cluster.stop(made_folder)


def test_it_is_made_private_and_knows_chinese(new_folder):
    assert cluster.status(new_folder).state == "absent"
    with cluster.running(new_folder, settings=FAST) as url:
        now = cluster.status(new_folder)
        assert (now.state, now.url) == ("running", url)
        assert now.socket is not None
        assert stat.S_IMODE(now.socket.stat().st_mode) == 0o700
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SELECT datctype FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        assert ask(url, "SELECT current_user || '@' || current_database()") == "gridgov@gridgov"
        with connect(url) as connection:
            connection.execute("CREATE EXTENSION postgis")
            connection.execute("CREATE EXTENSION pg_trgm")
        assert ask(url, "SELECT similarity('新桥社区', '慈湖街道新桥社区') > 0") is True
    assert cluster.status(new_folder).state == "stopped"


def test_what_was_stored_is_there_after_the_next_start(folder):
    with cluster.running(folder, settings=FAST) as url, connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 452 AS grids")
    with cluster.running(folder, settings=FAST) as url:
        assert ask(url, "SELECT grids FROM kept") == 452


def test_the_last_one_out_stops_it(folder):
    with cluster.running(folder, settings=FAST) as url, other_user(folder) as other:
        first = cluster.status(folder)
        assert ask(url, "SELECT 1") == 1
        other.communicate()
        assert cluster.status(folder) == first
    assert cluster.status(folder).state == "stopped"


def test_it_outlives_the_one_who_started_it_while_another_uses_it(folder):
    with other_user(folder) as starter, cluster.running(folder) as url:
        starter.communicate()
        assert ask(url, "SELECT 1") == 1
    assert cluster.status(folder).state == "stopped"


def test_many_at_once_share_one(new_folder):
    def use(_: int) -> int | None:
        with other_user(new_folder) as process:
            pid = cluster.status(new_folder).pid
            process.communicate()
        return pid

    with cluster.running(new_folder, settings=FAST), ThreadPoolExecutor(3) as pool:
        assert set(pool.map(use, range(3))) == {cluster.status(new_folder).pid}
    with ThreadPoolExecutor(3) as pool:
        assert None not in list(pool.map(use, range(3)))
    assert cluster.status(new_folder).state == "stopped"


def test_after_a_killed_program_the_next_takes_over_and_stops_it(folder):
    with other_user(folder) as killed:
        killed.kill()
    left = cluster.status(folder)
    assert left.state == "running"
    with cluster.running(folder):
        assert cluster.status(folder) == left
    assert cluster.status(folder).state == "stopped"


def test_a_killed_server_recovers(folder):
    with cluster.running(folder) as url:
        with connect(url) as connection:
            connection.execute("CREATE TABLE survived AS SELECT 1 AS one")
        pid = cluster.status(folder).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while cluster.status(folder).state == "running":
            pass
    with cluster.running(folder) as url:
        assert ask(url, "SELECT one FROM survived") == 1


def test_a_pid_file_that_names_another_program_does_not_hinder(folder):
    socket = folder / "postgres/socket"
    left = [os.getpid(), folder / "postgres/data", 0, cluster.PORT, socket, "", "", "ready"]
    (folder / "postgres/data/postmaster.pid").write_text("\n".join(map(str, left)))
    assert cluster.status(folder).state == "stopped"
    with cluster.running(folder, settings=FAST) as url:
        assert ask(url, "SELECT 1") == 1


def test_nothing_starts_beside_a_process_that_a_dead_server_left(folder, monkeypatch):
    data = folder / "postgres/data"
    (data / "postmaster.pid").write_text("")
    with monkeypatch.context() as patch, subprocess.Popen(["sleep", "60"], cwd=data) as left_behind:
        patch.setattr(cluster, "START_SECONDS", 0.2)
        try:
            with pytest.raises(ClusterError, match="is not ready after"), cluster.running(folder):
                pass
        finally:
            left_behind.kill()
    with cluster.running(folder, settings=FAST) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_start_that_takes_too_long_shows_the_log(new_folder, monkeypatch):
    with cluster.running(new_folder, settings=FAST):
        pass
    monkeypatch.setattr(cluster, "START_SECONDS", 1)
    (new_folder / "postgres/data/recovery.signal").touch()
    slow = {**FAST, "restore_command": "sleep 3; false"}
    with (
        pytest.raises(ClusterError, match=r"not ready after 1 seconds.*\n.*starting PostgreSQL"),
        cluster.running(new_folder, settings=slow),
    ):
        pass
    monkeypatch.setattr(cluster, "START_SECONDS", 60)


def test_the_log_tells_nothing_of_what_is_asked(folder):
    asked_about = "慈湖路1号-4452"
    with cluster.running(folder, settings=FAST) as url:
        with connect(url) as connection:
            for question in ("SELECT %s::int", "SELECT 1 / (length(%s) - length(%s))"):
                with pytest.raises(psycopg.Error):
                    connection.execute(question, [asked_about] * question.count("%s"))
            with pytest.raises(psycopg.Error):
                connection.execute(f"SELECT '{asked_about}'::int")
        with connect(url) as victim, connect(url) as killer, ThreadPoolExecutor(1) as pool:
            busy = pool.submit(victim.execute, f"SELECT pg_sleep(60), '{asked_about}'")
            sleeping = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
            while not killer.execute(sleeping, [victim.info.backend_pid]).fetchone():
                pass
            os.kill(victim.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                busy.result()
    log = (folder / "postgres/server.log").read_text("utf-8")
    assert "was terminated by signal 9" in log
    assert "4452" not in log


def test_the_environment_does_not_lead_astray(folder, monkeypatch):
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    with cluster.running(folder, settings=FAST) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_gets_a_short_one(new_folder):
    with cluster.running(new_folder / ("长" * 40), settings=FAST) as url:
        socket = cluster.status(new_folder / ("长" * 40)).socket
        assert socket is not None
        assert socket.name.startswith("gridgov-")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert ask(url, "SELECT 1") == 1
    assert not socket.exists()


def test_data_of_another_version_is_named(folder):
    version = folder / "postgres/data/PG_VERSION"
    true = version.read_text()
    version.write_text("9\n")
    try:
        with (
            pytest.raises(ClusterError, match=r"made by PostgreSQL 9, .*postgresql-9-postgis-3"),
            cluster.running(folder),
        ):
            pass
    finally:
        version.write_text(true)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    fault = r"file/data.*cannot be used.*GRIDGOV_DATA_DIR"
    with pytest.raises(ClusterError, match=fault), cluster.running(tmp_path / "file/data"):
        pass


@as_root
def test_a_folder_of_somebody_else_is_named(new_folder):
    (new_folder / "postgres").mkdir()
    with pytest.raises(ClusterError, match="belongs to root"), cluster.running(new_folder):
        pass
    (new_folder / "postgres").rmdir()


@as_root
def test_where_the_server_cannot_go_it_is_kept_elsewhere(new_folder, monkeypatch):
    monkeypatch.setattr(folders, "ELSEWHERE", new_folder / "elsewhere")
    closed = new_folder / "closed"
    closed.mkdir(mode=0o700)
    with cluster.running(closed, settings=FAST) as url:
        assert ask(url, "SELECT 1") == 1
        assert (closed / "postgres").readlink().parent == new_folder / "elsewhere"


@as_root
@pytest.mark.parametrize(
    ("checked", "fault"), [(True, "8 MB free, 200 MB needed"), (False, "The disk is full")]
)
def test_a_full_disk_is_said(new_folder, monkeypatch, checked, fault):
    disk = new_folder / "disk"
    disk.mkdir()
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8000k", "tmpfs", disk], check=False).returncode
        != 0
    ):
        pytest.skip("this machine lets root mount nothing")
    try:
        if not checked:
            monkeypatch.setattr(cluster, "FREE_BYTES_NEW", 0)
        with pytest.raises(ClusterError, match=fault), cluster.running(disk):
            pass
        assert cluster.status(disk).state == "absent"
    finally:
        subprocess.run(["umount", disk], check=True)


def programs(folder: Path, version: str, postgis: str | None = None) -> Path:
    """An installation that can only say its version."""
    bindir = folder / "bin"
    bindir.mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        (bindir / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (bindir / name).chmod(0o755)
    if postgis:
        (folder / "share/extension").mkdir(parents=True)
        (folder / "share/extension/postgis.control").write_text(f"default_version = '{postgis}'\n")
    return bindir


@pytest.fixture
def places(monkeypatch, tmp_path) -> Callable[..., None]:
    """Let this machine have the given installations only."""

    def have(**versions: tuple[str, str | None]) -> None:
        found = [programs(tmp_path / name, *version) for name, version in versions.items()]
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr(postgres, "PLACES", tuple(map(str, found)))

    return have


@pytest.mark.parametrize(
    ("versions", "fault"),
    [
        ({}, "No PostgreSQL server programs were found"),
        ({"old": ("13.4", "3.3.0")}, "PostgreSQL 13 .* is too old: 14 or newer is needed"),
        (
            {"bare": ("16.2", None)},
            "PostgreSQL 16 .* has no PostGIS 3.1 or newer. Install it .*postgresql-16-postgis-3",
        ),
        ({"stale": ("15.1", "3.0.1")}, "PostgreSQL 15 .* has no PostGIS 3.1 or newer"),
    ],
)
def test_a_missing_server_is_said(places, versions, fault):
    places(**versions)
    with pytest.raises(ClusterError, match=fault):
        postgres.find_server()


def test_the_newest_server_with_postgis_is_taken_unless_the_data_needs_another(places):
    places(a=("14.9", "3.1.0"), b=("16.2", "3.4.0"), c=("17.0", None))
    assert postgres.find_server().major == 16
    assert postgres.find_server(14).postgis == (3, 1, 0)
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 17.*found: 14, 16, 17"):
        postgres.find_server(17)
