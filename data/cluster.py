"""The embedded database: a private PostgreSQL cluster of the program's own, with PostGIS.

It lives in ``<data folder>/postgres`` and is reached through a Unix socket that nobody else can open;
it listens on no network address. Whoever needs it says ``with running(folder) as url``: the first one in
makes and starts it, the last one out stops it, in whatever processes they are. Two lock files see to that,
and the kernel frees them when a process dies:

``postgres.lock``         held while the cluster is made, started or stopped: one at a time
``postgres/users.lock``   held (shared) by every user: who can get it alone is the last one out

PostgreSQL refuses to run as root: root runs it as the owner of the folder, ``postgres`` for a new one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import quote

import psycopg

from data.folders import give, is_alone, locked, make_private, unusable, user_name
from data.postgres import Server, explained, find_server
from geo.errors import ClusterError

NAME = "gridgov"  # of the superuser and of the database
CTYPE = "C.UTF-8"  # under C, pg_trgm drops every Chinese character
PORT = 5432  # only part of the socket's file name
START_SECONDS = 120  # recovery after a crash is the slow case
FREE_BYTES_NEW = 200_000_000  # a new cluster with its first write-ahead log takes about 60 MB
FREE_BYTES_START = 40_000_000
PROCESSES = Path("/proc")  # where there is none (macOS), PostgreSQL judges alone
LONGEST_SOCKET = 103  # bytes of path: 107 on Linux, 103 on macOS

SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        # Privacy: the log tells how the server does, and nothing of what is asked. Errors go to the client
        # only; `terse` drops the statement that PostgreSQL adds when a backend crashes.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
    }
)

_log = logging.getLogger(__name__)


class Status(NamedTuple):
    """How a cluster is: its state, its process, and the folder of its socket when it runs."""

    state: Literal["absent", "stopped", "starting", "running"]
    pid: int | None = None
    socket: Path | None = None

    @property
    def url(self) -> str | None:
        """SQLAlchemy address of the database of a running cluster."""
        where = quote(str(self.socket), safe="/")
        return f"postgresql+psycopg://{NAME}@/{NAME}?host={where}&port={PORT}" if self.socket else None


@contextmanager
def running(data_dir: Path, *, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Keep the cluster of a data folder running; make and start it when needed.

    Parameters
    ----------
    data_dir : Path
        The program's data folder; made when missing.
    settings : mapping of str to str, optional
        Server settings beyond `SETTINGS`; they count for whoever starts it.

    Yields
    ------
    str
        SQLAlchemy address of the database ``gridgov``; its user is a superuser.

    Raises
    ------
    ClusterError
        When there is no server with PostGIS, or it cannot be made, started or stopped; says what to do.
    """
    with _turn(data_dir):
        cluster = Cluster.at(data_dir)
    with locked(cluster.home / "users.lock", fcntl.LOCK_SH) as users:
        with _turn(data_dir):
            url = cluster.start(settings)
        try:
            yield url
        finally:
            with _turn(data_dir):
                if is_alone(users):
                    cluster.stop()


def status(data_dir: Path) -> Status:
    """Look at the cluster of a data folder; change nothing."""
    return Cluster.at(data_dir).status() if os.path.lexists(data_dir / "postgres") else Status("absent")


def stop(data_dir: Path) -> None:
    """Stop the cluster of a data folder, whoever uses it."""
    if status(data_dir).state != "absent":
        with _turn(data_dir):
            Cluster.at(data_dir).stop()


