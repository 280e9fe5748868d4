"""A report as text, in its reader's formats: the same for pages, emails, files and tools.

Pure. Titles and names of sellers are text from outside: each place escapes them its own way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from core.alerts.incidents.incident_filter import COUNTED
from core.alerts.incidents.labels import SEVERITIES
from core.catalog.money import format_price
from core.history.changes.change import ObservedChange
from core.history.changes.text import ARROW, change_label, format_before_and_after
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.history.timeline.statistics_text import count_change
from core.reports.content import (
    FigureKind,
    Report,
    ReportChange,
    ReportFigure,
    ReportMover,
    ReportProduct,
)
from core.suggestions.review.labels import PRIORITIES
from core.text.numbers import (
    MINUS,
    UNKNOWN,
    format_capped_count,
    format_count,
    format_counted,
    format_dollars,
    format_percent_change,
    format_points,
    format_rank,
    format_rank_change,
    format_rank_percent,
    format_rating,
    format_relative_change,
    format_share,
)
from core.text.times import format_age, format_day, format_moment
from core.tracking.change_sentiment import Sentiment, find_sentiment, rank_sentiment
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

_NAMES: Final = {
    ChangePeriod.DAY: "Daily report",
    ChangePeriod.WEEK: "Weekly report",
    ChangePeriod.MONTH: "Report of 30 days",
}
SCOPES: Final = {ListScope.MINE: "My products", ListScope.TEAM: "All products"}
MOVER_LABELS: Final = {
    MovedValue.RANK: "BSR",
    MovedValue.PRICE: "Price",
    MovedValue.RATINGS_COUNT: "Ratings",
}
_ROLES: Final = {Role.OWN: "own", Role.COMPETITOR: "competitor", Role.WATCHED: "tracked"}


def name_report(report: Report) -> str:
    """Return what a report is called: "Daily report, 29 Nov 2026"."""
    days = [each.day for each in report.days]
    newest = max(days) if days else report.made_at.date()
    return f"{_NAMES[report.period]}, {format_day(newest)}"


def name_product(product: ReportProduct) -> str:
    """Return a product's title, or its ASIN before a title is known, and its marketplace."""
    return f"{product.title or product.asin} · {product.marketplace}"


def describe_role(product: ReportProduct) -> str:
    """Return a product's role for the team, in small letters."""
    return _ROLES[product.role]


def describe_days(report: Report) -> str:
    """Return which days are compared, as a sentence; they are the marketplaces' days."""
    if not report.days:
        return "No product is tracked."
    parts = []
    pairs = sorted(report.days, key=lambda each: (each.day, each.then_day), reverse=True)
    for (day, then), group in groupby(pairs, key=lambda each: (each.day, each.then_day)):
        places = ", ".join(sorted(each.marketplace for each in group))
        parts.append(f"{format_day(day)} against {format_day(then)} ({places})")
    return f"Closes of {'; '.join(parts)}, by each marketplace's clock."


def describe_making(report: Report, time_zone: str) -> str:
    """Return when a report was made and of what: "Made 30 Nov 2026, 07:00 · My products, 12"."""
    made = format_moment(report.made_at, time_zone)
    return f"Made {made} · {SCOPES[report.scope]}, {format_counted(report.products, 'product')}"


@dataclass(frozen=True, slots=True)
class FigureText:
    """A figure with its label, its change, and what it is of or why it is unknown."""

    label: str
    value: str
    change: str | None
    note: str
    sentiment: Sentiment
    is_rise: bool | None  # None: unchanged, or not known


_FIGURE_LABELS: Final = {
    FigureKind.RANK: "BSR, median change",
    FigureKind.PRICE: "Price, median change",
    FigureKind.BUY_BOX: "Buy Box won",
    FigureKind.IN_STOCK: "In stock",
    FigureKind.RATING: "Rating",
}
_GOOD_WHEN_HIGH: Final = frozenset({FigureKind.BUY_BOX, FigureKind.IN_STOCK, FigureKind.RATING})


