"""Health's table of fields that could not be read."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.components import data_table
from core.history.provenance.text import source_name
from core.text.escaping import remove_direction_marks
from core.text.times import format_age
from core.upkeep.unreadable import UnreadableField


def show_unreadable_fields(fields: Sequence[UnreadableField], now: datetime) -> None:
    """Show which fields of which source could not be read, with the newest such text."""
    if not fields:
        st.caption("Every field of every check was understood.")
        return
    data_table.show_table(
        pd.DataFrame([_cells(field, now) for field in fields]),
        "unreadable-fields",
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(fields)),
        column_config=data_table.count_columns("Last 24 hours", "Last 7 days"),
        alt="Fields that could not be read, by source",
    )


def _cells(field: UnreadableField, now: datetime) -> dict[str, object]:
    return {
        "Field": field.field.replace("_", " "),
        "Source": source_name(field.source),
        "Last 24 hours": field.last_day,
        "Last 7 days": field.last_week,
        "Newest": format_age(field.newest_at, now),
        "Marketplace": field.marketplace,
        "What stood there": remove_direction_marks(field.newest_text),
    }
