"""A suggestion's evidence: advisor and reasoning, cited figures, the chart."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.components import cards, product_link
from app.data import suggestions as data
from app.data.prebuilt_figure import PrebuiltFigure
from app.data.product.period import Range, read_period
from app.data.product.summary import find_product_summary
from core.chart_theme import PLOTLY_CONFIG
from core.suggestions.review import charts, labels
from core.suggestions.review.views import SuggestionView
from core.suggestions.rules import Evidence
from core.text.escaping import escape_markdown, shorten
from core.text.times import format_age

LONGEST_VALUE = 120  # characters of a cell
LONGEST_AMOUNT = 20  # characters of a value that stays on one line
_NO_BREAK = "\u00a0"
_PRIORITY_BADGES = {1: "orange-badge", 2: "blue-badge", 3: "gray-badge"}


def show_evidence(view: SuggestionView) -> None:
    """Show advisor, confidence, expected effect, and the cited figures."""
    row, now = view.row, datetime.now(UTC)
    with st.container(border=True):
        st.header("Why", anchor=False)
        st.markdown(_format_badges(view))
        st.markdown(escape_markdown(view.reasoning))
        st.markdown(
            f"**Expected:** {labels.expected_effect(row)}  \n"
            f":gray[Suggested {format_age(row.made_at, now)}, "
            f"{escape_markdown(labels.request_label(row))} · "
            f"{labels.expiry_text(row, now)}]"
        )
        _show_figures(view, now)


def _format_badges(view: SuggestionView) -> str:
    row = view.row
    priority = labels.PRIORITIES.get(row.priority, str(row.priority))
    advisor = escape_markdown(labels.advisor_label(row))
    return " ".join(
        [
            f":{_PRIORITY_BADGES.get(row.priority, 'gray-badge')}[{priority} priority]",
            f":gray-badge[{advisor}]",
            f":gray-badge[confidence {labels.format_confidence(row.confidence)}]",
            f":gray-badge[{labels.KINDS[row.kind]}]",
        ]
    )


def _show_figures(view: SuggestionView, now: datetime) -> None:
    """Show every figure with value, unit, period and age: in Markdown, whose cells wrap."""
    if not view.evidence:
        cards.show_unknown("this advisor gave no figures")
        return
    head = ["| Evidence | Value | Unit | Seen |", "|:--|--:|:--|:--|"]
    lines = [_format_line(each, view.row.marketplace, now) for each in view.evidence]
    st.markdown("\n".join([*head, *lines]))


def _format_line(evidence: Evidence, marketplace: str, now: datetime) -> str:
    period = f" :gray[{escape_markdown(evidence.period)}]" if evidence.period else ""
    value = escape_markdown(
        shorten(labels.format_evidence_value(evidence, marketplace), LONGEST_VALUE)
    )
    if len(value) <= LONGEST_AMOUNT:
        value = value.replace(" ", _NO_BREAK)
    figure = escape_markdown(evidence.figure) + period
    more = (labels.unit_label(evidence), labels.observations_age_text(evidence, now))
    return "| " + " | ".join([figure, value, *map(escape_markdown, more)]) + " |"


_DRAWN = (
    "Squares and dashed lines are the figures that are cited; those of other units are in "
    "the table only."
)
_NOT_DRAWN = "No figure that is cited is a price or a rank: they are in the table only."


def show_chart(view: SuggestionView) -> None:
    """Show the product's price and rank with the evidence drawn on it."""
    row = view.row
    head = find_product_summary(row.marketplace, row.asin)
    if head is None:
        return
    days = data.count_chart_days(view, datetime.now(UTC))
    period_name = product_link.PERIOD_NAMES[days]
    period = read_period(head, Range(days, period_name))
    with st.container(border=True):
        is_drawn = any(map(charts.is_drawn, view.evidence))
        st.header("Evidence on the chart" if is_drawn else "Price and rank", anchor=False)
        if period is None:
            cards.show_unknown("this product was never observed")
        elif not period.statistics.observations:
            cards.show_nothing_in_period(period_name)
        else:
            st.plotly_chart(
                PrebuiltFigure(data.build_evidence_chart(head, period, view)),
                key=keys.EVIDENCE_CHART,
                config=PLOTLY_CONFIG,
                alt=period.alt,
            )
            st.caption(f"{period_name.capitalize()}. {_DRAWN if is_drawn else _NOT_DRAWN}")
