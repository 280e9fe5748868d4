"""A figure that was built before, passed to Streamlit without building it again."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from plotly.basedatatypes import BaseFigure

Properties = Mapping[str, bytes]  # name → value as JSON


@dataclass(frozen=True, slots=True)
class FigureBody:
    """A figure's properties as JSON: small to cache, quick to send."""

    traces: tuple[Properties, ...]
    layout: Properties


def pack_figure(figure: Mapping[str, Any]) -> FigureBody:
    """Return a figure's body, from the dict that `go.Figure` accepts."""
    traces = tuple(_as_json(trace) for trace in figure["data"])
    return FigureBody(traces, _as_json(figure["layout"]))


def _as_json(properties: Mapping[str, Any]) -> Properties:
    return {name: orjson.dumps(value, default=_as_plain) for name, value in properties.items()}


def _as_plain(value: Any) -> Any:
    """Return an array in the form that plotly.js reads. Raises TypeError for other objects."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"A figure holds no {type(value).__name__}.")
    if value.dtype.kind != "f":
        return value.tolist()
    packed = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    name = f"f{value.dtype.itemsize}"
    return {"dtype": name, "bdata": b64encode(packed.tobytes()).decode()}


class PrebuiltFigure(BaseFigure):  # type: ignore[misc]  # plotly carries no types
    """A figure that plotly doesn't check, copy and clean once more.

    It has only the method that Streamlit calls: `to_dict`, whose values are JSON that orjson
    writes unchanged.
    """

    def __init__(self, body: FigureBody) -> None:
        # The parent's __init__ isn't called on purpose: it is the slow part.
        self._body = body

    def to_dict(self) -> dict[str, Any]:
        """Return the figure's properties as JSON."""
        return {
            "data": [_as_written(trace) for trace in self._body.traces],
            "layout": _as_written(self._body.layout),
        }


def _as_written(properties: Properties) -> dict[str, orjson.Fragment]:
    return {name: orjson.Fragment(value) for name, value in properties.items()}
