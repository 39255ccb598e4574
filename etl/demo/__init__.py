"""The demo district: made up, labelled so, and written as a ledger like any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etl.demo import people, register, services
from etl.demo.district import make_district
from etl.demo.names import DISTRICT_CODE, DISTRICT_NAME
from etl.demo.size import Size
from etl.demo.writing import write_tables
from geo.progress import Progress, silent

__all__ = ["AFTER", "DISTRICT_CODE", "DISTRICT_NAME", "DemoFigures", "write_demo"]

AFTER = "after"
"""Subfolder with what can be imported only when the grids are published: cases."""

LEDGER = """\
# Made up by the program; no such place exists.
crs = "EPSG:4326"
made_up = true
source = "gridgov demo, seed {seed}"
attribution = "演示数据，纯属虚构 · Demo data, made up"
licence = "CC0-1.0"
"""


_COUNTED = (
    "communities",
    "compounds",
    "buildings",
    "streets",
    "workers",
    "sites",
    "facilities",
    "rider_communities",
    "cases",
)


@dataclass(frozen=True)
class DemoFigures:
    """How much was written."""

    communities: int
    compounds: int
    buildings: int
    households: int
    grids: int
    streets: int
    workers: int
    vacant_grids: int
    sites: int
    facilities: int
    rider_communities: int
    cases: int


def write_demo(
    folder: Path, *, seed: int = 1, scale: float = 1.0, progress: Progress = silent
) -> DemoFigures:
    """Make up a district and write it as a ledger folder.

    Parameters
    ----------
    folder : Path
        Made if missing. Receives the files of `etl.ledger.spec`, ``ledger.toml``, and the folder `AFTER` with
        a ledger of cases, which name grids and can therefore be imported only after publication.
    seed : int
        Another seed gives another district; the same seed and scale give the same files.
    scale : float
        1 is the reference case (35 communities, 10,000 buildings, 135,600 households, 452 grids); 0.03 is a
        district for tests.
    progress : Progress, optional

    Returns
    -------
    DemoFigures

    Notes
    -----
    About 6 seconds at full size.
    """
    size = Size(scale)
    rng = np.random.default_rng(seed)
    district = make_district(size, rng, progress)
    duties = people.duties(district)
    riders = services.rider_communities(district, size, rng)
    tables = {
        "communities": register.communities(district),
        "compounds": register.compounds(district, rng),
        "buildings": register.buildings(district),
        "workers": people.workers(duties),
        "duties": duties,
        "sites": services.sites(district, rng),
        "facilities": services.facilities(district, rng),
        "rider_communities": riders,
        "rider_points": services.rider_points(district, riders),
        "streets": register.streets(district),
        "barriers": register.barriers(district),
        "ground": register.ground(district),
    }
    after = {"cases": people.cases(district, rng)}
    for place, content in ((folder, tables), (folder / AFTER, after)):
        write_tables(place, content, district.srid)
        (place / "ledger.toml").write_text(LEDGER.format(seed=seed), encoding="utf-8")
    progress("demo district", 1.0)
    served = duties.loc[(duties["role"] == "primary") & (duties["until"] == ""), "grid"].nunique()
    return DemoFigures(
        **{noun: len({**tables, **after}[noun]) for noun in _COUNTED},
        households=int(district.buildings["households"].sum()),
        grids=len(district.grids),
        vacant_grids=len(district.grids) - served,
    )
