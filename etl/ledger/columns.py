"""What a column and a noun of the ledger are, and the columns that say where a row is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column of a ledger file.

    Attributes
    ----------
    name, zh : str
        English and Chinese header.
    kind : str
        ``text``, ``integer`` (not negative), ``number``, ``date``, ``list`` (parts by ``;`` or ``；`` or
        ``、``), ``flag``, or ``choice``.
    meaning : str
        One line for templates and documentation.
    required : bool
        A row without it is refused.
    also : tuple of str
        Other headers it is known by.
    choices : dict
        Accepted words (English and Chinese) and the word stored.
    refers_to : str
        Noun whose ``code`` the value names.
    default : object
        What an empty cell means; with None nothing is known.
    least, most : int
        Range of an ``integer``, or greatest length of a ``text``; `limit` where ``most`` is not given.
    example : str
        What templates show.
    """

    name: str
    zh: str
    kind: str = "text"
    meaning: str = ""
    required: bool = False
    also: tuple[str, ...] = ()
    choices: dict[str, str] | None = None
    refers_to: str = ""
    default: Any = None
    least: int = 0
    most: int | None = None
    example: str = ""

    @property
    def limit(self) -> int:
        """The greatest integer, or the greatest length of a text."""
        return self.most or (1_000_000 if self.kind == "integer" else 200)

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header it is known by, the preferred ones first."""
        return (self.name, self.zh, *self.also)


@dataclass(frozen=True)
class Noun:
    """One kind of file: ``communities.csv``, ``社区.xlsx``, ...

    ``shape`` lists the geometries it may carry: ``point``, ``line``, ``polygon``. In a spreadsheet they
    come in the columns of `POSITION`.
    """

    name: str
    zh: str
    columns: tuple[Column, ...]
    shape: tuple[str, ...] = ()
    shape_required: bool = False

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Its columns and those of its position."""
        position = [column for column in POSITION if column is WKT or "point" in self.shape]
        return (*self.columns, *position) if self.shape else self.columns

    def column(self, name: str) -> Column:
        """Return the column of that English name."""
        return next(column for column in self.all_columns if column.name == name)


LON = Column(
    "lon",
    "经度",
    "number",
    "longitude in degrees or easting in metres",
    also=("lng", "longitude", "x"),
    example="118.4578",
)
LAT = Column(
    "lat",
    "纬度",
    "number",
    "latitude in degrees or northing in metres",
    also=("latitude", "y"),
    example="31.6519",
)
WKT = Column(
    "wkt", "几何", meaning="a geometry as well-known text, instead of lon and lat", also=("geometry", "geom")
)
POSITION = (LON, LAT, WKT)
