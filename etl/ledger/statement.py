"""What is said about a ledger beside its files: coordinate systems, headers, source and licence."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.ledger.spec import LEDGER
from geo.crs import normalise
from geo.errors import CoordinateError, InputError

FILE = "ledger.toml"
_ALIKE = frozenset({"EPSG:4326", "EPSG:4490"})  # taken as equal, see geo.crs


@dataclass
class Statement:
    """What a person states about a folder of ledger files.

    Attributes
    ----------
    crs : str
        Coordinate system of every file that declares none; empty when not stated.
    crs_of : dict of str to str
        By file name; goes before what the file declares.
    headers : dict of str to dict of str to str
        By noun and column, the header it has in the files.
    """

    crs: str = ""
    crs_of: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None
    made_up: bool = False

    def crs_for(self, file: str, declared: str) -> str:
        """Return the coordinate system of a file.

        Raises
        ------
        CoordinateError
            If it is stated nowhere, or twice and differently.
        """
        name = file.split("#")[0]
        if name in self.crs_of:
            return normalise(self.crs_of[name])
        if not (self.crs or declared):
            raise CoordinateError(
                f"{file} does not say which coordinate system its positions are in.",
                f"Say so with --crs (wgs84, cgcs2000, gcj02, bd09, EPSG:4548 ...) or in {FILE}.",
            )
        if not declared:
            return normalise(self.crs)
        if self.crs and not _same(normalise(self.crs), normalise(declared)):
            raise CoordinateError(
                f"{file} declares {declared}, but {self.crs} was stated for the whole ledger.",
                f'State the system of this one file in {FILE}: [crs] and below it "{name}" = "...".',
            )
        return normalise(declared)


def _same(one: str, other: str) -> bool:
    return one == other or {one, other} <= _ALIKE


def stated(folder: Path, crs: str | None, mapping: Path | None) -> Statement:
    """Read ``ledger.toml`` of a folder, if there is one, and put options over it.

    Parameters
    ----------
    folder : Path
        The ledger's folder.
    crs : str, optional
        Goes before the ``crs`` of ``ledger.toml``.
    mapping : Path, optional
        TOML or JSON: noun → {column: header}; goes before ``[mapping]`` of ``ledger.toml``.

    Raises
    ------
    InputError
        If a file cannot be read or names what does not exist.
    """
    path = folder / FILE
    said = _load(path) if path.exists() else {}
    unknown = set(said) - {"crs", "mapping", "source", "licence", "attribution", "made_up"}
    if unknown:
        raise InputError(f"{FILE} has unknown keys: {', '.join(sorted(unknown))}.", "See docs/ledger.md.")
    systems = said.get("crs", "")
    headers = _headers(said.get("mapping", {}), FILE)
    if mapping is not None:
        headers |= _headers(_load(mapping), mapping.name)
    whole = systems if isinstance(systems, str) else ""
    by_file = {} if isinstance(systems, str) else _texts(systems, FILE)
    texts = _texts({key: said[key] for key in ("source", "licence", "attribution") if key in said}, FILE)
    made_up = said.get("made_up", False) is True
    statement = Statement(crs or whole, by_file, headers, made_up=made_up, **texts)
    for system in (statement.crs, *by_file.values()):
        if system:
            normalise(system)
    return statement


def _load(path: Path) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8-sig")
        read = json.loads(content) if path.suffix.lower() == ".json" else tomllib.loads(content)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error
    except ValueError as error:
        raise InputError(
            f"{path.name} cannot be read: {error}.", "It must be TOML or JSON in UTF-8."
        ) from error
    if not isinstance(read, dict):
        raise InputError(f"{path.name} is no table of names and values.", "See docs/ledger.md.")
    return read


def _headers(mapping: Any, file: str) -> dict[str, dict[str, str]]:
    headers = {}
    for title, columns in _table(mapping, file).items():
        noun = next((noun for noun in LEDGER.values() if title in (noun.name, noun.zh)), None)
        if noun is None:
            raise InputError(f"{file} maps '{title}', which is no noun.", f"Nouns: {', '.join(LEDGER)}.")
        known = [column.name for column in noun.all_columns]
        unknown = [column for column in _table(columns, file) if column not in known]
        if unknown:
            raise InputError(
                f"{file} maps '{unknown[0]}', which is no column of {noun.name}.",
                f"Columns: {', '.join(known)}.",
            )
        headers[noun.name] = _texts(columns, file)
    return headers


def _table(value: Any, file: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{file} has a value where a table belongs.", "See docs/ledger.md.")
    return value


def _texts(value: Any, file: str) -> dict[str, str]:
    for name, text in _table(value, file).items():
        if not isinstance(text, str):
            raise InputError(f"{file}: '{name}' must be a text in quotes.", "See docs/ledger.md.")
    return dict(value)
