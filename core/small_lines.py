"""Small lines of steps as drawings: for cards and rows, without axes. Pure.

A drawing knows no theme, so its colours have a contrast of at least 3 on light and on dark ground.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

VIOLET: Final = "#7a6be0"  # ranks
GREEN: Final = "#2a9455"  # better
RED: Final = "#d6493a"  # worse
GRAY: Final = "#7d858e"


def draw_steps(
    values: Sequence[float | None],
    width: int,
    height: int,
    color: str,
    *,
    least_span: float = 0.0,
) -> str | None:
    """Return a line of steps as a data URL, the newest value as a dot; None is left out.

    `least_span`: the least that the height stands for, so that small moves look small. None: fewer
    than two values are known.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return None
    low, high = min(y for _, y in known), max(y for _, y in known)
    middle, span = (low + high) / 2, max(high - low, least_span)
    across = (width - 6) / max(len(values) - 1, 1)
    down = (height - 6) / span if span else 0.0  # equal values are drawn halfway
    dots = [
        (f"{2 + place * across:.1f}", f"{height / 2 - (y - middle) * down:.1f}")
        for place, y in known
    ]
    path = f"M{dots[0][0]} {dots[0][1]}" + "".join(f"H{x}V{y}" for x, y in dots[1:])
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}"><path d="{path}" fill="none" stroke="{color}" '
        f'stroke-width="1.6"/><circle cx="{dots[-1][0]}" cy="{dots[-1][1]}" r="2.4" '
        f'fill="{color}"/></svg>'
    )
    return "data:image/svg+xml;base64," + b64encode(drawing.encode()).decode()
