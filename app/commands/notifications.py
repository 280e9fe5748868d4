"""Commands of the Notifications page: each writes and returns a message for the user.

A test calls the channel with no transaction open, and is stored with what it answered.
"""

from collections.abc import Mapping

import streamlit as st

from app.data import get_principal
from core.alerts.delivery import channels
from core.alerts.delivery.send_messages import make_send_context
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications import preferences
from core.alerts.notifications.policy import DeliverySettings, Mode
from core.database.session import shared_time, write_scope
from core.delivery.channels.registry import ChannelKind, send_message
from core.delivery.outcome import Outcome
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown

SIGNING_SECRET = "_signing_secret"  # noqa: S105 - a key of the session's state; shown once
_TESTED = {
    Outcome.SENT: "Sent. Check that it arrived.",
    Outcome.REFUSED: "Refused",
    Outcome.LATER: "Not sent",
    Outcome.UNKNOWN: "No answer: it may have arrived",
}


def add_channel(kind: ChannelKind, name: str, typed: Mapping[str, str]) -> str:
    """Add a channel; its signing secret is kept to be shown once."""
    with write_scope() as session:
        added = channels.add_channel(
            session, get_principal(), kind, name, typed, get_settings(), shared_time()
        )
    if added.signing_secret is not None:
        st.session_state[SIGNING_SECRET] = added.signing_secret
    return "Added. Test it now."


def clear_signing_secret() -> None:
    """Forget a signing secret that was shown."""
    st.session_state.pop(SIGNING_SECRET, None)


def test_channel(channel_id: int) -> str:
    """Send a test message, and store what was answered."""
    settings = get_settings()
    with write_scope() as session:
        test = channels.make_test(session, get_principal(), channel_id, settings, shared_time())
    attempt = send_message(test.address, test.message, make_send_context(settings))
    with write_scope() as session:
        channels.store_test(session, get_principal(), channel_id, attempt, shared_time())
    if attempt.outcome is Outcome.SENT:
        return _TESTED[attempt.outcome]
    return f"{_TESTED[attempt.outcome]}: {escape_markdown(attempt.answer)}"


def pause_channel(channel_id: int) -> str:
    """Pause a channel."""
    with write_scope() as session:
        channels.pause_own_channel(session, get_principal(), channel_id, shared_time())
    return "Paused. What was pending is cancelled."


def resume_channel(channel_id: int) -> str:
    """Resume a channel."""
    with write_scope() as session:
        channels.resume_channel(session, get_principal(), channel_id)
    return "Resumed. It gets what opens from now on."


def remove_channel(channel_id: int) -> str:
    """Remove a channel with its address."""
    with write_scope() as session:
        channels.remove_channel(session, get_principal(), channel_id, shared_time())
    return "Removed."


def set_mode(channel_id: int, kind: IncidentKind, mode: Mode) -> str:
    """Set when a channel gets a kind of alerts."""
    with write_scope() as session:
        preferences.set_mode(session, get_principal(), channel_id, kind, mode)
    return "Saved."


def set_rule_mode(channel_id: int, rule_id: int, mode: Mode | None) -> str:
    """Set when a channel gets one rule's alerts; None: as its kind."""
    with write_scope() as session:
        preferences.set_rule_mode(session, get_principal(), channel_id, rule_id, mode)
    return "Saved."


def save_delivery_settings(wanted: DeliverySettings) -> str:
    """Set when and of what the user is notified."""
    with write_scope() as session:
        preferences.set_delivery_settings(session, get_principal(), wanted)
    return "Saved."
