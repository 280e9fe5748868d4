"""The chart's card: period buttons, chips, competitors, chart and range strip."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from app import keys
from app.components import fragments
from app.components.cards import show_nothing_in_period
from app.data.prebuilt_figure import PrebuiltFigure
from app.data.product.competitors import ChosenCompetitor, list_chosen_competitors
from app.data.product.period import MOST_COMPETITORS, ChartChoice, PeriodView, Range, read_period
from app.data.product.range_strip import read_strip
from app.data.product.summary import find_product_summary
from app.device import is_phone
from app.product import notes
from app.product.range_control import choose_range, take_selection
from app.web import url_parameters
from core.chart_theme import PLOTLY_CONFIG
from core.history.chart import range_strip
from core.history.chart.content import USUAL_SERIES, Series
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown, shorten

_STRIP: Final = "range_strip"
_LONGEST_NAME: Final = 24  # characters of a competitor
_STRIP_CONFIG: Final[dict[str, Any]] = PLOTLY_CONFIG | {"doubleClick": False}
_HINT: Final = (
    "Drag in the strip: range of chart and summary · drag in the chart: zoom · double-click: back. "
    "Events: **L** listing, **S** suggestion, **N** note, **A** alert, **C** rank category."
)
_PHONE_HINT: Final = (
    "Shaded: deal, out of stock, Buy Box suppressed, no data. Drag in the strip for other days."
)


def choose_range_and_competitors(head: ProductSummary) -> tuple[Range, tuple[ProductSummary, ...]]:
    """Show the controls that change the whole page; return the range and the competitors."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = choose_range()
        competitors = _choose_competitors(head)
        st.space("stretch")
        notes.show_button(head)
    return chosen, competitors


def _choose_competitors(head: ProductSummary) -> tuple[ProductSummary, ...]:
    """Show the product's competitors; return the chosen ones, at most those that fit a chart."""
    rows = list_chosen_competitors(head.product_id)
    if not rows:
        return ()
    by_asin = {row.asin: row for row in rows}
    asked = (url_parameters.read_text(keys.COMPARE) or "").split(",")
    chosen = st.pills(
        "Compare with",
        list(by_asin),
        selection_mode="multi",
        default=[asin for asin in asked if asin in by_asin],
        format_func=lambda asin: _name_competitor(by_asin[asin]),
        key=f"competitors_{head.product_id}",
        label_visibility="collapsed",
    )
    # By ASIN: names are long, change, and may be equal.
    if chosen:
        st.query_params[keys.COMPARE] = ",".join(chosen)
    else:
        st.query_params.pop(keys.COMPARE, None)
    if len(chosen) > MOST_COMPETITORS:
        st.caption(f"The first {MOST_COMPETITORS} are drawn.")
    return _find_competitors([by_asin[asin] for asin in chosen[:MOST_COMPETITORS]])


def _name_competitor(row: ChosenCompetitor) -> str:
    return escape_markdown(shorten(row.name, _LONGEST_NAME))


def _find_competitors(rows: Sequence[ChosenCompetitor]) -> tuple[ProductSummary, ...]:
    found = (find_product_summary(row.marketplace, row.asin) for row in rows)
    return tuple(each for each in found if each is not None)


@fragments.fragment()
def show_chart(
    head: ProductSummary, chosen: Range, competitors: tuple[ProductSummary, ...]
) -> None:
    """Show the chips and the chart. A chip changes nothing else, so it runs this part alone."""
    st.pills(
        "Series",
        list(Series),
        selection_mode="multi",
        default=sorted(USUAL_SERIES, key=list(Series).index),
        key=keys.SERIES,
        bind="query-params",
        label_visibility="collapsed",
    )
    period = read_period(head, chosen, find_choice(competitors))
    if period is None:
        return
    if not period.statistics.observations:
        show_nothing_in_period(chosen.name)
        return
    # A container of the final height: nothing jumps while the chart's code is loaded.
    with st.container(height=period.height, border=False, key="chart_box"):
        st.plotly_chart(
            PrebuiltFigure(period.chart),
            height=period.height,
            key=keys.RANK_CHART,
            config=PLOTLY_CONFIG,
            alt=period.alt,
        )
    for sentence in period.missing:
        st.caption(escape_markdown(sentence))


def find_choice(competitors: tuple[ProductSummary, ...]) -> ChartChoice:
    """Return what the chart shows, by its chips."""
    return ChartChoice(frozenset(st.session_state[keys.SERIES]), competitors, is_phone())


def show_strip(head: ProductSummary, period: PeriodView) -> None:
    """Show the whole history; a selection in it sets the range."""
    strip = read_strip(head, period)
    if strip is not None:
        # A new range is a new strip, without the selection that was drawn in it.
        key = f"{_STRIP}_{head.product_id}_{period.since:%y%m%d}_{period.until:%y%m%d}"
        with st.container(height=range_strip.HEIGHT, border=False, key="strip_box"):
            st.plotly_chart(
                PrebuiltFigure(strip),
                height=range_strip.HEIGHT,
                key=key,
                config=_STRIP_CONFIG,
                on_select=lambda: take_selection(key),
                selection_mode="box",
                alt=f"The whole history of the price, with {period.name} framed. "
                "The period's buttons choose a range by keyboard.",
            )
    if period.statistics.observations:
        st.caption(_PHONE_HINT if is_phone() else _HINT)
