"""Filters of features: CQL2, as text or JSON, becomes SQL in which every name is quoted and every value bound.

What is understood: ``and``, ``or``, ``not``; ``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=`` between properties and
values of one kind, or two properties; ``isNull``, ``between``, ``in``, ``like``, ``casei``; the spatial predicates
``s_intersects`` and its like between the geometry and a literal; ``t_after``, ``t_before``, ``t_equals`` and their
like between a property that is a date or an instant and a literal. All else is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

import cql2
import shapely
from shapely.geometry import shape as of_geojson

from data.layer import SQL_TYPES, Kind, Layer
from geo.crs import WGS84
from geo.errors import CoordinateError, InputError
from geo.systems import CRS84, System, box, stored
from geo.times import CHINA, here

LONGEST = 4_000
"""Characters of a filter."""
DEEPEST = 32
"""How deep its parts may lie in one another."""
_MOST_BRACKETS = 250
GEOMETRY = "geometry"
"""What a feature's shape is called in filters."""

_PARSERS = {"cql2-text": cql2.parse_text, "cql2-json": cql2.parse_json}
LANGUAGES = tuple(_PARSERS)
"""What a filter can be written in."""
Family = Literal["text", "number", "flag", "time"]
"""Kinds of values that can be compared with one another."""

_FAMILIES: dict[Kind, Family] = {
    "text": "text",
    "integer": "number",
    "number": "number",
    "flag": "flag",
    "date": "time",
    "instant": "time",
}
_COMPARED = {"=": "=", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TIMED = {"t_after": ">", "t_before": "<", "t_equals": "=", "t_intersects": "=", "t_disjoint": "<>"}
_SPATIAL = {
    "s_intersects": "ST_Intersects",
    "s_disjoint": "ST_Disjoint",
    "s_within": "ST_Within",
    "s_contains": "ST_Contains",
    "s_touches": "ST_Touches",
    "s_crosses": "ST_Crosses",
    "s_overlaps": "ST_Overlaps",
    "s_equals": "ST_Equals",
}


def quoted(name: str) -> str:
    """Return an identifier as SQL has it: the only way a name comes into a query."""
    return '"' + name.replace('"', '""') + '"'


class Values:
    """The values of a query, each named by its place: ``$1``, ``$2``, ..."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def bind(self, value: Any, kind: str) -> str:
        """Take a value and return what stands for it in the query, as the SQL type named."""
        self.all.append(value)
        return f"CAST(${len(self.all)} AS {kind})"

    def area(self, shape: Any, srid: int = WGS84) -> str:
        """Take a geometry; it goes as one, since a function around it would be called for each row."""
        return self.bind(shapely.to_wkb(shapely.set_srid(shape, srid), include_srid=True), "geometry")


@dataclass(frozen=True)
class _Term:
    """A part of a comparison: its SQL, and the kind of what it gives."""

    sql: str
    family: Family


class _Compiler:
    """Compiles one filter."""

    def __init__(self, layer: Layer, actions: Collection[str], values: Values, system: System) -> None:
        self._fields = {field.name: field for field in layer.seen_by(actions) if field.filterable}
        self._values = values
        self._system = system

    def condition(self, node: Any, depth: int = 0) -> str:
        """Return the SQL of something that is true, false or unknown."""
        if depth > DEEPEST:
            raise InputError(f"The filter is nested deeper than {DEEPEST}.", "Write it flatter.")
        if isinstance(node, bool):
            return "TRUE" if node else "FALSE"
        if isinstance(node, Mapping) and "property" in node:
            term = self._property(node)
            return self._as(term, "flag").sql
        if not isinstance(node, Mapping) or not isinstance(node.get("args"), list):
            raise _not_understood("a condition is expected")
        name, parts = str(node.get("op")), node["args"]
        if name in ("and", "or"):
            if len(parts) < 2:
                raise _not_understood(f"{name} joins two conditions or more")
            return f"({f' {name.upper()} '.join(self.condition(part, depth + 1) for part in parts)})"
        if name == "not":
            (part,) = _exactly(1, name, parts)
            return f"(NOT {self.condition(part, depth + 1)})"
        return self._predicate(name, parts)

    def _predicate(self, name: str, parts: list[Any]) -> str:
        if name in _COMPARED:
            return self._compared(_COMPARED[name], parts)
        if name in _TIMED:
            return self._timed(name, parts)
        if name in _SPATIAL:
            return self._spatial(name, parts)
        others: dict[str, Callable[[list[Any]], str]] = {
            "isNull": self._is_null,
            "between": self._between,
            "in": self._in,
            "like": self._like,
        }
        if name not in others:
            raise _not_understood(f"there is no operator {name[:40]!r} here")
        return others[name](parts)

    def _compared(self, sign: str, parts: list[Any]) -> str:
        left, right = (self._term(part) for part in _exactly(2, sign, parts))
        self._as(right, left.family)
        if left.family == "flag" and sign not in ("=", "<>"):
            raise _not_understood("true and false have no order")
        return f"({left.sql} {sign} {right.sql})"

    def _timed(self, name: str, parts: list[Any]) -> str:
        left, right = (self._as(self._term(part), "time") for part in _exactly(2, name, parts))
        return f"({left.sql} {_TIMED[name]} {right.sql})"

    def _spatial(self, name: str, parts: list[Any]) -> str:
        left, right = (self._shape(part) for part in _exactly(2, name, parts))
        if any(_is_collection(part) for part in parts) and name not in ("s_intersects", "s_disjoint"):
            raise _not_understood(f"{name} takes no collection")
        return f"{_SPATIAL[name]}({left}, {right})"

    def _is_null(self, parts: list[Any]) -> str:
        (part,) = _exactly(1, "isNull", parts)
        if isinstance(part, Mapping) and part.get("property") == GEOMETRY:
            return "(shape IS NULL)"
        return f"({self._property(part).sql} IS NULL)"

    def _between(self, parts: list[Any]) -> str:
        value, low, high = (self._as(self._term(part), "number") for part in _exactly(3, "between", parts))
        return f"({value.sql} BETWEEN {low.sql} AND {high.sql})"

    def _in(self, parts: list[Any]) -> str:
        value, listed = _exactly(2, "in", parts)
        term = self._term(value)
        if not isinstance(listed, list) or not listed:
            raise _not_understood("in takes a list of values")
        values = [self._as(self._term(one), term.family).sql for one in listed]
        return f"({term.sql} IN ({', '.join(values)}))"

    def _like(self, parts: list[Any]) -> str:
        value, pattern = _exactly(2, "like", parts)
        plain = pattern["args"][0] if _is_call(pattern, "casei") else pattern
        if not isinstance(plain, str):
            raise _not_understood("like takes a pattern in quotes")
        if (len(plain) - len(plain.rstrip("\\"))) % 2:
            raise _not_understood("a pattern cannot end with a single backslash")
        left, right = self._as(self._term(value), "text"), self._term(pattern)
        return f"({left.sql} LIKE {right.sql})"

    def _term(self, node: Any, depth: int = 0) -> _Term:
        if isinstance(node, bool):
            return _Term("TRUE" if node else "FALSE", "flag")
        if isinstance(node, int | float):
            if not math.isfinite(node):
                raise _not_understood("a number is too large")
            return _Term(self._values.bind(float(node), SQL_TYPES["number"]), "number")
        if isinstance(node, str):
            if "\0" in node:
                raise _not_understood("a text holds a NUL character")
            return _Term(self._values.bind(node, SQL_TYPES["text"]), "text")
        if isinstance(node, Mapping):
            if "property" in node:
                return self._property(node)
            if "date" in node or "timestamp" in node:
                return _Term(self._values.bind(_instant(node), SQL_TYPES["instant"]), "time")
            if _is_call(node, "casei") and depth < DEEPEST:
                inner = self._as(self._term(node["args"][0], depth + 1), "text")
                return _Term(f"lower({inner.sql})", "text")
        raise _not_understood("a property or a value is expected")

    def _property(self, node: Any) -> _Term:
        name = node.get("property") if isinstance(node, Mapping) else None
        if not isinstance(name, str):
            raise _not_understood("a property is expected")
        field = self._fields.get(name)
        if field is None:
            raise InputError(
                f"There is no property {name[:60]!r} to filter by.",
                f"Queryables: {', '.join([*self._fields, GEOMETRY])}.",
            )
        sql = quoted(field.name)
        return _Term(f"CAST({sql} AS timestamptz)" if field.kind == "date" else sql, _FAMILIES[field.kind])

    def _as(self, term: _Term, family: Family) -> _Term:
        if term.family != family:
            raise _not_understood(f"a {family} cannot be compared with a {term.family}")
        return term

    def _shape(self, node: Any) -> str:
        if not isinstance(node, Mapping):
            raise _not_understood("a geometry is expected")
        if node.get("property") == GEOMETRY:
            return "shape"
        if "bbox" in node:
            return self._values.area(box(flat(node["bbox"]), self._system))
        if "coordinates" not in node and "geometries" not in node:
            raise _not_understood("the geometry or a literal one is expected")
        return self._values.area(_literal(node, self._system))


def compiled(
    text: str,
    language: str,
    layer: Layer,
    actions: Collection[str],
    values: Values,
    system: System = CRS84,
) -> str:
    """Return the SQL of a filter.

    Parameters
    ----------
    text : str
        The filter.
    language : str
        One of `LANGUAGES`.
    layer : Layer
        Whose fields it may name.
    actions : collection of str
        What whoever asks may do: a field others see is unknown to them.
    values : Values
        Takes the values.
    system : System
        Of the coordinates in the filter.

    Raises
    ------
    InputError
        If it cannot be read, is too long or too deep, names what is not there, or compares what cannot be.
    """
    if len(text) > LONGEST:
        raise InputError(f"The filter is longer than {LONGEST} characters.", "Ask in several requests.")
    if text.count("(") > _MOST_BRACKETS:
        raise InputError(f"The filter has more than {_MOST_BRACKETS} brackets.", "Write it flatter.")
    try:
        parsed = _PARSERS[language](text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError, RecursionError):
        raise _not_understood(f"it is no {language}") from None
    try:
        return _Compiler(layer, actions, values, system).condition(parsed)
    except CoordinateError as error:
        raise InputError(error.fault, error.remedy) from None


def equal(name: str, text: str, layer: Layer, actions: Collection[str], values: Values) -> str:
    """Return the SQL of a property having a value, both as they stand in a query.

    Raises
    ------
    InputError
        If there is no such property to filter by, or the value is none of its kind.
    """
    field = next((one for one in layer.seen_by(actions) if one.name == name and one.filterable), None)
    if field is None:
        raise InputError(f"There is no property {name[:60]!r} to filter by.", "See the queryables.")
    try:
        value = _READ[field.kind](text)
    except (ValueError, LookupError, OverflowError):
        kind = json.dumps(field.schema.get("format", field.schema["type"]))
        raise InputError(f"{name} is a {kind}; the value given is none.", "See the queryables.") from None
    return f"({quoted(field.name)} = {values.bind(value, SQL_TYPES[field.kind])})"


def flat(numbers: Any) -> tuple[float, float, float, float]:
    """Return the two dimensions of a box of four or six numbers.

    Raises
    ------
    CoordinateError
        If it is no such box.
    """
    if not isinstance(numbers, list) or len(numbers) not in (4, 6) or not all(map(_is_number, numbers)):
        raise CoordinateError("A box has four or six numbers.", "Give the lowest values, then the highest.")
    if len(numbers) == 4:
        return tuple(map(float, numbers))  # type: ignore[return-value]
    first, second, low, third, fourth, high = map(float, numbers)
    if low > high:
        raise CoordinateError("bbox is upside down.", "Give the lower value of each axis first.")
    return first, second, third, fourth


def _literal(node: Mapping[str, Any], system: System) -> Any:
    try:
        shape = shapely.force_2d(of_geojson(node))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.ShapelyError):
        raise _not_understood("a geometry cannot be read") from None
    coordinates = shapely.get_coordinates(shape)
    if not len(coordinates) or not all(map(math.isfinite, coordinates.ravel().tolist())):
        raise _not_understood("a geometry has no coordinates that can be used")
    if not shapely.is_valid(shape):
        raise _not_understood(f"a geometry is not valid: {shapely.is_valid_reason(shape)}")
    return stored(shape, system)


def _instant(node: Mapping[str, Any]) -> datetime:
    try:
        if "date" in node:
            return datetime.combine(date.fromisoformat(node["date"]), time(), CHINA)
        return here(datetime.fromisoformat(node["timestamp"]))
    except (ValueError, TypeError):
        raise _not_understood("a date or timestamp cannot be read") from None


def _exactly(count: int, name: str, parts: list[Any]) -> list[Any]:
    if len(parts) != count:
        raise _not_understood(f"{name} takes {count}")
    return parts


def _is_call(node: Any, name: str) -> bool:
    return isinstance(node, Mapping) and node.get("op") == name and len(node.get("args") or ()) == 1


def _is_collection(node: Any) -> bool:
    return isinstance(node, Mapping) and "geometries" in node


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _not_understood(why: str) -> InputError:
    return InputError(f"The filter cannot be used: {why}.", "Write it as CQL2; see the queryables.")


def _integer(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL")
    return text


_READ: dict[Kind, Callable[[str], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "flag": _flag,
    "date": date.fromisoformat,
    "instant": lambda text: here(datetime.fromisoformat(text)),
}
