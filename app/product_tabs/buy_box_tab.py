"""The tab Buy Box: who held it when and at which price, and each seller's share."""

from typing import Final

import streamlit as st

from app.components import cards, data_table
from app.data.product.period import BuyBoxView, PeriodView
from core.history.product_summary import ProductSummary

_ABOUT_CAUSES = "Only where both sides were seen within a day: longer apart, nothing explains it."
_ABOUT_SHARES = (
    "Of the time in which the holder is known, weighted by how long each held it. Time without a "
    "check, or with a seller that was not reported, counts nowhere."
)

_text = st.column_config.TextColumn
_PERIODS: Final = {
    "since": _text("From"),
    "until": _text("To"),
    "seller": _text("Seller"),
    "price": _text("Price", alignment="right"),
    "duration": _text("Duration", alignment="right"),
    "cause": _text("Cause", width="large", help=_ABOUT_CAUSES),
}
_SHARES: Final = {
    "seller": _text("Seller"),
    "share": st.column_config.ProgressColumn(
        "Share", format="%.0f %%", min_value=0, max_value=100, help=_ABOUT_SHARES
    ),
    "price": _text("Average price", alignment="right"),
    "fulfilment": _text("Ships"),
    "last_known": _text("Last seen"),
}


def show_buy_box(_head: ProductSummary, period: PeriodView) -> None:
    """Show each seller's share of the period, and the holders, newest first."""
    view = period.buy_box
    if not view.periods:
        cards.show_unknown(f"Buy Box {view.reason}")
        return
    _show_shares(view)
    _show_periods(view)
    if not view.has_own_sellers:
        st.caption(
            "Which of these sellers are yours? An administrator names them on the Team page, so "
            "that a lost Buy Box is shown as lost."
        )


def _show_periods(view: BuyBoxView) -> None:
    data_table.show_table(
        data_table.make_table(view.periods, _PERIODS),
        "buy-box",
        column_config=_PERIODS,
        height=data_table.scrolling_height(len(view.periods)),
    )


def _show_shares(view: BuyBoxView) -> None:
    if not view.shares:
        cards.show_unknown("no source reported the seller")
        return
    data_table.show_table(
        data_table.make_table(view.shares, _SHARES),
        "buy-box-shares",
        column_config=_SHARES,
        height=data_table.scrolling_height(len(view.shares)),
    )
