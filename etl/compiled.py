"""Have what balances compiled, and keep it from one process to the next."""

from __future__ import annotations

import hashlib
import logging
import platform
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

import geo.balance
from geo.progress import Progress, silent

log = logging.getLogger("gridgov.compiled")


@cache
def keep_kernels(caches: Path | None = None) -> Path | None:
    """Read the balancer's machine code from the user's cache folder, and write there what is compiled anew.

    Compiling takes most of a minute, reading well under a second. To be called before the first search of a
    process; later calls change nothing. The folder is named after all that the code is made from, so that code
    of another version is never read.

    Parameters
    ----------
    caches : Path, optional
        Folder for caches instead of the user's own.

    Returns
    -------
    Path or None
        The folder; None where none can be written, so that each process compiles for itself.
    """
    folder = (caches or user_cache_path("gridgov")) / f"kernels-{_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        log.warning(
            "%s cannot be written (%s): the balancer is compiled in every process", folder, error.strerror
        )
        return None
    geo.balance.keep_compiled(str(folder))
    return folder


def ready_kernels(progress: Progress = silent) -> None:
    """Have everything compiled before a search begins, by a tiny one; told as stage ``compile``."""
    progress("compile", 0.0)
    _compile_once()
    progress("compile", 1.0)


@cache
def _compile_once() -> None:
    keep_kernels()
    ones, row = np.ones(4, np.int64), np.arange(4)
    geo.balance.balance(
        geo.balance.Problem(
            households=ones,
            xy=np.c_[row, row].astype(np.float64),
            area=ones.astype(np.float64),
            perimeter=np.full(4, 4.0),
            community=0 * ones,
            compound=0 * ones,
            current=row // 3,
            edges=np.c_[row[:-1], row[1:]],
            shared_m=np.ones(3),
            open=np.ones(3, np.bool_),
            target=2,
            grids=2,
        )
    )


def _digest() -> str:
    """Name what the machine code is made from: the sources, the compiler and Python."""
    made_from = hashlib.sha256(
        " ".join([version("numba"), version("numpy"), platform.python_version()]).encode()
    )
    for source in sorted(Path(geo.balance.__file__).parent.glob("*.py")):
        made_from.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return made_from.hexdigest()[:16]
