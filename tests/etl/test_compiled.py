"""Machine code of the balancer is kept between processes, and a folder that cannot be written stops nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from etl import compiled

ROOT = Path(__file__).parents[2]
DICE = """
import sys
from pathlib import Path
import numpy as np
from etl.compiled import keep_kernels
from geo.balance import kernels
folder = keep_kernels(Path(sys.argv[1]))
kernels.chance(np.ones(1, np.uint64))
print(folder, sum(kernels.chance.stats.cache_hits.values()), sum(kernels.chance.stats.cache_misses.values()))
"""


def in_a_process(caches: Path) -> tuple[Path, int, int]:
    done = subprocess.run(
        [sys.executable, "-c", DICE, str(caches)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    folder, read, made = done.stdout.split()
    return Path(folder), int(read), int(made)


def test_code_is_compiled_once_and_read_by_the_next_process(tmp_path):
    first, read, made = in_a_process(tmp_path)
    assert (read, made) == (0, 1)
    assert first.parent == tmp_path
    second, read, made = in_a_process(tmp_path)
    assert (second, read, made) == (first, 1, 0)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.geo.balance, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "kernels.py").write_text("one")
    return tmp_path


def test_other_sources_have_another_folder(sources):
    one = compiled._digest()
    assert compiled._digest() == one
    (sources / "kernels.py").write_text("two")
    assert compiled._digest() != one


def test_a_folder_that_cannot_be_written_is_told_and_stops_nobody(tmp_path, caplog):
    (tmp_path / "taken").write_text("a file where the folder should be")
    assert compiled.keep_kernels(tmp_path / "taken") is None
    assert "cannot be written" in caplog.text
