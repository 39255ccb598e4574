"""998 messy queries of the made-up ledger, scored over HTTP by ``tests/data/address/eval.py``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.district import LEDGER
from tests.bench.measure import Row
from tests.bench.server import HOST, serving

NAMES = {
    "grid_id": "grid.external_code",
    "building_id": "building.external_code",
    "alt.grid_id": "grid.external_code",
    "alt.building_id": "building.external_code",
}
"""What the scorer's words are called in an answer."""


def bench(url: str) -> list[Row]:
    """Score the answers."""
    with tempfile.TemporaryDirectory() as folder, serving(url) as (port, _):
        names, score = Path(folder) / "names.json", Path(folder) / "score.json"
        names.write_text(json.dumps(NAMES), "utf-8")
        command = [
            sys.executable,
            LEDGER.parent / "eval.py",
            "--book",
            LEDGER,
            "--map",
            names,
            "--json",
            score,
        ]
        subprocess.run([*command, "--url", f"http://{HOST}:{port}"], check=True, stdout=subprocess.DEVNULL)
        scored = json.loads(score.read_text("utf-8"))
    everything, unknown = scored["ALL"], scored["nonexistent"]
    return [
        Row("address", "answered rightly", everything["ok"] / 100, f"{everything['n']} queries"),
        Row("address", "confidently wrong", everything["wrong"] / 100),
        Row(
            "address",
            "accepted although there is no such place",
            unknown["wrong"] / 100,
            f"{unknown['n']} queries",
        ),
    ]
