"""Health's table of fetch runs."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.components import data_table
from core.scraping.runs.providers import DEMO
from core.text.numbers import format_dollars
from core.text.times import format_age
from core.upkeep.health import name_provider
from core.upkeep.health_queries import FetchRunRow


def show_fetch_runs(runs: Sequence[FetchRunRow], now: datetime) -> None:
    """Show the newest fetch runs of the last 24 hours."""
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
        "Error": run.error or "none",
        "State": run.state,
        "Products": run.products,
        "Stored": run.stored,
        "Failed": run.failed,
        "Cost": _format_cost(run),
        "Data source": name_provider(run.provider),
        "Marketplace": run.marketplace,
        "Run": str(run.id),
        "Actor": run.actor,
    }


def _format_cost(run: FetchRunRow) -> str:
    if run.cost_usd is None:
        return "pending"
    return format_dollars(run.cost_usd) + (" (demo)" if run.provider == DEMO else "")
