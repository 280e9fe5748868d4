"""Draws the product's chart: events, price, Buy Box, rank and what is chosen, on one time axis.

A figure is the dict that `go.Figure` takes. Pages send it as it is; only tests run plotly's
validation, which takes four times as long as all the rest.
"""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.chart import bands, buy_box_ribbon, end_labels, events, extra_lines
from core.history.chart.content import ChartContent, Competitor, Series
from core.history.chart.lanes import BOTTOM, Lane, Lanes, lanes_of
from core.history.chart.traces import (
    Trace,
    amount_trace,
    area_trace,
    format_times,
    hollow_trace,
    newest_dot,
    number_separators,
    step_trace,
)
from core.history.timeline import axes, series
from core.history.timeline.series import Line
from core.history.timeline.timeline import Stretch, Timeline, to_array_time
from core.text.escaping import shorten
from core.text.numbers import format_count, format_rank, format_rating

Figure = dict[str, Any]  # {"data": [trace, …], "layout": {…}}

LONGEST_NAME: Final = 30  # characters of a category or competitor in the legend
_DAY: Final = "%a %-d %b %Y"
_DASHES: Final = ("dash", "dot", "dashdot", "longdash", "longdashdot")
_SUB_RANK_COLORS: Final = ("#000009", "#000010", "#000007", "#000005", "#000004")
_LEGEND: Final = {
    "yref": "container",
    "y": 1,
    "yanchor": "top",
    "font": {"size": chart_theme.TEXT_SIZE, "color": chart_theme.TEXT},
}
_RANK_HOVER: Final = "#%{y:,.0f}"


def draw_chart(content: ChartContent) -> Figure:
    """Draw the chart of a product's period."""
    return _Drawing(content).draw()


def shown_stretch(timeline: Timeline) -> Stretch:
    """Return what the time axis shows: always the whole chosen period."""
    since, until = to_array_time(timeline.since), to_array_time(timeline.axis_end)
    if timeline.is_by_day:
        since = since.astype("M8[D]").astype("M8[us]")
    newest = [timeline.times[-1]] if len(timeline.times) else []
    return since, max(until, since + np.timedelta64(1, "h"), *newest)


