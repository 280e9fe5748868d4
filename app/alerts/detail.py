"""An alert in full: what happened, the chart of that moment, what to do, what users did."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from app import device, keys
from app.alerts import actions, choice
from app.alerts.choice import OpenAlert
from app.components import data_table, delivery_explanation, fixed_chart, product_link
from app.components.thumbnail import show_thumbnail
from app.data import alerts, get_principal
from app.data.images import find_thumbnails
from core.alerts.charts.value_chart import HEIGHT
from core.alerts.incidents import incident_facts, labels
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Severity
from core.alerts.rules.sentences import describe_rule
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_count
from core.text.times import format_moment

LONGEST_TITLE: Final = 90
_CARD: Final = "alert_detail"
_STYLE: Final = f"""<style>
.st-key-{_CARD} [data-testid="stPageLink"] a {{ padding-inline: 0; }}
</style>"""
_BADGES: Final = {
    Severity.CRITICAL: ":red-badge[:material/error: Critical]",
    Severity.WARNING: ":orange-badge[:material/warning: Warning]",
    Severity.INFO: ":gray-badge[:material/info: Info]",
}


def show_alert(opened: OpenAlert) -> None:
    """Show the open alert."""
    row = opened.row
    st.html(_STYLE)
    with st.container(border=True, gap="small", key=_CARD):
        _show_position(opened)
        _show_head(row)
        actions.show_buttons(opened)
        _show_chart(row)
        _show_facts(row)
        _show_guide(row)
        _show_reason(row)
        _show_history(row)


def _show_position(opened: OpenAlert) -> None:
    """Show where the alert is in the list, with the buttons to the ones beside it."""
    before, after = opened.find_neighbour(-1), opened.find_neighbour(1)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if device.is_phone():
            st.button(
                "All alerts",
                icon=":material/arrow_back:",
                key="close_alert",
                on_click=choice.open_alert,
                args=(None,),
            )
        place = (
            "not in this list"
            if opened.place is None
            else (
                f"{format_count(opened.place + 1)} of {format_count(len(opened.ids))} on this page"
            )
        )
        st.caption(place, width="stretch")
        _show_step("Previous", "K", before)
        _show_step("Next", "J", after)


def _show_step(label: str, shortcut: str, incident_id: int | None) -> None:
    st.button(
        label,
        key=f"{label}_alert",
        shortcut=shortcut,
        disabled=incident_id is None,
        on_click=choice.open_alert,
        args=(incident_id,),
    )


def _show_head(row: IncidentRow) -> None:
    now, zone = datetime.now(UTC), get_principal().time_zone
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        show_thumbnail(find_thumbnails([row.product_id]).get(row.product_id), "", 56)
        with st.container(gap=None):
            st.header(escape_markdown(row.name_rule()), anchor=False)
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=escape_markdown(shorten(row.title or row.asin, LONGEST_TITLE)),
                query_params=product_link.product_parameters(row.marketplace, row.asin),
            )
    st.markdown(f"{_BADGES[row.severity]} **{escape_markdown(row.describe(zone, now))}**.")
    status = labels.STATES[row.state]
    handled = labels.format_handling(row.get_handled(now), now, zone)
    reason = labels.format_reason(row.silent_reason, row.muted_by)
    parts = [status, handled, *([] if reason is None else [reason]), row.marketplace]
    st.caption(escape_markdown(" · ".join(parts)))
    if row.silence is not None:
        until = format_moment(row.silence.ends_at, zone)
        by = row.silence.created_by or "a former user"
        text = f"Silenced until {until} by {by}: {row.silence.reason}"
        st.info(escape_markdown(text), icon=":material/notifications_off:")


def _show_chart(row: IncidentRow) -> None:
    found = alerts.read_moment(row)
    if found is None:
        st.caption("No history of this product is stored.")
        return
    fixed_chart.show_fixed_chart(found, HEIGHT, key=f"moment_{row.id}", box="moment_box")


def _show_facts(row: IncidentRow) -> None:
    data_table.show_facts(list_facts(row))
    day = row.opened_at.astimezone(ZoneInfo(get_principal().time_zone)).date().isoformat()
    st.page_link(
        f"../pages/{keys.PRODUCT}.py",
        label="Data source of that day",
        icon=":material/database:",
        query_params=product_link.product_parameters(row.marketplace, row.asin)
        | {keys.FROM: day, keys.TO: day, keys.TAB: keys.DATA_SOURCE},
    )


def list_facts(row: IncidentRow) -> dict[str, str]:
    """Return the facts of an alert by their names, escaped for Markdown."""
    zone = get_principal().time_zone
    facts: dict[str, str] = {}
    if row.is_of_this_rule:
        compared = incident_facts.list_compared(row.rule, row.findings, row.marketplace, zone)
        for each in compared:
            of = "" if len(compared) == 1 else f" ({each.subject})"
            if each.before is not None:
                facts[f"Before{of}"] = each.before
            facts[f"Now{of}"] = each.now
    facts["Why now"] = incident_facts.explain_opening(row.rule, row.state, row.opened_at, zone)
    facts["Alerts again"] = incident_facts.explain_rearm(
        row.rule, row.state, row.opened_at, row.marketplace, zone
    )
    changed = "" if row.is_of_this_rule else ", changed since then"
    version = f"Version {format_count(row.rule_version)}{changed}"
    sentence = describe_rule(
        row.rule,
        row.marketplace,
        has_own_sellers=row.has_own_sellers,
        product=row.title,
        view=alerts.find_view(row.rule.scope),
    )
    facts["Rule"] = f"{version}. {sentence}"
    facts["Evaluated"] = format_moment(row.evaluated_at, zone)
    return {name: escape_markdown(text) for name, text in facts.items()}


def _show_reason(row: IncidentRow) -> None:
    """Show the button that explains who was notified of the alert when it opened."""
    if st.button(delivery_explanation.TITLE, icon=delivery_explanation.ICON, key="why_alert"):
        at = row.opened_at + timedelta(seconds=1)  # an opening is the second of its observation
        delivery_explanation.show_dialog(row.product_id, at, row.rule_id)


def _show_guide(row: IncidentRow) -> None:
    st.subheader("What to do", anchor=False)
    steps = enumerate(labels.list_reactions(row.kind), 1)
    st.markdown("\n".join(f"{number}. {escape_markdown(step)}" for number, step in steps))


def _show_history(row: IncidentRow) -> None:
    events = alerts.list_events(row.id)
    if not events:
        return
    zone = get_principal().time_zone
    st.subheader("History", anchor=False)
    for each in events:
        done = labels.describe_event(each.kind, each.person, each.until, each.assigned_to, zone)
        text = escape_markdown(f"{done}, {format_moment(each.at, zone)}")
        body = "" if each.body is None else f"  \n“{escape_markdown(each.body)}”"
        st.markdown(f":small[{text}]{body}")
