"""Read many rows into arrays or a DataFrame, inside a session's own transaction. Never commits.

The server packs each column into one array, and in the binary form of an array
without NULLs all elements have the same width: the whole column is one
`numpy.frombuffer`, without a Python object or a protocol message per value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from core.database.session import driver_connection

if TYPE_CHECKING:
    import pandas as pd  # imported when a frame is made: callers of arrays don't need it

Arrays = dict[str, npt.NDArray[Any]]  # columns by their names
Kind = Literal["int", "long", "number", "small", "tiny", "share", "time", "day"]

_ARRAY_HEADER = 20  # dimensions, NULL flag, element type, length, lower bound
# The smallest value of each type stands for NULL: no amount, count or time ever has it.
_TYPES: Mapping[Kind, tuple[str, str, int]] = {
    "int": ("int4", ">i4", -(2**31)),
    "long": ("int8", ">i8", 0),
    "number": ("int8", ">i8", -(2**63)),
    "small": ("int4", ">i4", -(2**31)),
    "tiny": ("int2", ">i2", -(2**15)),
    "share": ("float4", ">f4", 0),
    "time": ("timestamptz", ">i8", 0),
    "day": ("timestamp", ">i8", 0),
}
_NUMBERS = ("number", "small", "tiny")
# PostgreSQL counts its microseconds from 2000-01-01.
_EPOCH = int(np.datetime64("2000-01-01", "us").astype("i8"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the result: its name, its SQL, and its type.

    `number`, `small`, `tiny`: float64 from a BIGINT, INT or SMALLINT, NaN for NULL; sent
    in the stored width. `share`: float64 from a REAL, NaN for NULL. `int`, `long`: int64
    from an INT or a BIGINT, `sql` must not give NULL. `time`:
    datetime64[us, UTC]. `day`: datetime64[us] at midnight, without a zone.
    """

    name: str
    sql: str
    kind: Kind = "number"

    @property
    def inner(self) -> str:
        """Return the expression without NULLs, in the type that is sent."""
        sent = _TYPES[self.kind][0]
        if self.kind in _NUMBERS:
            return f"COALESCE(({self.sql})::{sent}, ({_TYPES[self.kind][2]})::{sent})"
        if self.kind == "share":
            return f"COALESCE(({self.sql})::{sent}, 'NaN')"
        return f"({self.sql})::{sent}"


@dataclass(frozen=True, slots=True)
class ColumnQuery:
    """A query: columns, and `rest` as `read_frame` takes it."""

    columns: Sequence[Column]
    rest: str

    @property
    def packed(self) -> str:
        """Return the query with a result of one row: each column as one array."""
        inner = ", ".join(f"{column.inner} AS c{n}" for n, column in enumerate(self.columns))
        outer = ", ".join(f"array_agg(c{n})" for n in range(len(self.columns)))
        return f"SELECT {outer} FROM (SELECT {inner} {self.rest}) AS rows"


def read_frame(
    session: Session, columns: Sequence[Column], rest: str, parameters: Mapping[str, Any]
) -> "pd.DataFrame":
    """Run `SELECT columns rest` and return a DataFrame in the order of the rows.

    `rest` begins at FROM and includes the ORDER BY; `parameters` are bound by
    name as `%(name)s`. Without rows the frame is empty and has the same columns.
    """
    return to_frame(columns, read_columns(session, columns, rest, parameters))


def to_frame(columns: Sequence[Column], arrays: Mapping[str, npt.NDArray[Any]]) -> "pd.DataFrame":
    """Return columns as a DataFrame, in which a `time` has its zone."""
    import pandas as pd

    times = {column.name for column in columns if column.kind == "time"}
    with_zones = {
        name: pd.DatetimeIndex(values, tz="UTC") if name in times else values
        for name, values in arrays.items()
    }
    return pd.DataFrame(with_zones, copy=False)


def read_columns(
    session: Session, columns: Sequence[Column], rest: str, parameters: Mapping[str, Any]
) -> Arrays:
    """Run such a query and return arrays by column name; a `time` is in UTC, without a zone."""
    return read_columns_many(session, [ColumnQuery(columns, rest)], parameters)[0]


def read_columns_many(
    session: Session, parts: Sequence[ColumnQuery], parameters: Mapping[str, Any]
) -> list[Arrays]:
    """Run several such queries in one exchange with the server; return one result for each."""
    asked = ", ".join(f"({part.packed}) AS p{n}" for n, part in enumerate(parts))
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(f"SELECT * FROM {asked}", parameters)
        result = cursor.pgresult
        assert result is not None
        bodies = (result.get_value(0, n) for n in range(result.nfields))
        return [
            {column.name: _decode(next(bodies), column.kind) for column in part.columns}
            for part in parts
        ]


def _decode(body: bytes | None, kind: Kind) -> npt.NDArray[Any]:
    """Return one packed array as numpy values; None (no rows) is empty."""
    raw = _elements(body, kind)
    if kind in ("int", "long"):
        return raw.astype("i8")
    if kind == "share":
        return raw.astype("f8")
    if kind in _NUMBERS:
        numbers = raw.astype("f8")
        numbers[raw == _TYPES[kind][2]] = np.nan
        return numbers
    return (raw.astype("i8") + _EPOCH).view("M8[us]")


def _elements(body: bytes | None, kind: Kind) -> npt.NDArray[Any]:
    element = np.dtype([("length", ">i4"), ("value", _TYPES[kind][1])])
    if body is None:
        return np.empty(0, dtype=element)["value"]
    return np.frombuffer(body, dtype=element, offset=_ARRAY_HEADER)["value"]
