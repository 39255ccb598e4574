"""Requests a second for map layers, beside those of a trivial FastAPI endpoint.

Cold is a server that keeps no answers, so that each is made in the database; warm is one that keeps them as it does by
default. Both know how many features match once they counted them, until the data changes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import shapely

from tests.bench import rival
from tests.bench.drawn import BUILDINGS, GRIDS, stored
from tests.bench.loading import Target, asked, loaded, pin, told
from tests.bench.measure import Row, by_turns
from tests.bench.server import serving
from tests.tilework import tiles_of

ROUNDS = 3
ZOOM, TILE_BYTES = 14, 16_000
OF_GRIDS = f"/ogc/collections/grids/items{{}}?district={GRIDS}"
PAGE = OF_GRIDS.format("") + "&limit=10"
OF_BUILDINGS = f"/ogc/collections/buildings/items?district={BUILDINGS}&limit="
STRIDE = 10_000
"""Features of the pages that lead to the last."""
TRIVIAL = "trivial FastAPI endpoint"


def bench() -> list[Row]:
    """Measure by turns, two seconds each; nothing where there is no wrk."""
    if shutil.which("wrk") is None:
        sys.stderr.write("layers is left out: it needs wrk, from the system's packages\n")
        return []
    with ExitStack() as stack:
        url = stack.enter_context(stored())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cold, warm, trivial = (
            stack.enter_context(pinned(*database, **environment))
            for database, environment in (
                ((url,), {"GRIDGOV_LAYER_CACHE_BYTES": "0"}),
                ((url,), {}),
                ((), {}),
            )
        )
        tile = middling_tile(warm)
        targets = [
            Target(TRIVIAL, trivial, ("/",)),
            *ours(cold, warm, tile),
            *stack.enter_context(rival.targets(url, tile)),
        ]
        taken = by_turns({one.what: loaded(one, folder) for one in targets}, rounds=ROUNDS)
    return [Row("layers", what, taken[TRIVIAL] / one, f"{1 / one:.0f}/s") for what, one in taken.items()]


@contextmanager
def pinned(*database_url: str, **environment: str) -> Iterator[int]:
    """Keep a server running on one core and give its port."""
    with serving(*database_url, **environment) as (port, process):
        pin(process)
        yield port


def ours(cold: int, warm: int, tile: str) -> list[Target]:
    """Return what is asked of our servers: one that keeps no answers, and one that does."""
    codes = [one["id"] for one in told(warm, f"{OF_GRIDS.format('')}&limit={STRIDE}")["features"]]
    grids = tuple(OF_GRIDS.format(f"/{code}") for code in codes)
    boxes = tuple(f"{PAGE}&bbox=117,31,120,{32 + each / 1e6:.6f}" for each in range(30_000))
    path = f"/tiles/grids/{tile}.mvt?district={GRIDS}"
    return [
        Target("page of 10 grids, cold", cold, (PAGE,)),
        Target("page of 10 grids in a box never asked before: counted", cold, boxes),
        Target("one grid, cold", cold, grids),
        Target("one grid, warm", warm, grids),
        Target("tile of zoom 14, cold", cold, (path,)),
        Target("tile of zoom 14, warm", warm, (path,)),
        Target("tile the client has: 304", warm, (path,), asked(warm, path)[1]["etag"]),
        Target("first page of 135,600 buildings, cold", cold, (f"{OF_BUILDINGS}10",)),
        Target("first page of 135,600 buildings, warm", warm, (f"{OF_BUILDINGS}10",)),
        Target("last page of 135,600 buildings, cold", cold, (last_page(warm),)),
    ]


def middling_tile(port: int) -> str:
    """Return the tile of grids, ``zoom/column/row``, whose size is nearest to `TILE_BYTES`."""
    (box,) = told(port, f"/ogc/collections/grids?district={GRIDS}")["extent"]["spatial"]["bbox"]
    sizes = {}
    for column, row in tiles_of([shapely.box(*box)], ZOOM):
        tile = f"{ZOOM}/{column}/{row}"
        sizes[tile] = len(asked(port, f"/tiles/grids/{tile}.mvt?district={GRIDS}")[2])
    return min(sizes, key=lambda tile: abs(sizes[tile] - TILE_BYTES))


def last_page(port: int) -> str:
    """Return the path of the last page of 10 buildings: by the links of large pages, and one that ends before it."""
    path, left = f"{OF_BUILDINGS}{STRIDE}", None
    while left is None or left > 10:
        page = told(port, path)
        left = (page["numberMatched"] if left is None else left) - page["numberReturned"]
        (following,) = (link["href"] for link in page["links"] if link["rel"] == "next")
        path = following.partition(f":{port}")[2]
        path = path.replace(f"limit={page_size(path)}", f"limit={max(min(STRIDE, left - 10), 10)}")
    return path


def page_size(path: str) -> int:
    """Return the limit a path names."""
    return int(path.partition("limit=")[2].partition("&")[0])
