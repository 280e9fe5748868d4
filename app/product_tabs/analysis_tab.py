"""The tab Analysis: a product's year by day, by month, against the year before; price and rank."""

import streamlit as st

from app.components import cards
from app.data.prebuilt_figure import PrebuiltFigure
from app.data.product import analysis as data
from app.data.product.analysis import DrawnFinding
from app.data.product.period import PeriodView
from core.chart_theme import PLOTLY_CONFIG
from core.history.product_summary import ProductSummary

_RANK, _PRICE = "BSR", "Price"
_ABOUT_CALENDAR = (
    "One square a day of the marketplace, of the 53 weeks before today: darker is a better rank "
    "or a higher price. A hole is a day without a value."
)
_ABOUT_MONTHS = "The dot is the median of the month's days, the line runs from lowest to highest."
_ABOUT_PAIRS = (
    "One dot a day. Spearman's correlation compares the order of the days by price with their "
    "order by rank; it is shown from 30 days with three different prices on."
)


def show_analysis(head: ProductSummary, _period: PeriodView) -> None:
    """Show the charts of the product's days, of all its history."""
    chosen = st.segmented_control(
        "Figure",
        [_RANK, _PRICE],
        default=_RANK if head.bsr is not None else _PRICE,
        required=True,
        key="analysis_figure",
        label_visibility="collapsed",
    )
    view = data.read_analysis(head, of_rank=chosen == _RANK)
    if view is None:
        cards.show_unknown(f"no closed day has a {'BSR' if chosen == _RANK else 'price'}")
        return
    _show(f"{chosen} by day", view.calendar, _ABOUT_CALENDAR)
    left, right = st.columns(2)
    with left:
        _show(f"{chosen} by month", view.months, _ABOUT_MONTHS)
    with right:
        _show(f"{chosen}, year over year", view.years, "The same dates of up to three years.")
    _show("Price against BSR", view.price_and_rank, _ABOUT_PAIRS)


def _show(title: str, drawn: DrawnFinding, about: str) -> None:
    with st.container(border=True, gap="small"):
        st.subheader(title, anchor=False, help=about)
        if drawn.chart is not None:
            st.plotly_chart(
                PrebuiltFigure(drawn.chart),
                key=f"analysis_{title}",
                config=PLOTLY_CONFIG,
                alt=drawn.finding,
                height=drawn.height,
            )
        st.caption(drawn.finding)
