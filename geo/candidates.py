"""A point without a coordinate system: what it would be in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo.crs import KNOWN, possible, to_wgs84
from geo.errors import CoordinateError, UnstatedError
from geo.locate import Locator


def unstated(x: float, y: float, locators: Sequence[Locator]) -> UnstatedError:
    """Return the refusal of a point without a coordinate system: where it would be in each, the nearest first.

    Parameters
    ----------
    locators : sequence of Locator
        Those that may answer it, at least one.
    """
    candidates: list[dict[str, Any]] = []
    for read in possible(x, y):
        try:
            lon, lat = map(float, to_wgs84([[read.x, read.y]], read.crs)[0])
        except CoordinateError:
            continue  # no place on earth in this system
        answer = min(
            (locator.at(lon, lat, "wgs84") for locator in locators), key=lambda told: told.outside_m or 0.0
        )
        likely = answer.grid or next((other.grid for other in answer.alternatives), None)
        candidates.append(
            {
                "crs": read.crs,
                "lon": lon,
                "lat": lat,
                "swapped": read.swapped,
                "status": answer.status.value,
                "grid": likely and likely.code,
                "community": likely and likely.community.name,
                "outside_m": answer.outside_m,
            }
        )
    candidates.sort(key=lambda told: told["outside_m"] or 0.0)
    remedy = "State crs: the candidates show where the point would be in each system."
    return UnstatedError(
        "The coordinate system is not stated.", remedy if candidates else f"Use one of {KNOWN}.", candidates
    )
