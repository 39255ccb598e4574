"""The wheel holds everything the program needs, and the program runs from it anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import geo

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "geo", "etl", "maps", "data")
BUILT = shutil.ignore_patterns("__pycache__", "*.pyc")


def run(*words: str | Path, cwd: Path) -> str:
    quiet = {"PYTHONWARNINGS": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ran = subprocess.run(words, cwd=cwd, env=kept | quiet, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of a copy of the source, for building leaves its traces in the folder."""
    copy = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=BUILT)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        *offline,
        "--wheel-dir",
        copy / "dist",
        copy,
        cwd=copy,
    )
    (built,) = (copy / "dist").glob("gridgov-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """Programs of an empty environment in which the wheel was installed; it borrows this one's libraries."""
    made = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", made, cwd=made)
    pip = [sys.executable, "-m", "pip", "--python", made / "bin/python"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=made)
    (site,) = made.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made / "bin"


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel):
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == there


def test_the_wheel_cannot_be_uploaded_by_mistake(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert "Classifier: Private :: Do Not Upload" in archive.read(metadata).decode()


def test_the_installed_program_runs_from_another_folder(environment, tmp_path):
    assert geo.__version__ in run(environment / "gridgov", "--version", cwd=tmp_path)
    assert "demo" in run(environment / "gridgov", "--help", cwd=tmp_path)


def test_the_installed_program_brings_its_migrations_and_pages(environment, tmp_path):
    look = (
        "import data.migrate as m, maps; from alembic.script import ScriptDirectory; from pathlib import Path;"
        "print(ScriptDirectory.from_config(m.config()).get_current_head());"
        "print(m.__file__); print(len(list(Path(maps.__file__).parent.rglob('*.css'))))"
    )
    head, where, styles = run(environment / "python", "-c", look, cwd=tmp_path).split()
    assert head != "None"
    assert Path(where).is_relative_to(environment.parent)
    assert int(styles) > 0
