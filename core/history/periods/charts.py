"""Charts of a period: movers, indexes, changes by day and marketplace. Rows → plotly dict. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import log
from typing import Any, Final

from core import chart_theme, small_lines
from core.chart_theme import plain_axis, plain_layout
from core.history.periods.index import BASE
from core.history.periods.queries import ChangeCount, IndexDay
from core.text.numbers import format_count, format_counted
from core.text.times import format_day
from core.tracking.rules import Role

Figure = dict[str, Any]


def _note(text: str, **place: Any) -> dict[str, Any]:
    return {"text": text, "showarrow": False, "font": chart_theme.FONT} | place


# Movers


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a two-sided chart: to the right of the middle if `size` is above 0."""

    name: str
    size: float
    text: str  # beside the bar
    hover: str
    is_better: bool | None  # None: neither


BAR_HEIGHT: Final = 36  # px
_BESIDE: Final = 0.95  # of the longest bar, for the text beside it


def draw_bars(bars: Sequence[Bar], sides: tuple[str, str]) -> Figure:
    """Return a two-sided bar chart, the first bar on top. `sides`: names of left and right.

    A bar's name stands on the other side of the middle, so that both have the whole half. A
    bar's place in `bars` is the point's in its trace.
    """
    escape = chart_theme.escape_for_plotly
    colors = {None: chart_theme.PRICE, True: chart_theme.BETTER, False: chart_theme.WORSE}
    places = list(range(len(bars)))
    half = max((abs(bar.size) for bar in bars), default=0) * (1 + _BESIDE) or 1
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": places,
        "x": [bar.size for bar in bars],
        "marker": {"color": [colors[bar.is_better] for bar in bars], "cornerradius": 3},
        "customdata": [escape(bar.hover) for bar in bars],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    notes = [
        _note(f"<b>{side}</b>", x=0, y=1, yref="paper", yanchor="bottom", **_beside(is_right))
        for side, is_right in zip(sides, (False, True), strict=True)
    ]
    for place, bar in enumerate(bars):
        is_right = bar.size > 0
        notes.append(_note(escape(bar.text), x=bar.size, y=place, **_beside(is_right)))
        notes.append(_note(escape(bar.name), x=0, y=place, **_beside(not is_right)))
    layout = plain_layout(
        BAR_HEIGHT * max(len(bars), 2) + 36,
        hovermode="closest",
        clickmode="event+select",
        bargap=0.34,
        annotations=notes,
        xaxis=plain_axis(
            range=[-half, half],
            showticklabels=False,
            showgrid=False,
            zeroline=True,
            zerolinecolor=chart_theme.TEXT,
            zerolinewidth=1,
        ),
        yaxis=plain_axis(showgrid=False, showticklabels=False, range=[len(bars) - 0.4, -0.6]),
    )
    return {"data": [trace], "layout": layout}


def _beside(is_right: bool) -> dict[str, Any]:
    """Return how a note stands to the right or to the left of its place."""
    return {"xanchor": "left" if is_right else "right", "xshift": 6 if is_right else -6}


# Indexes

_PANELS: Final = {"rank": ("y", (0.56, 1.0)), "price": ("y2", (0.0, 0.42))}
_NAMES: Final = {Role.OWN: "Own", Role.COMPETITOR: "Competitors"}


@dataclass(frozen=True, slots=True)
class IndexLine:
    """An index by day from `BASE` on; None: not known. A higher rank index is better here."""

    role: Role
    figure: str  # "rank" or "price"
    days: tuple[date, ...]
    values: tuple[float | None, ...]

    @property
    def last(self) -> float | None:
        """Return the newest known value, None if there is none beyond the start."""
        known = [value for value in self.values[1:] if value is not None]
        return known[-1] if known else None


def make_index_lines(days: Iterable[IndexDay]) -> list[IndexLine]:
    """Return the lines that have a value: rank and price, of own products and competitors.

    Each begins at `BASE` on the day before the first. The rank's is turned: it is 200 where
    ranks halved.
    """
    by_role: dict[Role, list[IndexDay]] = {}
    for day in days:
        by_role.setdefault(day.role, []).append(day)
    lines = []
    for role in _NAMES:
        found = by_role.get(role, [])
        if not found:
            continue
        shown = (found[0].day - timedelta(days=1), *(each.day for each in found))
        ranks = (None if each.rank_index is None else BASE**2 / each.rank_index for each in found)
        lines.append(IndexLine(role, "rank", shown, (BASE, *ranks)))
        prices = (each.price_index for each in found)
        lines.append(IndexLine(role, "price", shown, (BASE, *prices)))
    return [line for line in lines if line.last is not None]


