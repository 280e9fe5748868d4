"""The delivery log: each message to the user with its state and the provider's answer."""

import pandas as pd
import streamlit as st

from app.components import log_table
from app.data import get_principal
from app.data import notifications as data
from core.alerts.delivery.delivery_log import PAGE_SIZE, LoggedMessage
from core.alerts.notifications.labels import ACCOUNT_EMAIL, MESSAGE_STATES, describe_attempts
from core.text.times import format_moment

_LOG = "delivery_log"


def show_log() -> None:
    """Show the user's messages, newest first."""
    with st.container(border=True):
        st.header("Delivery log", anchor=False)
        found = data.list_messages(log_table.get_cursor(_LOG))
        if not found:
            st.caption("No message was sent yet.")
            return
        zone = get_principal().time_zone
        rows = pd.DataFrame([_make_row(each, zone) for each in found[:PAGE_SIZE]])
        log_table.show_log(rows, {}, _LOG)
        log_table.show_page_buttons(_LOG, found, PAGE_SIZE)


def _make_row(message: LoggedMessage, zone: str) -> dict[str, str]:
    return {
        "Time": format_moment(message.created_at, zone),
        "Channel": message.channel or ACCOUNT_EMAIL,
        "Message": message.subject,
        "State": MESSAGE_STATES[message.state],
        "Answer": describe_attempts(message.attempts, message.next_try_at, message.answer, zone),
    }
