"""Reads and writes many rows at once, inside a session's own transaction. Never commits.

Reading into pandas: the server packs each column into one array, and the binary
form of an array without NULLs has one width per element: the whole column is one
`numpy.frombuffer`, with no Python object and no protocol message per value.
Writing: a column travels as one array literal, or rows through binary COPY.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy.orm import Session

from core.db import driver_connection

Kind = Literal["int", "number", "share", "time", "day"]

_ARRAY_HEADER = 20  # dimensions, NULL flag, element type, length, lower bound
# The least value of each type stands for NULL: no amount, count or time is ever it.
_TYPES: Mapping[Kind, tuple[str, str, int]] = {
    "int": ("int4", ">i4", -(2**31)),
    "number": ("int8", ">i8", -(2**63)),
    "share": ("float4", ">f4", 0),
    "time": ("timestamptz", ">i8", 0),
    "day": ("timestamp", ">i8", 0),
}
# PostgreSQL counts its microseconds from 2000-01-01.
_EPOCH = int(np.datetime64("2000-01-01", "us").astype("i8"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer: its name, its SQL, and what it becomes.

    `number`: float64, NaN for NULL. `share`: float64 from a REAL, NaN for NULL.
    `int`: int64, NULL must be ruled out in `sql`. `time`: datetime64[us, UTC].
    `day`: datetime64[us] at midnight, without a zone.
    """

    name: str
    sql: str
    kind: Kind = "number"

    @property
    def inner(self) -> str:
        """Return the expression without NULLs, in the type that is sent."""
        sent = _TYPES[self.kind][0]
        if self.kind == "number":
            return f"COALESCE(({self.sql})::{sent}, {_TYPES['number'][2]})"
        if self.kind == "share":
            return f"COALESCE(({self.sql})::{sent}, 'NaN')"
        return f"({self.sql})::{sent}"


def read_frame(
    session: Session, columns: Sequence[Column], rest: str, parameters: Mapping[str, Any]
) -> pd.DataFrame:
    """Run `SELECT columns rest` and return a DataFrame in the order of the rows.

    `rest` begins at FROM and carries the ORDER BY; `parameters` are bound by
    name as `%(name)s`. No rows give an empty frame with the same columns.
    """
    inner = ", ".join(f"{column.inner} AS c{n}" for n, column in enumerate(columns))
    outer = ", ".join(f"array_agg(c{n})" for n in range(len(columns)))
    statement = f"SELECT {outer} FROM (SELECT {inner} {rest}) AS rows"
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(statement, parameters)
        result = cursor.pgresult
        bodies = [result.get_value(0, n) if result else None for n in range(len(columns))]
    return pd.DataFrame(
        {
            column.name: _decode(body, column.kind)
            for column, body in zip(columns, bodies, strict=True)
        },
        copy=False,
    )


def _decode(body: bytes | None, kind: Kind) -> Any:
    """Return one packed array as numpy or pandas values; None (no rows) is empty."""
    raw = _elements(body, kind)
    if kind == "int":
        return raw.astype("i8")
    if kind == "share":
        return raw.astype("f8")
    if kind == "number":
        numbers = raw.astype("f8")
        numbers[raw == _TYPES["number"][2]] = np.nan
        return numbers
    moments = (raw.astype("i8") + _EPOCH).view("M8[us]")
    return pd.DatetimeIndex(moments, tz="UTC") if kind == "time" else moments


def _elements(body: bytes | None, kind: Kind) -> npt.NDArray[Any]:
    element = np.dtype([("length", ">i4"), ("value", _TYPES[kind][1])])
    if body is None:
        return np.empty(0, dtype=element)["value"]
    return np.frombuffer(body, dtype=element, offset=_ARRAY_HEADER)["value"]


def run_rows(
    session: Session, statement: str, rows: Sequence[Sequence[Any]], *, fetch: bool = False
) -> list[tuple[Any, ...]]:
    """Run one statement whose placeholders are the columns of `rows`, as arrays.

    Does what `core.db.run_many` does at a fifth of its cost: each column becomes one
    literal here, instead of one adapted value per cell. No rows run nothing.
    """
    if not rows:
        return []
    columns = [array_literal(column) for column in zip(*rows, strict=True)]
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(statement, columns)
        return cursor.fetchall() if fetch else []


def copy_rows(
    session: Session, into: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append rows through binary COPY, for values that are large, such as bytes.

    `columns` maps names to PostgreSQL types, in the order of each row's values. A
    row that is there already fails the whole transaction.
    """
    statement = f"COPY {into} ({', '.join(columns)}) FROM STDIN (FORMAT binary)"
    with driver_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


_NONE = type(None)


def array_literal(column: Sequence[Any]) -> str:
    """Return values of one type, and None, as PostgreSQL writes an array of them."""
    kinds = set(map(type, column))
    kinds.discard(_NONE)
    if not kinds:
        return "{" + ",".join(["NULL"] * len(column)) + "}"
    if kinds == {int}:
        return "{" + str(list(column))[1:-1].replace("None", "NULL") + "}"
    write = _writer(kinds.pop()) if len(kinds) == 1 else _written
    return "{" + ",".join(["NULL" if value is None else write(value) for value in column]) + "}"


def _writer(kind: type) -> Callable[[Any], str]:
    """Return how a value of a type is written inside an array."""
    for known, write in _WRITERS.items():
        if issubclass(kind, known):
            return write
    raise TypeError(f"Values of {kind.__name__} can't be sent as an array.")


def _written(value: Any) -> str:
    return _writer(type(value))(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


# Asked in this order: a truth is also a number, a moment is also a date.
_WRITERS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "t" if value else "f",
    int: lambda value: str(int(value)),
    str: _quoted,
    date: lambda value: value.isoformat(),
    float: repr,
    Decimal: str,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
}