def draw_indexes(lines: Sequence[IndexLine], *, is_narrow: bool = False) -> Figure:
    """Return two panels on one time axis: the rank's index, turned, and below it the price's."""
    colors = {"rank": chart_theme.RANK, "price": chart_theme.PRICE}
    traces, notes = [], []
    for line in lines:
        axis, _ = _PANELS[line.figure]
        color, is_own = colors[line.figure], line.role is Role.OWN
        figure = "BSR" if line.figure == "rank" else "Price"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(line.days) < 9 else "lines",
                "x": [day.isoformat() for day in line.days],
                "y": list(line.values),
                "yaxis": axis,
                "line": {"color": color, "width": 2, "dash": "solid" if is_own else "dot"},
                "marker": {"size": 5},
                "name": f"{figure}, {_NAMES[line.role].lower()}",
                "hovertemplate": "%{y:.1f}",
                "connectgaps": False,
            }
        )
    for line, height in zip(lines, _spread_labels(lines), strict=True):
        axis, _ = _PANELS[line.figure]
        notes.append(
            _note(
                f"{_NAMES[line.role]} {line.last:.0f}",
                x=line.days[-1].isoformat(),
                y=height,
                yref=axis,
                xanchor="left",
                xshift=6,
                font={"size": 12, "color": colors[line.figure]},
            )
        )
    for figure, title in (("rank", "BSR index (turned: up is better)"), ("price", "Price index")):
        if any(line.figure == figure for line in lines):
            top = _PANELS[figure][1][1]
            notes.append(
                _note(
                    f"<b>{title}</b>",
                    x=0,
                    xref="paper",
                    xanchor="left",
                    y=top,
                    yref="paper",
                    yanchor="bottom",
                )
            )
    days = sorted({day for line in lines for day in line.days})
    layout = plain_layout(
        320 if is_narrow else 360,
        annotations=notes,
        hovermode="x unified",
        yaxis=_index_axis(lines, "rank"),
        yaxis2=_index_axis(lines, "price"),
        xaxis=_day_axis(days, 3 if is_narrow else 6, room=0.45 if is_narrow else 0.24, anchor="y2"),
    )
    return {"data": traces, "layout": layout}


_ROOM: Final = 2.0  # points above and below the lines: a flat line is no lone tick


def _index_axis(lines: Sequence[IndexLine], figure: str) -> dict[str, Any]:
    seen = [value for line in lines if line.figure == figure for value in line.values if value]
    low, high = min(seen, default=BASE), max(seen, default=BASE)
    place = list(_PANELS[figure][1])
    return plain_axis(domain=place, nticks=4, range=[low - _ROOM, high + _ROOM])


def _spread_labels(lines: Sequence[IndexLine]) -> list[float]:
    """Return where each line's label stands, so that two of one panel don't overlap."""
    places = [line.last or BASE for line in lines]
    for figure in _PANELS:
        mine = [n for n, line in enumerate(lines) if line.figure == figure]
        seen = [value for n in mine for value in lines[n].values if value is not None]
        if len(mine) < 2:
            continue
        least = (max(seen) - min(seen) + 2 * _ROOM) * 0.13
        low, high = sorted(mine, key=lambda n: places[n])
        missing = least - (places[high] - places[low])
        if missing > 0:
            places[low] -= missing / 2
            places[high] += missing / 2
    return places


