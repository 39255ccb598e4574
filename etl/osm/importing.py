"""Import a district from OpenStreetMap, in one transaction, by way of the ledger's checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.session import Store
from etl.acting import check_scope
from etl.actor import Actor
from etl.ledger import ImportReport, import_tables
from etl.osm.areas import choose_areas
from etl.osm.reading import Features, read_features
from etl.osm.tables import (
    AROUND_DEG,
    barrier_table,
    building_table,
    ground_table,
    select_buildings,
    street_table,
)
from geo.errors import InputError
from geo.estimate import M2_A_HOUSEHOLD
from geo.progress import Progress, silent

ATTRIBUTION = "© OpenStreetMap contributors"
LICENCE = "ODbL-1.0"

WHOLE = "osm/whole"
"""Code of the one community of an extract without administrative areas."""


@dataclass
class OsmReport(ImportReport):
    """What an import from OpenStreetMap did, or would do.

    Attributes
    ----------
    left_out : dict of str to int
        Buildings that were not taken: ``part`` of another or drawn twice, ``outside`` every community.
    """

    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OsmTables:
    """Ledger tables by noun, and the buildings that are in none; see `OsmReport`."""

    tables: dict[str, gpd.GeoDataFrame]
    left_out: dict[str, int]


def import_osm(
    store: Store,
    actor: Actor,
    district: str,
    source: Path | str,
    *,
    name: str | None = None,
    admin_level: int | None = None,
    m2_a_household: float = M2_A_HOUSEHOLD,
    partial: bool = False,
    retire: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> OsmReport:
    """Import a district from an OpenStreetMap extract or by the name of a place.

    Parameters
    ----------
    store : Store
    actor : Actor
    district : str
        Its code, 6 digits.
    source : Path or str
        See `etl.osm.reading.read_features`.
    name : str, optional
        Name of the district; needed when it is not stored yet.
    admin_level : int, optional
        Level of the administrative areas that become communities; see `etl.osm.areas.choose_areas`. An
        extract without any becomes one community, drawn from its buildings and marked as derived.
    m2_a_household : float
        Gross floor area that is taken for one household, m²; see `geo.estimate`.
    partial, retire : bool
        As for `etl.ledger.import_ledger`.
    dry_run : bool
        Do everything, report, and change nothing.
    progress : Progress, optional

    Returns
    -------
    OsmReport

    Raises
    ------
    ForbiddenError
        If the actor's scope leaves the district out.
    InputError
        If the source cannot be read or holds no building.
    UnavailableError
        If a place is named and the servers cannot be reached.
    RefusedImportError
        As `etl.ledger.import_tables`.
    """
    check_scope(actor, district)  # before minutes of reading
    progress("read", 0.0)
    features = read_features(source)
    progress("read", 1.0)
    made = make_tables(
        features,
        name=name or features.source.split(".")[0],
        admin_level=admin_level,
        m2_a_household=m2_a_household,
    )
    report = import_tables(
        store,
        actor,
        district,
        made.tables,
        name=name,
        kind="osm",
        source=features.source,
        digest=features.digest,
        attribution=ATTRIBUTION,
        licence=LICENCE,
        households_source="estimated",
        partial=partial,
        retire=retire,
        dry_run=dry_run,
        progress=progress,
    )
    return OsmReport(**vars(report), left_out=made.left_out)


def make_tables(
    features: Features,
    *,
    name: str,
    admin_level: int | None = None,
    m2_a_household: float = M2_A_HOUSEHOLD,
) -> OsmTables:
    """Turn features into the ledger's tables.

    Parameters
    ----------
    features : Features
    name : str
        Name of the one community of an extract without administrative areas.
    admin_level, m2_a_household
        As for `import_osm`.

    Raises
    ------
    InputError
        If there is no building, or none in an area of the level asked for.
    """
    buildings, parts = select_buildings(features)
    if buildings.empty:
        raise InputError(f"There is no building in {features.source}.", "Give an extract with buildings.")
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    areas, home = choose_areas(features, points, admin_level)
    if areas.empty:
        areas = gpd.GeoDataFrame({"name": [name]}, index=[WHOLE], geometry=[None], crs=buildings.crs)
        home = np.zeros(len(buildings), dtype=np.int64)
    inside = buildings[home >= 0]
    community = pd.Series(areas.index.to_numpy()[home[home >= 0]], inside.index)
    around = shapely.box(*inside.total_bounds).buffer(AROUND_DEG, join_style="mitre")
    tables = {
        "communities": areas.rename_axis("code").reset_index()[["code", "name", "geometry"]],
        "buildings": building_table(features, inside, community, m2_a_household),
        "streets": street_table(features, around),
        "barriers": barrier_table(features, around),
        "ground": ground_table(features, around),
    }
    return OsmTables(tables, {"part": parts, "outside": int((home < 0).sum())})
