"""What a map layer is: its fields, how it is drawn, and who may see what of it; see `data.layers`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

PUBLIC = "read.public"
"""The action everybody may; see the table of permissions."""

Kind = Literal["text", "integer", "number", "flag", "date", "instant", "texts"]
Geometry = Literal["Point", "LineString", "Polygon", "Geometry"]
"""What the shapes of a layer are, or many of; ``Geometry`` where they are mixed."""

SQL_TYPES: dict[Kind, str] = {
    "text": "text",
    "integer": "bigint",
    "number": "double precision",
    "flag": "boolean",
    "date": "date",
    "instant": "timestamptz",
    "texts": "text[]",
}
"""What PostgreSQL calls a kind of field."""
_SCHEMAS: dict[Kind, dict[str, object]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "texts": {"type": "array", "items": {"type": "string"}},
}


@dataclass(frozen=True)
class Field:
    """A property of a layer's features.

    Attributes
    ----------
    name : str
        Of the property, and of the view's column.
    zh, en : str
        What people call it.
    kind : str
        What its values are.
    action : str
        Who may see it: whoever may do this. To others it does not exist, in filters, orders and counts neither.
    """

    name: str
    zh: str
    en: str
    kind: Kind = "text"
    action: str = PUBLIC

    @property
    def filterable(self) -> bool:
        """Whether it can stand in a filter."""
        return self.kind != "texts"

    @property
    def sortable(self) -> bool:
        """Whether features can be put in its order."""
        return self.kind != "texts"

    @property
    def schema(self) -> dict[str, object]:
        """Its JSON schema."""
        return {"title": self.zh, "description": self.en, **_SCHEMAS[self.kind]}


@dataclass(frozen=True)
class Style:
    """How a layer is drawn where nobody says otherwise.

    Attributes
    ----------
    line, width : str, float
        Colour and pixels of lines and outlines.
    fill : str or None
        Colour of areas and points; None where only the outline is drawn.
    opacity : float
        Of the fill, from 0 to 1.
    dashes : tuple of float
        Lengths of dashes and gaps, pixels; empty for a solid line.
    radius : float
        Of points, pixels.
    by : str or None
        The field whose value chooses among `colours`, which take the place of the line's.
    """

    line: str
    width: float = 1.0
    fill: str | None = None
    opacity: float = 1.0
    dashes: tuple[float, ...] = ()
    radius: float = 5.0
    by: str | None = None
    colours: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A map layer.

    Attributes
    ----------
    name : str
        Of the layer, and of its view.
    zh, en : str
        Its title.
    about_zh, about_en : str
        One sentence on what it holds.
    geometry : str
        What its shapes are.
    fields : tuple of Field
        The properties of its features.
    style : Style
        How it is drawn.
    raised_by : frozenset of str
        Layers of ``data_versions`` that rise with whatever changes it.
    zooms : (int, int)
        The first and the last level it has tiles of.
    key : str
        The column its features are named and ordered by, unique at an instant.
    key_kind : str
        What the key's values are.
    action : str
        Who may see it: whoever may do this.
    dated : bool
        Whether the view has the column ``valid``, the time in which a row holds.
    present : bool
        Whether, of a dated layer, only what holds now is shown where no time is named.
    drawn : bool
        Whether the view has the column ``geojson``, the shape as `data.features` tells it: worth it for shapes of
        many vertices that are told often.
    label : str or None
        The field that is written beside a feature.
    stored : bool
        Whether the view has the column ``mercator``, its shapes in Web Mercator as they are stored for tiles; else
        they are projected tile by tile.
    """

    name: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    geometry: Geometry
    fields: tuple[Field, ...]
    style: Style
    raised_by: frozenset[str]
    zooms: tuple[int, int] = (10, 16)
    key: str = "id"
    key_kind: Kind = "integer"
    action: str = PUBLIC
    dated: bool = False
    present: bool = False
    drawn: bool = False
    label: str | None = "name"
    stored: bool = False

    def seen_by(self, actions: Collection[str]) -> tuple[Field, ...]:
        """Return the properties that whoever may do these actions sees."""
        return tuple(field for field in self.fields if field.action in actions)

    def columns(self, actions: Collection[str] = (PUBLIC,)) -> tuple[str, ...]:
        """Return the names of `seen_by`; by default what everybody sees."""
        return tuple(field.name for field in self.seen_by(actions))
