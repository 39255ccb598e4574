"""Import a ledger: from a folder of files, or from tables already in memory, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from data.session import Store
from etl.actor import Actor
from etl.ledger.report import ImportReport
from geo.progress import Progress, silent

DERIVED_RADIUS_M = 100.0


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
    """Import a folder of ledger files."""
    raise NotImplementedError


def import_tables(
    store: Store,
    actor: Actor,
    district: str,
    tables: Mapping[str, gpd.GeoDataFrame | pd.DataFrame],
    *,
    name: str | None,
    kind: Literal["ledger", "osm"],
    source: str,
    digest: str,
    attribution: str | None = None,
    licence: str | None = None,
    households_source: Literal["ledger", "estimated", "made_up"] = "ledger",
    made_up: bool = False,
    skip_refused: bool = False,
    dry_run: bool = False,
    derived_radius_m: float = DERIVED_RADIUS_M,
    progress: Progress = silent,
) -> ImportReport:
    """Import tables with the ledger's columns and, where they have one, a geometry in EPSG:4326."""
    raise NotImplementedError
