"""The Parquet files of an instance: columns of the right kind, and what is wrong with which rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.balance.problem import MOST_HOUSEHOLDS, Bools
from geo.errors import InputError

UNITS, EDGES, META = FILES = ("units.parquet", "edges.parquet", "meta.json")

FAR, WIDE = 1e9, 1e15
"""More than any coordinate or length in metres, any area in square metres; squares of sums stay finite."""
LAST_LABEL = 2**62
"""So that labels of new grids, above all of today's, are numbers too."""
NAMED = 3
"""Faults of a kind that are named; the others are counted."""


@dataclass(frozen=True)
class Column:
    """What a column holds: a kind of values, and from where to where they may lie."""

    kind: str
    lowest: float = 0
    highest: float = 0

    def takes(self, kind: pa.DataType) -> bool:
        """Whether values of a stored type can be of this kind."""
        types = pa.types
        if self.kind == "name":
            return bool(types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind))
        flag = self.kind == "flag" and types.is_boolean(kind)
        return bool(flag or types.is_integer(kind) or types.is_floating(kind))


KINDS = {
    "name": "whole numbers or texts",
    "whole": "whole numbers",
    "number": "numbers",
    "flag": "true or false, or 1 and 0",
}
UNIT_COLUMNS = {
    "uid": Column("name"),
    "w": Column("whole", 0, MOST_HOUSEHOLDS),
    "x": Column("number", -FAR, FAR),
    "y": Column("number", -FAR, FAR),
    "area": Column("number", 0, WIDE),
    "perim": Column("number", 0, FAR),
    "container": Column("whole", 0, LAST_LABEL),
    "community": Column("whole", -LAST_LABEL, LAST_LABEL),
    "compound": Column("whole", -1, LAST_LABEL),
    "current": Column("whole", -1, LAST_LABEL),
}
EDGE_COLUMNS = {
    "u": Column("whole", 0, LAST_LABEL),
    "v": Column("whole", 0, LAST_LABEL),
    "shared_len": Column("number", 0, FAR),
    "ok": Column("flag", 0, 1),
}


def table(path: Path, columns: dict[str, Column]) -> pa.Table:
    """Read the columns that are needed, each of a type that can hold what it must.

    Raises
    ------
    InputError
        If the file cannot be read, or lacks a column.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_schema(path.name, file.schema_arrow, columns)
            return file.read(columns=list(columns))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path.name} cannot be read as Parquet: {said}.", "Write the file anew.") from error


def _check_schema(file: str, schema: pa.Schema, columns: dict[str, Column]) -> None:
    remedy = f"Its columns are {', '.join(columns)}."
    if absent := [name for name in columns if name not in schema.names]:
        raise InputError(f"{file} has no column {', '.join(absent)}.", remedy)
    if again := [name for name in columns if schema.names.count(name) > 1]:
        raise InputError(f"{file} has more than one column {again[0]}.", remedy)
    for name, rule in columns.items():
        if not rule.takes(kind := schema.field(name).type):
            raise InputError(f"{file}: {name} is of type {kind}.", f"It must hold {KINDS[rule.kind]}.")


def refuse(where: str, fault: str, wrong: Bools, tell: Callable[[int], str], remedy: str) -> None:
    """Name the first rows that are wrong and count the others.

    Parameters
    ----------
    where, fault, remedy : str
        Parts of the message.
    wrong : ndarray of bool, shape (rows,)
    tell : callable
        How the message names a row.

    Raises
    ------
    InputError
        If any is wrong.
    """
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    named = ", ".join(tell(int(row)) for row in rows[:NAMED])
    more = f", and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    raise InputError(f"{where} {fault}: {named}{more}.", remedy)


def column(file: str, stored: pa.Table, name: str, place: Callable[[int], str]) -> NDArray[Any]:
    """Return a column as 64-bit whole numbers, as floats or as flags, all of them within their limits.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    stored : pyarrow.Table
        From `table`.
    name : str
        One of `UNIT_COLUMNS` or `EDGE_COLUMNS`, other than ``uid``.
    place : callable
        How a message names a row.

    Raises
    ------
    InputError
        If values are missing or not what the column must hold.
    """
    rule = (UNIT_COLUMNS | EDGE_COLUMNS)[name]
    where = f"{file}: {name}"
    none = " Write -1 for none." if rule.lowest == -1 else ""
    refuse(where, "is missing", stored.column(name).is_null().to_numpy(), place, f"Fill it in.{none}")
    values: NDArray[Any] = stored.column(name).to_numpy()
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
    need = f"It must be from {rule.lowest:,.0f} to {rule.highest:,.0f}."

    def tell(row: int) -> str:
        return f"{values[row]} of {place(row)}"

    refuse(where, "is not a finite number", ~np.isfinite(values), tell, need + none)
    refuse(where, f"is below {rule.lowest:,.0f}", values < rule.lowest, tell, need)
    refuse(where, f"is above {rule.highest:,.0f}", values > rule.highest, tell, need)
    if rule.kind == "number":
        return values.astype(np.float64)
    if values.dtype.kind == "f":
        refuse(
            where,
            "is not a whole number",
            values != np.floor(values),
            tell,
            f"It must hold {KINDS[rule.kind]}.",
        )
    return values.astype(np.bool_ if rule.kind == "flag" else np.int64)
