"""Health's failed checks by outcome, with their products and raw responses."""

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
from core.text.numbers import format_count
from core.text.times import format_age
from core.upkeep.health_queries import FailedCheck, OutcomeCount

OUTCOME = "failure"  # key of the chosen outcome
CHECK = "failed_check"  # key of the table, followed by the outcome
_MOST_LINES = 16  # of a raw response; a longer one scrolls
_SCROLLING_HEIGHT = 360  # px
_LONGEST_SHOWN = 60_000  # characters; more make a browser slow


def show_failed_checks(outcomes: Sequence[OutcomeCount], now: datetime) -> None:
    """Show how many checks failed by outcome, and the products of a chosen one."""
    st.subheader("Failures by outcome", anchor=False)
    failed = [each for each in outcomes if not Outcome(each.outcome).is_about_product]
    if not failed:
        st.caption(
            "No fetch failed in the last 24 hours."
            if outcomes
            else "Nothing was fetched in the last 24 hours."
        )
        return
    labels = {
        each.outcome: f"{outcome_label(each.outcome)} · {format_count(each.checks)}"
        for each in failed
    }
    chosen = st.pills(
        "Outcome",
        list(labels),
        default=failed[0].outcome,
        format_func=labels.__getitem__,
        key=OUTCOME,
        label_visibility="collapsed",
    )
    if chosen is not None:
        _show_outcome(chosen, now)


def _show_outcome(outcome: str, now: datetime) -> None:
    st.caption(outcome_sentence(Outcome(outcome)))
    checks = data.list_failed_checks(outcome)
    ticked = data_table.show_table(
        pd.DataFrame([_cells(check, now) for check in checks]),
        f"failures-{outcome}",
        key=f"{CHECK}_{outcome}",
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(checks)),
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(checks)} products whose fetch ended so",
    )
    rows = ticked["selection"]["rows"]
    if rows and rows[0] < len(checks):
        _show_raw_item(checks[rows[0]])
    else:
        st.caption("Tick a row to see the original item.")


def _cells(check: FailedCheck, now: datetime) -> dict[str, object]:
    return {
        "Product": shorten(check.title or check.asin, 60),
        "Marketplace": check.marketplace,
        "ASIN": check.asin,
        "When": format_age(check.at, now),
        "Why": check.detail or "no detail was given",
        "Original": "kept" if check.has_original else "none came",
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
            "Original item",
            f"item-{check.run_id}-{check.asin}.json",
            downloads.JSON,
            lambda _who: text.encode(),
            key="original",
        )
        # As code: nothing in it is a link, a picture or markup.
        st.code(shorten(text, _LONGEST_SHOWN), language="json", height=_code_height(text))


def _code_height(text: str) -> int | Literal["content"]:
    return "content" if text.count("\n") < _MOST_LINES else _SCROLLING_HEIGHT
