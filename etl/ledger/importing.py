"""Import a ledger: from a folder of files, or from tables already in memory, in one transaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from data import districts, imports, register, versions
from data.districts import District
from data.session import Store
from etl.actor import Actor
from etl.ledger import boundaries, codes, load, places, positions, reading, statement, stored, values
from etl.ledger.batch import Batch
from etl.ledger.report import Count, ImportReport, RefusedImportError
from geo.crs import metric_srid
from geo.errors import InputError
from geo.progress import Progress, silent

DERIVED_RADIUS_M = 100.0

Kind = Literal["ledger", "osm"]
HouseholdsSource = Literal["ledger", "estimated", "made_up"]

_LAYERS = {
    "towns": {"communities", "locate"},
    "communities": {"communities", "locate"},
    "compounds": {"compounds", "locate"},
    "buildings": {"buildings", "communities", "locate"},
    "workers": {"locate"},
    "duties": {"locate"},
    "sites": {"sites", "locate"},
    "facilities": {"facilities"},
    "rider_communities": {"rider_communities"},
    "rider_points": {"rider_points"},
    "streets": {"streets"},
    "barriers": {"barriers"},
    "cases": {"cases"},
}
"""Whose data version a changed noun raises."""


@dataclass(frozen=True)
class Source:
    """Where a batch comes from, and how it is to be taken.

    Attributes
    ----------
    source : str
        Name of the folder or file, without its path.
    digest : str
        SHA-256 of what was read.
    """

    name: str | None
    kind: Kind
    source: str
    digest: str
    attribution: str | None = None
    licence: str | None = None
    households_source: HouseholdsSource = "ledger"
    made_up: bool = False
    skip_refused: bool = False
    dry_run: bool = False
    derived_radius_m: float = DERIVED_RADIUS_M


def import_ledger(
    store: Store,
    actor: Actor,
    district: str,
    folder: Path,
    *,
    name: str | None = None,
    crs: str | None = None,
    mapping: Path | None = None,
    skip_refused: bool = False,
    dry_run: bool = False,
    derived_radius_m: float = DERIVED_RADIUS_M,
    progress: Progress = silent,
) -> ImportReport:
    """Import a folder of ledger files.

    Parameters
    ----------
    district : str
        Its code, 6 digits.
    folder : Path
        Files named after nouns, see docs/ledger.md.
    name : str, optional
        Name of the district; needed when it is not stored yet.
    crs : str, optional
        Coordinate system of the files that declare none.
    mapping : Path, optional
        TOML or JSON file: noun → {column: header}.
    skip_refused : bool
        Load the good rows of a batch that has refused ones.
    dry_run : bool
        Do everything, report, and change nothing.
    derived_radius_m : float
        How far a community without a stated boundary reaches around its buildings, metres.

    Raises
    ------
    RefusedImportError
        If rows were refused and ``skip_refused`` was not set: nothing is changed. Carries the report.
    InputError
        If a file cannot be read, or the district, a coordinate system or a column is not stated.
    """
    progress("read", 0.0)
    said = statement.stated(folder, crs, mapping)
    batch, paths = reading.read_folder(folder, said)
    progress("read", 1.0)
    source = Source(
        name,
        "ledger",
        said.source or folder.resolve().name,
        _digest(paths, f"{said}"),
        said.attribution,
        said.licence,
        made_up=said.made_up,
        households_source="made_up" if said.made_up else "ledger",
        skip_refused=skip_refused,
        dry_run=dry_run,
        derived_radius_m=derived_radius_m,
    )
    return _import(store, actor, district, batch, source, progress)


def import_tables(
    store: Store,
    actor: Actor,
    district: str,
    tables: Mapping[str, gpd.GeoDataFrame | pd.DataFrame],
    *,
    name: str | None,
    kind: Kind,
    source: str,
    digest: str,
    attribution: str | None = None,
    licence: str | None = None,
    households_source: HouseholdsSource = "ledger",
    made_up: bool = False,
    skip_refused: bool = False,
    dry_run: bool = False,
    derived_radius_m: float = DERIVED_RADIUS_M,
    progress: Progress = silent,
) -> ImportReport:
    """Import tables by noun, with the ledger's columns and a ``geometry`` in EPSG:4326.

    Checks, report and errors are those of `import_ledger`; ``digest`` is the SHA-256 of the source.
    """
    batch = reading.from_frames(tables, source)
    taken = Source(
        name,
        kind,
        source,
        digest,
        attribution,
        licence,
        households_source,
        made_up,
        skip_refused,
        dry_run,
        derived_radius_m,
    )
    return _import(store, actor, district, batch, taken, progress)


def _digest(paths: list[Path], said: str) -> str:
    """Return the SHA-256 of files, their names, and what was stated about them."""
    digest = hashlib.sha256(said.encode())
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _import(
    store: Store, actor: Actor, district: str, batch: Batch, source: Source, progress: Progress
) -> ImportReport:
    if not re.fullmatch("[0-9]{6}", district):
        raise InputError(f"'{district}' is no code of a district.", "Give its 6 digits, such as 340504.")
    report = ImportReport(district, source.source, source.digest, source.dry_run)
    progress("check", 0.0)
    values.parse(batch)
    positions.check_shapes(batch)
    with store.begin(district) as connection, connection.begin_nested() as attempt:
        districts.queue(connection, district)
        known = stored.load(connection, district)
        tenant = _check(connection, district, batch, known, source)
        _count(report, batch)
        progress("check", 1.0)
        if report.refusals and not source.skip_refused:
            raise RefusedImportError(*_refusal(report), report)
        _load(connection, actor, tenant, batch, known, source, report, progress)
        if source.dry_run or report.nothing_to_do:
            attempt.rollback()
    return report


def _check(
    connection: Connection, district: str, batch: Batch, known: stored.Stored, source: Source
) -> District:
    """Run the checks that need the store, adding the district if it is new."""
    around = places.middle(batch, known)
    tenant = districts.find(connection, district) or _add_district(connection, district, source, around)
    if around:
        places.check_far(batch, around)
    codes.check_codes(batch, known, district)
    codes.check_references(batch, known)
    stated = places.stated_boundaries(batch, known)
    places.assign_communities(batch, stated, known.compounds)
    places.check_inside(batch, stated, tenant.srid)
    codes.check_references(batch, known)
    codes.check_services(batch, known)
    return tenant


def _add_district(
    connection: Connection, district: str, source: Source, around: tuple[float, float] | None
) -> District:
    if not source.name:
        raise InputError(
            f"District {district} is not stored yet and has no name.",
            f"Name it at its first import: --district {district}:NAME.",
        )
    if around is None:
        raise InputError(
            f"District {district} is new, and nothing in its first import has a position.",
            "Import a file with positions first: they choose the system lengths are measured in.",
        )
    return districts.add(connection, district, source.name, metric_srid(*around), made_up=source.made_up)


def _count(report: ImportReport, batch: Batch) -> None:
    report.files, report.refusals, report.repaired = batch.files, batch.refusals, batch.repaired
    for noun, rows in batch.rows.items():
        report.counts[noun] = Count(len(rows), refused=sum(row.refused for row in rows))
    report.unplaced = sorted(row.values["code"] for row in batch.good("buildings") if row.shape is None)


def _refusal(report: ImportReport) -> tuple[str, str]:
    rows = sum(count.refused for count in report.counts.values())
    first = report.refusals[0]
    return (
        f"{rows} rows were refused, so nothing was changed; the first: {first.file} line {first.line},"
        f" {first.field} '{first.value}' {first.reason.en}.",
        "Mend them, or load the others with --skip-refused.",
    )


def _load(
    connection: Connection,
    actor: Actor,
    district: District,
    batch: Batch,
    known: stored.Stored,
    source: Source,
    report: ImportReport,
    progress: Progress,
) -> None:
    progress("load", 0.0)
    number = imports.add(
        connection,
        district.code,
        kind=source.kind,
        source=source.source,
        digest=source.digest,
        actor=actor.id,
        attribution=source.attribution,
        licence=source.licence,
    )
    for noun in set(batch.rows) & set(register.TARGETS):
        delivered = [row.values["code"] for row in batch.rows[noun] if row.values.get("code")]
        report.counts[noun].missing = register.count_missing(
            connection, district.code, noun, source.kind, delivered
        )
    job = load.Load(
        connection, district.code, district.name, number, source.kind, source.households_source, batch, known
    )
    load.load(job, report)
    progress("load", 1.0)
    changed = {noun for noun, count in report.counts.items() if count.new or count.changed}
    if changed & {"communities", "buildings"}:
        progress("boundaries", 0.0)
        report.derived = boundaries.derive(
            connection, district.code, number, srid=district.srid, radius_m=source.derived_radius_m
        )
        progress("boundaries", 1.0)
    layers = set().union(
        *(_LAYERS[noun] for noun in changed), _LAYERS["communities"] if report.derived else ()
    )
    if layers:
        versions.advance(connection, district.code, *layers)
        imports.tell(connection, district.code, number, report.summary())
