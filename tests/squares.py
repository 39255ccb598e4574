"""A district of squares, without a database: 36 of some 100 m, numbered from the south-west in rows."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import shapely

from geo.address import Entry
from geo.addresses import Place
from geo.answers import Building, Community, District, Grid, Plan
from geo.locate import Locator, Register

CENTRE = Community("340504001001", None, False, "富民社区", "active", None, None)
PLAN = Plan(1, "first", datetime(2026, 1, 1, tzinfo=UTC), None)
SIDE = 6
STEP = 0.001
WEST, SOUTH = 118.0, 31.0


def squares(missing=(), near_border_m=15.0, margin_m=400.0, pending=(), named=()):
    """Return a locator; codes are not in the order of squares, those missing leave gaps.

    New buildings without a cell stand where ``pending`` says, buildings with a name in the squares ``named`` says.
    """
    there = [n for n in range(SIDE * SIDE) if n not in missing]
    shapes = [
        shapely.box(
            WEST + n % SIDE * STEP,
            SOUTH + n // SIDE * STEP,
            WEST + (n % SIDE + 1) * STEP,
            SOUTH + (n // SIDE + 1) * STEP,
        )
        for n in there
    ]
    grids = [Grid(code_of(n), f"L{n}", False, "basic", 300, CENTRE) for n in there]
    places = [
        Place(Building("new", "new", lon, lat), Entry("new"), land=shapely.Point(lon, lat).buffer(3e-4))
        for lon, lat in pending
    ]
    places += [
        Place(Building(f"B{n}", name, None, None), Entry(name), cells=((None, code_of(n)),))
        for name, n in dict(named).items()
    ]
    register = Register(
        District("340504", "雨山区"),
        4549,
        PLAN,
        7,
        grids,
        np.array(shapes, dtype=object),
        places=places,
    )
    return Locator(register, margin_m=margin_m, near_border_m=near_border_m)


def code_of(square):
    return f"{square * 7 % 37:015d}"
