"""Small lines of steps as drawings."""

import re
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from core.small_lines import GRAY, draw_steps

SIZE = (84, 28)
VALUES = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=90)


def path_of(drawing: str) -> tuple[list[float], list[float]]:
    """Return the x and the y of a drawing's corners."""
    svg = b64decode(drawing.removeprefix("data:image/svg+xml;base64,")).decode()
    path = re.search(r' d="([^"]+)"', svg)
    assert path is not None
    first, *steps = re.findall(r"[MH](-?[\d.]+)[V ](-?[\d.]+)", path[1])
    return [float(x) for x, _ in (first, *steps)], [float(y) for _, y in (first, *steps)]


@given(VALUES)
def test_a_line_stays_within_its_drawing(values: list[float | None]) -> None:
    drawing = draw_steps(values, *SIZE, GRAY)
    known = [value for value in values if value is not None]
    assert (drawing is None) == (len(known) < 2)
    if drawing is not None:
        across, down = path_of(drawing)
        assert len(across) == len(known)
        assert across == sorted(across)
        assert all(0 <= x <= SIZE[0] for x in across)
        assert all(0 <= y <= SIZE[1] for y in down)


def test_higher_values_are_drawn_higher_and_equal_ones_halfway() -> None:
    _, down = path_of(str(draw_steps([1, None, 3], *SIZE, GRAY)))
    assert down == [25.0, 3.0]
    _, flat = path_of(str(draw_steps([7, 7], *SIZE, GRAY)))
    assert flat == [14.0, 14.0]


def test_a_small_move_is_drawn_small() -> None:
    _, down = path_of(str(draw_steps([0, 1], *SIZE, GRAY, least_span=10)))
    assert 12 < down[1] < down[0] < 16
