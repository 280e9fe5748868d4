"""What comes by which channel and when: kinds by channel, quiet hours, digests, limits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

import streamlit as st

from app.commands import account
from app.commands import notifications as commands
from app.data import alerts, get_principal
from app.data import notifications as data
from core.accounts.access.permissions import Role
from core.alerts.delivery.channels import ListedChannel
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.labels import KINDS, SEVERITIES
from core.alerts.notifications.labels import MODES, REMINDERS, SCOPES
from core.alerts.notifications.policy import DeliverySettings, Mode
from core.alerts.notifications.preferences import MOST_PER_HOUR
from core.text.escaping import escape_markdown
from core.tracking.list_filter import ListScope

Modes = Mapping[int, Mapping[IncidentKind, Mode]]
_NIGHT = (time(22), time(7))
_CHANNELS_SHOWN = 3  # side by side


def show_modes(channels: list[ListedChannel], modes: Modes) -> None:
    """Show for each kind of alert when each channel gets it."""
    if not channels:
        return
    with st.container(border=True):
        st.header("What comes when", anchor=False)
        st.caption("A choice is saved at once, and counts for alerts that open from then on.")
        shown = channels
        if len(channels) > _CHANNELS_SHOWN:
            shown = st.multiselect(
                "Channels",
                channels,
                channels[:_CHANNELS_SHOWN],
                format_func=lambda each: each.name,
                max_selections=_CHANNELS_SHOWN,
                key="channels_shown",
            )
        for kind in IncidentKind:
            columns = st.columns([2, *[1.5] * len(shown)], vertical_alignment="bottom")
            columns[0].markdown(f"**{KINDS[kind]}**")
            for column, channel in zip(columns[1:], shown, strict=True):
                with column:
                    _show_mode(channel, kind, modes[channel.id][kind])


def show_rule_modes(channels: list[ListedChannel]) -> None:
    """Show when each channel gets the alerts of one rule, where that differs from its kind."""
    if not channels:
        return
    with st.expander("Another choice for one rule", icon=":material/tune:"):
        rules = {each.stored.rule_id: each.format_name() for each in alerts.list_rules()}
        rule_id = st.selectbox(
            "Rule",
            list(rules),
            index=None,
            placeholder="Choose a rule",
            format_func=rules.__getitem__,
            key="rule_of_modes",
        )
        if rule_id is None:
            return
        chosen = data.list_rule_modes(rule_id)
        choices = [None, *MODES]
        for channel in channels:
            key = f"rule_mode_{channel.id}_{rule_id}"
            st.selectbox(
                escape_markdown(channel.name),
                choices,
                index=choices.index(chosen.get(channel.id)),
                format_func=lambda mode: "As its kind" if mode is None else MODES[mode],
                key=key,
                on_change=_save_rule_mode,
                args=(channel.id, rule_id, key),
            )


def _save_rule_mode(channel_id: int, rule_id: int, key: str) -> None:
    account.run_with_toast(commands.set_rule_mode, channel_id, rule_id, st.session_state[key])


def _show_mode(channel: ListedChannel, kind: IncidentKind, mode: Mode) -> None:
    key = f"mode_{channel.id}_{kind.value}"
    choices = list(MODES)
    st.selectbox(
        escape_markdown(channel.name),
        choices,
        index=choices.index(mode),
        format_func=MODES.__getitem__,
        key=key,
        on_change=_save_mode,
        args=(channel.id, kind, key),
    )


def _save_mode(channel_id: int, kind: IncidentKind, key: str) -> None:
    account.run_with_toast(commands.set_mode, channel_id, kind, st.session_state[key])


def show_settings(settings: DeliverySettings) -> None:
    """Show the form of quiet hours, digests, reminders and limits."""
    with st.form("delivery_settings"):
        st.header("When", anchor=False)
        st.caption(f"Hours are of your time zone, {get_principal().time_zone}.")
        wanted = _choose_quiet_hours(settings)
        left, right = st.columns(2)
        with left:
            wanted = _choose_pace(wanted)
        with right:
            wanted = _choose_reminders_and_severity(wanted)
        wanted = _choose_products_and_ends(wanted)
        if st.form_submit_button("Save", type="primary", icon=":material/save:"):
            account.run_from_form(commands.save_delivery_settings, wanted)


def _choose_quiet_hours(settings: DeliverySettings) -> DeliverySettings:
    has_quiet = st.toggle(
        "Quiet hours",
        settings.quiet_from is not None,
        help="What is due in them comes when they end.",
    )
    left, right = st.columns(2)
    begins = left.time_input("From", settings.quiet_from or _NIGHT[0], step=900)
    ends = right.time_input("Until", settings.quiet_until or _NIGHT[1], step=900)
    passes = st.toggle("Critical alerts come in quiet hours, too", settings.critical_passes_quiet)
    return replace(
        settings,
        quiet_from=begins if has_quiet else None,
        quiet_until=ends if has_quiet else None,
        critical_passes_quiet=passes,
    )


def _choose_pace(settings: DeliverySettings) -> DeliverySettings:
    digest = st.selectbox(
        "Daily digest", range(24), index=settings.digest_hour, format_func=_format_hour
    )
    most = st.number_input(
        "Most messages an hour",
        1,
        MOST_PER_HOUR,
        settings.most_per_hour,
        help="Of each channel. What is above comes later in one message, with its number.",
    )
    return replace(settings, digest_hour=digest, most_per_hour=int(most))


def _choose_reminders_and_severity(settings: DeliverySettings) -> DeliverySettings:
    reminders = list(dict.fromkeys([*REMINDERS, settings.reminder_hours]))
    reminder = st.selectbox(
        "Reminders",
        reminders,
        index=reminders.index(settings.reminder_hours),
        format_func=lambda hours: REMINDERS.get(hours) or f"Every {hours} hours",
        help="Of open alerts that were sent, until they are acknowledged.",
    )
    severities = list(SEVERITIES)
    lowest = st.selectbox(
        "Lowest severity",
        severities,
        index=severities.index(settings.lowest_severity),
        format_func=SEVERITIES.__getitem__,
    )
    return replace(settings, reminder_hours=reminder, lowest_severity=lowest)


def _choose_products_and_ends(settings: DeliverySettings) -> DeliverySettings:
    scope = settings.scope
    if get_principal().role is not Role.SELLER:  # sellers get those that they track
        scopes = list(SCOPES)
        scope = st.radio(
            "Products",
            scopes,
            index=scopes.index(scope),
            format_func=SCOPES.__getitem__,
            horizontal=True,
        )
    resolved = st.toggle("Also send when an alert ends", settings.sends_resolved)
    return replace(settings, scope=ListScope(scope), sends_resolved=resolved)


def _format_hour(hour: int) -> str:
    return f"{hour:02}:00"
