from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from data import cluster, migrate
from data.session import Store
from tests.bench.kills.harness import run
from tests.conftest import FAST
from tests.governed import governed


def test_a_killed_act_leaves_all_as_it_was_or_all_done(fresh_database):
    with fresh_database() as url:
        tallies = run(url, 8, seed=2)
    assert [fault for tally in tallies.values() for fault in tally.torn] == []
    assert sum(tally.old + tally.new for tally in tallies.values()) == 8


@contextmanager
def small_disk(folder: Path):
    """Mount a disk of 400 MB; the test is skipped where nobody may."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount disks, where it may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte, and return the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def test_a_publication_on_a_full_disk_leaves_the_plan_in_force(short_folder):
    with small_disk(short_folder / "disk") as disk, cluster.running(disk, settings=FAST) as url:
        migrate.upgrade(url)
        place = governed(Store(url), "990001", communities=1)
        number = place.brought("approved")
        before = place.digest()
        filler = fill(disk)
        with pytest.raises(OperationalError, match="No space left on device"):
            place.publish(number)
        assert place.in_force() == 1
        filler.unlink()
        assert place.digest() == before
        assert place.publish(number).in_force
        place.store.close()