def _day_axis(days: Sequence[date], most: int, *, room: float, **options: Any) -> dict[str, Any]:
    """Return an axis of days with at most `most` labels; `room`: beyond the last, as a share."""
    step = -(-len(days) // most) if days else 1
    named = list(days)[::-1][::step][::-1]
    first, last = (days[0], days[-1]) if days else (date.min, date.min)
    span = (last - first) or timedelta(days=1)
    end = datetime.combine(last, time()) + span * room
    return plain_axis(
        type="date",
        showgrid=False,
        tickangle=0,
        tickvals=[day.isoformat() for day in named],
        tickformat="%-d %b",
        hoverformat="%a %-d %b %Y",
        range=[first.isoformat(), end.isoformat()],
        **options,
    )


def describe_indexes(lines: Sequence[IndexLine]) -> str:
    """Return what the indexes show: "BSR index of own products 85, of competitors 104; …"."""
    parts = []
    for figure, name in (("rank", "BSR index (above 100 is better)"), ("price", "price index")):
        of = [
            f"{'own products' if line.role is Role.OWN else 'competitors'} {line.last:.0f}"
            for line in lines
            if line.figure == figure
        ]
        if of:
            parts.append(f"{name}: {', '.join(of)}")
    return "; ".join(parts)


# Changes by day and marketplace


@dataclass(frozen=True, slots=True)
class Cell:
    """How many products of a marketplace changed on a day. None: nothing was observed."""

    marketplace: str
    day: date
    products: int | None


def make_cells(
    counts: Iterable[ChangeCount],
    roles: Sequence[Role],
    days: Sequence[date],
    observed: Mapping[str, frozenset[date]],
) -> list[Cell]:
    """Return the cells of each marketplace in `observed`, day by day. No roles: all roles."""
    found: dict[tuple[str, date], int] = {}
    for each in counts:
        if not roles or each.role in roles:
            place = each.marketplace, each.day
            found[place] = found.get(place, 0) + each.products
    return [
        Cell(code, day, found.get((code, day), 0 if day in seen else None))
        for code, seen in observed.items()
        for day in days
    ]


CELL_HEIGHT: Final = 34  # px


def draw_heat_map(cells: Sequence[Cell], *, is_narrow: bool = False) -> Figure:
    """Return a heat map, a row per marketplace and a column per day; no observation is a hole.

    A cell of a heat map reports no click, so unseen points lie above them: a cell's place in
    `cells` is that of its point in the second trace.
    """
    codes = list(dict.fromkeys(cell.marketplace for cell in cells))
    days = sorted({cell.day for cell in cells})
    axis = _day_axis(days, 4 if is_narrow else 8, room=0)
    half = timedelta(hours=12)
    axis["range"] = [
        (datetime.combine(days[0], time()) - half).isoformat(),
        (datetime.combine(days[-1], time()) + half).isoformat(),
    ]
    layout = plain_layout(
        CELL_HEIGHT * len(codes) + 44,
        top=6,
        hovermode="closest",
        clickmode="event+select",
        xaxis=axis,
        yaxis=plain_axis(
            showgrid=False,
            tickvals=list(range(len(codes))),
            ticktext=codes,
            range=[len(codes) - 0.5, -0.5],
        ),
    )
    traces = [
        _shade_cells(cells, codes, days, gap=1 if is_narrow else 3),
        _place_points(cells, codes, size=8 if is_narrow else 24),
    ]
    return {"data": traces, "layout": layout}


def _shade_cells(
    cells: Sequence[Cell], codes: Sequence[str], days: Sequence[date], *, gap: int
) -> dict[str, Any]:
    """Return the trace of the shades, with its scale. `gap`: between days, in px."""
    known = {(cell.marketplace, cell.day): cell.products for cell in cells}
    most = max((cell.products or 0 for cell in cells), default=0) or 1
    marked = sorted({0, most // 2, most})
    shades = chart_theme.AMOUNTS
    return {
        "type": "heatmap",
        "x": [day.isoformat() for day in days],
        "y": list(range(len(codes))),
        "z": [[known[code, day] for day in days] for code in codes],
        "xgap": gap,
        "ygap": 3,
        "zmin": 0,
        "zmax": most,
        "colorscale": [[n / (len(shades) - 1), shade] for n, shade in enumerate(shades)],
        "hoverinfo": "skip",
        "hoverongaps": False,
        "colorbar": {
            "thickness": 8,
            "outlinewidth": 0,
            "tickvals": marked,
            "ticktext": [format_count(value) for value in marked],
            "tickfont": chart_theme.FONT,
            "xpad": 8,
        },
    }


def _place_points(cells: Sequence[Cell], codes: Sequence[str], *, size: int) -> dict[str, Any]:
    """Return the trace of the unseen points, which are hovered and clicked. `size`: in px."""
    unseen = {"marker": {"opacity": 0}}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [cell.day.isoformat() for cell in cells],
        "y": [codes.index(cell.marketplace) for cell in cells],
        "marker": {"symbol": "square", "size": size, "opacity": 0},
        "selected": unseen,
        "unselected": unseen,
        "customdata": [f"{cell.marketplace}: {_count_changes(cell)}" for cell in cells],
        "hovertemplate": "%{x|%a %-d %b}, %{customdata}<extra></extra>",
    }


def _count_changes(cell: Cell) -> str:
    return "no data" if cell.products is None else format_counted(cell.products, "change")


def describe_heat_map(cells: Sequence[Cell]) -> str:
    """Return the most changes of a day, and how many there are in all: "112 changes; most …"."""
    total = sum(cell.products or 0 for cell in cells)
    if not total:
        return "No changes on the days shown"
    peak = max(cells, key=lambda cell: cell.products or 0)
    return (
        f"{format_counted(total, 'change')}; most in {peak.marketplace} on "
        f"{format_day(peak.day)}: {format_count(peak.products)}"
    )


# A rank's line beside a product

FLATTEST: Final = log(1.5)  # the least that the height stands for: small moves look small


def draw_rank_line(ranks: Sequence[float | None], width: int, height: int) -> str | None:
    """Return a drawing of ranks as steps, the better the higher, as a data URL.

    None: fewer than two are known.
    """
    lengths = [-log(rank) if rank else None for rank in ranks]
    return small_lines.draw_steps(lengths, width, height, small_lines.VIOLET, least_span=FLATTEST)
