"""Charts of steps as inline SVG: lanes on one time axis, and who held the Buy Box. Pure.

Without styles and scripts: what is drawn is in attributes, which every policy allows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from math import exp, log
from typing import Final

from core.reports.frozen.document import Html
from core.text.escaping import write_line

WIDTH: Final = 960  # px
_LEFT, _RIGHT = 84, 8  # px beside the lanes
_LANE, _GAP, _RIBBON, _EVENTS, _AXIS = 130, 26, 18, 26, 24  # px
_TICKS: Final = 5
_NAMED: Final = 3  # px: a narrower part of the ribbon can't be pointed at
_GREY: Final = "#595959"
PALETTE: Final = (
    "#0b6a62", "#b35300", "#6a4fc4", "#8a6d00", "#a8326e", "#35618e", "#4f7a28", "#7d858e",
)  # fmt: skip

Point = tuple[datetime, float | None]


@dataclass(frozen=True, slots=True)
class DrawnLane:
    """A line of steps: a value holds until the next point, None breaks it.

    `is_rank`: drawn by its logarithm, the best rank at the top.
    """

    title: str
    points: Sequence[Point]
    write: Callable[[float], str]
    color: str
    is_rank: bool = False


@dataclass(frozen=True, slots=True)
class RibbonPart:
    """A time in which one holder had the Buy Box. `place`: of its colour, one for each holder."""

    since: datetime
    until: datetime
    label: str
    place: int


@dataclass(frozen=True, slots=True)
class DrawnEvent:
    """A circle with a letter or a number in the lane of events, and its text on hover."""

    at: datetime
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class _Axis:
    since: datetime
    until: datetime

    def find_x(self, at: datetime) -> float:
        share = (at - self.since) / max(self.until - self.since, timedelta(seconds=1))
        return _LEFT + min(max(share, 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT)


def draw_chart(
    lanes: Sequence[DrawnLane],
    ribbon: Sequence[RibbonPart],
    period: tuple[datetime, datetime],
    write_day: Callable[[datetime], str],
    about: str,
    events: Sequence[DrawnEvent] = (),
    column: int = 1,
) -> Html:
    """Return the chart. `about`: its text for who can't see it. `write_day`: writes a tick.

    `column`: px within which points are drawn as their extremes.
    """
    axis = _Axis(*period)
    parts: list[str] = []
    top = 0
    for lane in lanes:
        parts += _draw_lane(lane, axis, top, column)
        top += _LANE + _GAP
    if ribbon:
        parts += _draw_ribbon(ribbon, axis, top)
        top += _RIBBON + _GAP
    if events:
        parts += _draw_events(events, axis, top)
        top += _EVENTS
    parts += _draw_days(axis, top, write_day)
    height = top + _AXIS
    return Html(
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(write_line(about))}" font-family="system-ui,sans-serif" '
        f'font-size="12">{"".join(parts)}</svg>'
    )


def _write(x: float, y: float, text: str, anchor: str = "start", color: str = _GREY) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">'
        f"{escape(write_line(text))}</text>"
    )


def _draw_lane(lane: DrawnLane, axis: _Axis, top: int, column: int) -> Iterator[str]:
    yield _write(_LEFT, top + 14, lane.title, color=lane.color)
    known = [value for _, value in lane.points if value is not None]
    if not known:
        yield _write(_LEFT, top + 60, "No accepted value in this period.")
        return
    scale = _Scale(min(known), max(known), top, is_rank=lane.is_rank)
    for value in scale.list_ticks():
        y = scale.find_y(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="#e0e0e0"/>'
        yield _write(_LEFT - 8, y + 4, lane.write(value), "end")
    path = _draw_path(lane.points, axis, scale, column)
    yield f'<path d="{path}" fill="none" stroke="{lane.color}" stroke-width="1.6"/>'


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    top: int
    is_rank: bool

    def find_y(self, value: float) -> float:
        low, high, here = self.low, self.high, value
        if self.is_rank:
            low, high, here = (log(max(each, 1.0)) for each in (low, high, value))
        share = 0.5 if high <= low else (here - low) / (high - low)
        # A better rank is a smaller one, and stands higher.
        share = share if self.is_rank else 1 - share
        return self.top + 26 + share * (_LANE - 30)

    def list_ticks(self) -> list[float]:
        """Return the lowest, the middle and the highest value, each once."""
        if self.is_rank:
            middle = round(exp((log(max(self.low, 1)) + log(max(self.high, 1))) / 2))
        else:
            middle = round((self.low + self.high) / 2)
        return sorted({self.low, float(middle), self.high})


def _draw_path(points: Sequence[Point], axis: _Axis, scale: _Scale, column: int) -> str:
    """Return the steps of a line. Points within one column are drawn as their extremes."""
    path: list[str] = []
    is_open = False
    for x, values in _group_by_column(points, axis, column):
        for value in values:
            if value is None:
                if is_open:
                    path.append(f"H{x}")
                is_open = False
                continue
            y = f"{scale.find_y(value):.1f}"
            path.append(f"H{x}V{y}" if is_open else f"M{x} {y}")
            is_open = True
    if is_open:
        path.append(f"H{WIDTH - _RIGHT}")
    return "".join(path)


def _group_by_column(
    points: Sequence[Point], axis: _Axis, width: int
) -> Iterator[tuple[int, list[float | None]]]:
    """Yield each column of pixels with its first, lowest, highest and last value."""
    column: int | None = None
    values: list[float | None] = []
    for at, value in points:
        x = round(axis.find_x(at) / width) * width
        if x != column and column is not None:
            yield column, _keep_extremes(values)
            values = []
        column = x
        values.append(value)
    if column is not None:
        yield column, _keep_extremes(values)


def _keep_extremes(values: list[float | None]) -> list[float | None]:
    known = [value for value in values if value is not None]
    if len(values) <= 4 or not known:
        return values[-4:] if known else values[-1:]
    return [values[0], min(known), max(known), values[-1]]


def _draw_ribbon(ribbon: Sequence[RibbonPart], axis: _Axis, top: int) -> Iterator[str]:
    """Draw wide parts with their names, and narrow ones by colour: there may be thousands."""
    yield _write(_LEFT - 8, top + 13, "Buy Box", "end")
    narrow: dict[str, list[str]] = {}
    drawn_to = 0.0
    for part in ribbon:
        x, end = axis.find_x(part.since), axis.find_x(part.until)
        color = pick_color(part.place)
        if end - x >= _NAMED:
            yield (
                f'<rect x="{x:.1f}" y="{top}" width="{end - x:.1f}" height="{_RIBBON}" '
                f'fill="{color}"><title>{escape(write_line(part.label))}</title></rect>'
            )
            drawn_to = end
        elif end - drawn_to >= 1:  # of those within one pixel, one is drawn
            width = max(end - x, 1)
            narrow.setdefault(color, []).append(
                f"M{x:.0f} {top}h{width:.1f}v{_RIBBON}h-{width:.1f}z"
            )
            drawn_to = end
    for color, paths in narrow.items():
        yield f'<path d="{"".join(paths)}" fill="{color}"/>'


def _draw_events(events: Sequence[DrawnEvent], axis: _Axis, top: int) -> Iterator[str]:
    yield _write(_LEFT - 8, top + 13, "Alerts", "end")
    for each in events:
        x = axis.find_x(each.at)
        yield (
            f"<g><title>{escape(write_line(each.text))}</title>"
            f'<circle cx="{x:.0f}" cy="{top + 9}" r="8.5" fill="{_GREY}"/>'
            f"{_write(x, top + 13, each.sign, 'middle', '#fff')}</g>"
        )


def pick_color(place: int) -> str:
    """Return the colour of a holder; the last one is that of all further ones."""
    return PALETTE[min(place, len(PALETTE) - 1)]


def draw_swatch(color: str) -> Html:
    """Return a square of a colour, for a legend."""
    return Html(
        f'<svg viewBox="0 0 84 12" width="84" height="12" aria-hidden="true">'
        f'<rect width="28" height="12" fill="{color}"/></svg>'
    )


def _draw_days(axis: _Axis, top: int, write_day: Callable[[datetime], str]) -> Iterator[str]:
    length = axis.until - axis.since
    for place in range(_TICKS):
        at = axis.since + length * place / (_TICKS - 1)
        anchor = "start" if place == 0 else "end" if place == _TICKS - 1 else "middle"
        yield _write(axis.find_x(at), top + 14, write_day(at), anchor)


def draw_small_line(values: Sequence[float | None], color: str, about: str) -> Html:
    """Return a small line of steps with equal distances, for a row of a table."""
    width, height = 84, 24
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Html(f'<svg viewBox="0 0 {width} {height}" aria-hidden="true"></svg>')
    low, high = min(known), max(known)
    across = (width - 6) / max(len(values) - 1, 1)
    path = ""
    for place, value in enumerate(values):
        if value is None:
            continue
        share = 0.5 if high == low else (value - low) / (high - low)
        x, y = f"{2 + place * across:.1f}", f"{height - 4 - share * (height - 8):.1f}"
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    return Html(
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(write_line(about))}"><path d="{path}" fill="none" '
        f'stroke="{color}" stroke-width="1.6"/></svg>'
    )
