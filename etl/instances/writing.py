"""A plan as a plain file."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

from etl.instances.reading import Instance
from etl.instances.tables import FILES
from geo.balance.problem import Ints
from geo.errors import InputError


def write(target: Path, instance: Instance, assignment: Ints) -> None:
    """Write a plan as CSV ``uid,district``, one row a unit in the instance's order.

    It is written beside its place first and is there whole or not at all; what stood there before is replaced.

    Parameters
    ----------
    assignment : ndarray of int, shape (n,)
        Label of each cell's grid.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    target = target.resolve()  # a link keeps leading to its file
    aside = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    replaces = target.is_file()
    place = aside if replaces or not target.exists() else target  # nothing takes the place of a device
    try:
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("uid", "district"))
            writer.writerows(zip(instance.uids.tolist(), assignment.tolist(), strict=True))
        if replaces:
            shutil.copymode(target, aside)
        if place is aside:
            aside.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", "Choose another file.") from error
    finally:
        aside.unlink(missing_ok=True)


def check_target(target: Path, folder: Path) -> None:
    """Look whether a plan can be written, before long work is done for it.

    Raises
    ------
    InputError
        If the file is a folder or a part of the instance, or its folder is missing or cannot be written.
    """
    if target.is_dir():
        raise InputError(f"{target} is a folder.", "Name the file to write.")
    if target.resolve() in [(folder / name).resolve() for name in FILES]:
        raise InputError(f"{target} is a part of the instance.", "Choose another file.")
    home = target.resolve().parent
    if not home.is_dir():
        raise InputError(f"{home} is no folder.", "Make it, or choose another file.")
    if not os.access(target if target.exists() and not target.is_file() else home, os.W_OK):
        raise InputError(f"{target} cannot be written.", "Choose another file.")