def list_figure_texts(report: Report) -> list[FigureText]:
    """Return the figures at the top of a report."""
    return [_write_figure(each) for each in report.figures]


def _write_figure(figure: ReportFigure) -> FigureText:
    label = _FIGURE_LABELS[figure.kind]
    if figure.value is None:
        reason = figure.reason or ""
        return FigureText(label, UNKNOWN, None, reason, Sentiment.NEUTRAL, None)
    note = f"of {format_counted(figure.products, 'own product')}"
    change = figure.change
    return FigureText(
        label,
        _write_value(figure.kind, figure.value),
        None if change is None else _write_change(figure.kind, change),
        note,
        _find_figure_sentiment(figure.kind, change),
        None if not change else change > 0,
    )


def _write_value(kind: FigureKind, value: float) -> str:
    if kind is FigureKind.RANK:
        return format_rank_percent(value)
    if kind is FigureKind.PRICE:
        return format_relative_change(value)
    return format_rating(value) if kind is FigureKind.RATING else format_share(value)


def _write_change(kind: FigureKind, change: float) -> str:
    if not change:
        return "no change"
    sign = "+" if change > 0 else MINUS
    if kind is FigureKind.RATING:
        return f"{sign}{format_rating(abs(change))}"
    return f"{sign}{format_points(change * 100)}"


def _find_figure_sentiment(kind: FigureKind, change: float | None) -> Sentiment:
    if not change or kind not in _GOOD_WHEN_HIGH:
        return Sentiment.NEUTRAL
    return Sentiment.BETTER if change > 0 else Sentiment.WORSE


def describe_changed(report: Report) -> str:
    """Return how many products changed, and how, as a sentence."""
    if not report.changed:
        return "No product changed beyond your thresholds."
    kinds = ", ".join(
        f"{change_label(kind)} {format_count(count)}" for kind, count in report.change_counts
    )
    return f"{format_counted(report.changed, 'product')} changed: {kinds}."


def label_change(change: ReportChange) -> str:
    """Return what changed: "BSR worsened"."""
    return change_label(change.kind)


def write_change(change: ReportChange) -> str:
    """Return from which value to which a product changed; a seller's name is from outside."""
    return format_before_and_after(
        ObservedChange(
            change.kind,
            change.product.marketplace,
            change.bsr_category,
            change.then,
            change.now,
        )
    )


def find_change_sentiment(change: ReportChange) -> Sentiment:
    """Return whether a change is better or worse for the team."""
    return find_sentiment(change.product.role, change.kind)


def write_mover_values(mover: ReportMover) -> str:
    """Return both values of a mover: "#10,735 → #6,993"."""
    return f"{_write_moved(mover, mover.before)} {ARROW} {_write_moved(mover, mover.after)}"


def _write_moved(mover: ReportMover, stored: int) -> str:
    if mover.value is MovedValue.RANK:
        return format_rank(stored)
    if mover.value is MovedValue.PRICE:
        return format_price(stored, mover.product.marketplace)
    return format_count(stored)


def write_mover_step(mover: ReportMover) -> str:
    """Return how far a mover moved: "▲ 3,742 (−35 %)", "−16 %", "+48"."""
    if mover.value is MovedValue.RANK:
        return format_rank_change(mover.before, mover.after)
    if mover.value is MovedValue.PRICE:
        return format_percent_change(mover.before, mover.after)
    return count_change(mover.before, mover.after)


def find_mover_sentiment(mover: ReportMover) -> Sentiment:
    """Return whether a move is better or worse for the team; a price's is neither."""
    if mover.value is MovedValue.RANK:
        return rank_sentiment(mover.product.role, mover.before, mover.after)
    if mover.value is MovedValue.PRICE or mover.after > mover.before:
        return Sentiment.NEUTRAL
    return Sentiment.WORSE


