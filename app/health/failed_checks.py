"""Failed checks by reason, with their products and raw responses."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import pandas as pd
import streamlit as st

from app.components import cards, data_table, downloads
from app.data import health as data
from core.history.labels import outcome_sentence
from core.history.observation import Outcome
from core.importing.row_outcomes import outcome_label
from core.text.escaping import shorten
from core.text.numbers import format_count, format_counted
from core.text.times import format_age
from core.upkeep.check_counts import FailureReason
from core.upkeep.health_queries import FailedCheck

REASON = "failure"  # key of the table of reasons
CHECK = "failed_check"  # key of the table of products, followed by the reason
_MOST_LINES = 16  # of a raw response; a longer one scrolls
_SCROLLING_HEIGHT = 360  # px
_LONGEST_SHOWN = 60_000  # characters; more make a browser slow


def show_failed_checks(reasons: Sequence[FailureReason], now: datetime, *, is_admin: bool) -> None:
    """Show why checks of the last 24 hours failed, and the products of a selected reason."""
    st.header("Failed checks by reason, 24 h", anchor=False)
    if not reasons:
        st.caption("No check failed in the last 24 hours.")
        return
    ticked = data_table.show_table(
        pd.DataFrame([_reason_cells(each, now) for each in reasons]),
        "failed-checks",
        key=REASON,
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(reasons)),
        column_config=data_table.count_columns("Checks"),
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{format_counted(len(reasons), 'reason')} of failed checks",
    )
    rows = ticked["selection"]["rows"]
    if rows and rows[0] < len(reasons):
        _show_reason(reasons[rows[0]], now, is_admin=is_admin)
    else:
        st.caption("Select a row to see its products.")


def _reason_cells(each: FailureReason, now: datetime) -> dict[str, object]:
    return {
        "Reason": outcome_label(each.outcome),
        "Marketplace": each.marketplace,
        "Checks": each.checks,
        "Affects": format_counted(each.products, "product"),
        "Last": format_age(each.newest_at, now),
        "What happens": describe_next(each, now),
    }


def describe_next(each: FailureReason, now: datetime) -> str:
    """Return what became of the products whose checks failed, and what comes next."""
    if each.recovered == each.products:
        return "All were checked since"
    parts = []
    if each.recovered:
        recovered = f"{format_count(each.recovered)} of {format_count(each.products)}"
        parts.append(f"{recovered} since checked")
    if each.next_due_at is None:
        parts.append("no retry: they are no longer tracked, or paused")
    elif each.next_due_at <= now:
        parts.append("retry is due")
    else:
        parts.append(f"retry {format_age(each.next_due_at, now)}")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]


def _show_reason(reason: FailureReason, now: datetime, *, is_admin: bool) -> None:
    st.caption(outcome_sentence(Outcome(reason.outcome)))
    checks = data.list_failed_checks(reason.outcome, reason.marketplace)
    frame = pd.DataFrame([_cells(check, now) for check in checks])
    name = f"{reason.outcome}-{reason.marketplace}".lower()
    if not is_admin:
        data_table.show_table(frame, f"failures-{name}", row_height=data_table.ROW_HEIGHT)
        return
    ticked = data_table.show_table(
        frame,
        f"failures-{name}",
        key=f"{CHECK}_{name}",
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(checks)),
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(checks)} products whose check ended so",
    )
    rows = ticked["selection"]["rows"]
    if rows and rows[0] < len(checks):
        _show_raw_item(checks[rows[0]])
    else:
        st.caption("Select a row to see the raw response.")


def _cells(check: FailedCheck, now: datetime) -> dict[str, object]:
    return {
        "Product": shorten(check.title or check.asin, 60),
        "Marketplace": check.marketplace,
        "ASIN": check.asin,
        "When": format_age(check.at, now),
        "Why": check.detail or "no detail was given",
        "Raw response": "kept" if check.has_original else "none came",
        "Run": str(check.run_id),
    }


def _show_raw_item(check: FailedCheck) -> None:
    """Show a check's raw response as data, and offer it as a file."""
    item = data.find_raw_item(check.run_id, check.product_id)
    if item is None:
        cards.show_unknown("no item came back for this product, or it is older than what is kept")
        return
    text = json.dumps(item, ensure_ascii=False, indent=2)
    with st.container(border=True):
        downloads.show_download_button(
            "Raw response",
            f"item-{check.run_id}-{check.asin}.json",
            downloads.JSON,
            lambda _who: text.encode(),
            key="original",
        )
        # As code: nothing in it is a link, a picture or markup.
        st.code(shorten(text, _LONGEST_SHOWN), language="json", height=_code_height(text))


def _code_height(text: str) -> int | Literal["content"]:
    return "content" if text.count("\n") < _MOST_LINES else _SCROLLING_HEIGHT
