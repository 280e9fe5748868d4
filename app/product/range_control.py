"""The chosen range of a product's history: period buttons, and two days in the address."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import streamlit as st

from app import keys
from app.components.product_link import PERIOD_NAMES
from app.data.product.period import Range
from app.web import url_parameters
from core.text.times import format_day

LABELS: Final = {7: "7D", 30: "30D", 90: "90D", 180: "180D", 365: "1Y", 0: "All"}  # 0: all
USUAL_DAYS: Final = 90
_CHOSEN: Final = "_chosen_days"  # of the address, for the callbacks


def choose_range() -> Range:
    """Show the period buttons; return the range that they or the address choose.

    `from` and `to` in the address win, until a button is pressed.
    """
    ends = _read_ends()
    requested = url_parameters.read_text(keys.DAYS)
    by_text = {_write_days(days): days for days in LABELS}
    days = by_text.get(requested or "", USUAL_DAYS)
    st.session_state[_CHOSEN] = days
    # A range of its own presses no button; the last button must not stay pressed either.
    if keys.PERIOD in st.session_state and (st.session_state[keys.PERIOD] is None) != bool(ends):
        st.session_state[keys.PERIOD] = None if ends else days
    chosen = st.segmented_control(
        "Period",
        list(LABELS),
        default=None if ends else days,
        format_func=LABELS.__getitem__,
        key=keys.PERIOD,
        label_visibility="collapsed",
        on_change=_press_button,
    )
    if ends is not None:
        return Range(days, f"{format_day(ends[0])} to {format_day(ends[1])}", ends)
    days = days if chosen is None else chosen
    _write_address(days, requested)
    return Range(days, PERIOD_NAMES[days])


def _read_ends() -> tuple[date, date] | None:
    """Return the days of the address, the earlier one first; None: it has no two valid days."""
    texts = [url_parameters.read_text(name) for name in (keys.FROM, keys.TO)]
    try:
        first, last = sorted(date.fromisoformat(text or "") for text in texts)
    except ValueError:
        return None
    return first, last


def _press_button() -> None:
    """Forget the range of the address; a button that is pressed again stays pressed."""
    for name in (keys.FROM, keys.TO):
        st.query_params.pop(name, None)
    if st.session_state[keys.PERIOD] is None:
        st.session_state[keys.PERIOD] = st.session_state[_CHOSEN]


def _write_address(days: int, requested: str | None) -> None:
    text = _write_days(days)
    if requested != text and (requested is not None or days != USUAL_DAYS):
        st.query_params[keys.DAYS] = text


def _write_days(days: int) -> str:
    return str(days) if days else "all"


def take_selection(key: str) -> None:
    """Put the range that was selected in the strip into the address."""
    ends = find_selected_days(st.session_state.get(key))
    if ends is None:
        return
    st.query_params[keys.FROM], st.query_params[keys.TO] = (day.isoformat() for day in ends)


def find_selected_days(event: Mapping[str, Any] | None) -> tuple[date, date] | None:
    """Return the first and last day of a box selection, None without one."""
    boxes = ((event or {}).get("selection") or {}).get("box") or []
    if not boxes:
        return None
    try:
        first, last = sorted(date.fromisoformat(str(each)[:10]) for each in boxes[0]["x"])
    except (KeyError, TypeError, ValueError):
        return None
    return first, last
