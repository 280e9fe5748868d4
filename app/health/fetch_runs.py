"""Health's table of fetch runs."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.components import data_table
from app.health.providers import PROVIDER_NAMES
from core.scraping.runs.providers import DEMO
from core.text.numbers import format_dollars
from core.text.times import format_age
from core.upkeep.health_queries import FetchRunRow


def show_fetch_runs(runs: Sequence[FetchRunRow], now: datetime) -> None:
    """Show the newest fetch runs of the last 24 hours."""
    st.subheader("Fetch runs of the last 24 hours", anchor=False)
    if not runs:
        st.caption("No run in the last 24 hours. Runs begin when products are due.")
        return
    data_table.show_table(
        pd.DataFrame([_cells(run, now) for run in runs]),
        "fetch-runs",
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(runs)),
        column_config=data_table.count_columns("Products", "Stored", "Failed"),
        alt=f"The newest {len(runs)} fetch runs",
    )


def _cells(run: FetchRunRow, now: datetime) -> dict[str, object]:
    return {
        "Started": format_age(run.intended_at, now),
        "State": run.state,
        "Products": run.products,
        "Stored": run.stored,
        "Failed": run.failed,
        "Cost": _format_cost(run),
        "Provider": PROVIDER_NAMES.get(run.provider, run.provider),
        "Marketplace": run.marketplace,
        "Actor": run.actor,
        "Run": str(run.id),
        "Error": run.error or "none",
    }


def _format_cost(run: FetchRunRow) -> str:
    if run.cost_usd is None:
        return "not reported yet"
    return format_dollars(run.cost_usd) + (" (invented)" if run.provider == DEMO else "")
