"""Import a ledger: from a folder of files, or from tables already in memory, in one transaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from data import differences, districts, imports, register, versions
from data.districts import District
from data.session import Store
from etl.acting import Act, acting_on_new, check_scope
from etl.actor import Actor
from etl.ledger import (
    boundaries,
    codes,
    delivery,
    load,
    places,
    positions,
    reading,
    statement,
    stored,
    values,
)
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
    "ground": {"ground"},
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
    partial: bool = False
    retire: bool = False
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
    partial: bool = False,
    retire: bool = False,
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
    partial : bool
        The files are not the whole register of their nouns: what they do not name stays.
    retire : bool
        Believe a delivery that would retire or move a large part of what is stored.
    dry_run : bool
        Do everything, report, and change nothing.
    derived_radius_m : float
        How far a community without a stated boundary reaches around its buildings, metres.

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    RefusedImportError
        If rows were refused and ``skip_refused`` was not set, or the delivery is hardly meant as it is and
        ``retire`` was not set: nothing is changed, and the refusal is on record. Carries the report.
    InputError
        If a file cannot be read, or the district, a coordinate system or a column is not stated.
    """
    check_scope(actor, district)  # before anything is read
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
        partial=partial,
        retire=retire,
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
    partial: bool = False,
    retire: bool = False,
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
        partial,
        retire,
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
    try:
        with acting_on_new(store, actor, district) as connection, connection.begin_nested() as attempt:
            known = stored.load(connection, district)
            act = Act(connection, actor, _check(connection, district, batch, known, source))
            _count(report, batch)
            progress("check", 1.0)
            if report.refusals and not source.skip_refused:
                raise RefusedImportError(*_refusal(report), report)
            _load(act, batch, known, source, report, progress)
            if source.dry_run or report.nothing_to_do:
                attempt.rollback()
                report.import_id = None
    except RefusedImportError as error:
        if not source.dry_run:
            _put_on_record(store, actor, source, error)
        raise
    return report


def _put_on_record(store: Store, actor: Actor, source: Source, error: RefusedImportError) -> None:
    """Keep a refused batch where it can be looked up: its report, nothing else of it was stored."""
    report = error.report
    with acting_on_new(store, actor, report.district) as connection:
        tenant = districts.find(connection, report.district)
        if tenant is None:
            return  # nothing can belong to a district that was not added
        report.import_id = _add_import(connection, tenant.code, actor, source, "refused")
        refused = len(report.refusals)
        fault = f"{refused} faults in rows." if refused else error.fault  # the error's own names a value
        imports.tell(connection, tenant.code, report.import_id, {**report.summary(), "fault": fault})
        after = {"source": source.source, "fault": fault, "refused": refused}
        Act(connection, actor, tenant).record("import.refuse", f"import {report.import_id}", after=after)


def _add_import(connection: Connection, district: str, actor: Actor, source: Source, state: str) -> int:
    return imports.add(
        connection,
        district,
        kind=source.kind,
        source=source.source,
        digest=source.digest,
        actor=actor.id,
        attribution=source.attribution,
        licence=source.licence,
        state=state,
    )


def _check(
    connection: Connection, district: str, batch: Batch, known: stored.Stored, source: Source
) -> District:
    """Run the checks that need the store, adding the district if it is new."""
    around = places.middle(batch, known)
    tenant = districts.find(connection, district) or _add_district(connection, district, source, around)
    if around:
        places.check_far(batch, around)
    places.check_elsewhere(batch, tenant, register.extent(connection, district))
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
    act: Act, batch: Batch, known: stored.Stored, source: Source, report: ImportReport, progress: Progress
) -> None:
    progress("load", 0.0)
    connection, district = act.connection, act.district
    number = report.import_id = _add_import(connection, district.code, act.actor, source, "loaded")
    job = load.Load(
        connection,
        act.actor.id,
        district.code,
        district.name,
        number,
        source.kind,
        source.households_source,
        batch,
        known,
    )
    delivery.recode(job)
    load.load(job, report)
    delivery.retire_missing(job, report, partial=source.partial)
    delivery.count(job, report)
    progress("load", 1.0)
    changed = {noun for noun, count in report.counts.items() if count.touched}
    if changed & {"communities", "buildings"}:
        progress("boundaries", 0.0)
        report.derived = boundaries.derive(
            connection, district.code, number, srid=district.srid, radius_m=source.derived_radius_m
        )
        progress("boundaries", 1.0)
    if report.nothing_to_do:
        return
    report.differences = differences.of_import(connection, district.code, number)
    report.doubts = delivery.doubts(job, report, report.differences)
    if report.doubts and not (source.retire or source.dry_run):
        raise RefusedImportError(*_doubted(report), report)
    versions.advance(
        connection, district.code, *layers_of(changed | ({"communities"} if report.derived else set()))
    )
    imports.tell(connection, district.code, number, report.summary())
    counts = {noun: asdict(count) for noun, count in report.counts.items() if count.touched}
    act.record("import.load", f"import {number}", after={"source": source.source, "counts": counts})


def _doubted(report: ImportReport) -> tuple[str, str]:
    return (
        f"{' '.join(report.doubts)} Nothing was changed.",
        "Check --district. If the files are a part of the register use --partial; if it is really so, --retire.",
    )


def layers_of(nouns: Iterable[str]) -> set[str]:
    """Return whose data version changed nouns raise."""
    return set().union(*(_LAYERS[noun] for noun in nouns))
