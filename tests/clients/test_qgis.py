"""QGIS reads the layers as its users have it do, without a window."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import town
from tests.clients.conftest import GRIDS, Site

PYTHON = "/usr/bin/python3"
"""QGIS of Debian is a library of the system's Python."""
SCRIPT = Path(__file__).with_name("qgis_reads.py")


def installed() -> bool:
    try:
        return not subprocess.run(
            [PYTHON, "-c", "import qgis.core"], capture_output=True, check=False
        ).returncode
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not installed(), reason="QGIS is not installed: apt-get install python3-qgis")


def test_a_layer_opens_with_all_its_grids_a_box_and_chinese_names(site: Site, tmp_path: Path):
    target = tmp_path / "found.json"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    subprocess.run([PYTHON, SCRIPT, site.ogc, "grids", target], check=True, env=environment, timeout=120)
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["valid"], found["error"]
    assert len(found["codes"]) == len(set(found["codes"])) == GRIDS
    assert found["in_box"] == [town.grid_code(1)]
    assert {"households", "valid_from"} <= set(found["fields"])
    assert found["communities"] == ["安居社区", "富民社区"]
