"""The nearest open site of each service."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.answers import NearSite, Site
from geo.crs import metric_point, metric_points


class Sites:
    """Open sites, ready to be asked which are the nearest.

    Parameters
    ----------
    sites : sequence of Site
        Those to choose from.
    srid : int
        EPSG code lengths are measured in.
    """

    def __init__(self, sites: Sequence[Site], srid: int) -> None:
        self._sites = sites
        self._srid = srid
        spots = np.array([(site.lon, site.lat) for site in sites], dtype=np.float64).reshape(-1, 2)
        self._xy = metric_points(spots, srid)
        self._services = sorted({name for site in sites for name in _services(site)}, key=lambda s: s or "")
        self._lacks = np.array(
            [[name not in _services(site) for site in sites] for name in self._services], dtype=np.bool_
        ).reshape(len(self._services), len(sites))

    def nearest(self, lon: float, lat: float) -> tuple[NearSite, ...]:
        """Return the nearest site of each service, the nearest first; O(sites times services).

        Parameters
        ----------
        lon, lat : float
            EPSG:4326, degrees.
        """
        if not self._services:
            return ()
        x, y = metric_point(lon, lat, self._srid)
        away = np.hypot(self._xy[:, 0] - x, self._xy[:, 1] - y)
        best = np.where(self._lacks, np.inf, away).argmin(axis=1).tolist()
        near = [
            NearSite(self._sites[site], float(away[site]), service)
            for service, site in zip(self._services, best, strict=True)
        ]
        return tuple(sorted(near, key=lambda found: found.distance_m))


def _services(site: Site) -> tuple[str | None, ...]:
    """Return the services of a site; None stands for one that states none."""
    return site.services or (None,)
