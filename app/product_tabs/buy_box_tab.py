"""The tab Buy Box: who held it when and at which price, and each seller's share."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from app.components import cards, data_table
from app.data import product_tabs as data
from app.data.history import PeriodView
from app.data.product_tabs import BuyBoxView
from core.history.product_summary import ProductSummary

_PERIODS = {
    "since": "From",
    "until": "To",
    "seller": "Seller",
    "price": "Price",
    "duration": "Duration",
    "cause": "Cause",
}
_SHARES = {
    "seller": "Seller",
    "share": "Share",
    "price": "Average price",
    "fulfilment": "Ships",
    "last_known": "Last seen",
}
_ABOUT_CAUSES = "Only where both sides were seen within a day: longer apart, nothing explains it."
_ABOUT_SHARES = (
    "Of the time in which the holder is known, weighted by how long each held it. Time without a "
    "check, or with a seller that was not reported, counts nowhere."
)


def show_buy_box(head: ProductSummary, period: PeriodView) -> None:
    """Show each seller's share of the period, and the holders, newest first."""
    view = data.read_buy_box_view(head, period)
    if view is None or not view.periods:
        cards.show_unknown("no Buy Box" if view is None else f"Buy Box {view.reason}")
        return
    _show_shares(view)
    _show_periods(view)
    if not view.has_own_sellers:
        st.caption(
            "Which of these sellers are yours? An administrator names them on the Team page, so "
            "that a lost Buy Box is shown as lost."
        )


def _show_periods(view: BuyBoxView) -> None:
    frame = pd.DataFrame([asdict(each) for each in view.periods], columns=list(_PERIODS))
    config = {name: st.column_config.TextColumn(label) for name, label in _PERIODS.items()}
    config["price"] = st.column_config.TextColumn("Price", alignment="right")
    config["duration"] = st.column_config.TextColumn("Duration", alignment="right")
    config["cause"] = st.column_config.TextColumn("Cause", width="large", help=_ABOUT_CAUSES)
    data_table.show_table(
        frame,
        "buy-box",
        column_config=config,
        height=data_table.scrolling_height(len(frame)),
    )


def _show_shares(view: BuyBoxView) -> None:
    if not view.shares:
        cards.show_unknown("no source reported the seller")
        return
    frame = pd.DataFrame([asdict(each) for each in view.shares], columns=list(_SHARES))
    config = {name: st.column_config.TextColumn(label) for name, label in _SHARES.items()}
    config["share"] = st.column_config.ProgressColumn(
        "Share", format="%.0f %%", min_value=0, max_value=100, help=_ABOUT_SHARES
    )
    config["price"] = st.column_config.TextColumn("Average price", alignment="right")
    data_table.show_table(
        frame,
        "buy-box-shares",
        column_config=config,
        height=data_table.scrolling_height(len(frame)),
    )