@dataclass(frozen=True)
class Cluster:
    """One cluster; its methods expect ``postgres.lock`` to be held.

    Attributes
    ----------
    home : Path
        Its folder, without symbolic links, private to the user whom the server runs as.
    """

    home: Path

    @classmethod
    def at(cls, data_dir: Path) -> Cluster:
        """Find or make the home of a data folder's cluster, and check that we may use it."""
        home = data_dir.absolute() / "postgres"
        try:
            if not os.path.lexists(home):
                make_private(home)
            owner = home.stat().st_uid
        except OSError as error:
            raise unusable(home, error) from error
        if owner == 0 or os.geteuid() not in (0, owner):
            raise ClusterError(
                f"The database's folder {home} belongs to {user_name(owner)}, who cannot run it for you.",
                "Set GRIDGOV_DATA_DIR to a folder of your own.",
            )
        return cls(home.resolve())

    @property
    def data(self) -> Path:
        """The server's own data folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "server.log"

    def status(self) -> Status:
        """Tell how the cluster is from its pid file, and from whether anybody answers on its socket."""
        if not (self.data / "PG_VERSION").exists():
            return Status("absent")
        try:
            # pid, data folder, start time, port, socket folder, address, shared memory, state
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return Status("stopped")
        pid, folder = (int(lines[0]), Path(lines[4])) if len(lines) > 4 else (None, None)
        if folder and _answers(folder):
            ready = lines[7:] and lines[7].strip() == "ready"
            return Status("running", pid, folder) if ready else Status("starting", pid)
        return Status("starting", pid) if self._is_used() else Status("stopped")

    def start(self, settings: Mapping[str, str]) -> str:
        """Make and start it unless it runs; returns the database's address."""
        now = self._settled()
        if now.state in ("absent", "stopped"):
            version = self.data / "PG_VERSION"
            server = find_server(int(version.read_text("ascii")) if version.exists() else None)
            if now.state == "absent":
                self._make(server)
            self._launch(server, settings)
            now = self.status()
        if now.socket is None or now.url is None:
            raise ClusterError(
                f"The database in {self.home} is not ready after {START_SECONDS} seconds.", self._last_words()
            )
        _ensure_database(now.socket)
        return now.url

    def stop(self) -> None:
        """Stop it, ending every connection; does nothing when it is not running."""
        now = self.status()
        if now.state not in ("starting", "running"):
            return
        server = find_server(int((self.data / "PG_VERSION").read_text("ascii")))
        run = self._control(server, "stop")
        if run.returncode != 0 and self.status().state != "stopped":
            # A stop that comes during recovery can wait for ever; what is committed is safe without it.
            run = self._control(server, "stop", "-m", "immediate")
        if run.returncode != 0 and self.status().state != "stopped":
            raise ClusterError(f"The database (process {now.pid}) does not stop.", self._last_words())
        if now.socket and now.socket.parent != self.home:
            shutil.rmtree(now.socket)  # the short folder made for it

    def _settled(self) -> Status:
        """Wait while it is starting or stopping, as after a program that was killed meanwhile."""
        end = time.monotonic() + START_SECONDS
        while (now := self.status()).state == "starting" and time.monotonic() < end:
            time.sleep(0.05)
        return now

    def _make(self, server: Server) -> None:
        """Run initdb in a folder beside, so that a half-made cluster is never taken for a whole one."""
        _check_space(self.home, FREE_BYTES_NEW)
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale=C", f"--lc-ctype={CTYPE}"]
        access = [f"--username={NAME}", "--auth=trust"]  # whoever can open the socket
        run = server.run(self.home, "initdb", "-D", fresh.name, "--data-checksums", *locale, *access)
        if run.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise explained("A new database cannot be made", run.stdout)
        fresh.rename(self.data)

    def _launch(self, server: Server, settings: Mapping[str, str]) -> None:
        _check_space(self.home, FREE_BYTES_START)
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            _log.warning("The database was not stopped properly; it recovers by itself.")
            if PROCESSES.exists():
                # Another program may have got the same number since: PostgreSQL would not start for it.
                pid_file.unlink()
        folder = self._socket_folder()
        quoted = '"' + str(folder).replace('"', '""') + '"'
        options = {**SETTINGS, **settings, "port": str(PORT), "unix_socket_directories": quoted}
        words = shlex.join(f"--{key}={value}" for key, value in options.items())
        seen = self.log.stat().st_size if self.log.exists() else 0
        try:
            run = self._control(server, "start", "-l", self.log.name, "-o", words)
            if run.returncode != 0:
                late = f"is not ready after {START_SECONDS} seconds" if "in time" in run.stdout else ""
                what = f"The database {late or 'does not start'}"
                said = self.log.read_bytes()[seen:] if self.log.exists() else run.stdout.encode()
                raise explained(what, said.decode("utf-8", "replace"))
        except BaseException:
            self._control(server, "stop")  # whatever may have started of it
            raise

    def _control(self, server: Server, act: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pg_ctl until it is done; its paths are relative to the home, for it hands them to a shell."""
        wait = ["-w", "-t", str(START_SECONDS)]
        return server.run(self.home, "pg_ctl", act, "-D", self.data.name, *wait, *arguments)

    def _socket_folder(self) -> Path:
        """Make an empty private folder for the socket: in the home, unless its path is too long there."""
        folder = self.home / "socket"
        if len(os.fsencode(_socket_in(folder))) <= LONGEST_SOCKET:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        else:
            folder = Path(tempfile.mkdtemp(prefix="gridgov-", dir="/tmp"))
        give(folder, self.home.stat().st_uid)
        return folder

    def _is_used(self) -> bool:
        """Whether any process of a server works in the data folder: starting, stopping, or left behind."""
        return any(_works_in(process) == self.data for process in PROCESSES.glob("[0-9]*"))

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()[-5:] if self.log.exists() else []
        return "\n".join([f"The last lines of {self.log}:", *lines])


def _turn(data_dir: Path) -> AbstractContextManager[int]:
    """Wait for the turn to make, start or stop a data folder's cluster."""
    return locked(data_dir / "postgres.lock", fcntl.LOCK_EX)


def _ensure_database(folder: Path) -> None:
    """Create the database unless it is there, and see that it takes Chinese for letters."""
    try:
        with psycopg.connect(
            host=str(folder), port=PORT, user=NAME, dbname="postgres", autocommit=True
        ) as connection:
            asked = "SELECT datctype FROM pg_database WHERE datname = %s"
            if not connection.execute(asked, [NAME]).fetchone():
                kind = f"TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE '{CTYPE}'"
                connection.execute(f"CREATE DATABASE {NAME} {kind}")
            row = connection.execute(asked, [NAME]).fetchone()
    except psycopg.Error as error:
        raise ClusterError(f"The database does not answer: {error}", "Its log may say why.") from error
    if row is None or row[0].lower().replace("-", "") != "c.utf8":
        raise ClusterError(
            f"The database {NAME} has the character type {row and row[0]}, without Chinese letters.",
            f"It must be {CTYPE}: set GRIDGOV_DATA_DIR to a new folder.",
        )


def _works_in(process: Path) -> Path | None:
    """Folder that a process works in; None when it has ended, or is another user's."""
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


def _socket_in(folder: Path) -> str:
    return str(folder / f".s.PGSQL.{PORT}")


def _answers(folder: Path) -> bool:
    """Whether a server listens on the socket in a folder, whatever process or container it is in."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(_socket_in(folder))
        except OSError:
            return False
    return True


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ClusterError(
            f"The disk of {folder} is full: {free // 1_000_000} MB free, {needed // 1_000_000} MB needed.",
            "Free some space, or set GRIDGOV_DATA_DIR to a folder on another disk.",
        )
