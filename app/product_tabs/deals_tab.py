"""The tab Deals: deals and coupons of the period, with their depth."""

from dataclasses import asdict
from typing import Final

import pandas as pd
import streamlit as st

from app.components import data_table
from app.data.product import promotions as data
from app.data.product.period import PeriodView
from core.history.product_summary import ProductSummary
from core.history.promotions import text

_COLUMNS: Final = {
    "kind": "Type",
    "since": "From",
    "until": "To",
    "duration": "Duration",
    "depth": "Depth",
    "price": "Deal price",
}
_RIGHT: Final = ("duration", "depth", "price")


def show_deals(head: ProductSummary, period: PeriodView) -> None:
    """Show the deals and coupons of the period, newest first."""
    rows = data.list_promotions(head, period)
    st.caption(text.describe_promotions(rows, period.name))
    if not rows:
        return
    frame = pd.DataFrame([asdict(each) for each in rows], columns=list(_COLUMNS))
    data_table.show_table(
        frame,
        "deals",
        column_config={
            name: st.column_config.TextColumn(
                label, alignment="right" if name in _RIGHT else "left"
            )
            for name, label in _COLUMNS.items()
        },
        height=data_table.scrolling_height(len(frame)),
    )
