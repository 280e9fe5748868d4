"""The period over which changes are shown. The choice is in the URL."""

from typing import Final

import streamlit as st

from app import keys
from core.history.periods.change_period import ChangePeriod

# Streamlit writes labels, not values, into the URL: a changed label breaks saved links.
LABELS: Final = {
    ChangePeriod.DAY: "Yesterday",
    ChangePeriod.WEEK: "7 d",
    ChangePeriod.MONTH: "30 d",
}
PERIOD_NAMES: Final = {
    ChangePeriod.DAY: "since yesterday's close",
    ChangePeriod.WEEK: "in 7 days",
    ChangePeriod.MONTH: "in 30 days",
}
_DEFAULT: Final = ChangePeriod.WEEK


def choose_change_period() -> ChangePeriod:
    """Show the periods; return the chosen one."""
    chosen = st.segmented_control(
        "Changes since",
        list(LABELS.values()),
        default=LABELS[_DEFAULT],
        required=True,
        key=keys.OVERVIEW_PERIOD,
        label_visibility="collapsed",
        bind="query-params",
        help="Changes since the close of yesterday, of 7 or of 30 days ago, by the clock of each "
        "product's marketplace",
    )
    return next((period for period, label in LABELS.items() if label == chosen), _DEFAULT)
