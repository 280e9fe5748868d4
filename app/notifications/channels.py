"""The user's channels: state, test, pause, remove, and the form that adds one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from app import keys
from app.commands import account
from app.commands import notifications as commands
from app.data import get_principal
from app.data import notifications as data
from core.accounts.access.permissions import Permission
from core.alerts.delivery.channels import LONGEST_NAME, ListedChannel
from core.alerts.notifications.labels import CHANNELS, PAUSES, format_last_attempt
from core.delivery.channels.registry import FIELDS, ChannelKind
from core.text.escaping import escape_markdown

BadgeColor = Literal["green", "gray", "orange", "red"]
_KIND = "channel_kind"
_ROUND = "_channel_round"  # a new number gives new, empty fields
_ICONS = {
    ChannelKind.EMAIL: ":material/mail:",
    ChannelKind.WEBHOOK: ":material/webhook:",
}


def show_channels(channels: list[ListedChannel]) -> None:
    """Show the user's channels and the form that adds one."""
    if commands.SIGNING_SECRET in st.session_state:
        _show_signing_secret(st.session_state[commands.SIGNING_SECRET])
    with st.container(border=True):
        st.header("Channels", anchor=False)
        st.caption(
            "Alerts are always shown in the app. A channel sends them to you as well; you choose "
            "below what it gets and when."
        )
        for channel in channels:
            _show_channel(channel)
        with st.expander("Add a channel", icon=":material/add:", expanded=not channels):
            _show_form(channels)
        if get_principal().may(Permission.READ):
            st.page_link(
                f"../pages/{keys.REPORTS}.py",
                label="Alerts for a feed reader: your feed is on the page Reports",
                icon=":material/rss_feed:",
            )


def _show_signing_secret(secret: str) -> None:
    with st.container(border=True):
        st.markdown(
            ":material/key: **The webhook's signing secret.** Copy it now: it is never shown again."
        )
        st.code(secret, language=None, wrap_lines=True)
        st.button("Done", type="primary", on_click=commands.clear_signing_secret)


def _show_channel(channel: ListedChannel) -> None:
    icon = _ICONS.get(channel.kind, ":material/chat:")
    with st.container(border=True, gap="small", key=f"channel_{channel.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{icon} **{escape_markdown(channel.name)}**", width="content")
            label, color = _find_state(channel)
            st.badge(label, color=color)
            st.space("stretch")
            _show_buttons(channel)
        st.caption(f"{CHANNELS[channel.kind]}, {escape_markdown(channel.hint)}")
        if not channel.is_active:
            st.markdown(PAUSES.get(channel.paused_reason or "", "It is paused."))
        if channel.last_at is not None:
            st.markdown(
                escape_markdown(
                    format_last_attempt(
                        channel.last_outcome,
                        channel.last_at,
                        channel.last_answer,
                        datetime.now(UTC),
                    )
                )
            )


def _find_state(channel: ListedChannel) -> tuple[str, BadgeColor]:
    """Return a channel's state and its colour."""
    if not channel.is_active:
        return "Paused", "gray"
    if channel.last_outcome is None:
        return "Not tested", "orange"
    if channel.last_outcome == "sent":
        return "Working", "green"
    return "Last message not sent", "red"


def _show_buttons(channel: ListedChannel) -> None:
    _show_button(channel, "Test", "send", commands.test_channel, "Sends a test message.")
    if channel.is_active:
        _show_button(channel, "Pause", "pause", commands.pause_channel)
    else:
        _show_button(channel, "Resume", "play_arrow", commands.resume_channel)
    _show_button(channel, "Remove", "delete", commands.remove_channel, "Deletes its address.")


def _show_button(
    channel: ListedChannel,
    label: str,
    icon: str,
    command: Callable[[int], str],
    tooltip: str | None = None,
) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{label.lower()}_channel_{channel.id}",
        help=tooltip,
        on_click=account.run_with_toast,
        args=(command, channel.id),
    )


def _show_form(channels: list[ListedChannel]) -> None:
    has_email = any(each.kind is ChannelKind.EMAIL for each in channels)
    kinds = [each for each in FIELDS if not (has_email and each is ChannelKind.EMAIL)]
    kind = st.selectbox("Kind", kinds, format_func=CHANNELS.__getitem__, key=_KIND)
    if kind is ChannelKind.EMAIL:
        st.caption("Emails go to your account's address.")
        if not data.has_mail_server():
            st.warning(
                "No mail server is connected. Administrators connect one in Settings, Connections.",
                icon=":material/warning:",
            )
    number = st.session_state.get(_ROUND, 0)
    with st.form(f"add_channel_{kind.value}", border=False):
        name = st.text_input(
            "Name", CHANNELS[kind], max_chars=LONGEST_NAME, key=f"name_{kind.value}_{number}"
        )
        typed = {
            field.name: st.text_input(
                field.label,
                type="password" if field.is_secret else "default",
                autocomplete="off",
                help=field.help,
                key=f"{kind.value}_{field.name}_{number}",
            )
            for field in FIELDS[kind]
        }
        if st.form_submit_button("Add", type="primary", icon=":material/add:"):
            account.run_from_form(lambda: _add(kind, name, typed))


def _add(kind: ChannelKind, name: str, typed: dict[str, str]) -> str:
    """Add a channel, and empty the fields."""
    message = commands.add_channel(kind, name, typed)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    return message
