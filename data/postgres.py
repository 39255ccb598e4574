"""Which PostgreSQL server programs this machine has.

Kept apart from `data.cluster`, and on the standard library alone, because the setup asks the same
question before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.folders import as_user
from geo.errors import ClusterError

OLDEST_POSTGRES = 14
OLDEST_POSTGIS = (3, 1)

# Where packages put server programs that are not on the PATH; a pattern may match several versions.
PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat and SUSE
    "/usr/local/pgsql/bin",  # built by hand
    "/opt/homebrew/opt/postgresql*/bin",  # Homebrew, Apple silicon
    "/usr/local/opt/postgresql*/bin",  # Homebrew, Intel
    "/opt/local/lib/postgresql*/bin",  # MacPorts
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)

# What the programs' own words mean; the first that fits counts.
KNOWN_FAULTS = (
    (
        r"could not (?:create|resize) shared memory|could not create semaphores",
        "The system has no shared memory left for PostgreSQL.",
        "End other programs, or give this machine or container more of it.",
    ),
    (r"No space left on device", "The disk is full.", "Free some space and start again: nothing is lost."),
    (
        r"lock file .* already exists",
        "PostgreSQL believes that another one runs in its folder.",
        "When none does, delete postmaster.pid in the data folder and start again.",
    ),
    (
        r"Permission denied",
        "PostgreSQL may not use its folder.",
        "Give it back to its owner, or name another.",
    ),
    (
        r"invalid locale name|locale.*not (?:found|supported)",
        "This system lacks the locale C.UTF-8.",
        "Install it (Debian and Ubuntu have it always), or set GRIDGOV_DATABASE_URL to a database.",
    ),
    (
        r"invalid (?:primary )?checkpoint|could not locate a valid checkpoint|checksum",
        "The database's files are damaged.",
        "Restore the data folder from a backup, or set GRIDGOV_DATA_DIR to a new one.",
    ),
)

INSTALL = (
    "Install PostgreSQL with PostGIS (`make setup` says how), or set GRIDGOV_DATABASE_URL to a database."
)


@dataclass(frozen=True, order=True)
class Server:
    """The programs of one installed PostgreSQL server.

    Attributes
    ----------
    major : int
        Major version, such as 15.
    bindir : Path
        Folder with ``initdb``, ``pg_ctl`` and ``postgres``.
    postgis : tuple of int
        Version of the PostGIS extension at hand; empty without one.
    """

    major: int
    bindir: Path
    postgis: tuple[int, ...]

    @property
    def usable(self) -> bool:
        """Whether both versions are new enough for this project."""
        return self.major >= OLDEST_POSTGRES and self.postgis >= OLDEST_POSTGIS

    def run(self, home: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs in a folder, as the folder's owner, out of Ctrl-C's reach."""
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return subprocess.run(
            [self.bindir / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=home,
            env={**ours, "LC_ALL": "C"},
            start_new_session=True,
            **as_user(home.stat().st_uid),
        )


def find_server(major: int | None = None) -> Server:
    """Choose the newest server with PostGIS on this machine.

    Parameters
    ----------
    major : int, optional
        The only major version that will do: that of an existing data folder.

    Raises
    ------
    ClusterError
        When there is none; says which part is missing.
    """
    servers = sorted(installed_servers())
    usable = [server for server in servers if server.usable and major in (None, server.major)]
    if usable:
        return usable[-1]
    if not servers:
        raise ClusterError("No PostgreSQL server programs were found on this machine.", INSTALL)
    if major is not None:
        found = ", ".join(str(server.major) for server in servers)
        raise ClusterError(
            f"The data was made by PostgreSQL {major}, and this machine has no such server with PostGIS"
            f" (found: {found}).",
            f"Install PostgreSQL {major} with its PostGIS (Debian and Ubuntu: postgresql-{major}-postgis-3),"
            " or set GRIDGOV_DATA_DIR to another folder to start afresh.",
        )
    newest = servers[-1]
    if newest.major < OLDEST_POSTGRES:
        raise ClusterError(
            f"PostgreSQL {newest.major} in {newest.bindir} is too old: {OLDEST_POSTGRES} or newer is needed.",
            INSTALL,
        )
    raise ClusterError(
        f"PostgreSQL {newest.major} in {newest.bindir} has no PostGIS"
        f" {'.'.join(map(str, OLDEST_POSTGIS))} or newer.",
        f"Install it (Debian and Ubuntu: postgresql-{newest.major}-postgis-3), or set GRIDGOV_DATABASE_URL"
        " to a database that has it.",
    )


def explained(what: str, said: str) -> ClusterError:
    """Make the error for what a program of the server said, in plain words where they are known."""
    for pattern, fault, remedy in KNOWN_FAULTS:
        if re.search(pattern, said, re.IGNORECASE):
            return ClusterError(f"{what}: {fault}", remedy)
    return ClusterError(f"{what}. PostgreSQL says:", "\n" + "\n".join(said.strip().splitlines()[-8:]))


def installed_servers() -> Iterator[Server]:
    """Every server whose programs are on this machine, in no order."""
    for bindir in {path.resolve() for path in _folders()}:
        if all(os.access(bindir / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres")):
            version = re.search(r"\) (\d+)", output(bindir / "postgres", "--version"))
            if version:
                yield Server(int(version[1]), bindir, _postgis(bindir))


def _folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    config = shutil.which("pg_config")
    if config:
        yield Path(output(config, "--bindir"))
    for place in PLACES:
        yield from Path("/").glob(place.lstrip("/"))


def _postgis(bindir: Path) -> tuple[int, ...]:
    """Version that the extension's control file names; empty without one."""
    shared = [bindir.parent / "share", bindir.parent / "share/postgresql"]
    if os.access(bindir / "pg_config", os.X_OK):
        shared = [Path(output(bindir / "pg_config", "--sharedir"))]
    for folder in shared:
        control = folder / "extension/postgis.control"
        if control.is_file():
            version = re.search(r"default_version\s*=\s*'(\d+(?:\.\d+)*)", control.read_text("utf-8"))
            return tuple(map(int, version[1].split("."))) if version else ()
    return ()


def output(program: str | Path, *arguments: str) -> str:
    """Return what a program prints; empty when it fails, as a wrapper script without its server does."""
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else ""
