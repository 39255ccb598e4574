"""Pictures of a base map in a file of ours: MBTiles, an SQLite database of tiles cut in Web Mercator."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path

from geo.errors import SetupError

MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
DEEPEST = 30


@dataclass(frozen=True)
class Raster:
    """Tiles of a file.

    Attributes
    ----------
    path : Path
    media_type : str
        Of its tiles.
    attribution : str
        Whom the file names; may be empty.
    zooms : (int, int)
        First and last level it has.
    edition : str
        Another for another content of the file, as far as its size and time of change tell.
    """

    path: Path
    media_type: str
    attribution: str
    zooms: tuple[int, int]
    edition: str

    def tile(self, zoom: int, column: int, row: int) -> bytes | None:
        """Return a tile, counted from the north-west as the web does; None where the file has none."""
        with closing(_opened(self.path)) as database:
            found = database.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (zoom, column, 2**zoom - 1 - row),
            ).fetchone()
        return None if found is None else bytes(found[0])


def read_raster(path: Path) -> Raster:
    """Read what a file says of itself.

    Raises
    ------
    SetupError
        If there is no such file, it is no MBTiles, or its tiles are no pictures.
    """
    if not path.is_file():
        raise SetupError(f"There is no file {path.name}.", "Check GRIDGOV_BASE_TILES.")
    try:
        with closing(_opened(path)) as database:
            said = dict(database.execute("SELECT name, value FROM metadata"))
            levels = database.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
    except sqlite3.DatabaseError as error:
        raise SetupError(
            f"{path.name} cannot be read as MBTiles: {error}.", "gdal_translate -of MBTILES makes one."
        ) from error
    media_type = MEDIA_TYPES.get(str(said.get("format", "")).lower())
    if media_type is None or levels[0] is None or not 0 <= levels[0] <= levels[1] <= DEEPEST:
        raise SetupError(
            f"{path.name} holds no pictures.", f"A file of {', '.join(sorted(MEDIA_TYPES))} is needed."
        )
    state = path.stat()
    edition = blake2s(f"{state.st_size} {state.st_mtime_ns}".encode(), digest_size=6).hexdigest()
    return Raster(path, media_type, str(said.get("attribution", "")), (levels[0], levels[1]), edition)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
