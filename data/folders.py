"""Private folders: made for the user who is to own them, and locked between processes."""

from __future__ import annotations

import fcntl
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from geo.errors import ClusterError

# Where root keeps what another user must reach, when the folder that was named lets nobody in.
ELSEWHERE = Path("/var/lib/gridgov")


class User(TypedDict, total=False):
    """Arguments of `subprocess.run` that make the program run as another user."""

    user: int
    group: int
    extra_groups: list[int]


def as_user(uid: int) -> User:
    """Say how root becomes another user; nobody else needs to, or could."""
    if os.geteuid() != 0:
        return {}
    try:
        group = pwd.getpwuid(uid).pw_gid
    except KeyError as error:
        raise ClusterError(
            f"A folder belongs to user {uid}, who has no name on this machine.",
            "Give it to a user of this machine, or set GRIDGOV_DATA_DIR to another folder.",
        ) from error
    return {"user": uid, "group": group, "extra_groups": []}


def user_name(uid: int) -> str:
    """Name a user, by number where there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def give(path: Path | int, owner: int) -> None:
    """Make a user the owner of what root has just made; others own what they make."""
    if os.geteuid() == 0:
        os.chown(path, owner, -1)


def make_private(folder: Path) -> None:
    """Make a folder for one user alone.

    That is oneself, or, when root, the owner of the folder it is in, or ``postgres`` when that is root.
    When that user cannot get there (root's home is closed to others), the folder is a link to one
    in `ELSEWHERE`.
    """
    folder.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return
    owner = folder.parent.stat().st_uid or _server_user()
    give(folder, owner)
    enter = subprocess.run(
        ["/bin/sh", "-c", 'cd "$0"', str(folder)],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
        **as_user(owner),
    )
    if enter.returncode != 0:
        ELSEWHERE.mkdir(exist_ok=True)
        ELSEWHERE.chmod(0o755)
        place = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=ELSEWHERE))
        give(place, owner)
        folder.rmdir()
        folder.symlink_to(place)


@contextmanager
def locked(path: Path, kind: int) -> Iterator[int]:
    """Hold a lock file; waits for it, and the kernel frees it when the process dies.

    Parameters
    ----------
    path : Path
        The file; made when missing, for the owner of its folder. The folder is made too.
    kind : int
        ``fcntl.LOCK_SH`` or ``fcntl.LOCK_EX``.

    Yields
    ------
    int
        The file's descriptor, for `is_alone`.

    Raises
    ------
    ClusterError
        When the folder or the file cannot be made or opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise unusable(path.parent, error) from error
    try:
        give(descriptor, path.parent.stat().st_uid)
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def is_alone(descriptor: int) -> bool:
    """Tell whether nobody else holds the lock file that we hold; the lock is exclusive then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unusable(folder: Path, error: OSError) -> ClusterError:
    """Make the error for a folder that cannot be made, read or written."""
    return ClusterError(
        f"The data folder {folder} cannot be used: {error.strerror}.",
        "Set GRIDGOV_DATA_DIR to a folder that you can write to.",
    )


def _server_user() -> int:
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError as error:
        raise ClusterError(
            "PostgreSQL refuses to run as root, and this machine has no user postgres to run it as.",
            "Run this as an ordinary user, or make that user.",
        ) from error