class _Drawing:
    """One figure while it is drawn."""

    def __init__(self, content: ChartContent) -> None:
        timeline = content.timeline
        self.content, self.timeline = content, timeline
        self.zone: tzinfo = UTC if timeline.is_by_day else content.zone
        self.shown = shown_stretch(timeline)
        self.lanes: Lanes = lanes_of(content)
        self.traces: list[Trace] = []
        self.annotations: list[dict[str, Any]] = []
        self.layout = self._frame()

    def draw(self) -> Figure:
        self._draw_prices()
        self._draw_ranks()
        self._draw_buy_box()
        self._draw_offers()
        self._draw_ratings()
        self._draw_events()
        self._draw_bands()
        self.layout["annotations"] = self.annotations
        drawn = [trace for trace in self.traces if len(trace["x"])]
        return {"data": drawn, "layout": self.layout}

    def _frame(self) -> dict[str, Any]:
        layout = chart_theme.base_layout(self.lanes.height, number_separators())
        ends = format_times(np.array(self.shown), self.zone).tolist()
        # Not anchored to a lane: plotly moves an axis whose lane has no line.
        time = chart_theme.time_axis("free") | {
            "position": 0,
            "range": ends,
            "nticks": 4 if self.content.is_phone else 9,
        }
        if self.timeline.is_by_day:
            time["hoverformat"] = _DAY
        return layout | {
            "xaxis": time,
            "margin": {"l": 8, "r": 8, "t": self.lanes.top, "b": BOTTOM, "autoexpand": True},
            "showlegend": not self.content.is_phone,
            "legend": layout["legend"] | _LEGEND,
            "barmode": "overlay",
        }

    # Price

    def _draw_prices(self) -> None:
        content, money, zone = self.content, self.content.money, self.zone
        price = self.timeline.get_line(series.PRICE)
        area = self.timeline.get_band(series.PRICE).scale_values(money.divisor)
        lines = self._price_lines()
        flagged = self.timeline.get_flagged_points(series.PRICE)
        competitors = [each.prices for each in content.competitors]
        known = [price, *(line for _, line, _, _ in lines), *competitors]
        limits = axes.value_range(*(each.scale_values(money.divisor) for each in known), area)
        style = (zone, money, content.marketplace)
        for name, line, color, line_style in lines:
            self.traces.append(amount_trace(line, name, color, *style, line_style))
        self._draw_competitors(content.competitors, "prices")
        self.traces.append(area_trace(area, chart_theme.PRICE, "y"))
        self.traces.append(amount_trace(price, "Price", chart_theme.PRICE, *style))
        self.traces.append(
            hollow_trace(flagged, limits, "Flagged price", chart_theme.PRICE, *style)
        )
        self._draw_newest(price.scale_values(money.divisor), chart_theme.PRICE, "y")
        if limits is None:
            limits = axes.value_range(flagged.scale_values(money.divisor))
        if limits is None:
            self._write_empty(Lane.PRICE, "No price is known in this period")
            return
        ticks = axes.amount_ticks(*limits, money.divisor)
        self._set_axis(
            Lane.PRICE,
            range=list(limits),
            tickvals=[tick / money.divisor for tick in ticks],
            ticktext=end_labels.tick_texts(ticks, money, content.marketplace),
        )
        self.annotations += end_labels.price_labels(price, self.shown, zone, content)

    def _price_lines(self) -> list[tuple[str, Line, str, dict[str, Any]]]:
        """Return the chosen lines beside the price: name, amounts, colour, line style."""
        shown, extras = self.content.shown, self.content.extras
        lines = []
        if Series.LIST_PRICE in shown:
            line = self.timeline.get_line(series.LIST_PRICE)
            line_style = {"dash": "dot", "width": 1.5}
            lines.append(("List price", line, chart_theme.LIST_PRICE, line_style))
        if extras is None:
            return lines
        if Series.NEW in shown:
            line = extras.get_line(series.NEW_PRICE)
            lines.append(("Lowest new", line, "#000009", {"width": 1.5}))
        if Series.USED in shown:
            line = extras.get_line(series.USED_PRICE)
            lines.append(("Lowest used", line, "#000010", {"width": 1.5}))
        if Series.COUPONS in shown:
            line = extra_lines.apply_coupons(extras)
            lines.append(("With coupon", line, chart_theme.PRICE, {"dash": "dash", "width": 1.5}))
        return lines

    def _draw_competitors(self, competitors: Sequence[Competitor], of: str) -> None:
        for place, competitor in enumerate(competitors):
            name = _legend_name(competitor.name)
            color = chart_theme.COMPETITORS[place % len(chart_theme.COMPETITORS)]
            line_style = {"dash": _DASHES[place % len(_DASHES)], "width": 1.5}
            if of == "prices":
                style = (self.zone, self.content.money, self.content.marketplace)
                trace = amount_trace(competitor.prices, name, color, *style, line_style)
            else:
                trace = self._rank_trace(competitor.ranks, name, color, line_style)
                trace["showlegend"] = competitor.prices.is_empty and not competitor.ranks.is_empty
            self.traces.append(trace | {"legendgroup": f"competitor{place}"})

    # Rank

    def _draw_ranks(self) -> None:
        content = self.content
        rank = self.timeline.get_line(series.RANK).thin_points(series.MOST_RANK_POINTS)
        area = self.timeline.get_band(series.RANK)
        subs = list(content.sub_ranks.items()) if Series.SUB_RANKS in content.shown else []
        known = [rank, area, *(line for _, line in subs), *(e.ranks for e in content.competitors)]
        self.traces.append(area_trace(area, chart_theme.RANK, "y2"))
        self._draw_competitors(content.competitors, "ranks")
        for place, (name, line) in enumerate(subs):
            color = _SUB_RANK_COLORS[place % len(_SUB_RANK_COLORS)]
            self.traces.append(
                self._rank_trace(line, f"BSR in {_legend_name(name)}", color, {"dash": "dot"})
            )
        name = _legend_name(content.category) if content.category else ""
        name = f"BSR in {name}" if name else "BSR"
        self.traces.append(self._rank_trace(rank, name, chart_theme.RANK, {"width": 1.8}))
        self._draw_newest(rank, chart_theme.RANK, "y2")
        limits = axes.rank_range(*known)
        if limits is None:
            self._write_empty(Lane.RANK, "No rank is known in this period")
            return
        ticks = axes.rank_ticks(limits[1], limits[0])  # of the axis: the line may fill little of it
        self._set_axis(
            Lane.RANK,
            type="log",
            range=[float(np.log10(limit)) for limit in limits],
            tickvals=ticks,
            ticktext=[format_rank(tick) for tick in ticks],
        )
        self.annotations += end_labels.rank_labels(rank, self.shown, self.zone, content)

    def _rank_trace(self, line: Line, name: str, color: str, line_style: dict[str, Any]) -> Trace:
        line = series.with_hover_points(line)
        trace = step_trace(line, name, color, self.zone, {"width": 1.5} | line_style, yaxis="y2")
        # Ranks are integers far below 2^24: half the bytes, still exact.
        return trace | {
            "y": line.values.astype(np.float32),
            "hovertemplate": f"{_RANK_HOVER}<extra>{name}</extra>",
        }

    # Other lanes

    def _draw_buy_box(self) -> None:
        if Lane.BUY_BOX not in self.lanes.domains:
            return
        traces, colors = buy_box_ribbon.ribbon_traces(self.content.holders, self.shown, self.zone)
        self.traces += traces
        heading = buy_box_ribbon.ribbon_heading(colors, self.lanes, is_phone=self.content.is_phone)
        self.annotations.append(heading)
        self._set_axis(Lane.BUY_BOX, range=[0, 1], showgrid=False, showticklabels=False)

    def _draw_offers(self) -> None:
        if Series.OFFERS not in self.content.shown:
            return
        extras = self.content.extras
        line = Line.make_empty() if extras is None else extras.get_line(series.OFFERS)
        self._draw_counts(line, "New offers", "#000009", Lane.OFFERS, "No number of offers")

    def _draw_ratings(self) -> None:
        if Series.RATING not in self.content.shown:
            return
        rating = self.timeline.get_line(series.RATING).scale_values(10)
        trace = step_trace(
            series.with_hover_points(rating),
            "Rating",
            chart_theme.RATING,
            self.zone,
            yaxis=Lane.RATING.value,
            hovertemplate="%{y:.1f} ★<extra>Rating</extra>",
        )
        self.traces += [trace, newest_dot(rating, chart_theme.RATING, "y6", self.zone)]
        low, high = axes.rating_range(rating)
        halves = [each / 2 for each in range(11) if low <= each / 2 <= high]
        texts = [format_rating(each * 10) for each in halves]
        self._set_axis(Lane.RATING, range=[low, high], tickvals=halves, ticktext=texts)
        if rating.is_empty:
            self._write_empty(Lane.RATING, "No rating is known in this period")
        count = self.timeline.get_line(series.RATINGS_COUNT)
        color, lane = chart_theme.LIST_PRICE, Lane.RATINGS
        self._draw_counts(count, "Ratings", color, lane, "No number of ratings")

    def _draw_counts(self, line: Line, name: str, color: str, lane: Lane, nothing: str) -> None:
        drawn = series.with_hover_points(line.thin_points(series.MOST_COUNT_POINTS))
        hover = f"%{{y:,.0f}}<extra>{name}</extra>"
        trace = step_trace(drawn, name, color, self.zone, yaxis=lane.value, hovertemplate=hover)
        self.traces += [trace, newest_dot(line, color, lane.value, self.zone)]
        limits = axes.value_range(line)
        if limits is None:
            self._write_empty(lane, f"{nothing} is known in this period")
            return
        ticks = axes.amount_ticks(*limits, 1, most=3)
        texts = [format_count(tick) for tick in ticks]
        self._set_axis(lane, range=list(limits), tickvals=ticks, ticktext=texts)

    def _draw_events(self) -> None:
        self.traces.append(events.event_trace(self.content.events, self.shown, self.zone))
        self.layout |= events.event_axes(self.lanes.domains[Lane.EVENTS])

    def _draw_bands(self) -> None:
        found = bands.list_bands(self.content)
        self.layout["shapes"] = bands.band_shapes(found, self.shown, self.lanes, self.zone)
        self.traces += bands.band_legend(found)
        if Series.DEALS in self.content.shown:
            self.annotations += bands.deal_labels(
                self.content.deals, self.shown, self.lanes, self.zone
            )

    def _draw_newest(self, line: Line, color: str, axis: str) -> None:
        """Draw a dot at the newest value; by day none, because the area is visible alone."""
        if not self.timeline.is_by_day:
            self.traces.append(newest_dot(line, color, axis, self.zone))

    def _set_axis(self, lane: Lane, **options: Any) -> None:
        domain = self.lanes.domains[lane]
        self.layout[lane.axis] = chart_theme.value_axis(domain, **options)

    def _write_empty(self, lane: Lane, sentence: str) -> None:
        """Write a sentence into a lane without data, in place of an invented scale."""
        low, high = self.lanes.domains[lane]
        self._set_axis(lane, range=[0, 1], showticklabels=False, showgrid=False)
        self.annotations.append(
            {
                "text": sentence,
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": (low + high) / 2,
                "showarrow": False,
                "font": {"size": 12, "color": chart_theme.NEUTRAL},
            }
        )


def _legend_name(text: str) -> str:
    return chart_theme.escape_for_plotly(shorten(" ".join(text.split()), LONGEST_NAME))
