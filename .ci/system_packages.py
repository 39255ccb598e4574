"""Install the system packages that setup needs and this machine lacks; change nothing else.

Run by the Makefile before anything is made: ``python3 .ci/system_packages.py test-unit|demo|test``.
Standard library only, and readable by an old Python 3, which is then told that it is too old.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# Debian's server packages create and start a cluster of their own, unless this file is there meanwhile.
NO_CLUSTER_FOLDER = "/etc/postgresql-common/createcluster.d"
NO_CLUSTER = f"{NO_CLUSTER_FOLDER}/gridgov.conf"


@dataclass(frozen=True)
class Need:
    """Something that must be on the machine, and the packages that bring it to Debian or Ubuntu."""

    name: str
    why: str
    present: Callable[[], bool]
    packages: Callable[[], list[str]]


def has_venv() -> bool:
    """Whether this Python can make virtual environments with pip, or has made ours already."""
    made = (VENV / "bin/python").exists() and (VENV / "bin/pip").exists()
    return made or _runs(sys.executable, "-c", "import ensurepip, venv")


def venv_packages() -> list[str]:
    """Debian's package of the venv module for this Python."""
    return ["python{}.{}-venv".format(*sys.version_info[:2])]


def has_postgis() -> bool:
    """Whether `data.cluster` will find a server that it can use."""
    sys.path.insert(0, str(ROOT))
    sys.dont_write_bytecode = True
    from data.postgres import find_server
    from geo.errors import ClusterError

    try:
        find_server()
    except ClusterError:
        return False
    return True


def has_database() -> bool:
    """Whether the demo has a PostGIS to use: one that was named, or one that can be started."""
    return bool(os.environ.get("GRIDGOV_DATABASE_URL")) or has_postgis()


def postgis_packages() -> list[str]:
    """PostGIS for the newest installed server that has a package of it; else with apt's choice of server."""
    from data.postgres import OLDEST_POSTGRES, installed_servers

    majors = sorted(
        {server.major for server in installed_servers() if server.major >= OLDEST_POSTGRES}, reverse=True
    )
    for name in [f"postgresql-{major}-postgis-3" for major in majors]:
        if _candidate(name):
            return [name]
    depends = _output("apt-cache", "depends", "postgresql").split()
    server = next((word for word in depends if word.startswith("postgresql-") and word[11:].isdigit()), None)
    return [server, server + "-postgis-3"] if server else ["postgresql", "postgresql-postgis"]


def has_browser() -> bool:
    """Whether a Chromium is on the PATH."""
    return any(map(shutil.which, BROWSERS))


def browser_packages() -> list[str]:
    """Debian's Chromium; Ubuntu has it under another name."""
    names = [name for name in ("chromium", "chromium-browser") if _candidate(name)]
    return names[:1] or ["chromium"]


def has_chinese_font() -> bool:
    """Whether Chinese text can be drawn."""
    return bool(_output("fc-list", ":lang=zh", "family"))


POSTGIS = "PostgreSQL 14 or newer with PostGIS 3.1 or newer"
VENV_MODULE = Need("Python's venv module", "to keep every library in this folder", has_venv, venv_packages)
STORE = Need(POSTGIS, "to keep a private database in your data folder", has_database, postgis_packages)
TEST_STORE = Need(POSTGIS, "to test on a real database of the tests' own", has_postgis, postgis_packages)
BROWSER = Need("Chromium", "to test the pages in a real browser", has_browser, browser_packages)
FONT = Need(
    "a font with Chinese characters", "to show the pages", has_chinese_font, lambda: ["fonts-noto-cjk"]
)

NEEDS = {
    "test-unit": [VENV_MODULE],
    "demo": [VENV_MODULE, STORE],
    "test": [VENV_MODULE, TEST_STORE, BROWSER, FONT],
}


def install_command(packages: list[str]) -> str:
    """One line of shell that installs packages, and no PostgreSQL cluster with them."""
    install = "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends " + " ".join(
        packages
    )
    if not any(name.startswith("postgresql") for name in packages):
        return install
    return (
        f'trap "rm -f {NO_CLUSTER}; rmdir --ignore-fail-on-non-empty {NO_CLUSTER_FOLDER}" EXIT INT TERM;'
        f" mkdir -p {NO_CLUSTER_FOLDER} && echo create_main_cluster = off >{NO_CLUSTER} && {install}"
    )


def main(purpose: str) -> str | None:
    """Install what is missing for a purpose; returns what to tell the reader when it cannot."""
    missing = [need for need in NEEDS[purpose] if not need.present()]
    if not missing:
        return None
    _say(f"make {purpose} needs these, and this machine has none that will do:")
    for need in missing:
        _say(f"  - {need.name}, {need.why}")
    if not shutil.which("apt-get"):
        return "Nothing was changed. Install them with this system's package manager, then run make again."
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and not _runs(*as_root, "true"):
        line = install_command([name for need in missing for name in need.packages()])
        return (
            "Nothing was changed. An administrator can install them, with this line:\n\n"
            f"  sudo sh -c 'apt-get update -qq; {line}'\n"
        )
    _say("Asking apt for its lists of packages ...")
    subprocess.run([*as_root, "apt-get", "update", "-qq"], check=False)
    packages = [name for need in missing for name in need.packages()]
    _say("Installing with apt-get: {} (a minute or two) ...".format(" ".join(packages)))
    command = [*as_root, "sh", "-c", install_command(packages)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    still = [need.name for need in missing if not need.present()]
    return f"{ran.stdout}\nStill missing after apt-get: {', '.join(still)}." if still else None


def _candidate(package: str) -> bool:
    """Whether apt knows a version of a package that it could install."""
    policy = _output("apt-cache", "policy", package)
    return "Candidate:" in policy and "Candidate: (none)" not in policy


def _output(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _runs(*command: str) -> bool:
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        found = "{} is {}.{}".format(sys.executable, *sys.version_info[:2])
        sys.exit(f"Python 3.11 or newer is needed; {found}. Name another: make PYTHON=/path/to/python3 ...")
    sys.exit(main(sys.argv[1]))
