"""The addresses of the map layers' OGC API."""

from __future__ import annotations

from fastapi import FastAPI

from api import direct
from api.ogc import documents, items, tiles, tilesets
from api.ogc.downloads import Downloads
from api.ogc.kept import Answers
from api.ogc.serving import ROOT, Layers
from api.state import State
from data.reading import Reader
from geo.tiling import MATRIX_SET


def add_to(app: FastAPI, state: State) -> None:
    """Add the routes, and put what they are served with at ``app.state.layers``."""
    settings = state.settings
    reader = Reader(state.store.engine, size=settings.layer_connections, timeout_s=settings.layer_seconds)
    answers, downloads = Answers(settings.layer_cache_bytes), Downloads(reader, settings)
    app.state.layers = Layers(state, reader, answers, downloads)
    one = f"{ROOT}/collections/{{collection}}"
    tileset = f"{one}/tiles/{MATRIX_SET}"
    for path, endpoint in (  # what is asked most first
        (f"{tiles.ROOT}/{{collection}}/{{zoom}}/{{column}}/{{row}}.mvt", tiles.tile),
        (f"{tiles.ROOT}/style.json", tilesets.style),
        (f"{tiles.ROOT}/{{collection}}.json", tilesets.tilejson),
        (f"{one}/items", items.items),
        (f"{one}/items/{{item}}", items.item),
        (ROOT, documents.landing),
        (f"{ROOT}/conformance", documents.conformance),
        (f"{ROOT}/api", documents.api),
        (f"{ROOT}/collections", documents.collections),
        (one, documents.collection),
        (f"{one}/queryables", documents.queryables),
        (f"{one}/sortables", documents.sortables),
        (f"{tileset}/{{zoom}}/{{row}}/{{column}}", tiles.tile),
        (tileset, tilesets.tileset),
        (f"{one}/tiles", tilesets.listed),
        (f"{ROOT}/tileMatrixSets", tilesets.matrix_sets),
        (f"{ROOT}/tileMatrixSets/{{set}}", tilesets.matrix_set),
    ):
        direct.add_to(app, path, endpoint)