def describe_issues(report: Report, time_zone: str) -> str:
    """Return how many issues were open when the report was made, by severity."""
    at = format_moment(report.made_at, time_zone)
    if not report.issues.total:
        return f"No open issues at {at}."
    counts = dict(report.issues.severities)
    kinds = ", ".join(
        f"{format_count(counts[severity])} {label.lower()}"
        for severity, label in SEVERITIES.items()
        if severity in counts
    )
    total = format_capped_count(report.issues.total, COUNTED)
    return f"{total} open at {at}: {kinds}."


def describe_suggestions(report: Report, time_zone: str) -> str:
    """Return how many of the team's suggestions were pending, by priority."""
    at = format_moment(report.made_at, time_zone)
    found = report.suggestions
    if not found.total:
        return f"No suggestion of the team was pending at {at}."
    kinds = ", ".join(
        f"{format_count(count)} {PRIORITIES.get(priority, str(priority)).lower()}"
        for priority, count in found.priorities
    )
    return f"{format_counted(found.total, 'suggestion')} of the team pending at {at}: {kinds}."


def list_health_sentences(report: Report) -> list[str]:
    """Return how complete the data is, as sentences."""
    return list(_list_health(report))


def _list_health(report: Report) -> Iterator[str]:
    health = report.health
    checked, products = format_count(report.checked), format_counted(report.products, "product")
    since = _describe_since([each.then_day for each in report.days])
    yield f"{checked} of {products} were checked after {since}."
    if health.without_values:
        yield (
            f"Nothing is known of {format_counted(health.without_values, 'product')} at these "
            "closes."
        )
    if report.left_out:
        yield f"{format_counted(report.left_out, 'product')} beyond the first are left out."
    yield (
        f"Checks in the 24 hours before: {format_count(health.checks)}, "
        f"{format_count(health.failed)} of them failed or blocked."
    )
    if health.blocked:
        yield f"Amazon blocked checks in {', '.join(health.blocked)}."
    if health.worker_seen_at is None:
        yield "The worker has never run."
    else:
        yield f"The worker was last seen {format_age(health.worker_seen_at, report.made_at)}."


def _describe_since(days: Sequence[date]) -> str:
    return format_day(min(days)) if days else UNKNOWN


def describe_paragraph(report: Report) -> str | None:
    """Return who wrote the report's paragraph, or why there is none; None if none is wanted."""
    found = report.paragraph
    if found is None:
        return None
    if found.text is None:
        return f"No paragraph by a model: {found.reason}"
    return (
        f"Written by the model {found.model}. Each number in it is one of this report; the rest of "
        "the text is not checked."
    )


def describe_cost(report: Report) -> str:
    """Return what checks cost the installation, as a sentence; UTC days."""
    cost = report.cost
    span = format_day(cost.last)
    if cost.first != cost.last:
        span = f"{format_day(cost.first)} to {span}"
    return (
        f"Checks cost {format_dollars(cost.dollars)} on {span} (UTC), "
        f"{format_dollars(cost.month_dollars)} since {format_day(cost.last.replace(day=1))}, with "
        "expected costs where none is reported yet. Of the whole installation."
    )


def summarize(report: Report) -> str:
    """Return a report in a line: what changed, what is open, what is pending."""
    parts = [
        f"{format_count(report.changed)} changed",
        f"{format_capped_count(report.issues.total, COUNTED)} open",
        f"{format_count(report.suggestions.total)} pending",
    ]
    return ", ".join(parts)


def describe_line(mover: ReportMover, last: date) -> str:
    """Return the alternative text of a mover's line."""
    known = [value for value in mover.line if value is not None]
    label = MOVER_LABELS[mover.value]
    if not known:
        return f"{label}, no values in {len(mover.line)} days"
    ends = f"{_write_moved(mover, known[0])} to {_write_moved(mover, known[-1])}"
    return f"{label} in {len(mover.line)} days up to {format_day(last)}: {ends}"
