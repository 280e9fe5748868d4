"""The six figures on top of the Overview, each with the line of its last days."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from app import device, keys
from app.components import cards
from app.components.cards import Card, Direction
from app.data import get_principal
from app.data.overview import CountedDays, Overview, OverviewChoice
from app.overview.choices import SHORT_NAMES
from core.accounts.access.permissions import Permission
from core.alerts.incidents.incident_filter import COUNTED
from core.history.periods.charts import make_index_lines
from core.history.periods.figures import Share
from core.suggestions.review.labels import PRIORITIES
from core.text.numbers import (
    UNKNOWN,
    format_capped_count,
    format_count,
    format_counted,
    format_percent_change,
    format_points,
    format_rating,
    format_share,
)
from core.text.times import format_age, format_day
from core.tracking.change_sentiment import Sentiment
from core.tracking.rules import Role

NO_CHANGE: Final = "no change"
_LINE: Final = " Line: the team's products at the close of each day."
_NARROW: Final = 104  # px: a card on a phone
_SHORT_LABELS: Final = {
    "BSR, median change": "BSR, median",
    "Average rating": "Rating",
    "Pending suggestions": "Suggestions",
}


def show_figures(found: Overview, choice: OverviewChoice) -> None:
    """Show the six figures, and why one of them is not known."""
    shown = [
        _issues(found, choice),
        _rank(found, choice),
        _buy_box(found, choice),
        _in_stock(found, choice),
        _rating(found, choice),
        _pending(found),
    ]
    if device.is_phone():
        with st.grid(3, min_column_width=_NARROW, gap="xsmall"):
            for card in shown:
                cards.show_metric(_shorten_card(card))
    else:
        cards.show_metrics(shown)
    if found.figures.buy_box is None:
        _show_how_to_set_sellers()


def _shorten_card(card: Card) -> Card:
    """Return a card without note, line and help, so that three stand side by side on a phone."""
    label = _SHORT_LABELS.get(card.label, card.label)
    change = card.change or card.note
    return Card(label, card.value, change, card.sentiment, card.direction)


def format_subtitle(found: Overview, checked_at: datetime | None) -> str:
    """Return of how many products the figures are, of when, and what they compare."""
    products = format_counted(found.figures.products, "product")
    checked = "no check yet"
    if checked_at is not None:
        checked = f"last check {format_age(checked_at, found.as_of)}"
    return f"{products} · {checked} · {format_since(found)}"


def format_since(found: Overview) -> str:
    """Return what the figures compare: "compared with the close of 22 Nov 2026 (…)"."""
    if found.figures.since is None:
        return "nothing to compare with yet"
    return f"compared with the close of {format_day(found.figures.since)} (marketplaces' days)"


def _make_card(
    label: str,
    value: str,
    change: float | None,
    text: str,
    note: str,
    about: str,
    history: Sequence[float | None],
    *,
    is_good: bool | None,
) -> Card:
    """Return a card. `is_good`: whether a rise is; None: neither."""
    direction: Direction = "none"
    sentiment = Sentiment.NEUTRAL
    if change:
        direction = "up" if change > 0 else "down"
        if is_good is not None:
            sentiment = Sentiment.BETTER if (change > 0) == is_good else Sentiment.WORSE
    line = [value for value in history if value is not None]
    return Card(label, value, text, sentiment, direction, note, line, about=about)


def _issues(found: Overview, choice: OverviewChoice) -> Card:
    days = found.issue_days
    return _make_card(
        "Open issues",
        format_capped_count(found.issues.total, COUNTED),
        days.change,
        _format_more(days),
        SHORT_NAMES[choice.period],
        "Alerts that last, now. Line: how many were open at this hour of each day.",
        days.counts,
        is_good=False,
    )


def _format_more(days: CountedDays) -> str:
    """Return how many more or fewer there are: the arrow beside it shows which."""
    return format_count(abs(days.change)) if days.change else NO_CHANGE


def _rank(found: Overview, choice: OverviewChoice) -> Card:
    figures = found.figures
    about = (
        f"Median over {format_count(figures.ranked)} of {format_count(figures.products)} products "
        f"with a rank at both times. A higher rank is worse; {format_since(found)}."
    )
    if figures.rank_change is None:
        return Card("BSR, median change", UNKNOWN, note="no rank at both times", about=about)
    worse = figures.rank_change - 1
    is_own = choice.roles == (Role.OWN,)
    lines = make_index_lines(found.index_days)
    history = [
        value
        for line in lines
        if choice.roles == (line.role,) and line.figure == "rank" and not choice.marketplaces
        for value in line.values
    ]
    if history:
        about += " Line: the team's index of closed days, turned: up is better."
    return _make_card(
        "BSR, median change",
        format_percent_change(1, figures.rank_change),
        -worse,
        "worse" if worse > 0 else "better" if worse < 0 else NO_CHANGE,
        SHORT_NAMES[choice.period],
        about,
        history,
        is_good=True if is_own else None,
    )


def _buy_box(found: Overview, choice: OverviewChoice) -> Card:
    share = found.figures.buy_box
    about = (
        "Share of the products for sale whose Buy Box your team's sellers have, of those whose "
        f"holder is known; {format_since(found)}.{_LINE}"
    )
    if share is None:
        return Card("Buy Box won", UNKNOWN, note="no own seller is set", about=about)
    history = [day.buy_box for day in found.days]
    return _make_share("Buy Box won", share, about, history, "no holder is known", choice)


def _in_stock(found: Overview, choice: OverviewChoice) -> Card:
    about = (
        "Share of products in stock at their newest check, of those whose availability is known. "
        f"{format_since(found)}.{_LINE}"
    )
    history = [day.in_stock for day in found.days]
    return _make_share(
        "In stock", found.figures.in_stock, about, history, "no availability is known", choice
    )


def _make_share(
    label: str,
    share: Share,
    about: str,
    history: Sequence[float | None],
    reason: str,
    choice: OverviewChoice,
) -> Card:
    if share.value is None:
        return Card(label, UNKNOWN, note=reason, about=about)
    points = 0 if share.change is None else round(share.change * 100, 1)
    return _make_card(
        label,
        format_share(share.value),
        points,
        format_points(points) if share.change is not None else f"change {UNKNOWN}",
        f"{format_count(share.part)} of {format_count(share.whole)}",
        about,
        [*history, share.value],
        is_good=True if choice.roles == (Role.OWN,) else None,
    )


def _rating(found: Overview, choice: OverviewChoice) -> Card:
    rating = found.figures.rating
    about = (
        "Mean of the products' ratings, each product once, at their newest check. "
        f"{format_since(found)}.{_LINE}"
    )
    if rating.value is None:
        return Card("Average rating", UNKNOWN, note="no rating is known", about=about)
    tenths = 0 if rating.change is None else round(rating.change, 1)
    return _make_card(
        "Average rating",
        format_rating(rating.value),
        tenths,
        f"{abs(tenths) / 10:.2f}" if tenths else NO_CHANGE,
        f"{format_count(rating.products)} of {format_count(found.figures.products)}",
        about,
        [*(day.rating for day in found.days), rating.value],
        is_good=True if choice.roles == (Role.OWN,) else None,
    )


def _pending(found: Overview) -> Card:
    high = min(PRIORITIES)
    return _make_card(
        "Pending suggestions",
        format_count(sum(found.pending.values())),
        None,
        f"{format_count(found.pending.get(high, 0))} {PRIORITIES[high].lower()}",
        "priority",
        "Suggestions of the team that are not decided, now. Line: at this hour of each day.",
        found.pending_days.counts,
        is_good=None,
    )


def _show_how_to_set_sellers() -> None:
    if get_principal().may(Permission.ADMIN):
        st.page_link(
            f"../pages/{keys.ADMIN}.py",
            label="Buy Box won is unknown: set your team's own sellers under Team",
            icon=":material/storefront:",
        )
    else:
        st.caption("Buy Box won is unknown: an administrator can set the team's own sellers.")
